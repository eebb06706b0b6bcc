/* What conversations and their messages are called. */
import type { ChatMessage, ChatThread } from "@sideline/core";
import { t } from "../i18n";

/** What a conversation is called: a group by its title, one of two by the other's name. */
export function nameOf(thread: ChatThread | undefined): string {
    return (thread?.group ? thread.title : undefined) ?? thread?.people[0]?.name ?? t("chat.someone");
}

/** What happened to the group. */
export function noticeOf({ mine, author, event, body, about }: ChatMessage): string {
    const name = mine ? t("dash.you") : author ?? t("chat.someone");
    return t(`group.${event ?? "renamed"}`, { name, title: body ?? "", about: about ?? t("dash.you") });
}

/** A message in a few words. */
export function wordsOf(message: ChatMessage | NonNullable<ChatMessage["reply"]>): string {
    if (message.kind === "notice" && "event" in message) {
        return noticeOf(message);
    }
    if (message.body !== undefined && message.body !== "") {
        return message.body;
    }
    const { kind } = message;
    return t(kind === "review" ? "chat.attached.review" : kind === "voice" ? "chat.attached.voice" : "chat.attached.video");
}
