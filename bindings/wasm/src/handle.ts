/* What is held by number at the core's side, and let go of by close(), `using`, or the collector. */
import "./symbols.js";
import type { Connection } from "./connection.js";
import { CoreError } from "./errors.js";

const net = new FinalizationRegistry<{ connection: Connection; number: number; what: string }>((lost) => {
    if (!lost.connection.closed) {
        console.warn(`sideline: a ${lost.what} was never closed; it is now`);
        lost.connection.tell("close", [lost.number]);
    }
});

/** Close it, or declare it with `using`. */
export abstract class Handle implements Disposable {
    protected number: number;
    private standing: "open" | "closed" = "open";
    private readonly offMoved: () => void;

    protected constructor(
        protected readonly connection: Connection,
        number: number,
        private readonly what: string,
    ) {
        this.number = number;
        this.offMoved = moves(connection, new WeakRef(this));
        net.register(this, { connection, number, what }, this);
    }

    /** Another tab serves now. Those that can, open themselves again there. */
    moved(): void {
        this.forget();
    }

    protected renumber(number: number): void {
        this.number = number;
        net.unregister(this);
        net.register(this, { connection: this.connection, number, what: this.what }, this);
    }

    protected forget(): void {
        this.standing = "closed";
        this.offMoved();
        net.unregister(this);
        this.connection.offReady(this.number);
    }

    get closed(): boolean {
        return this.standing === "closed" || this.connection.closed;
    }

    close(): void {
        if (this.standing === "open") {
            this.forget();
            this.connection.tell("close", [this.number]);
        }
    }

    [Symbol.dispose](): void {
        this.close();
    }

    protected check(): void {
        if (this.closed) {
            throw new CoreError({ code: "CLOSED", message: `the ${this.what} is closed` });
        }
    }

    protected async call<T>(method: string, ...args: unknown[]): Promise<T> {
        this.check();
        return this.connection.call<T>(method, [this.number, ...args]);
    }

    protected tell(method: string, args: unknown[], transfer: Transferable[] = []): void {
        this.check();
        this.connection.tell(method, [this.number, ...args], transfer);
    }
}

function moves(connection: Connection, ref: WeakRef<Handle>): () => void {
    return connection.onMoved(() => ref.deref()?.moved());
}
