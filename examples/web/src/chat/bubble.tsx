/* Messages of a conversation, under their days. */
import type { ChatMessage } from "@sideline/core";
import { useRecord } from "../core";
import { type Key, clock, day, midnight, t } from "../i18n";
import { timeOf } from "../media";
import { Thumb } from "../ui/cards";
import { useSwipe, useTouch } from "../ui/gestures";
import { Icon, type IconName } from "../ui/icon";
import { Button, Link, Tool } from "../ui/parts";
import { Named } from "./mentions";
import { noticeOf, wordsOf } from "./words";

/** What may be done with a message from where it stands. */
export interface Deeds {
    more(message: ChatMessage): void;
    reply(message: ChatMessage): void;
    react(message: ChatMessage, emoji: string, on: boolean): void;
    jump(message: string): void;
    fill(message: string): void;
    retry(message: ChatMessage): void;
    discard(message: ChatMessage): void;
}

function timeOfMessage(message: ChatMessage): number {
    return message.sent_ms ?? timeOf(message.id);
}

export function Days({ messages, deeds, marked, group }: { messages: ChatMessage[]; deeds: Deeds; marked: string | null; group: boolean }) {
    return (
        <ol className="chat-days">
            {messages.map((message, i) => {
                const before = messages[i - 1];
                const at = timeOfMessage(message);
                const newDay = before === undefined || midnight(timeOfMessage(before)) !== midnight(at);
                const follows = !newDay && before.kind !== "notice" && before.mine === message.mine && before.author_id === message.author_id && at - timeOfMessage(before) < 120_000;
                return (
                    <li key={message.id} id={`message-${message.id}`} className={marked === message.id ? "chat-marked" : undefined}>
                        {message.gap && i > 0 && <Button look="quiet" className="chat-gap" onClick={() => deeds.fill(message.id)}>{t("chat.missing")}</Button>}
                        {newDay && <p className="day"><span>{day(at)}</span></p>}
                        {message.kind === "notice"
                            ? <p className="chat-notice"><bdi>{noticeOf(message)}</bdi></p>
                            : <Bubble message={message} follows={follows} deeds={deeds} named={group && !message.mine && !follows} />}
                    </li>
                );
            })}
        </ol>
    );
}

function Bubble({ message, follows, deeds, named }: { message: ChatMessage; follows: boolean; deeds: Deeds; named: boolean }) {
    const { mine, state, reply } = message;
    const failed = state === "failed";
    const swipe = useSwipe(() => failed || deeds.reply(message));
    const liked = message.reactions?.some((one) => one.mine && one.emoji === "👍") ?? false;
    const touch = useTouch(() => failed || deeds.more(message), () => failed || deeds.react(message, "👍", !liked));
    return (
        <article className={`bubble-row ${mine ? "own" : ""} ${follows ? "follows" : ""} ${failed ? "failed" : ""} ${message.mentioned ? "names-me" : ""}`} {...swipe}>
            <div className="bubble" {...touch}>
                <span className={named ? "bubble-who" : "unseen"}>{mine ? t("dash.you") : message.author ?? t("chat.someone")}{!named && ": "}</span>
                {message.forward_of !== undefined && <p className="bubble-note"><Icon name="share" size={14} turn />{t("chat.forwarded")}</p>}
                {reply !== undefined && <Quote reply={reply} jump={deeds.jump} />}
                {(message.kind === "video" || message.kind === "review") && <Attached message={message} />}
                {message.body !== undefined && message.body !== "" && <p className="bubble-text"><bdi><Named body={message.body} mentions={message.mentions} /></bdi></p>}
                <p className="bubble-foot">
                    {message.pinned && <Icon name="pin" size={14} />}
                    {message.edited_ms !== undefined && <span>{t("chat.edited")}</span>}
                    <time className="number">{clock(timeOfMessage(message))}</time>
                    {mine && <Mark state={state} />}
                </p>
                {failed && (
                    <div className="bubble-failed">
                        <p>{message.message}</p>
                        <div className="row row-tight">
                            <Button onClick={() => deeds.retry(message)}>{t("chat.retry")}</Button>
                            <Button look="danger" onClick={() => deeds.discard(message)}>{t("action.discard")}</Button>
                        </div>
                    </div>
                )}
            </div>
            <div className="reactions">
                {message.reactions?.map(({ emoji, count, mine: given }) => (
                    <button key={emoji} type="button" className="reaction" aria-pressed={given} onClick={() => deeds.react(message, emoji, !given)} aria-label={t("chat.react.count", { sign: emoji, n: count })}>
                        {emoji}{count > 1 && <span className="number">{count}</span>}
                    </button>
                ))}
                {!failed && <Tool icon="more" name={t("chat.actions", { words: wordsOf(message).slice(0, 40) })} className="bubble-more" onClick={() => deeds.more(message)} />}
            </div>
        </article>
    );
}

function Quote({ reply, jump }: { reply: NonNullable<ChatMessage["reply"]>; jump(message: string): void }) {
    if (reply.missing) {
        return <p className="quote">{t("chat.quote.missing")}</p>;
    }
    return (
        <button type="button" className="quote" onClick={() => jump(reply.id)}>
            <span className="quote-who clip"><bdi>{reply.author ?? t("chat.someone")}</bdi></span>
            <span className="clip"><bdi>{wordsOf(reply)}</bdi></span>
        </button>
    );
}

const MARKS: { [state in "queued" | "sent" | "delivered" | "read" | "failed"]: [IconName, Key] } = {
    queued: ["clock", "chat.waits"],
    sent: ["check", "chat.sent"],
    delivered: ["checks", "chat.delivered"],
    read: ["checks", "chat.read"],
    failed: ["close", "chat.failed"],
};

/** How far a message of one's own has come: on this device, with the server, on theirs, seen. */
function Mark({ state }: { state: ChatMessage["state"] }) {
    const [icon, words] = MARKS[state === "received" ? "sent" : state];
    return <span className={state === "read" ? "mark mark-read" : "mark"}><Icon name={icon} size={16} /><span>{t(words)}</span></span>;
}

function Attached({ message }: { message: ChatMessage }) {
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
