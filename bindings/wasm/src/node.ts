/**
 * Sideline in Node, in the calling thread: for tests and tools. Files are in memory, or on a device of your own.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Connection } from "./connection.js";
import { Core } from "./core.js";
import { CoreError } from "./errors.js";
import { loadFromBytes } from "./loader.js";
import { Service } from "./service.js";
import { type Device, MemoryDevice, PackStorage } from "./storage.js";
import type { ToPage } from "./wire.js";

export * from "./surface.js";
export { type Device, MemoryDevice };

export interface OpenOptions {
    dir: string;
    server?: string | URL;
    key?: Uint8Array;
    /** By default the one of this package. */
    wasm?: string | URL;
    fonts?: { [family: string]: Uint8Array };
    threadWindow?: number;
    /** What the files are on; by default memory. Open it again after close() and they are there. */
    device?: Device;
    fetch?: typeof fetch;
}

export async function openCore(options: OpenOptions): Promise<Core> {
    const wasm = await readFile(options.wasm ?? new URL("./sideline.wasm", import.meta.url));
    const node = { require: createRequire(import.meta.url), folder: fileURLToPath(new URL(".", import.meta.url)) };
    const lib = await loadFromBytes(wasm, node, options.fonts ?? {});
    const service = Service.open(
        lib,
        new PackStorage("memory", options.device ?? new MemoryDevice()),
        {
            dir: `/${encodeURIComponent(options.dir)}`,
            server: options.server === undefined ? null : String(options.server).replace(/\/$/, ""),
            key: options.key ?? null,
            threadWindow: options.threadWindow ?? 0,
        },
        options.fetch ?? fetch,
    );
    let heard: (message: ToPage) => void = () => undefined;
    /* Copied, as between threads: nobody holds what the other changes. */
    const caller = {
        say(message: ToPage, transfer: Transferable[] = []) {
            const copy = structuredClone(message, { transfer });
            queueMicrotask(() => heard(copy));
        },
    };
    service.join(caller);
    const connection = new Connection({
        post: (message, transfer = []) => service.handle(caller, structuredClone(message, { transfer })),
        listen: (listener) => (heard = listener),
        end: async () => {
            await service.close();
            const left = lib.raw("sl_debug_live_objects");
            if (left !== 0) {
                throw new CoreError({ code: "INTERNAL", message: `${left} objects were not released` });
            }
        },
    });
    return new Core(connection, service.kind);
}
