/* Live queries: the differences of one, through changes of the thread that serves it. */
import type { Connection } from "./connection.js";
import { CoreError } from "./errors.js";
import type { Entities } from "./models.js";
import type { Diff, EntityName, Query } from "./types.js";

/**
 * Gives each difference when it is asked for, so that a slow reader gets one merged difference. When
 * another tab takes over, the next difference is that between what was given and what is there now.
 */
export class LiveQuery<K extends EntityName> implements AsyncIterableIterator<Diff<K>> {
    private sub = 0;
    private turn = 0; /* of opening it */
    private opening: Promise<void> | null = null;
    private dirty = false;
    private wake: (() => void) | null = null;
    private done = false;
    private failure: unknown = null;
    private known = new Set<string>();
    private fresh = true;
    private readonly offMoved: () => void;
    private readonly abort = () => void this.return();

    constructor(
        private readonly connection: Connection,
        private readonly query: Query<K>,
        private readonly signal?: AbortSignal,
    ) {
        this.offMoved = connection.onMoved(() => this.moved());
        signal?.addEventListener("abort", this.abort);
        if (signal?.aborted === true) {
            void this.return();
        } else {
            this.opening = this.open();
        }
    }

    private async open(): Promise<void> {
        const turn = ++this.turn;
        try {
            const sub = await this.connection.call<number>("watch", [this.query]);
            if (turn !== this.turn) {
                return; /* opened at a tab that serves no more */
            }
            if (this.done) {
                this.connection.tell("close", [sub]);
                return;
            }
            this.sub = sub;
            this.fresh = true;
            this.connection.onReady(sub, () => this.rows());
            this.rows();
        } catch (error) {
            if (turn === this.turn) {
                this.failure = error;
                this.rows();
            }
        }
    }

    private rows(): void {
        this.dirty = true;
        this.wake?.();
        this.wake = null;
    }

    private moved(): void {
        if (this.connection.closed) {
            void this.return();
        } else if (!this.done) {
            this.sub = 0;
            this.opening = this.open();
        }
    }

    async next(): Promise<IteratorResult<Diff<K>>> {
        while (!this.done) {
            await this.opening;
            if (this.failure !== null) {
                const error = this.failure;
                await this.return();
                throw error;
            }
            if (!this.dirty) {
                await new Promise<void>((resolve) => (this.wake = resolve));
                continue;
            }
            this.dirty = false;
            const value = await this.take();
            if (value !== null && !this.done) {
                return { done: false, value };
            }
        }
        return { done: true, value: undefined };
    }

    private async take(): Promise<Diff<K> | null> {
        const { sub } = this;
        try {
            const raw = await this.connection.call<Diff<K> | null>("take", [sub]);
            return raw === null ? null : this.merged(raw);
        } catch (error) {
            if (sub !== this.sub && error instanceof CoreError && !this.connection.closed) {
                return null; /* another tab took over in the meantime: asked anew */
            }
            this.failure = error;
            this.dirty = true;
            return null;
        }
    }

    private merged(raw: Diff<K>): Diff<K> {
        const now = new Set(raw.order);
        const removed = this.fresh ? [...this.known].filter((id) => !now.has(id)) : raw.removed;
        this.fresh = false;
        this.known = now;
        return { ...raw, removed };
    }

    return(): Promise<IteratorResult<Diff<K>>> {
        if (!this.done) {
            this.done = true;
            this.offMoved();
            this.signal?.removeEventListener("abort", this.abort);
            if (this.sub !== 0) {
                this.connection.offReady(this.sub);
                this.connection.tell("close", [this.sub]);
            }
            this.rows();
        }
        return Promise.resolve({ done: true, value: undefined });
    }

    [Symbol.asyncIterator](): this {
        return this;
    }
}

/** The whole answer of a live query after each difference, in order. */
export async function* rowsOf<K extends EntityName>(live: LiveQuery<K>): AsyncGenerator<Entities[K][]> {
    const all = new Map<string, Entities[K]>();
    for await (const diff of live) {
        diff.removed.forEach((id) => all.delete(id));
        diff.upserts.forEach((record) => all.set(record.id, record));
        yield diff.order.map((id) => all.get(id)!).filter((record) => record !== undefined);
    }
}
