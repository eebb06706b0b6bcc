/* The page's end: calls with numbers, their answers, and what is told without being asked. */
import { CoreError } from "./errors.js";
import type { Progress, Waiting } from "./types.js";
import type { ToCore, ToPage } from "./wire.js";

/** A worker, a port: whatever carries messages both ways. */
export interface Wire {
    post(message: ToCore, transfer?: Transferable[]): void;
    listen(heard: (message: ToPage) => void): void;
    /** Ends the other side; nothing is heard afterwards. */
    end(): Promise<void>;
}

interface Open {
    resolve(value: unknown): void;
    reject(error: unknown): void;
    progress: ((progress: Progress) => void) | undefined;
    settled(): void;
}

export class Connection {
    private last = 0;
    private readonly open = new Map<number, Open>();
    private readonly ready = new Map<number, () => void>();
    private readonly hearers = new Set<(events: unknown[]) => void>();
    private readonly movers = new Set<() => void>();
    private gone: CoreError | null = null;

    constructor(private readonly wire: Wire) {
        wire.listen((message) => this.heard(message));
    }

    call<T>(method: string, args: unknown[], waiting: Waiting = {}, transfer: Transferable[] = []): Promise<T> {
        const { signal, onProgress } = waiting;
        return new Promise<T>((resolve, reject) => {
            if (this.gone !== null) {
                throw this.gone;
            }
            signal?.throwIfAborted();
            const n = ++this.last;
            const abort = () => {
                this.open.delete(n);
                this.wire.post({ kind: "cancel", n });
                reject(signal!.reason);
            };
            signal?.addEventListener("abort", abort, { once: true });
            this.open.set(n, {
                resolve: resolve as (value: unknown) => void,
                reject,
                progress: onProgress,
                settled: () => signal?.removeEventListener("abort", abort),
            });
            this.wire.post({ kind: "call", n, method, args }, transfer);
        });
    }

    tell(method: string, args: unknown[], transfer: Transferable[] = []): void {
        if (this.gone === null) {
            this.wire.post({ kind: "tell", method, args }, transfer);
        }
    }

    onReady(of: number, heard: () => void): void {
        this.ready.set(of, heard);
    }

    offReady(of: number): void {
        this.ready.delete(of);
    }

    onEvents(heard: (events: unknown[]) => void): () => void {
        this.hearers.add(heard);
        return () => this.hearers.delete(heard);
    }

    /** Another thread serves now: what was open there is to be opened again. */
    onMoved(moved: () => void): () => void {
        this.movers.add(moved);
        return () => this.movers.delete(moved);
    }

    get closed(): boolean {
        return this.gone !== null;
    }

    async close(why = new CoreError({ code: "CLOSED", message: "the core is closed" })): Promise<void> {
        if (this.gone === null) {
            this.gone = why;
            this.fail(why);
            this.movers.forEach((moved) => moved());
            await this.wire.end();
        }
    }

    private fail(error: CoreError): void {
        const all = [...this.open.values()];
        this.open.clear();
        for (const call of all) {
            call.settled();
            call.reject(error);
        }
    }

    private heard(message: ToPage): void {
        switch (message.kind) {
            case "answer":
            case "failed": {
                const call = this.open.get(message.n);
                this.open.delete(message.n);
                call?.settled();
                if (message.kind === "answer") {
                    call?.resolve(message.value);
                } else {
                    call?.reject(new CoreError(message.error));
                }
                break;
            }
            case "progress":
                this.open.get(message.n)?.progress?.(message.value as Progress);
                break;
            case "events":
                this.hearers.forEach((heard) => heard(message.events));
                break;
            case "ready":
                this.ready.get(message.of)?.();
                break;
            case "moved":
                this.ready.clear();
                this.movers.forEach((moved) => moved());
                break;
            case "broken":
                void this.close(new CoreError(message.error));
                break;
        }
    }
}

/** What comes, one after the other, for `for await`. Leaving the loop, or the signal, ends it. */
export class Stream<T> implements AsyncIterableIterator<T> {
    private readonly waiting: ((result: IteratorResult<T>) => void)[] = [];
    private readonly queue: T[] = [];
    private done = false;
    private readonly abort = () => this.finish();

    constructor(
        private readonly ended: () => void,
        private readonly signal?: AbortSignal,
    ) {
        if (signal?.aborted === true) {
            this.finish();
        }
        signal?.addEventListener("abort", this.abort);
    }

    push(value: T): void {
        const next = this.waiting.shift();
        if (next !== undefined) {
            next({ done: false, value });
        } else if (!this.done) {
            this.queue.push(value);
        }
    }

    finish(): void {
        if (!this.done) {
            this.done = true;
            this.signal?.removeEventListener("abort", this.abort);
            this.waiting.splice(0).forEach((next) => next({ done: true, value: undefined }));
            this.ended();
        }
    }

    next(): Promise<IteratorResult<T>> {
        if (this.queue.length > 0) {
            return Promise.resolve({ done: false, value: this.queue.shift()! });
        }
        if (this.done) {
            return Promise.resolve({ done: true, value: undefined });
        }
        return new Promise((resolve) => this.waiting.push(resolve));
    }

    return(): Promise<IteratorResult<T>> {
        this.queue.length = 0;
        this.finish();
        return Promise.resolve({ done: true, value: undefined });
    }

    [Symbol.asyncIterator](): this {
        return this;
    }
}
