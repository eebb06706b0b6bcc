/* A conversation: newest at the end, older on demand, marks of what reached whom, and what waits for a network. */
import type { CoreEvent, Message, Participant, Reaction } from "@sideline/core";
import { type FormEvent, type UIEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { me, theCore, useEvents, useRecord, useRows, useStatus } from "../core";
import { clock, day, midnight, t } from "../i18n";
import { timeOf } from "../media";
import { go, useTitle } from "../router";
import { Thumb } from "../ui/cards";
import { Icon } from "../ui/icon";
import { Avatar, Button, Empty, Link, Tool, announce, attempt } from "../ui/parts";

const SIGNS = ["👍", "🔥", "👏", "💪"] as const;
const TYPING_MS = 5000;

export function Chat({ id }: { id: string }) {
    const space = `thread:${id}`;
    const messages = useRows({ from: "message", where: { space }, order: ["place"], limit: 10_000 });
    const people = useRows({ from: "participant", where: { space } });
    const reactions = useRows({ from: "reaction", where: { space } }) ?? [];
    const peer = people?.find((one) => one.user_id !== me());
    const name = peer?.name ?? t("chat.someone");
    const [more, setMore] = useState(false);
    const list = useRef<HTMLDivElement>(null);
    const pinned = useRef(true);
    useTitle(`${name} · ${t("app.name")}`);
    useEffect(() => {
        theCore().sync.focus(space).catch(() => undefined);
    }, [space]);
    const newest = messages?.at(-1)?.id;
    useLayoutEffect(() => {
        if (pinned.current && list.current !== null) {
            list.current.scrollTop = list.current.scrollHeight;
        }
    }, [newest, messages?.length]);
    useEffect(() => {
        const at = list.current;
        const observer = new ResizeObserver(() => pinned.current && at?.scrollTo({ top: at.scrollHeight }));
        if (at !== null) {
            observer.observe(at);
        }
        return () => observer.disconnect();
    }, []);
    useEffect(() => {
        const seen = () => {
            if (newest !== undefined && document.visibilityState === "visible") {
                theCore().chat.read(space).catch(() => undefined);
            }
        };
        seen();
        document.addEventListener("visibilitychange", seen);
        return () => document.removeEventListener("visibilitychange", seen);
    }, [space, newest]);
    useEffect(() => {
        theCore().chat.gaps(space).then((gaps) => setMore(gaps.length > 0), () => undefined);
    }, [space, messages]);
    const older = () => attempt(async () => {
        pinned.current = false;
        const answer = await theCore().chat.load(space, "older");
        setMore(answer.more);
    });
    const scrolled = (event: UIEvent<HTMLDivElement>) => {
        const at = event.currentTarget;
        pinned.current = at.scrollHeight - at.scrollTop - at.clientHeight < 80;
    };
    return (
        <div className="chat">
            <header className="chat-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go("/messages")} />
                <Avatar name={name} size={36} />
                <div className="grow"><h1 className="clip"><bdi>{name}</bdi></h1><Typing space={space} /></div>
            </header>
            <div className="chat-list" ref={list} onScroll={scrolled} tabIndex={0} role="log" aria-label={t("chat.log", { name })} aria-live="polite">
                {more && <Button look="quiet" onClick={older}>{t("chat.older")}</Button>}
                {messages?.length === 0 && <Empty icon="chat" title={t("chat.empty")}><p>{t("chat.empty.more", { name })}</p></Empty>}
                <Days messages={messages ?? []} peer={peer} reactions={reactions} />
            </div>
            <Composer space={space} name={name} />
        </div>
    );
}

function Typing({ space }: { space: string }) {
    const [at, setAt] = useState(0);
    useEvents(useCallback((event: CoreEvent) => {
        if (event.ev === "typing" && event.space === space && event.user !== me()) {
            setAt(Date.now());
        }
    }, [space]));
    useEffect(() => {
        const timer = at === 0 ? undefined : setTimeout(() => setAt(0), TYPING_MS);
        return () => clearTimeout(timer);
    }, [at]);
    return <p className="muted small" role="status">{at === 0 ? "" : t("chat.typing")}</p>;
}

function timeOfMessage(message: Message): number {
    return message.sent_ms ?? timeOf(message.id);
}

function Days({ messages, peer, reactions }: { messages: Message[]; peer: Participant | undefined; reactions: Reaction[] }) {
    return (
        <ol className="chat-days">
            {messages.map((message, i) => {
                const before = messages[i - 1];
                const at = timeOfMessage(message);
                const newDay = before === undefined || midnight(timeOfMessage(before)) !== midnight(at);
                const follows = !newDay && before.author_id === message.author_id && at - timeOfMessage(before) < 120_000;
                return (
                    <li key={message.id}>
                        {newDay && <p className="day"><span>{day(at)}</span></p>}
                        <Bubble message={message} follows={follows} peer={peer} reactions={reactions.filter((one) => one.message_id === message.id)} />
                    </li>
                );
            })}
        </ol>
    );
}

function Bubble({ message, follows, peer, reactions }: { message: Message; follows: boolean; peer: Participant | undefined; reactions: Reaction[] }) {
    const own = message.author_id === undefined || message.author_id === me();
    const react = (emoji: string) => attempt(async () => {
        const given = reactions.find((one) => one.emoji === emoji && (one.author_id ?? me()) === me());
        await (given === undefined ? theCore().create("reaction", message.space, { message_id: message.id, emoji }) : theCore().delete("reaction", given.id));
    });
    return (
        <article className={`bubble-row ${own ? "own" : ""} ${follows ? "follows" : ""}`}>
            <div className="bubble">
                <span className="unseen">{own ? t("dash.you") : peer?.name}: </span>
                {message.kind !== "text" && <Attached message={message} />}
                {message.body !== undefined && message.body !== "" && <p className="bubble-text"><bdi>{message.body}</bdi></p>}
                <p className="bubble-foot"><time className="number">{clock(timeOfMessage(message))}</time>{own && <Mark message={message} peer={peer} />}</p>
            </div>
            <div className="reactions">
                {[...new Set(reactions.map((one) => one.emoji))].map((emoji) => <button key={emoji} type="button" className="reaction" onClick={() => react(emoji)} aria-label={t("chat.react", { sign: emoji })}>{emoji}</button>)}
                {!own && <details className="react"><summary aria-label={t("chat.react.any")}>＋</summary><div>{SIGNS.map((sign) => <button key={sign} type="button" onClick={(event) => { react(sign); event.currentTarget.closest("details")?.removeAttribute("open"); }} aria-label={t("chat.react", { sign })}>{sign}</button>)}</div></details>}
            </div>
        </article>
    );
}

/** How far a message of one's own has come: on this device, with the server, on theirs, seen. */
function Mark({ message, peer }: { message: Message; peer: Participant | undefined }) {
    const place = message.place;
    if (message.pending || place === undefined) {
        return <span className="mark"><Icon name="clock" size={14} /><span>{t("chat.waits")}</span></span>;
    }
    if ((peer?.read ?? 0) >= place) {
        return <span className="mark mark-read"><Icon name="checks" size={16} /><span>{t("chat.read")}</span></span>;
    }
    const delivered = (peer?.delivered ?? 0) >= place;
    return <span className="mark"><Icon name={delivered ? "checks" : "check"} size={16} /><span>{t(delivered ? "chat.delivered" : "chat.sent")}</span></span>;
}

function Attached({ message }: { message: Message }) {
    const videoId = message.ref_space?.slice(6);
    const video = useRecord("video", videoId);
    const to = message.kind === "review" ? `/watch/${videoId}/${message.ref_id}` : `/video/${videoId}`;
    if (video === undefined) {
        return <p className="attached-none">{t("video.absent")}</p>;
    }
    return (
        <Link to={to} className="attached">
            <Thumb video={video} />
            <span className="attached-name"><Icon name={message.kind === "review" ? "pen" : "film"} size={16} /><span className="clip">{t(message.kind === "review" ? "chat.attached.review" : "chat.attached.video")} · <bdi>{video.title}</bdi></span></span>
        </Link>
    );
}

function Composer({ space, name }: { space: string; name: string }) {
    const [text, setText] = useState(() => sessionStorage.getItem(space) ?? "");
    const typed = useRef(0);
    const offline = useStatus().state !== "online";
    const type = (next: string) => {
        setText(next);
        sessionStorage.setItem(space, next);
        if (next !== "" && Date.now() - typed.current > TYPING_MS - 1000) {
            typed.current = Date.now();
            theCore().chat.typing(space).catch(() => undefined);
        }
    };
    const send = () => attempt(async () => {
        const body = text.trim();
        if (body !== "") {
            type("");
            await theCore().chat.send(space, { body });
            if (offline) {
                announce(t("chat.kept"));
            }
        }
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        send();
    };
    return (
        <form className="chat-composer" onSubmit={submit}>
            {offline && <p className="chat-offline" role="status"><Icon name="cloudOff" size={16} />{t("chat.offline")}</p>}
            <div className="composer">
                <Link to="/upload" className="tool" aria-label={t("upload.title")} title={t("upload.title")}><Icon name="film" /></Link>
                <textarea rows={1} value={text} aria-label={t("chat.to", { name })} placeholder={t("chat.write")} maxLength={8000} onChange={(event) => type(event.target.value)}
                    onKeyDown={(event) => { if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) { event.preventDefault(); send(); } }} />
                <Button look="primary" type="submit" icon="send" disabled={text.trim() === ""}>{t("chat.send")}</Button>
            </div>
        </form>
    );
}
