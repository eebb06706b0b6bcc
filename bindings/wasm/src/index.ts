/**
 * Sideline in the browser: the core in a worker of its own, spoken to by messages.
 *
 * @module
 */
import { Connection, type Wire } from "./connection.js";
import { Core } from "./core.js";
import { CoreError } from "./errors.js";
import type { Fonts } from "./loader.js";
import type { Storage } from "./service.js";
import type { FromWorker, OpenMessage, ToWorker } from "./worker.js";
import type { ToPage } from "./wire.js";

export * from "./surface.js";

export interface OpenOptions {
    /** The name of the data folder. One user to a folder. */
    dir: string;
    /** "https://host"; by default the page's own. */
    server?: string | URL;
    /** 32 bytes: the folder is encrypted under it, and opens with nothing else. */
    key?: Uint8Array;
    /** "auto": OPFS, else IndexedDB, else memory. */
    storage?: "auto" | Storage["kind"];
    /** Where sideline.wasm is, when the bundler cannot find it by itself. */
    wasm?: string | URL;
    /** The worker, when the bundler cannot make it by itself: of "@sideline/core/worker". */
    worker?: () => Worker;
    /** TrueType files by family name, for texts in drawings: { "DejaVuSans-Bold": url }. */
    fonts?: Fonts;
    /** So many of the newest messages of a thread come by themselves. 100; -1: all. */
    threadWindow?: number;
    signal?: AbortSignal;
}

class WorkerWire implements Wire {
    private heard: (message: ToPage) => void = () => undefined;
    private closed: () => void = () => undefined;

    constructor(private readonly worker: Worker) {}

    open(message: OpenMessage, signal?: AbortSignal): Promise<Storage["kind"]> {
        return new Promise((resolve, reject) => {
            signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
            this.worker.onerror = (event) => {
                const why = event.message === undefined ? "the worker cannot be loaded" : event.message;
                const error = { code: "INTERNAL" as const, message: `the core's thread has stopped: ${why}` };
                reject(new CoreError(error));
                this.heard({ kind: "broken", error });
            };
            this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
                if (data.kind === "opened") {
                    resolve(data.storage);
                } else if (data.kind === "unopened") {
                    reject(new CoreError(data.error));
                } else if (data.kind === "closed") {
                    this.closed();
                } else {
                    this.heard(data);
                }
            };
            this.worker.postMessage(message satisfies ToWorker);
        });
    }

    post(message: ToWorker, transfer: Transferable[] = []): void {
        this.worker.postMessage(message, transfer);
    }

    listen(heard: (message: ToPage) => void): void {
        this.heard = heard;
    }

    async end(): Promise<void> {
        await new Promise<void>((resolve) => {
            this.closed = resolve;
            setTimeout(resolve, 2000); /* a thread that has trapped says nothing any more */
            this.post({ kind: "close" });
        });
        this.worker.terminate();
    }
}

/** Opens the data folder, making it when absent. */
export async function openCore(options: OpenOptions): Promise<Core> {
    options.signal?.throwIfAborted();
    const worker =
        options.worker?.() ?? new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "sideline" });
    const wire = new WorkerWire(worker);
    const connection = new Connection(wire);
    try {
        const storage = await wire.open(
            {
                kind: "open",
                wasm: new URL(options.wasm ?? new URL("./sideline.wasm", import.meta.url), location.href).href,
                options: {
                    dir: options.dir,
                    server: String(options.server ?? location.origin).replace(/\/$/, ""),
                    key: options.key ?? null,
                    threadWindow: options.threadWindow ?? 0,
                },
                fonts: Object.fromEntries(
                    Object.entries(options.fonts ?? {}).map(([family, at]) =>
                        [family, typeof at === "string" ? new URL(at, location.href).href : at]),
                ),
                storage: options.storage ?? "auto",
            },
            options.signal,
        );
        return new Core(connection, storage);
    } catch (error) {
        worker.terminate();
        throw error;
    }
}
