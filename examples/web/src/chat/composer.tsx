/* Writing a message. What is begun is kept by the core on this device, with what it answers. */
import type { ChatMessage, ChatPerson } from "@sideline/core";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { theCore, useStatus } from "../core";
import { t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, Link, Tool, announce, attempt } from "../ui/parts";
import { When, Waiting, whenOf } from "./later";
import { Picker, begunAt, meant, mentionsIn, optionId } from "./mentions";
import { wordsOf } from "./words";

const KEEP_MS = 400;

/** What a message that is written is about: an answer, or another text for one that is there. */
export interface About {
    do: "reply" | "edit";
    message: ChatMessage;
}

interface Kept {
    [member: string]: string;
    body: string;
}

/** Where a text is, in this tab, when the page goes and the core may not have heard of it in time. */
const leftIn = (space: string) => `draft ${space}`;

/** Keeps a text some moments after the last key, and at once when the page is left. */
function useKept(space: string, text: string, off: boolean): void {
    const waits = useRef<{ text: string; keep(): void } | null>(null);
    useEffect(() => {
        const keep = () => {
            waits.current = null;
            sessionStorage.removeItem(leftIn(space));
            theCore().chat.setDraft(space, text.trim() === "" ? null : ({ body: text } satisfies Kept)).catch(console.error);
        };
        if (off) {
            return undefined;
        }
        waits.current = { text, keep };
        const timer = setTimeout(() => waits.current?.keep(), KEEP_MS);
        return () => clearTimeout(timer);
    }, [text, off]);
    useEffect(() => {
        const leave = () => {
            if (waits.current !== null) {
                const { text: last, keep } = waits.current;
                keep();
                sessionStorage.setItem(leftIn(space), last);
            }
        };
        addEventListener("pagehide", leave);
        return () => {
            removeEventListener("pagehide", leave);
            waits.current?.keep();
        };
    }, [space]);
}

/** The people that a name which is begun may mean; the keys that choose among them. */
function useNaming(people: ChatPerson[], text: string, area: React.RefObject<HTMLTextAreaElement | null>, put: (text: string) => void) {
    const id = useId();
    const [caret, setCaret] = useState(0);
    const [active, setActive] = useState(0);
    const [shut, setShut] = useState(-1);
    const [goes, setGoes] = useState<number | null>(null);
    const begun = begunAt(text, caret);
    const found = begun === null || begun.at === shut ? [] : meant(people, begun.name).slice(0, 8);
    useEffect(() => setActive(0), [begun?.name]);
    useEffect(() => {
        if (begun === null) {
            setShut(-1); /* the next one is another */
        }
    }, [begun === null]);
    useEffect(() => {
        if (goes !== null) {
            area.current?.setSelectionRange(goes, goes);
            setCaret(goes);
            setGoes(null);
        }
    }, [goes]);
    const pick = (one: ChatPerson) => {
        const written = `@${one.name} `;
        put(text.slice(0, begun!.at) + written + text.slice(caret).replace(/^ /, ""));
        setGoes(begun!.at + written.length);
        area.current?.focus();
    };
    const step = (by: number) => setActive((active + by + found.length) % found.length);
    /** Whether the key was for the list. */
    const key = (event: React.KeyboardEvent): boolean => {
        const deed = found.length === 0 || event.nativeEvent.isComposing ? undefined : {
            ArrowDown: () => step(1),
            ArrowUp: () => step(-1),
            Enter: () => pick(found[active] ?? found[0]!),
            Tab: () => pick(found[active] ?? found[0]!),
            Escape: () => setShut(begun!.at),
        }[event.key];
        if (deed !== undefined) {
            event.preventDefault();
            deed();
        }
        return deed !== undefined;
    };
    const moved = () => setCaret(area.current?.selectionStart ?? 0);
    const list = found.length === 0 ? {} : { "aria-controls": id, "aria-activedescendant": optionId(id, found[active]?.user ?? "") };
    return { id, found, active, pick, key, moved, list };
}

interface ComposerProps {
    space: `thread:${string}`;
    name: string;
    people: ChatPerson[];
    about: About | null;
    onAbout(about: About | null): void;
    onSent(): void;
}

export function Composer({ space, name, people, about, onAbout, onSent }: ComposerProps) {
    const [text, setText] = useState("");
    const [read, setRead] = useState(false);
    const [choosing, setChoosing] = useState(false);
    const [planned, setPlanned] = useState(0);
    const area = useRef<HTMLTextAreaElement>(null);
    const offline = useStatus().state !== "online";
    useEffect(() => {
        const left = sessionStorage.getItem(leftIn(space));
        theCore().chat.draft<Kept>(space).then((kept) => setText((now) => (now === "" ? left ?? kept?.body ?? "" : now)), console.error).finally(() => setRead(true));
    }, [space]);
    useEffect(() => {
        if (about !== null) {
            setText((now) => (about.do === "edit" ? about.message.body ?? "" : now));
            area.current?.focus();
        }
    }, [about]);
    useKept(space, text, !read || about?.do === "edit");
    const type = (next: string) => {
        setText(next);
        if (next !== "") {
            theCore().chat.typing(space).catch(() => undefined); /* nobody hears it without a connection */
        }
    };
    const naming = useNaming(people, text, area, type);
    const leave = () => {
        if (about?.do === "edit") {
            setText("");
        }
        onAbout(null);
    };
    /* now, or when its time has come */
    const send = (send_ms?: number) => attempt(async () => {
        const body = text.trim();
        const mentions = mentionsIn(body, people);
        const { chat } = theCore();
        if (body === "") {
            return;
        }
        setText("");
        onAbout(null);
        try {
            await (about?.do === "edit" ? chat.edit(about.message.id, { body, mentions }) : chat.send(space, {
                body,
                ...(mentions.length > 0 && { mentions }),
                ...(about !== null && { reply_to: about.message.id }),
                ...(send_ms !== undefined && { send_ms }),
            }));
        } catch (error) {
            setText((now) => (now === "" ? body : now)); /* what could not be kept is not lost */
            onAbout(about);
            throw error;
        }
        if (send_ms !== undefined) {
            setPlanned(planned + 1);
            announce(t("later.done", { when: whenOf(send_ms) }));
        } else if (about?.do !== "edit") {
            onSent();
            if (offline) {
                announce(t("chat.kept"));
            }
        }
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        send();
    };
    const keys = (event: React.KeyboardEvent) => {
        if (naming.key(event)) {
            return;
        }
        if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
        } else if (event.key === "Escape" && about !== null) {
            leave();
        }
    };
    return (
        <div className="chat-composer">
            {naming.found.length > 0 && <Picker id={naming.id} found={naming.found} active={naming.active} onPick={naming.pick} />}
            <Waiting space={space} turn={planned} />
            {offline && <p className="chat-offline" role="status"><Icon name="cloudOff" size={16} />{t("chat.offline")}</p>}
            {about !== null && (
                <div className="chat-about">
                    <Icon name={about.do === "edit" ? "pen" : "reply"} turn={about.do === "reply"} />
                    <p className="grow clip"><span className="quote-who">{about.do === "edit" ? t("chat.edit") : t("chat.replying", { name: about.message.mine ? t("dash.you") : about.message.author ?? name })}</span> <bdi>{wordsOf(about.message)}</bdi></p>
                    <Tool icon="close" name={t("chat.about.leave")} onClick={leave} />
                </div>
            )}
            <form className="composer" onSubmit={submit}>
                <Link to="/upload" className="tool" aria-label={t("upload.title")} title={t("upload.title")}><Icon name="film" /></Link>
                <textarea ref={area} rows={1} value={text} aria-label={t("chat.to", { name })} placeholder={t("chat.write")} maxLength={8000} onChange={(event) => { type(event.target.value); naming.moved(); }} onSelect={naming.moved} onKeyDown={keys} aria-autocomplete="list" {...naming.list} />
                {about?.do !== "edit" && <Tool icon="clock" name={t("later.do")} disabled={text.trim() === ""} onClick={() => setChoosing(true)} />}
                <Button look="primary" type="submit" icon="send" disabled={text.trim() === ""}>{t("chat.send")}</Button>
            </form>
            {choosing && <When title={t("later.do")} onClose={() => setChoosing(false)} onChoose={send} />}
        </div>
    );
}
