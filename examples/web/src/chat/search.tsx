/* Finding a message of a conversation by its words. */
import type { ChatMessage } from "@sideline/core";
import { useEffect, useState } from "react";
import { theCore } from "../core";
import { ago, t } from "../i18n";
import { timeOf } from "../media";
import { Tool } from "../ui/parts";

const WAIT_MS = 150;

/** The place found, what was looked for made strong. */
function Snippet({ text }: { text: string }) {
    return <bdi className="clip">{text.split(/(\[[^\]]*\])/).map((part, i) => (part.startsWith("[") ? <mark key={i}>{part.slice(1, -1)}</mark> : part))}</bdi>;
}

export function Search({ space, onFound, onClose }: { space: string; onFound(message: string): void; onClose(): void }) {
    const [words, setWords] = useState("");
    const [found, setFound] = useState<ChatMessage[]>();
    useEffect(() => {
        if (words.trim() === "") {
            setFound(undefined);
            return undefined;
        }
        const timer = setTimeout(() => {
            theCore().chat.search(words.trim(), { thread: space }).then(setFound, () => setFound([]));
        }, WAIT_MS);
        return () => clearTimeout(timer);
    }, [words, space]);
    return (
        <section className="chat-search" aria-label={t("chat.search")} onKeyDown={(event) => event.key === "Escape" && onClose()}>
            <div className="row nowrap">
                <input className="grow" type="search" autoFocus value={words} aria-label={t("chat.search")} placeholder={t("chat.search")} onChange={(event) => setWords(event.target.value)} />
                <Tool icon="close" name={t("chat.search.close")} onClick={onClose} />
            </div>
            <p role="status" className="small muted">{found === undefined ? "" : t("chat.search.found", { n: found.length })}</p>
            <ul>
                {found?.map((one) => (
                    <li key={one.id}>
                        <button type="button" className="chat-hit" onClick={() => onFound(one.id)}>
                            <span className="small muted"><bdi>{one.mine ? t("dash.you") : one.author ?? t("chat.someone")}</bdi> · {ago(one.sent_ms ?? timeOf(one.id))}</span>
                            <Snippet text={one.snippet ?? one.body ?? ""} />
                        </button>
                    </li>
                ))}
            </ul>
        </section>
    );
}
