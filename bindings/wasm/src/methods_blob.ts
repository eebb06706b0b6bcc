/* Blobs: stored piece by piece, read, fetched, their transfers held. */
import { type Held, type Method, hold, held, operation, plain } from "./session.js";
import { Answer } from "./wire.js";

/** A blob in the making. */
interface Making extends Held {
    kind: "blob";
}

export const BLOB_METHODS: Record<string, Method> = {
    blob_put(s, space: string, bytes: Uint8Array, mediaType: string) {
        const hex = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_blob_put", s.core, r.text(space), r.copy(bytes), bytes.length, r.text(mediaType), slot);
            return s.lib.takeText(r.word(slot));
        });
        return hex;
    },
    blob_get(s, sha256: string) {
        const bytes = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_blob_get", s.core, r.text(sha256), slot);
            return s.lib.takeBytes(r.word(slot))!;
        });
        return new Answer(bytes, [bytes.buffer]);
    },
    blob_fetch: (s, sha256: string) => operation(s, "sl_blob_fetch", (r) => [s.core, r.text(sha256)]),
    transfer: (s, sha256: string, action: number) =>
        plain(s, "sl_transfer_control", (r) => [s.core, r.text(sha256), action]),
    blob_begin(s, draft: string | null) {
        return s.lib.with((r) => {
            const slot = r.slot();
            const size = r.slot(2);
            s.lib.call("sl_blob_begin", s.core, r.text(draft), slot, size);
            const at = r.word(slot);
            const number = hold<Making>(s, { kind: "blob", at, close: () => s.lib.raw("sl_blob_drop", at, 1) });
            return { number, size: r.id(size) };
        });
    },
    blob_append(s, number: number, bytes: Uint8Array) {
        const { at } = held<Making>(s, number, "blob");
        s.lib.with((r) => s.lib.call("sl_blob_append", at, r.copy(bytes), bytes.length));
    },
    blob_finish(s, number: number, space: string, mediaType: string) {
        const { at } = held<Making>(s, number, "blob");
        return s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_blob_finish", at, r.text(space), r.text(mediaType), slot);
            return s.lib.takeText(r.word(slot));
        });
    },
};
