/* The C library in this thread: calling it, and getting text, JSON and bytes in and out. */
import { CoreError, type ErrorCode } from "./errors.js";
import { type Entry, install } from "./functions.js";

/** What Emscripten's loader gives. Functions of the library are there as `_sl_...`. */
export interface Wasm {
    HEAPU8: Uint8Array;
    HEAP32: Int32Array;
    HEAPU32: Uint32Array;
    HEAPF32: Float32Array;
    FS: {
        mkdirTree(path: string): void;
        writeFile(path: string, bytes: Uint8Array): void;
    };
    _malloc(n: number): number;
    _free(p: number): void;
    UTF8ToString(p: number): string;
    stringToUTF8(s: string, p: number, max: number): void;
    lengthBytesUTF8(s: string): number;
    [name: `_sl${string}`]: (...args: (number | bigint)[]) => number | bigint;
}

export const PTR = 4;

export class Library {
    constructor(
        readonly wasm: Wasm,
        /** What the library calls by pointers. */
        private readonly table: WebAssembly.Table,
    ) {}

    /** Functions for the library to call: their pointers, good as long as the library is. */
    functions(entries: Entry[]): number[] {
        return install(this.table, entries);
    }

    /** Calls a function that returns a status and takes an sl_error** last: throws what it says. */
    call(name: string, ...args: (number | bigint)[]): void {
        const m = this.wasm;
        const slot = m._malloc(PTR);
        m.HEAPU32[slot >> 2] = 0;
        let status: number;
        let error = 0;
        try {
            status = this.raw(name, ...args, slot);
            error = m.HEAPU32[slot >> 2]!;
        } finally {
            m._free(slot);
        }
        if (status !== 0) {
            throw this.taken(status, error);
        }
    }

    /** Calls any function of the library. */
    raw(name: string, ...args: (number | bigint)[]): number {
        const fn = this.wasm[`_${name}` as `_sl${string}`];
        if (fn === undefined) {
            throw new CoreError({ code: "INTERNAL", message: `${name} is not in this build` });
        }
        return Number(fn(...args));
    }

    private taken(status: number, error: number): CoreError {
        if (error === 0) {
            return CoreError.ofStatus(status);
        }
        const message = this.wasm.UTF8ToString(this.raw("sl_error_message", error));
        const detail = JSON.parse(this.wasm.UTF8ToString(this.raw("sl_error_detail", error))) as {
            name: string;
            field?: string;
            retryable?: boolean;
        };
        this.raw("sl_error_release", error);
        const code = detail.name.replace(/^SL_E_/, "") as ErrorCode;
        return new CoreError({ ...detail, code, message });
    }

    /** Runs `body` with memory that is freed at its end. */
    with<T>(body: (room: Room) => T): T {
        const room = new Room(this);
        try {
            return body(room);
        } finally {
            room.free();
        }
    }

    /** The bytes that an sl_bytes* holds, copied; the object is released. */
    takeBytes(bytes: number): Uint8Array<ArrayBuffer> | null {
        if (bytes === 0) {
            return null;
        }
        const at = this.raw("sl_bytes_data", bytes);
        const copy = this.wasm.HEAPU8.slice(at, at + this.raw("sl_bytes_len", bytes));
        this.raw("sl_bytes_release", bytes);
        return copy as Uint8Array<ArrayBuffer>;
    }

    takeText(bytes: number): string | null {
        const copy = this.takeBytes(bytes);
        return copy === null ? null : new TextDecoder().decode(copy);
    }
}

/** Memory of one call. */
export class Room {
    private readonly parts: number[] = [];
    constructor(private readonly lib: Library) {}

    /** n bytes of zero. */
    bytes(n: number): number {
        const p = this.lib.wasm._malloc(Math.max(n, 1));
        if (p === 0) {
            throw new CoreError({ code: "NOMEM", message: "there is not enough memory" });
        }
        this.parts.push(p);
        this.lib.wasm.HEAPU8.fill(0, p, p + n);
        return p;
    }

    slot(words = 1): number {
        return this.bytes(words * PTR);
    }

    copy(source: Uint8Array): number {
        const p = this.bytes(source.length);
        this.lib.wasm.HEAPU8.set(source, p);
        return p;
    }

    floats(source: Float32Array): number {
        const p = this.bytes(source.length * 4);
        this.lib.wasm.HEAPF32.set(source, p >> 2);
        return p;
    }

    ints(source: ArrayLike<number>): number {
        const p = this.bytes(source.length * 4);
        this.lib.wasm.HEAP32.set(source, p >> 2);
        return p;
    }

    /** Text that ends with a NUL; its length in bytes. */
    textOf(s: string): [at: number, length: number] {
        const n = this.lib.wasm.lengthBytesUTF8(s);
        const p = this.bytes(n + 1);
        this.lib.wasm.stringToUTF8(s, p, n + 1);
        return [p, n];
    }

    text(s: string | null | undefined): number {
        return s === null || s === undefined ? 0 : this.textOf(s)[0];
    }

    json(value: unknown): [at: number, length: number] {
        return this.textOf(JSON.stringify(value));
    }

    word(slot: number, index = 0): number {
        return this.lib.wasm.HEAPU32[(slot >> 2) + index]!;
    }

    /** An sl_id, or another 64-bit number below 2^53. */
    id(slot: number): number {
        return this.word(slot) + this.word(slot, 1) * 2 ** 32;
    }

    free(): void {
        for (const p of this.parts) {
            this.lib.wasm._free(p);
        }
    }
}
