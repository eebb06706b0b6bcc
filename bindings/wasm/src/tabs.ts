/*
 * Several tabs, one core. Whoever holds the folder's Web Lock serves all; the others speak to it over a
 * BroadcastChannel of their own, and wait for the lock. When the one that serves is gone, the lock goes
 * to one of them, which opens the folder and says so. Browsers without Web Locks serve each tab alone:
 * a second one then hears BUSY.
 */
import { CoreError, type ErrorFacts, factsOf } from "./errors.js";
import type { Service, Storage } from "./service.js";
import type { Caller, ToCore, ToPage } from "./wire.js";

type Hall =
    /** A tab wants to be served. print: of the key it would open the folder with. */
    | { kind: "hello"; id: string; print: string }
    /** From here on this one serves. */
    | { kind: "leader" };

type Aside =
    | { kind: "welcome"; storage: Storage["kind"] }
    | { kind: "refused"; error: ErrorFacts }
    | { kind: "call"; message: ToCore }
    | { kind: "said"; message: ToPage };

/* Calls that change nothing, and name nothing that was opened: asked again of the next one that serves. */
const READS = new Set([
    "get", "query", "info", "can", "storage", "drafts", "blob_get", "version", "chat_gaps", "chat_messages", "chat_search",
    "chat_threads", "chat_counts", "chat_people", "chat_draft", "chat_scheduled",
]);

const LOST: ErrorFacts = {
    code: "CLOSED",
    message: "another tab took over while this was under way; whether it was done is to be looked up",
};

async function printOf(key: Uint8Array | null): Promise<string> {
    if (key === null || crypto.subtle === undefined) {
        return "";
    }
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", key.slice()));
    return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Tabs {
    private readonly name: string;
    private readonly id = crypto.randomUUID();
    private readonly hall: BroadcastChannel;
    private readonly aside: BroadcastChannel;
    private readonly leaving = new AbortController();
    private service: Service | null = null;
    /** Someone serves: this thread, or another that said welcome. */
    private served: Storage["kind"] | null = null;
    /** False from the moment another one says that it serves until it says welcome. */
    private welcomed = false;
    /** Tabs that this one serves, by their ids. */
    private readonly guests = new Set<string>();
    private readonly waiting: ToCore[] = [];
    private readonly underWay = new Map<number, ToCore>();
    private print = "";
    private settle: { resolve(kind: Storage["kind"]): void; reject(error: unknown): void } | null = null;

    constructor(
        dir: string,
        private readonly page: Caller,
        private readonly start: () => Promise<Service>,
    ) {
        this.name = `sideline/${encodeURIComponent(dir)}`;
        this.hall = new BroadcastChannel(this.name);
        this.aside = new BroadcastChannel(`${this.name}/${this.id}`);
    }

    /** Ends when somebody serves. */
    async open(key: Uint8Array | null): Promise<Storage["kind"]> {
        this.print = await printOf(key);
        if (navigator.locks === undefined) {
            return this.lead();
        }
        /* Held as long as this thread lives: who serves sees by it that the tab is gone. */
        await this.hold(`${this.name}/${this.id}`);
        const first = new Promise<Storage["kind"]>((resolve, reject) => (this.settle = { resolve, reject }));
        this.hall.onmessage = ({ data }: MessageEvent<Hall>) => this.heardInHall(data);
        this.aside.onmessage = ({ data }: MessageEvent<Aside>) => this.heardAside(data);
        void navigator.locks
            .request(this.name, { signal: this.leaving.signal }, () => this.reign())
            .catch(() => undefined);
        this.hello();
        return first;
    }

    private hold(name: string): Promise<void> {
        return new Promise((held) => {
            void navigator.locks.request(name, () => {
                held();
                return new Promise<void>((end) => this.leaving.signal.addEventListener("abort", () => end()));
            });
        });
    }

    private hello(): void {
        this.hall.postMessage({ kind: "hello", id: this.id, print: this.print } satisfies Hall);
    }

    /* --- being served ------------------------------------------------------------------------ */

    handle(message: ToCore): void {
        if (this.service !== null) {
            this.service.handle(this.page, message);
        } else if (!this.welcomed) {
            this.waiting.push(message);
        } else {
            this.send(message);
        }
    }

    private send(message: ToCore): void {
        if (message.kind === "call") {
            this.underWay.set(message.n, message);
        }
        this.aside.postMessage({ kind: "call", message } satisfies Aside);
    }

    private heardAside(said: Aside): void {
        if (this.service !== null) {
            return;
        }
        if (said.kind === "welcome") {
            this.moved(said.storage);
            this.waiting.splice(0).forEach((message) => this.send(message));
        } else if (said.kind === "refused") {
            this.settle?.reject(new CoreError(said.error));
        } else if (said.kind === "said") {
            const { message } = said;
            if (message.kind === "answer" || message.kind === "failed") {
                this.underWay.delete(message.n);
            }
            this.page.say(message);
        }
    }

    /** Another one serves now. What was under way there is asked again, or is told to be lost. */
    private moved(kind: Storage["kind"]): void {
        const before = this.served;
        this.served = kind;
        this.welcomed = true;
        if (before !== null) {
            this.page.say({ kind: "moved" });
        }
        for (const [n, message] of [...this.underWay]) {
            this.underWay.delete(n);
            if (message.kind === "call" && READS.has(message.method)) {
                this.waiting.push(message);
            } else {
                this.page.say({ kind: "failed", n, error: LOST });
            }
        }
        this.settle?.resolve(kind);
    }

    /* --- serving ----------------------------------------------------------------------------- */

    /** Runs while the lock is held: until this thread leaves. */
    private async reign(): Promise<void> {
        try {
            await this.lead();
        } catch (error) {
            this.settle?.reject(error);
            this.page.say({ kind: "broken", error: factsOf(error) });
            return;
        }
        if (!this.leaving.signal.aborted) {
            await new Promise<void>((end) => (this.abdicate = end));
        }
        await this.service?.close();
    }

    private abdicate: (() => void) | null = null;

    private async lead(): Promise<Storage["kind"]> {
        const service = await this.start();
        service.join(this.page);
        this.service = service;
        this.moved(service.kind);
        this.waiting.splice(0).forEach((message) => service.handle(this.page, message));
        this.hall.postMessage({ kind: "leader" } satisfies Hall);
        return service.kind;
    }

    private heardInHall(said: Hall): void {
        if (said.kind === "leader") {
            if (this.service === null) {
                this.welcomed = false;
                this.hello();
            }
        } else if (this.service !== null && !this.guests.has(said.id)) {
            this.receive(this.service, said.id, said.print);
        }
    }

    private receive(service: Service, id: string, print: string): void {
        const aside = new BroadcastChannel(`${this.name}/${id}`);
        const say = (said: Aside) => aside.postMessage(said);
        if (print !== this.print) {
            say({ kind: "refused", error: { code: "DENIED", message: "the folder is open under another key" } });
            aside.close();
            return;
        }
        this.guests.add(id); /* who asks twice is served once */
        const caller: Caller = { say: (message) => say({ kind: "said", message }) };
        aside.onmessage = ({ data }: MessageEvent<Aside>) => {
            if (data.kind === "call") {
                service.handle(caller, data.message);
            }
        };
        service.join(caller);
        say({ kind: "welcome", storage: service.kind });
        /* Granted when the tab is gone, however it went. */
        void navigator.locks
            .request(`${this.name}/${id}`, { signal: this.leaving.signal }, () => {
                this.guests.delete(id);
                service.leave(caller);
                aside.close();
            })
            .catch(() => undefined);
    }

    async close(): Promise<void> {
        const { service } = this;
        this.leaving.abort();
        await service?.close();
        this.abdicate?.();
        this.hall.close();
        this.aside.close();
    }
}
