/*
 * The thread of a core. The page sends {kind:"open"} first; then calls. Canvases that the page handed over
 * stay here and are painted here.
 */
import { factsOf, type ErrorFacts } from "./errors.js";
import { type Fonts, loadFromUrl } from "./loader.js";
import { Service, type ServiceOptions, type Storage } from "./service.js";
import { openStorage } from "./storage.js";
import { Tabs } from "./tabs.js";
import type { Box } from "./types.js";
import type { Caller, ToCore, ToPage } from "./wire.js";

export interface OpenMessage {
    kind: "open";
    wasm: string; /* where the module is */
    options: ServiceOptions;
    fonts: Fonts;
    storage: "auto" | Storage["kind"];
}

export type FromWorker =
    | ToPage
    | { kind: "opened"; storage: Storage["kind"] }
    | { kind: "unopened"; error: ErrorFacts }
    | { kind: "closed" };

export type ToWorker = ToCore | OpenMessage | { kind: "close" };

const scope = self as unknown as {
    postMessage(message: FromWorker, transfer: Transferable[]): void;
    onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
    close(): void;
};

/* --- canvases ------------------------------------------------------------------------------ */

const canvases = new Map<number, OffscreenCanvasRenderingContext2D>();

/** Answers to calls that this thread made for the page: what to do with them. */
const own = new Map<number, (message: ToPage) => void>();
let lastOwn = 0;

function keepCanvas(n: number, canvas: OffscreenCanvas): void {
    const context = canvas.getContext("2d");
    if (context === null) {
        const error = { code: "MISUSE" as const, message: "the canvas is in use for something else" };
        scope.postMessage({ kind: "failed", n, error }, []);
        return;
    }
    canvases.set(canvases.size + 1, context);
    scope.postMessage({ kind: "answer", n, value: canvases.size }, []);
}

/** What a canvas shows. */
interface Shown {
    view: number;
    t: number;
    doc: number;
}

const shown = new Map<number, Shown>();

/** Asks for what changed, and paints it. */
function paint(canvas: number, of: Shown, done: (message: ToPage) => void): void {
    const context = canvases.get(canvas);
    const asked = --lastOwn;
    own.set(asked, (message) => {
        const part = message.kind === "answer" ? (message.value as { box: Box; pixels: Uint8ClampedArray<ArrayBuffer> } | null) : null;
        if (part !== null) {
            const [x, y, width, height] = part.box;
            context?.putImageData(new ImageData(part.pixels, width, height), x, y);
        }
        done(message);
    });
    link!.handle({ kind: "call", n: asked, method: "view_show", args: [of.view, of.t] });
}

/** The page hears only where it was painted. */
function show(n: number, [view, t, canvas, doc]: unknown[]): void {
    const of = { view, t, doc } as Shown;
    shown.set(canvas as number, of);
    paint(canvas as number, of, (message) => {
        const value = message.kind === "answer" ? ((message.value as { box: Box } | null)?.box ?? null) : null;
        scope.postMessage(message.kind === "answer" ? { kind: "answer", n, value } : ({ ...message, n } as ToPage), []);
    });
}

/** Points are painted when they come, wherever their document is shown: the page need not ask. */
function follow(doc: number): void {
    for (const [canvas, of] of shown) {
        if (of.doc === doc) {
            paint(canvas, of, (message) => {
                if (message.kind === "failed") {
                    shown.delete(canvas); /* the view is closed */
                }
            });
        }
    }
}

/* --- the page ------------------------------------------------------------------------------ */

/** Whoever serves: the core in this thread, or in another tab's. */
let link: Tabs | null = null;

const page: Caller = {
    say(message, transfer = []) {
        if (message.kind === "moved") {
            shown.clear();
        }
        const mine = "n" in message ? own.get(message.n) : undefined;
        if (mine !== undefined && message.kind !== "progress") {
            own.delete((message as { n: number }).n);
            mine(message);
        } else {
            scope.postMessage(message, transfer);
        }
    },
};

async function start(message: OpenMessage): Promise<Service> {
    const [lib, storage] = await Promise.all([
        loadFromUrl(message.wasm, message.fonts),
        openStorage(message.options.dir, message.storage),
    ]);
    try {
        const options = { ...message.options, dir: `/${encodeURIComponent(message.options.dir)}` };
        return Service.open(lib, storage, options, (...args) => fetch(...args));
    } catch (error) {
        await storage.close();
        throw error;
    }
}

async function open(message: OpenMessage): Promise<void> {
    try {
        link = new Tabs(message.options.dir, page, () => start(message));
        scope.postMessage({ kind: "opened", storage: await link.open(message.options.key) }, []);
    } catch (error) {
        scope.postMessage({ kind: "unopened", error: factsOf(error) }, []);
    }
}

async function close(): Promise<void> {
    await link?.close();
    scope.postMessage({ kind: "closed" }, []);
    scope.close();
}

scope.onmessage = ({ data }) => {
    if (data.kind === "open") {
        void open(data);
    } else if (data.kind === "close") {
        void close();
    } else if (data.kind === "call" && data.method === "canvas") {
        keepCanvas(data.n, data.args[0] as OffscreenCanvas);
    } else if (data.kind === "call" && data.method === "view_paint") {
        show(data.n, data.args);
    } else {
        link!.handle(data);
        if (data.kind === "tell" && data.method === "stroke_points") {
            follow(data.args[0] as number);
        }
    }
};
