/* A file into the store, slice by slice: hashed and sealed on the way, never whole in memory. */
import type { Connection } from "./connection.js";
import { CoreError } from "./errors.js";
import type { Progress } from "./types.js";

const SLICE = 1 << 20;
const SMALL = 1 << 16;

export interface PutOptions {
    mediaType?: string;
    /** Names the file while it is being stored, so that a reload goes on where it was: "swing.mp4 1234 99". */
    draft?: string;
    signal?: AbortSignal;
    onProgress?: (progress: Progress) => void;
}

async function slice(source: Blob | Uint8Array<ArrayBuffer>, from: number, to: number) {
    if (source instanceof Uint8Array) {
        return source.slice(from, to);
    }
    try {
        return new Uint8Array(await source.slice(from, to).arrayBuffer());
    } catch {
        throw new CoreError({ code: "IO", message: "the file cannot be read; has it changed since it was chosen?" });
    }
}

export async function putBlob(
    connection: Connection,
    space: string,
    source: Blob | Uint8Array<ArrayBuffer>,
    options: PutOptions,
): Promise<string> {
    const size = source instanceof Uint8Array ? source.length : source.size;
    const type = options.mediaType ?? (source instanceof Uint8Array ? "" : source.type);
    const mediaType = type === "" ? "application/octet-stream" : type;
    if (size <= SMALL && options.draft === undefined) {
        options.signal?.throwIfAborted();
        return connection.call("blob_put", [space, await slice(source, 0, size), mediaType]);
    }
    const begun = await connection.call<{ number: number; size: number }>("blob_begin", [options.draft ?? null]);
    const { number } = begun;
    try {
        let at = begun.size;
        while (at < size) {
            options.signal?.throwIfAborted();
            const end = Math.min(at + SLICE, size);
            const bytes = await slice(source, at, end);
            await connection.call("blob_append", [number, bytes], {}, [bytes.buffer]);
            at = end;
            options.onProgress?.({ done: at, total: size });
        }
        return await connection.call<string>("blob_finish", [number, space, mediaType]);
    } finally {
        connection.tell("close", [number]);
    }
}
