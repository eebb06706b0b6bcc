/* The drawings on a video: editing, live strokes, pictures. */
import type { Connection } from "./connection.js";
import { Handle } from "./handle.js";
import type { Box, Drawing, Item, ItemPatch } from "./types.js";

/** A line that is being drawn. Points are sent as they come, without waiting. */
export class Stroke {
    constructor(
        private readonly connection: Connection,
        private readonly doc: () => number,
        private readonly number: Promise<number>,
    ) {
        /* Who cares for a failure hears of it by end(). */
        number.catch(() => undefined);
    }

    private readonly early: Float32Array[] = [];
    private tilt: number | undefined;

    /**
     * Groups of four: x, y in units, pressure 0..1, ms since the stroke began. The array is copied. `tilt`, of pens
     * that tell it: from upright, 0 to 90 degrees; of all that is told in one turn the last one holds.
     */
    points(xypt: Float32Array | readonly number[], tilt?: number): void {
        this.early.push(Float32Array.from(xypt));
        this.tilt = tilt;
        this.flush().catch(() => undefined);
    }

    /** What came in one turn goes in one message. */
    private async flush(): Promise<void> {
        const stroke = await this.number;
        const parts = this.early.splice(0);
        if (parts.length > 0) {
            const xypt = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
            let at = 0;
            for (const part of parts) {
                xypt.set(part, at);
                at += part.length;
            }
            this.connection.tell("stroke_points", [this.doc(), stroke, xypt, this.tilt], [xypt.buffer]);
        }
    }

    /** Where the pen will be so many ms (0 to 100) after its last report; null before the first one. */
    async predict(aheadMs: number): Promise<[x: number, y: number] | null> {
        await this.flush();
        return this.connection.call("stroke_predict", [this.doc(), await this.number, aheadMs]);
    }

    /** Keeps the line: its id, null of a laser; or throws it away. */
    async end(keep = true): Promise<string | null> {
        await this.flush();
        return this.connection.call("stroke_end", [this.doc(), await this.number, keep]);
    }
}

/**
 * What shows a document in a canvas: only what changed is drawn. Lines that are being drawn are followed: their
 * points are in the canvas as soon as the core's thread has them, without a show().
 */
export class View extends Handle {
    /** @internal */
    constructor(
        connection: Connection,
        number: number,
        private readonly canvas: number | null,
        private readonly doc: number,
    ) {
        super(connection, number, "view");
    }

    /** Draws what is visible at `tUs` into the canvas it was made for: the box that changed, null for none. */
    show(tUs: number): Promise<Box | null> {
        return this.call("view_paint", Math.round(tUs), this.canvas, this.doc);
    }

    /** The same for who draws by himself: the pixels to be put at the box. */
    async take(tUs: number): Promise<{ box: Box; image: ImageData } | null> {
        type Shown = { box: Box; pixels: Uint8ClampedArray<ArrayBuffer> } | null;
        const shown = await this.call<Shown>("view_show", Math.round(tUs));
        return shown === null
            ? null
            : { box: shown.box, image: new ImageData(shown.pixels, shown.box[2], shown.box[3]) };
    }
}

export class Doc extends Handle {
    /** Called after the drawings changed, by whomever: show the view anew. */
    onchange: (() => void) | null = null;

    /** @internal */
    constructor(
        connection: Connection,
        number: number,
        /** null of one that stands alone. */
        readonly space: string | null,
    ) {
        super(connection, number, "document");
        this.hear();
    }

    private hear(): void {
        const ref = new WeakRef(this);
        this.connection.onReady(this.number, () => ref.deref()?.onchange?.());
    }

    /** Opens itself again at the tab that serves now; what had not been kept of a live stroke is lost. */
    override moved(): void {
        const { space } = this;
        if (space === null || this.connection.closed) {
            this.forget();
            return;
        }
        this.reopening = this.connection.call<number>("doc_open", [space]).then(
            (number) => {
                this.renumber(number);
                this.hear();
                this.onchange?.();
            },
            () => this.forget(),
        );
    }

    private reopening: Promise<void> = Promise.resolve();

    protected override async call<T>(method: string, ...args: unknown[]): Promise<T> {
        await this.reopening;
        return super.call<T>(method, ...args);
    }

    /** Adds one item: its id. */
    add(item: Item): Promise<string> {
        return this.call("doc_add", item);
    }

    /** Style, times and place in the stack; geometry never changes. */
    patch(id: string, patch: ItemPatch): Promise<void> {
        return this.call("doc_patch", id, patch);
    }

    remove(id: string): Promise<void> {
        return this.call("doc_remove", id);
    }

    move(id: string, dx: number, dy: number): Promise<void> {
        return this.call("doc_move", id, Math.round(dx), Math.round(dy));
    }

    /** What can be dragged of an item as it stands at `tUs`. */
    async handles(id: string, tUs: number): Promise<[number, number][]> {
        return (await this.call<{ handles: [number, number][] }>("doc_handles", id, Math.round(tUs))).handles;
    }

    drag(id: string, tUs: number, handle: number, x: number, y: number): Promise<void> {
        return this.call("doc_drag", id, Math.round(tUs), handle, Math.round(x), Math.round(y));
    }

    /** Where a point that is drawn or dragged is drawn to; how: 1 a point, 2 a direction, 4 a line down, 8 one across. */
    snap(
        to: [number, number],
        options: { tUs: number; tolerance: number; except?: string; from?: [number, number] },
    ): Promise<{ x: number; y: number; how: number }> {
        const { tUs, ...rest } = options;
        return this.call("doc_snap", to.map(Math.round), { ...rest, t: Math.round(tUs) });
    }

    /** Takes away what an eraser of `radius` goes over; `whole`: whatever it touches, as a whole. */
    erase(
        path: [number, number][],
        options: { radius: number; tUs: number; whole?: boolean },
    ): Promise<{ removed: string[]; made: string[] }> {
        const { radius, tUs, whole = false } = options;
        return this.call("doc_erase", path.flat().map(Math.round), radius, Math.round(tUs), whole);
    }

    /** The ids of what is visible at `tUs` and for more than its half within a loop. */
    async lasso(loop: [number, number][], tUs: number): Promise<string[]> {
        return (await this.call<{ ids: string[] }>("doc_lasso", loop.flat().map(Math.round), Math.round(tUs))).ids;
    }

    /** The topmost item within `radius` of a point. */
    hit(x: number, y: number, radius: number, tUs: number): Promise<string | null> {
        return this.call("doc_hit", Math.round(x), Math.round(y), Math.round(radius), Math.round(tUs));
    }

    /** Begins a live line: an item without points. */
    stroke(item: Omit<Item, "points">): Stroke {
        this.check();
        return new Stroke(this.connection, () => this.number, this.call<number>("stroke_begin", item));
    }

    /** What is done until another name, or null, is undone by one undo of the space. */
    group(name: string | null): Promise<void> {
        return this.call("doc_group", name);
    }

    drawing(): Promise<Drawing> {
        return this.call("doc_json");
    }

    /** What the measuring tools say. */
    csv(): Promise<string> {
        return this.call("doc_csv");
    }

    /** The page at `tUs`, -1: all of it, as SVG. */
    svg(tUs = -1): Promise<string> {
        return this.call("doc_svg", Math.round(tUs));
    }

    /**
     * The picture at `tUs`: over `over`, a frame of the video of the same size, which blurs and magnifiers look
     * at; without it on transparent ground.
     */
    async image(tUs: number, width: number, height: number, over?: ImageData): Promise<ImageData> {
        return new ImageData(await this.pixels(tUs, width, height, over?.data), width, height);
    }

    /** The same as bytes: R, G, B, A, not premultiplied. */
    pixels(
        tUs: number,
        width: number,
        height: number,
        over?: Uint8ClampedArray,
    ): Promise<Uint8ClampedArray<ArrayBuffer>> {
        return this.call("doc_draw", Math.round(tUs), width, height, over ?? null);
    }

    png(tUs: number, width: number, height: number, over?: Uint8ClampedArray): Promise<Uint8Array<ArrayBuffer>> {
        return this.call("doc_png", Math.round(tUs), width, height, over ?? null);
    }

    /**
     * A view as large as the canvas, which is drawn by the core's thread and never by the page. Without
     * a canvas, of a size: for View.take.
     */
    async view(into: OffscreenCanvas | { width: number; height: number }): Promise<View> {
        const { width, height } = into;
        const number = await this.call<number>("view_new", width, height);
        let canvas: number | null = null;
        if (typeof OffscreenCanvas !== "undefined" && into instanceof OffscreenCanvas) {
            canvas = await this.connection.call<number>("canvas", [into], {}, [into]);
        }
        return new View(this.connection, number, canvas, this.number);
    }
}
