/*
 * Where a core's files are: one file of the browser's, which the C side makes into many (pack.h). It is
 * read and written at once, because the core does not wait; only opening it is asynchronous.
 */
import { CoreError, statusOf } from "./errors.js";
import { type Library, PTR } from "./library.js";
import type { Storage } from "./service.js";

const OK = 0;
const FULL = statusOf("FULL");
const IO = statusOf("IO");
const BUSY_TRIES = 40; /* of 50 ms: a browser that was killed may hold a file that long */

/** One file, read and written at once. */
export interface Device {
    size(): number;
    /** Bytes read; what lies behind the end is not touched. */
    read(into: Uint8Array, at: number): number;
    write(from: Uint8Array, at: number): void;
    truncate(size: number): void;
    flush(): void;
    /** What was flushed is not durable before this ends; null: it is. */
    pending(): Promise<void> | null;
    close(): Promise<void>;
}

function statusOfFailure(error: unknown): number {
    const name = error instanceof Error || error instanceof DOMException ? error.name : "";
    return name === "QuotaExceededError" ? FULL : IO;
}

/** The files of a core on a device. */
export class PackStorage implements Storage {
    constructor(
        readonly kind: "opfs" | "indexeddb" | "memory",
        private readonly device: Device,
    ) {}

    platform(lib: Library, at: number): void {
        const { device } = this;
        const m = lib.wasm;
        const tried = (body: () => void): number => {
            try {
                body();
                return OK;
            } catch (error) {
                return statusOfFailure(error);
            }
        };
        const functions = lib.functions([
            ["ji", () => BigInt(device.size())],
            ["iiiij", (_u: number, p: number, n: number, from: bigint) => tried(() => {
                const into = m.HEAPU8.subarray(p, p + n);
                into.fill(0, device.read(into, Number(from)));
            })],
            ["iiiij", (_u: number, p: number, n: number, to: bigint) =>
                tried(() => device.write(m.HEAPU8.subarray(p, p + n), Number(to)))],
            ["iij", (_u: number, size: bigint) => tried(() => device.truncate(Number(size)))],
            ["ii", () => tried(() => device.flush())],
        ]);
        lib.with((room) => {
            const table = room.ints([(3 + functions.length) * PTR, 0, 0, ...functions]);
            const status = lib.raw("sl_pack_platform", table, at);
            if (status !== 0) {
                throw CoreError.ofStatus(status, "what the browser kept of this folder cannot be read");
            }
        });
    }

    pending(): Promise<void> | null {
        return this.device.pending();
    }

    close(): Promise<void> {
        return this.device.close();
    }
}

/* --- memory -------------------------------------------------------------------------------- */

const BLOCK = 1 << 16;

/** Bytes in memory, in blocks that were changed or not. */
export class MemoryDevice implements Device {
    protected readonly blocks = new Map<number, Uint8Array<ArrayBuffer>>();
    protected readonly dirty = new Set<number>();
    protected length = 0;

    size(): number {
        return this.length;
    }

    read(into: Uint8Array, at: number): number {
        const n = Math.max(0, Math.min(into.length, this.length - at));
        for (let done = 0; done < n; ) {
            const { block, offset, run } = place(at + done, n - done);
            const bytes = this.blocks.get(block);
            if (bytes === undefined) {
                into.fill(0, done, done + run);
            } else {
                into.set(bytes.subarray(offset, offset + run), done);
            }
            done += run;
        }
        return n;
    }

    write(from: Uint8Array, at: number): void {
        for (let done = 0; done < from.length; ) {
            const { block, offset, run } = place(at + done, from.length - done);
            let bytes = this.blocks.get(block);
            if (bytes === undefined) {
                bytes = new Uint8Array(BLOCK);
                this.blocks.set(block, bytes);
            }
            bytes.set(from.subarray(done, done + run), offset);
            this.dirty.add(block);
            done += run;
        }
        this.length = Math.max(this.length, at + from.length);
    }

    truncate(size: number): void {
        for (const [block, bytes] of this.blocks) {
            if (block * BLOCK >= size) {
                this.blocks.delete(block);
                this.dirty.add(block);
            } else if ((block + 1) * BLOCK > size) {
                bytes.fill(0, size - block * BLOCK);
                this.dirty.add(block);
            }
        }
        this.length = size;
    }

    flush(): void {
        this.dirty.clear();
    }

    pending(): Promise<void> | null {
        return null;
    }

    async close(): Promise<void> {}
}

function place(at: number, n: number): { block: number; offset: number; run: number } {
    const block = Math.floor(at / BLOCK);
    const offset = at - block * BLOCK;
    return { block, offset, run: Math.min(n, BLOCK - offset) };
}

/* --- IndexedDB ----------------------------------------------------------------------------- */

function done<T>(request: IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

function ended(transaction: IDBTransaction): Promise<void> {
    return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    });
}

/**
 * All in memory, and each flush one transaction with every block that changed: whatever the files are,
 * they are there together or not at all. The core hears "durable" too early; who answers the page waits
 * for pending().
 */
export class IndexedDbDevice extends MemoryDevice {
    private last: Promise<void> | null = null;
    private failure: unknown = null;

    private constructor(private readonly database: IDBDatabase) {
        super();
    }

    static async open(name: string): Promise<IndexedDbDevice> {
        const request = indexedDB.open(`sideline/${name}`, 1);
        request.onupgradeneeded = () => request.result.createObjectStore("blocks");
        const device = new IndexedDbDevice(await done(request));
        const store = device.database.transaction("blocks").objectStore("blocks");
        const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
        keys.forEach((key, i) => {
            if (key === "size") {
                device.length = values[i] as number;
            } else {
                device.blocks.set(key as number, values[i] as Uint8Array<ArrayBuffer>);
            }
        });
        return device;
    }

    override flush(): void {
        if (this.failure !== null) {
            throw this.failure;
        }
        if (this.dirty.size === 0) {
            return;
        }
        const transaction = this.database.transaction("blocks", "readwrite", { durability: "strict" });
        const store = transaction.objectStore("blocks");
        for (const block of this.dirty) {
            const bytes = this.blocks.get(block);
            if (bytes === undefined) {
                store.delete(block);
            } else {
                store.put(bytes, block); /* copied by the call */
            }
        }
        store.put(this.length, "size");
        this.dirty.clear();
        const end = ended(transaction).catch((error: unknown) => {
            this.failure = error;
            throw new CoreError({
                code: statusOfFailure(error) === FULL ? "FULL" : "IO",
                message: "the browser could not keep the change",
            });
        });
        const before = this.last;
        const last = before === null ? end : before.then(() => end);
        this.last = last;
        last.then(() => (this.last = this.last === last ? null : this.last), () => undefined);
    }

    override pending(): Promise<void> | null {
        return this.last;
    }

    override async close(): Promise<void> {
        await this.last?.catch(() => undefined);
        this.database.close();
    }
}

/* --- OPFS ---------------------------------------------------------------------------------- */

interface SyncHandle {
    read(into: Uint8Array, o: { at: number }): number;
    write(from: Uint8Array, o: { at: number }): number;
    truncate(size: number): void;
    getSize(): number;
    flush(): void;
    close(): void;
}

class OpfsDevice implements Device {
    constructor(private readonly handle: SyncHandle) {}

    static async open(name: string): Promise<OpfsDevice> {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle("sideline", { create: true });
        const file = (await folder.getFileHandle(`${name}.pack`, { create: true })) as FileSystemFileHandle & {
            createSyncAccessHandle(): Promise<SyncHandle>;
        };
        for (let tries = BUSY_TRIES; ; tries--) {
            try {
                return new OpfsDevice(await file.createSyncAccessHandle());
            } catch (error) {
                if ((error as Error).name !== "NoModificationAllowedError") {
                    throw error;
                }
                if (tries === 0) {
                    throw new CoreError({ code: "BUSY", message: "the folder is open in another place" });
                }
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }
    }

    size(): number {
        return this.handle.getSize();
    }

    read(into: Uint8Array, at: number): number {
        return this.handle.read(into, { at });
    }

    write(from: Uint8Array, at: number): void {
        if (this.handle.write(from, { at }) < from.length) {
            throw new DOMException("the disk is full", "QuotaExceededError");
        }
    }

    truncate(size: number): void {
        this.handle.truncate(size);
    }

    flush(): void {
        this.handle.flush();
    }

    pending(): null {
        return null;
    }

    async close(): Promise<void> {
        this.handle.close();
    }
}

/** OPFS; where it is missing IndexedDB; where that is missing too, memory. */
export async function openStorage(dir: string, wanted: "auto" | Storage["kind"]): Promise<Storage> {
    const name = encodeURIComponent(dir);
    if (wanted === "auto" || wanted === "opfs") {
        try {
            return new PackStorage("opfs", await OpfsDevice.open(name));
        } catch (error) {
            if (error instanceof CoreError || wanted === "opfs") {
                throw error instanceof CoreError ? error : unsupported("OPFS", error);
            }
        }
    }
    if (wanted === "auto" || wanted === "indexeddb") {
        try {
            return new PackStorage("indexeddb", await IndexedDbDevice.open(name));
        } catch (error) {
            if (wanted === "indexeddb") {
                throw unsupported("IndexedDB", error);
            }
        }
    }
    return new PackStorage("memory", new MemoryDevice());
}

function unsupported(what: string, error: unknown): CoreError {
    const why = error instanceof Error ? error.message : String(error);
    return new CoreError({ code: "UNSUPPORTED", message: `${what} cannot be used here: ${why}` });
}
