/* What pages may call, by name: arguments come in as JSON and buffers, the library's functions are called. */
import { CoreError } from "./errors.js";
import { BLOB_METHODS } from "./methods_blob.js";
import { CHAT_METHODS } from "./methods_chat.js";
import { DOC_METHODS } from "./methods_doc.js";
import { VOICE_METHODS } from "./methods_voice.js";
import { type Method, held, json, letGo, operation, plain } from "./session.js";

const NOT_FOUND_IS_ABSENT = (error: unknown): undefined => {
    if (error instanceof CoreError && error.code === "NOT_FOUND") {
        return undefined;
    }
    throw error;
};

const RECORD_METHODS: Record<string, Method> = {
    get(s, entity: string, id: string) {
        try {
            return json(s, "sl_record_get", (r) => [s.core, r.text(entity), r.text(id)]);
        } catch (error) {
            return NOT_FOUND_IS_ABSENT(error);
        }
    },
    apply(s, ops: unknown[], group: string | undefined) {
        return group === undefined
            ? json(s, "sl_apply", (r) => [s.core, ...r.json(ops)])
            : json(s, "sl_apply_group", (r) => [s.core, r.text(group), ...r.json(ops)]);
    },
    undo: (s, space: string) => json(s, "sl_undo", (r) => [s.core, r.text(space)]),
    redo: (s, space: string) => json(s, "sl_redo", (r) => [s.core, r.text(space)]),
    query: (s, query: object) => json(s, "sl_query_once", (r) => [s.core, ...r.json(query)]),
    watch(s, query: object) {
        const sub = s.lib.with((r) => {
            const slot = r.slot(2);
            s.lib.call("sl_query_watch", s.core, ...r.json(query), slot);
            return r.id(slot);
        });
        s.onRows(sub, () => s.ready(sub));
        s.objects.set(sub, {
            kind: "query",
            at: sub,
            close() {
                s.offRows(sub);
                s.lib.raw("sl_query_unwatch", s.core, BigInt(sub));
            },
        });
        return sub;
    },
    take(s, sub: number) {
        held(s, sub, "query");
        return json(s, "sl_query_take", () => [s.core, BigInt(sub)]);
    },
    drafts: (s, space: string | null, after: number) =>
        json(s, "sl_drafts", (r) => [s.core, r.text(space), BigInt(after)]),
    draft_send: (s, draft: number, fields: object) =>
        json(s, "sl_draft_send", (r) => [s.core, BigInt(draft), ...r.json(fields)]),
    draft_discard: (s, draft: number) => plain(s, "sl_draft_discard", () => [s.core, BigInt(draft)]),
    /** Lets go of a live query, document, recorder, voice. */
    close: (s, number: number) => letGo(s, number),
};

const CORE_METHODS: Record<string, Method> = {
    info: (s, what: string) => json(s, "sl_core_info", (r) => [s.core, r.text(what)]),
    storage: (s) => s.kind,
    signup: (s, account: object) => operation(s, "sl_session_signup", (r) => [s.core, ...r.json(account)]),
    login: (s, account: object) => operation(s, "sl_session_login", (r) => [s.core, ...r.json(account)]),
    oidc: (s, answer: object) => operation(s, "sl_session_oidc", (r) => [s.core, ...r.json(answer)]),
    logout: (s) => plain(s, "sl_session_logout", () => [s.core]),
    account: (s, request: object) => operation(s, "sl_account_do", (r) => [s.core, ...r.json(request)]),
    can: (s, question: object) => json(s, "sl_can", (r) => [s.core, ...r.json(question)]),
    rekey: (s, key: Uint8Array) => plain(s, "sl_core_rekey", (r) => [s.core, r.copy(key), 0]),
    sync: (s, action: number) => plain(s, "sl_sync_control", () => [s.core, action]),
    settle: (s) => operation(s, "sl_sync_settle", () => [s.core]),
    sync_wait: (s, entity: string, id: string) =>
        operation(s, "sl_sync_wait", (r) => [s.core, r.text(entity), r.text(id)]),
    focus: (s, space: string) => plain(s, "sl_sync_focus", (r) => [s.core, r.text(space)]),
    network: (s, kind: number, limit: number) => plain(s, "sl_sync_network", () => [s.core, kind, BigInt(limit)]),
    live_objects: (s) => s.lib.raw("sl_debug_live_objects"),
    version: (s) => s.lib.wasm.UTF8ToString(s.lib.raw("sl_version")),
    stroke_live: (s, space: string, told: object) =>
        plain(s, "sl_stroke_live", (r) => [s.core, r.text(space), ...r.json(told)]),
};

export const METHODS: Record<string, Method> = {
    ...RECORD_METHODS,
    ...CORE_METHODS,
    ...BLOB_METHODS,
    ...CHAT_METHODS,
    ...DOC_METHODS,
    ...VOICE_METHODS,
};
