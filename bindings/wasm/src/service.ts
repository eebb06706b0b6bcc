/*
 * The core in this thread, serving calls of pages. It is stepped here: after each call, after each
 * piece of news of the network, and when its next deadline comes.
 */
import { CoreError, factsOf } from "./errors.js";
import { type Library, PTR } from "./library.js";
import { METHODS } from "./methods.js";
import { letGo, type Method, type Session, turns } from "./session.js";
import { Transport } from "./transport.js";
import { Answer, type Caller, Pending, type ToCore, type ToPage } from "./wire.js";

const STEPPED = 1;
const KEY_LENGTH = 32;
const PLATFORM_WORDS = 11;
const POLL_BYTES = 1 << 18;

/* They come with every move of a pen and leave nothing to be done in the core's own time. */
const LIGHT = new Set(["stroke_points", "view_show"]);

/** What is stored where; flush() ends when all that was synced is durable. */
export interface Storage {
    readonly kind: "opfs" | "indexeddb" | "memory";
    /** Fills in clock, random numbers and files of an sl_platform. */
    platform(lib: Library, at: number): void;
    /** Something that was synced is not durable yet. */
    pending(): Promise<void> | null;
    close(): Promise<void>;
}

export interface ServiceOptions {
    dir: string;
    server: string | null;
    key: Uint8Array | null;
    threadWindow: number;
}

interface Waiting {
    caller: Caller;
    n: number;
    then: (res: unknown) => unknown;
}

type OpEvent = { ev: "op"; op: number; ok: boolean; res?: unknown; code?: number; message?: string; field?: string };
type Event = { ev: string; op?: number; sub?: number };

export class Service {
    private core = 0;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private readonly transport: Transport;
    private readonly sessions = new Map<Caller, Session>();
    private readonly ops = new Map<number, Waiting>();
    private readonly watches = new Map<number, () => void>();
    private broken: CoreError | null = null;

    private constructor(
        readonly lib: Library,
        private readonly storage: Storage,
        fetcher: typeof fetch,
    ) {
        this.transport = new Transport(lib, fetcher, () => this.pump());
    }

    static open(lib: Library, storage: Storage, options: ServiceOptions, fetcher: typeof fetch): Service {
        const service = new Service(lib, storage, fetcher);
        try {
            service.start(options);
        } catch (error) {
            service.transport.free();
            throw error;
        }
        service.pump();
        return service;
    }

    private start(o: ServiceOptions): void {
        if (o.key !== null && o.key.length !== KEY_LENGTH) {
            throw new CoreError({ code: "MISUSE", message: "a key has 32 bytes", field: "key" });
        }
        const { lib } = this;
        lib.with((room) => {
            const platform = room.slot(PLATFORM_WORDS);
            lib.wasm.HEAPU32[platform >> 2] = PLATFORM_WORDS * PTR;
            this.storage.platform(lib, platform);
            lib.wasm.HEAPU32[(platform >> 2) + 6] = this.transport.http;
            lib.wasm.HEAPU32[(platform >> 2) + 7] = this.transport.ws;
            const key = o.key === null ? 0 : room.copy(o.key);
            const config = room.ints([
                9 * PTR, STEPPED, room.text(o.dir), room.text(o.server), platform, key, 0, o.threadWindow, 0,
            ]);
            const slot = room.slot();
            lib.call("sl_core_open", config, slot);
            this.core = room.word(slot);
        });
        this.transport.attach(this.core);
    }

    /** The storage's kind, for who wants to tell the user. */
    get kind(): Storage["kind"] {
        return this.storage.kind;
    }

    async close(): Promise<void> {
        if (this.core !== 0) {
            clearTimeout(this.timer);
            [...this.sessions.keys()].forEach((caller) => this.leave(caller));
            this.transport.attach(0);
            this.lib.raw("sl_core_close", this.core);
            this.core = 0;
            this.transport.free();
            await this.storage.pending();
            await this.storage.close();
        }
    }

    /* --- calls ---------------------------------------------------------------------------- */

    handle(caller: Caller, message: ToCore): void {
        turns.now++;
        if (message.kind === "cancel") {
            this.cancel(caller, message.n);
        } else if (message.kind === "tell") {
            this.run(caller, message.method, message.args, () => undefined);
        } else {
            const { n } = message;
            this.run(caller, message.method, message.args, (said) => this.answer(caller, n, said));
        }
        if (message.kind === "cancel" || !LIGHT.has(message.method)) {
            this.step();
        }
    }

    private run(caller: Caller, name: string, args: unknown[], done: (said: unknown) => void): void {
        try {
            if (this.broken !== null) {
                throw this.broken;
            }
            if (this.core === 0) {
                throw new CoreError({ code: "CLOSED", message: "the core is closed" });
            }
            const method: Method | undefined = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
            if (method === undefined) {
                throw new CoreError({ code: "MISUSE", message: `the core has no method ${name}` });
            }
            done(method(this.session(caller), ...args));
        } catch (error) {
            done(error instanceof WebAssembly.RuntimeError ? this.fall(error) : error);
        }
    }

    /** The library ended in a trap: nothing of it can be trusted any more. What is stored is. */
    private fall(error: Error): CoreError {
        this.broken ??= new CoreError({ code: "INTERNAL", message: `the core has stopped: ${error.message}` });
        clearTimeout(this.timer);
        for (const caller of this.sessions.keys()) {
            caller.say({ kind: "broken", error: factsOf(this.broken) });
        }
        return this.broken;
    }

    private answer(caller: Caller, n: number, said: unknown): void {
        if (said instanceof Pending) {
            this.ops.set(said.op, { caller, n, then: said.then });
            return;
        }
        const message: ToPage =
            said instanceof Error
                ? { kind: "failed", n, error: factsOf(said) }
                : { kind: "answer", n, value: said instanceof Answer ? said.value : said };
        const transfer = said instanceof Answer ? said.transfer : [];
        const durable = this.storage.pending();
        if (durable === null) {
            caller.say(message, transfer);
        } else {
            durable.then(
                () => caller.say(message, transfer),
                (error: unknown) => caller.say({ kind: "failed", n, error: factsOf(error) }),
            );
        }
    }

    private cancel(caller: Caller, n: number): void {
        for (const [op, waiting] of this.ops) {
            if (waiting.caller === caller && waiting.n === n) {
                this.lib.raw("sl_op_cancel", this.core, BigInt(op));
            }
        }
    }

    private session(caller: Caller): Session {
        let session = this.sessions.get(caller);
        if (session === undefined) {
            session = {
                lib: this.lib,
                core: this.core,
                objects: new Map(),
                ready: (of) => caller.say({ kind: "ready", of }),
                onRows: (sub, ready) => this.watches.set(sub, ready),
                offRows: (sub) => this.watches.delete(sub),
                kind: this.storage.kind,
            };
            this.sessions.set(caller, session);
        }
        return session;
    }

    /** A page hears events from its first call on; until it leaves. */
    join(caller: Caller): void {
        this.session(caller);
    }

    leave(caller: Caller): void {
        const session = this.sessions.get(caller);
        this.sessions.delete(caller);
        for (const number of [...(session?.objects.keys() ?? [])]) {
            letGo(session!, number);
        }
        for (const [op, waiting] of this.ops) {
            if (waiting.caller === caller) {
                this.ops.delete(op);
                this.lib.raw("sl_op_cancel", this.core, BigInt(op));
            }
        }
    }

    /* --- the core's own time -------------------------------------------------------------- */

    /** Does what is due, tells what happened, and comes again when the core wants it. */
    pump(): void {
        turns.now++;
        this.step();
    }

    private step(): void {
        if (this.core === 0 || this.broken !== null) {
            return;
        }
        try {
            const next = this.lib.raw("sl_core_step", this.core);
            clearTimeout(this.timer);
            if (next >= 0) {
                this.timer = setTimeout(() => this.pump(), next);
            }
            this.poll();
        } catch (error) {
            this.fall(error as Error);
        }
    }

    private poll(): void {
        for (;;) {
            const json = this.lib.with((room) => {
                const slot = room.slot();
                this.lib.call("sl_core_poll", this.core, POLL_BYTES, slot);
                return this.lib.takeText(room.word(slot));
            });
            if (json === null) {
                return;
            }
            const told = (JSON.parse(json) as Event[]).filter((event) => !this.consume(event));
            if (told.length > 0) {
                this.sessions.forEach((_, caller) => caller.say({ kind: "events", events: told }));
            }
        }
    }

    /** Events that belong to one call or one live query go there and nowhere else. */
    private consume(event: Event): boolean {
        if (event.ev === "rows") {
            this.watches.get(event.sub!)?.();
            return true;
        }
        const waiting = event.op === undefined ? undefined : this.ops.get(event.op);
        if (waiting === undefined) {
            return event.op !== undefined;
        }
        if (event.ev !== "op") {
            waiting.caller.say({ kind: "progress", n: waiting.n, value: event });
            return true;
        }
        const end = event as OpEvent;
        this.ops.delete(end.op);
        let said: unknown;
        try {
            said = end.ok ? waiting.then(end.res) : CoreError.ofStatus(end.code!, end.message, end.field);
        } catch (error) {
            said = error;
        }
        this.answer(waiting.caller, waiting.n, said);
        return true;
    }
}
