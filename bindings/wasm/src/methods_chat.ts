/* Conversations: what pages may call of include/sideline/chat.h. */
import { type Method, type Session, json, operation, plain } from "./session.js";

/** A call about one message, or user, that is turned on or off. */
const turned = (name: string): Method => (s: Session, id: string, on: boolean) =>
    plain(s, name, (r) => [s.core, r.text(id), on ? 1 : 0]);
const named = (name: string): Method => (s: Session, id: string) => plain(s, name, (r) => [s.core, r.text(id)]);

const SENDING: Record<string, Method> = {
    chat_send: (s, thread: string, message: object) =>
        json(s, "sl_chat_send", (r) => [s.core, r.text(thread), ...r.json(message)]),
    chat_forward: (s, message: string, thread: string) =>
        json(s, "sl_chat_forward", (r) => [s.core, r.text(message), r.text(thread)]),
    chat_edit: (s, message: string, to: object) =>
        plain(s, "sl_chat_edit", (r) => [s.core, r.text(message), ...r.json(to)]),
    chat_delete: named("sl_chat_delete"),
    chat_react: (s, message: string, emoji: string, on: boolean) =>
        plain(s, "sl_chat_react", (r) => [s.core, r.text(message), r.text(emoji), on ? 1 : 0]),
    chat_pin: turned("sl_chat_pin"),
    chat_retry: named("sl_chat_retry"),
    chat_discard: named("sl_chat_discard"),
    chat_set_draft: (s, thread: string, draft: object | null) =>
        plain(s, "sl_chat_set_draft", (r) => [s.core, r.text(thread), ...(draft === null ? [0, 0] : r.json(draft))]),
    chat_draft: (s, thread: string) => json(s, "sl_chat_draft", (r) => [s.core, r.text(thread)]),
    chat_scheduled: (s, thread: string | null) => json(s, "sl_chat_scheduled", (r) => [s.core, r.text(thread)]),
    chat_reschedule: (s, message: string, change: object) =>
        plain(s, "sl_chat_reschedule", (r) => [s.core, r.text(message), ...r.json(change)]),
    chat_unschedule: named("sl_chat_unschedule"),
};

const GROUPS: Record<string, Method> = {
    chat_group: (s, group: object) => json(s, "sl_chat_group", (r) => [s.core, ...r.json(group)]),
    chat_group_edit: (s, thread: string, change: object) =>
        plain(s, "sl_chat_group_edit", (r) => [s.core, r.text(thread), ...r.json(change)]),
    chat_leave: named("sl_chat_leave"),
};

const SHOWING: Record<string, Method> = {
    chat_messages: (s, thread: string, part: object) =>
        json(s, "sl_chat_messages", (r) => [s.core, r.text(thread), ...r.json(part)]),
    chat_search: (s, search: object) => json(s, "sl_chat_search", (r) => [s.core, ...r.json(search)]),
    chat_threads: (s) => json(s, "sl_chat_threads", () => [s.core]),
    chat_counts: (s) => json(s, "sl_chat_counts", () => [s.core]),
    chat_people: (s, thread: string) => json(s, "sl_chat_people", (r) => [s.core, r.text(thread)]),
    chat_gaps: (s, thread: string) => json(s, "sl_chat_gaps", (r) => [s.core, r.text(thread)]),
    chat_notice(s, payload: string) {
        const bytes = new TextEncoder().encode(payload);
        return json(s, "sl_chat_notice", (r) => [s.core, r.copy(bytes), bytes.length]);
    },
    chat_load: (s, thread: string, way: number, message: string | null, limit: number) =>
        operation(s, "sl_chat_load", (r) => [s.core, r.text(thread), way, r.text(message), limit]),
};

const BEING: Record<string, Method> = {
    chat_mark: (s, thread: string, kind: number, message: string | null) =>
        plain(s, "sl_chat_mark", (r) => [s.core, r.text(thread), kind, r.text(message)]),
    chat_mute: (s, thread: string, until: number) =>
        plain(s, "sl_chat_mute", (r) => [s.core, r.text(thread), BigInt(Math.round(until))]),
    chat_block: turned("sl_chat_block"),
    chat_presence: (s, here: boolean) => plain(s, "sl_chat_presence", () => [s.core, here ? 1 : 0]),
};

export const CHAT_METHODS: Record<string, Method> = { ...SENDING, ...GROUPS, ...SHOWING, ...BEING };
