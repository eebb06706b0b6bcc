/* Conversations: sending, what is shown of them, who is there. The rules are those of include/sideline/chat.h. */
import type { ChatCounts, ChatMessage, ChatPage, ChatPart, ChatPerson, ChatThread, Mention, NewMessage, Notice, ScheduledMessage } from "./chat_types.js";
import type { Connection } from "./connection.js";
import type { Json } from "./models.js";
import type { Space, Waiting } from "./types.js";

const MARKS = { read: 2, typing: 3 } as const;
const WAYS = { older: 1, newer: 2, around: 3 } as const;

/** So long that it is for good. */
const FOREVER_MS = 4_102_444_800_000;

/**
 * Threads, participants, messages, reactions and pins are records of the thread's space, `thread:<id>`: ask anew for
 * what is shown when a live query of one of them gives a difference.
 */
export class Chat {
    private here = false;

    /** @internal */
    constructor(private readonly connection: Connection) {
        connection.onMoved(() => this.here && !connection.closed && void this.presence(true).catch(() => undefined));
    }

    /* --- sending -------------------------------------------------------------------------- */

    /** Durable when it returns: the message's id. */
    async send(thread: Space, message: NewMessage): Promise<string> {
        return (await this.connection.call<{ id: string }>("chat_send", [thread, message])).id;
    }

    /** Repeats a message in a thread; mentions and what it answers stay behind: the new one's id. */
    async forward(message: string, thread: Space): Promise<string> {
        return (await this.connection.call<{ id: string }>("chat_forward", [message, thread])).id;
    }

    /** Changes the text of one's own message. DENIED: it is another's. */
    edit(message: string, to: { body: string; mentions?: Mention[] }): Promise<void> {
        return this.connection.call("chat_edit", [message, to]);
    }

    /** One's own message, for everybody. */
    delete(message: string): Promise<void> {
        return this.connection.call("chat_delete", [message]);
    }

    /** Gives a sign, or takes it back. */
    react(message: string, emoji: string, on = true): Promise<void> {
        return this.connection.call("chat_react", [message, emoji, on]);
    }

    /** Keeps a message in sight for all of the thread, or no longer. */
    pin(message: string, on = true): Promise<void> {
        return this.connection.call("chat_pin", [message, on]);
    }

    /** Sends a failed message again, at the end of the thread. NOT_FOUND: it has not failed. */
    retry(message: string): Promise<void> {
        return this.connection.call("chat_retry", [message]);
    }

    /** Gives a failed message up. */
    discard(message: string): Promise<void> {
        return this.connection.call("chat_discard", [message]);
    }

    /* --- groups --------------------------------------------------------------------------- */

    /** Makes a group of people the user is connected with: its thread, to be written in at once. DENIED: no coach. */
    async group(title: string, members: string[] = []): Promise<Space> {
        return (await this.connection.call<{ thread: Space }>("chat_group", [{ title, members }])).thread;
    }

    /** Renames it, lets people in, removes them. DENIED: this user does not lead it. */
    editGroup(thread: Space, change: { title?: string; add?: string[]; remove?: string[] }): Promise<void> {
        return this.connection.call("chat_group_edit", [thread, change]);
    }

    /** The group goes from this device when the server has taken it. INVALID: a conversation of two. */
    leave(thread: Space): Promise<void> {
        return this.connection.call("chat_leave", [thread]);
    }

    /* --- not sent yet --------------------------------------------------------------------- */

    /** Keeps what is begun in a thread on this device: any object up to 16 KiB; null: nothing. */
    setDraft(thread: Space, draft: { [member: string]: Json } | null): Promise<void> {
        return this.connection.call("chat_set_draft", [thread, draft]);
    }

    /** What is begun there; null: nothing. */
    draft<T = { [member: string]: Json }>(thread: Space): Promise<T | null> {
        return this.connection.call("chat_draft", [thread]);
    }

    /** Messages of this device that wait for their time (`send_ms`), at most 100. */
    scheduled(thread: Space | null = null): Promise<ScheduledMessage[]> {
        return this.connection.call("chat_scheduled", [thread]);
    }

    /** Changes one of them: null takes a member away, `send_ms: 0` sends it now. */
    reschedule(message: string, change: { [M in keyof NewMessage]?: NewMessage[M] | null }): Promise<void> {
        return this.connection.call("chat_reschedule", [message, change]);
    }

    /** Never sends it. */
    unschedule(message: string): Promise<void> {
        return this.connection.call("chat_unschedule", [message]);
    }

    /* --- what is shown -------------------------------------------------------------------- */

    /** A page of a conversation, without messages of blocked people; behind the newest what is queued, then what failed. */
    messages(thread: Space, part: ChatPart = {}): Promise<ChatPage> {
        return this.connection.call("chat_messages", [thread, part]);
    }

    /** Messages on this device with all the words, the last one as a beginning, newest first. */
    search(words: string, options: { thread?: Space; limit?: number } = {}): Promise<ChatMessage[]> {
        return this.connection.call("chat_search", [{ words, ...options }]);
    }

    /** The conversations, the one where something happened last first. */
    threads(): Promise<ChatThread[]> {
        return this.connection.call("chat_threads", []);
    }

    /** What is unread in all of them. */
    counts(): Promise<ChatCounts> {
        return this.connection.call("chat_counts", []);
    }

    /** What a push notification says, without a connection: the bytes that came, up to 8 KiB. */
    notice(payload: string): Promise<Notice> {
        return this.connection.call("chat_notice", [payload]);
    }

    /* --- oneself -------------------------------------------------------------------------- */

    /** The user has seen the messages up to this one, by default the newest. */
    read(thread: Space, message: string | null = null): Promise<void> {
        return this.connection.call("chat_mark", [thread, MARKS.read, message]);
    }

    /** Call it with every key: others get a "typing" event. NETWORK: nobody is told. */
    typing(thread: Space): Promise<void> {
        return this.connection.call("chat_mark", [thread, MARKS.typing, null]);
    }

    /** Silent until then, Unix time in ms, on all devices of the user; true: for good, false: not silent. */
    mute(thread: Space, until: number | boolean): Promise<void> {
        const ms = until === true ? FOREVER_MS : until === false ? 0 : until;
        return this.connection.call("chat_mute", [thread, ms]);
    }

    /** Messages of this user are neither shown nor counted; or they are again. */
    block(user: string, on = true): Promise<void> {
        return this.connection.call("chat_block", [user, on]);
    }

    /* --- who is there --------------------------------------------------------------------- */

    /** Whether the app is used: people of this user's threads get "presence" events. At first it is not. */
    presence(here: boolean): Promise<void> {
        this.here = here;
        return this.connection.call("chat_presence", [here]);
    }

    /** Who takes part, how far they have read, who is there and who types. */
    people(thread: Space): Promise<ChatPerson[]> {
        return this.connection.call("chat_people", [thread]);
    }

    /* --- history -------------------------------------------------------------------------- */

    /** Loads missing messages below, above or around one. */
    load(
        thread: Space,
        way: keyof typeof WAYS,
        options: Waiting & { message?: string; limit?: number } = {},
    ): Promise<{ loaded: number; more: boolean }> {
        const { message = null, limit = 0, ...waiting } = options;
        return this.connection.call("chat_load", [thread, WAYS[way], message, limit], waiting);
    }

    /** Where messages are missing, by their places. */
    gaps(thread: Space): Promise<{ above: number; upto: number }[]> {
        return this.connection.call("chat_gaps", [thread]);
    }
}
