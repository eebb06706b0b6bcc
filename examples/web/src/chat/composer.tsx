/* Writing a message. What is begun is kept by the core on this device, with what it answers. */
import type { ChatMessage } from "@sideline/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { theCore, useStatus } from "../core";
import { t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, Link, Tool, announce, attempt } from "../ui/parts";
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

/** Keeps a text some moments after the last key, and at once when the page is left. */
function useKept(space: string, text: string, off: boolean): void {
    const waits = useRef<(() => void) | null>(null);
    useEffect(() => {
        const keep = () => {
            waits.current = null;
            theCore().chat.setDraft(space, text.trim() === "" ? null : ({ body: text } satisfies Kept)).catch(console.error);
        };
        if (off) {
            return undefined;
        }
        waits.current = keep;
        const timer = setTimeout(() => waits.current?.(), KEEP_MS);
        return () => clearTimeout(timer);
    }, [text, off]);
    useEffect(() => {
        const leave = () => waits.current?.();
        addEventListener("pagehide", leave);
        return () => {
            removeEventListener("pagehide", leave);
            leave();
        };
    }, [space]);
}

interface ComposerProps {
    space: string;
    name: string;
    about: About | null;
    onAbout(about: About | null): void;
    onSent(): void;
}

export function Composer({ space, name, about, onAbout, onSent }: ComposerProps) {
    const [text, setText] = useState("");
    const [read, setRead] = useState(false);
    const area = useRef<HTMLTextAreaElement>(null);
    const offline = useStatus().state !== "online";
    useEffect(() => {
        theCore().chat.draft<Kept>(space).then((kept) => setText((now) => (now === "" ? kept?.body ?? "" : now)), console.error).finally(() => setRead(true));
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
    const leave = () => {
        if (about?.do === "edit") {
            setText("");
        }
        onAbout(null);
    };
    const send = () => attempt(async () => {
        const body = text.trim();
        const { chat } = theCore();
        if (body === "") {
            return;
        }
        setText("");
        onAbout(null);
        try {
            await (about?.do === "edit" ? chat.edit(about.message.id, { body }) : chat.send(space, { body, ...(about === null ? {} : { reply_to: about.message.id }) }));
        } catch (error) {
            setText((now) => (now === "" ? body : now)); /* what could not be kept is not lost */
            onAbout(about);
            throw error;
        }
        if (about?.do !== "edit") {
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
        if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
        } else if (event.key === "Escape" && about !== null) {
            leave();
        }
    };
    return (
        <form className="chat-composer" onSubmit={submit}>
            {offline && <p className="chat-offline" role="status"><Icon name="cloudOff" size={16} />{t("chat.offline")}</p>}
            {about !== null && (
                <div className="chat-about">
                    <Icon name={about.do === "edit" ? "pen" : "reply"} turn={about.do === "reply"} />
                    <p className="grow clip"><span className="quote-who">{about.do === "edit" ? t("chat.edit") : t("chat.replying", { name: about.message.mine ? t("dash.you") : about.message.author ?? name })}</span> <bdi>{wordsOf(about.message)}</bdi></p>
                    <Tool icon="close" name={t("chat.about.leave")} onClick={leave} />
                </div>
            )}
            <div className="composer">
                <Link to="/upload" className="tool" aria-label={t("upload.title")} title={t("upload.title")}><Icon name="film" /></Link>
                <textarea ref={area} rows={1} value={text} aria-label={t("chat.to", { name })} placeholder={t("chat.write")} maxLength={8000} onChange={(event) => type(event.target.value)} onKeyDown={keys} />
                <Button look="primary" type="submit" icon="send" disabled={text.trim() === ""}>{t("chat.send")}</Button>
            </div>
        </form>
    );
}
