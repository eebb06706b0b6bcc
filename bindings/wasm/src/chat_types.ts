/* What conversations are made of, as include/sideline/chat.h tells it. */
import type { Json, Message } from "./models.js";
import type { Space } from "./types.js";

/** Who is named in a text: `at` and `len` are UTF-16 units of it, as of JavaScript's strings. */
export interface Mention {
    user: string;
    at: number;
    len: number;
}

/** What a message carries: `text` needs a body or a blob, `video` and `review` what they refer to, `voice` a blob. */
export interface NewMessage {
    kind?: "text" | "video" | "review" | "voice";
    body?: string;
    mentions?: Mention[];
    reply_to?: string;
    ref_space?: Space;
    ref_id?: string;
    /** A moment of the video that is referred to. */
    at_us?: number;
    /** Stored by `blobs.put` in the thread's space. */
    blob?: string;
    media_type?: string;
    size?: number;
    duration_us?: number;
    thumb?: string;
    /** Not now but then, Unix time in ms by the server's clock. */
    send_ms?: number;
}

/** `failed`: refused by the server, see `retry` and `discard`; `received`: another's. */
export type MessageState = "queued" | "sent" | "delivered" | "read" | "failed" | "received";

/** A message as it is shown. Of one that was refused only what it carries is there. */
export interface ChatMessage extends Partial<Omit<Message, "id" | "space" | "mentions">> {
    id: string;
    space: Space;
    mine: boolean;
    state: MessageState;
    /** The name of another. */
    author?: string;
    unread?: true;
    mentions?: Mention[];
    mentioned?: true;
    /** Of a notice: the name of whom it is about. */
    about?: string;
    pinned?: true;
    reactions?: { emoji: string; count: number; mine: boolean }[];
    /** What it answers. */
    reply?: { id: string; missing?: true; kind?: Message["kind"]; author_id?: string; author?: string; body?: string };
    /** Messages are missing before it: `load`. */
    gap?: true;
    /** Of a failed one: its number for `drafts.send`, why, and the same as a sentence. */
    draft?: number;
    code?: string;
    message?: string;
    /** Of a search: the place found, hits in [ ]. */
    snippet?: string;
}

export interface ChatPage {
    thread: Space;
    /** More of it is on this device, before and behind. */
    older: boolean;
    newer: boolean;
    /** Messages are missing behind it. */
    gap_after: boolean;
    /** How far this user has read, a place. */
    read: number;
    messages: ChatMessage[];
}

/** Which part of a conversation; without any of them the newest. */
export type ChatPart = { limit?: number } & (
    | { before?: number; after?: never; around?: never }
    | { after: number; before?: never; around?: never }
    | { around: string; before?: never; after?: never }
);

/** One of the conversations. */
export interface ChatThread {
    thread: Space;
    title?: string;
    group?: true;
    /** Without oneself. */
    people: { user: string; name?: string }[];
    last?: ChatMessage;
    unread: number;
    mentions: number;
    /** There may be more unread ones than are on this device. */
    more: boolean;
    queued?: number;
    failed?: number;
    muted_until_ms?: number;
    blocked?: true;
    draft?: Json;
}

export interface ChatCounts {
    unread: number;
    mentions: number;
    /** For the app's icon: silent conversations count only what names this user. */
    badge: number;
    threads: number;
    more: boolean;
}

export interface ChatPerson {
    user: string;
    name?: string;
    /** Places of the newest message that came to a device of theirs, and that they have seen. */
    delivered: number;
    read: number;
    /** Of a group: may change it. */
    leads?: true;
    me?: true;
    online?: true;
    typing?: true;
}

/** A message of this device that waits for its time. */
export interface ScheduledMessage {
    id: string;
    thread: Space;
    send_ms: number;
    fields: NewMessage;
    /** Why it could not be sent when its time had come. */
    code?: string;
    message?: string;
}

/** What a push notification says. */
export interface Notice {
    show: boolean;
    why?: "muted" | "quiet" | "off" | "blocked" | "read" | "other_user";
    kind: string;
    title: string;
    body: string;
    space?: Space;
    id?: string;
    user?: string;
    named?: true;
    badge: number;
}
