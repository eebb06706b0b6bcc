/* A conversation: newest at the end, older on demand, marks of what reached whom, and what waits for a network. */
import type { ChatMessage, ChatPerson } from "@sideline/core";
import { type UIEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Actions, Forward } from "../chat/actions";
import { type Sheet, Sheets } from "../chat/about";
import { type Deeds, Days } from "../chat/bubble";
import { type About, Composer } from "../chat/composer";
import { useConversation, usePeople } from "../chat/conversation";
import { Search } from "../chat/search";
import { type Target, block } from "../chat/person";
import { nameOf, wordsOf } from "../chat/words";
import { theCore, useRows } from "../core";
import { t } from "../i18n";
import { go, useTitle } from "../router";
import { usePull } from "../ui/gestures";
import { Icon } from "../ui/icon";
import { Avatar, Button, Empty, Tool, announce, attempt } from "../ui/parts";
import { useConversations } from "../unread";

export function Chat({ id }: { id: string }) {
    const space = `thread:${id}` as const;
    const talk = useConversation(space);
    const { shown } = talk;
    const people = usePeople(space);
    const thread = useConversations()?.find((one) => one.thread === space);
    const muted = thread?.muted_until_ms !== undefined;
    const group = thread?.group === true;
    const name = nameOf(thread);
    const [sheet, setSheet] = useState<Sheet | null>(null);
    const [about, setAbout] = useState<About | null>(null);
    const [open, setOpen] = useState<{ do: "more" | "forward"; message: ChatMessage } | null>(null);
    const [searching, setSearching] = useState(false);
    const { list, marked, mark, scrolled, atEnd } = useScroll(shown?.messages);
    useTitle(`${name} · ${t("app.name")}`);
    useEffect(() => {
        theCore().sync.focus(space).catch(() => undefined);
    }, [space]);
    useSeen(space, shown?.newer === false ? shown.messages.findLast((one) => one.place !== undefined)?.id : undefined);
    const older = () => attempt(async () => {
        atEnd.current = false;
        await talk.older();
    });
    const jump = (message: string) => attempt(async () => {
        atEnd.current = false;
        setSearching(false);
        if (!shown?.messages.some((one) => one.id === message)) {
            await talk.jump(message);
        }
        mark(message);
    });
    const newest = () => attempt(async () => {
        atEnd.current = true;
        await talk.jump(null);
    });
    const after = (work: () => Promise<void>) => attempt(async () => {
        await work();
        talk.again();
    });
    const deeds: Deeds = {
        more: (message) => setOpen({ do: "more", message }),
        reply: (message) => setAbout({ do: "reply", message }),
        react: (message, emoji, on) => attempt(() => theCore().chat.react(message.id, emoji, on)),
        jump,
        fill: (message) => attempt(() => talk.fill(message)),
        retry: (message) => after(() => theCore().chat.retry(message.id)),
        discard: (message) => after(() => theCore().chat.discard(message.id)),
    };
    const mute = () => attempt(async () => {
        await theCore().chat.mute(space, !muted);
        announce(t(muted ? "chat.muted.not" : "chat.muted"));
    });
    const pull = usePull(older, () => list.current);
    return (
        <div className="chat">
            <header className="chat-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go("/messages")} />
                <Avatar name={name} size={36} />
                <div className="grow clip"><h1 className="clip"><bdi>{name}</bdi></h1><p className="muted small" role="status">{standing(people, group)}</p></div>
                {group && <Tool icon="people" className="chat-wide" name={t("group.people")} onClick={() => setSheet({ do: "people" })} />}
                <Tool icon="search" name={t("chat.search")} on={searching} onClick={() => setSearching(!searching)} />
                <Tool icon={muted ? "bellOff" : "bell"} className="chat-wide" name={t("chat.mute")} on={muted} onClick={mute} />
                <Tool icon="more" name={t("chat.about")} onClick={() => setSheet({ do: "about" })} />
            </header>
            {searching && <Search space={space} onFound={jump} onClose={() => setSearching(false)} />}
            <Pins space={space} onJump={jump} />
            <div className="chat-list" ref={list} onScroll={scrolled} {...pull} tabIndex={0} role="log" aria-label={t("chat.log", { name })} aria-live="polite">
                {shown !== undefined && shown.older !== null && <Button look="quiet" onClick={older}>{t("chat.older")}</Button>}
                {shown?.messages.length === 0 && <Empty icon="chat" title={t("chat.empty")}><p>{t("chat.empty.more", { name })}</p></Empty>}
                <Days messages={shown?.messages ?? []} deeds={deeds} marked={marked} group={group} />
                {shown?.newer && <Button look="quiet" onClick={newest}>{t("chat.newest")}</Button>}
            </div>
            {thread?.blocked === true && !group
                ? <div className="chat-composer chat-blocked"><p className="grow">{t("block.here", { name })}</p><Button onClick={() => attempt(() => block({ user: thread.people[0]!.user, name }, false))}>{t("block.undo")}</Button></div>
                : <Composer space={space} name={name} people={people} about={about} onAbout={setAbout} onSent={newest} />}
            {open?.do === "more" && (
                <Actions message={open.message} onClose={() => setOpen(null)} onReply={() => setAbout({ do: "reply", message: open.message })}
                    onEdit={() => setAbout({ do: "edit", message: open.message })} onForward={() => setOpen({ do: "forward", message: open.message })}
                    onReport={() => setSheet({ do: "report", target: reportOf(open.message) })} />
            )}
            {thread !== undefined && <Sheets sheet={sheet} onSheet={setSheet} thread={thread} people={people} muted={muted} onMute={mute} />}
            {open?.do === "forward" && <Forward message={open.message} onClose={() => setOpen(null)} />}
        </div>
    );
}

function reportOf(message: ChatMessage): Target {
    return { user: message.author_id ?? "", name: message.author ?? t("chat.someone"), message: { id: message.id, space: message.space, words: wordsOf(message) } };
}

/** Who types, who is there; of a group, who is in it. */
function standing(people: ChatPerson[], group: boolean): string {
    const others = people.filter((one) => one.me !== true);
    const typing = others.find((one) => one.typing);
    if (!group) {
        return typing !== undefined ? t("chat.typing") : others[0]?.online ? t("chat.online") : "";
    }
    return typing !== undefined ? t("group.typing", { name: typing.name ?? t("chat.someone") }) : t("group.count", { n: people.length });
}

/** The newest of what was pinned for all of the thread. */
function Pins({ space, onJump }: { space: string; onJump(message: string): void }) {
    const pins = useRows({ from: "pin", where: { space }, order: ["-id"] });
    const messages = useRows(pins === undefined || pins.length === 0 ? null : { from: "message", where: { id: { in: pins.map((one) => one.message_id) } } });
    const newest = pins?.map((pin) => messages?.find((one) => one.id === pin.message_id)).find((one) => one !== undefined);
    if (newest === undefined) {
        return null;
    }
    return (
        <button type="button" className="chat-pin" onClick={() => onJump(newest.id)}>
            <Icon name="pin" />
            <span className="unseen">{t("chat.pinned")}</span>
            <span className="grow clip"><bdi>{wordsOf(newest as unknown as ChatMessage)}</bdi></span>
            {messages !== undefined && messages.length > 1 && <span className="badge">{messages.length}</span>}
        </button>
    );
}

/** Tells the others that everything up to this message was seen, once the page is looked at. */
function useSeen(space: string, newest: string | undefined): void {
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
}

/** Stays at the end while it is there; goes to a message that was asked for, when it is shown. */
function useScroll(messages: ChatMessage[] | undefined) {
    const list = useRef<HTMLDivElement>(null);
    const atEnd = useRef(true);
    const [marked, setMarked] = useState<string | null>(null);
    const newest = messages?.at(-1)?.id;
    useLayoutEffect(() => {
        if (atEnd.current && list.current !== null) {
            list.current.scrollTop = list.current.scrollHeight;
        }
    }, [newest, messages?.length]);
    useEffect(() => {
        const at = list.current;
        const observer = new ResizeObserver(() => atEnd.current && at?.scrollTo({ top: at.scrollHeight }));
        if (at !== null) {
            observer.observe(at);
        }
        return () => observer.disconnect();
    }, []);
    const there = messages?.some((one) => one.id === marked) ?? false;
    useEffect(() => {
        if (marked === null || !there) {
            return undefined;
        }
        document.getElementById(`message-${marked}`)?.scrollIntoView({ block: "center" });
        const timer = setTimeout(() => setMarked(null), 2500);
        return () => clearTimeout(timer);
    }, [marked, there]);
    const scrolled = (event: UIEvent<HTMLDivElement>) => {
        const at = event.currentTarget;
        atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 80;
    };
    return { list, atEnd, marked, mark: setMarked, scrolled };
}
