/* Drawings: documents, live strokes, their picture. */
import { CoreError } from "./errors.js";
import type { Room } from "./library.js";
import { type Held, type Method, type Session, hold, held, json, plain, turns } from "./session.js";
import { Answer } from "./wire.js";

const PIXELS_WORDS = 5;

interface Doc extends Held {
    kind: "document";
    /** The turn of the last change that was made through it: it knows that one already. */
    own: number;
}

interface Overlay extends Held {
    kind: "view";
    pixels: number;
}

function doc(s: Session, number: number): number {
    return held<Doc>(s, number, "document").at;
}

/** A method that changes a document, its second argument. */
function editing(method: Method): Method {
    return (s, number: number, ...args) => {
        held<Doc>(s, number, "document").own = turns.now;
        return method(s, number, ...args) as unknown;
    };
}

/**
 * Straight RGBA of a part of premultiplied ARGB, which is B, G, R, A in memory here, as ImageData has it.
 */
export function straight(heap: Uint8Array, at: number, stride: number, box: number[]): Uint8ClampedArray<ArrayBuffer> {
    const [x, y, width, height] = box as [number, number, number, number];
    const out = new Uint8ClampedArray(width * height * 4);
    const from = new Uint32Array(heap.buffer, at, (stride / 4) * (y + height));
    const to = new Uint32Array(out.buffer);
    for (let row = 0, o = 0; row < height; row++) {
        let i = ((y + row) * stride) / 4 + x;
        for (const end = i + width; i < end; i++, o++) {
            const p = from[i]!;
            const a = p >>> 24;
            if (a === 255) {
                to[o] = (p & 0xff00ff00) | ((p & 0xff) << 16) | ((p >>> 16) & 0xff);
            } else if (a !== 0) {
                const half = a >>> 1;
                const r = (((p >>> 16) & 0xff) * 255 + half) / a;
                const g = (((p >>> 8) & 0xff) * 255 + half) / a;
                const b = ((p & 0xff) * 255 + half) / a;
                to[o] = (a << 24) | ((b & 0xff) << 16) | ((g & 0xff) << 8) | (r & 0xff);
            }
        }
    }
    return out;
}

/** The other way round, into memory that is ours. */
function premultiplied(heap: Uint8Array, at: number, rgba: Uint8ClampedArray): void {
    const to = new Uint32Array(heap.buffer, at, rgba.length / 4);
    for (let i = 0, o = 0; i < rgba.length; i += 4, o++) {
        const a = rgba[i + 3]!;
        const part = (v: number) => (a === 255 ? v : Math.round((v * a) / 255));
        to[o] = (a << 24) | (part(rgba[i]!) << 16) | (part(rgba[i + 1]!) << 8) | part(rgba[i + 2]!);
    }
}

/** Draws what is visible at t over `over`, or on transparent ground: where the pixels are, and an sl_pixels of them. */
function drawn(s: Session, r: Room, n: number, t: number, size: [number, number], over: Uint8ClampedArray | null) {
    const [width, height] = size;
    const data = r.bytes(width * height * 4);
    if (over !== null) {
        if (over.length !== width * height * 4) {
            throw new CoreError({ code: "MISUSE", message: "the picture under a drawing has its size", field: "over" });
        }
        premultiplied(s.lib.wasm.HEAPU8, data, over);
    }
    const pixels = r.ints([PIXELS_WORDS * 4, width, height, width * 4, data]);
    s.lib.call("sl_render_draw", doc(s, n), BigInt(t), pixels);
    return { data, pixels };
}

function open(s: Session, space: string) {
    return s.lib.with((r) => {
        const slot = r.slot();
        s.lib.call("sl_doc_open", s.core, r.text(space), slot);
        const at = r.word(slot);
        const watch = r.slot(2);
        const query = { from: "annotation", where: { space }, count: true };
        let number = 0;
        let sub = 0;
        const entry: Doc = {
            kind: "document",
            at,
            own: 0,
            close() {
                s.offRows(sub);
                s.lib.raw("sl_query_unwatch", s.core, BigInt(sub));
                s.lib.raw("sl_doc_close", at);
            },
        };
        try {
            s.lib.call("sl_query_watch", s.core, ...r.json(query), watch);
        } catch (error) {
            s.lib.raw("sl_doc_close", at);
            throw error;
        }
        sub = r.id(watch);
        number = hold(s, entry);
        s.onRows(sub, () => {
            json(s, "sl_query_take", () => [s.core, BigInt(sub)]);
            /* A change from elsewhere in the same turn is seen at the latest with the server's word on ours. */
            if (entry.own !== turns.now) {
                plain(s, "sl_doc_refresh", () => [at]);
            }
            s.ready(number);
        });
        return number;
    });
}

function make(s: Session, width: number, height: number) {
    return s.lib.with((r) => {
        const slot = r.slot();
        s.lib.call("sl_doc_new", width, height, slot);
        const at = r.word(slot);
        return hold<Doc>(s, { kind: "document", at, own: 0, close: () => s.lib.raw("sl_doc_close", at) });
    });
}

function idOf(s: Session, name: string, args: (r: Room) => (number | bigint)[]) {
    return s.lib.with((r) => {
        const slot = r.slot();
        s.lib.call(name, ...args(r), slot);
        return s.lib.takeText(r.word(slot));
    });
}

const EDITS: Record<string, Method> = {
    doc_open: open,
    doc_new: make,
    doc_refresh: (s, n: number) => plain(s, "sl_doc_refresh", () => [doc(s, n)]),
    doc_add: editing((s, n: number, item: object) => idOf(s, "sl_doc_add", (r) => [doc(s, n), ...r.json(item)])),
    doc_patch: editing((s, n: number, id: string, patch: object) =>
        plain(s, "sl_doc_patch", (r) => [doc(s, n), r.text(id), ...r.json(patch)])),
    doc_remove: editing((s, n: number, id: string) => plain(s, "sl_doc_remove", (r) => [doc(s, n), r.text(id)])),
    doc_handles: (s, n: number, id: string, t: number) =>
        json(s, "sl_doc_handles", (r) => [doc(s, n), r.text(id), BigInt(t)]),
    doc_drag: editing((s, n: number, id: string, t: number, handle: number, x: number, y: number) =>
        plain(s, "sl_doc_drag", (r) => [doc(s, n), r.text(id), BigInt(t), handle, x, y])),
    doc_move: editing((s, n: number, id: string, dx: number, dy: number) =>
        plain(s, "sl_doc_move", (r) => [doc(s, n), r.text(id), dx, dy])),
    doc_snap(s, n: number, to: number[], o: { t: number; tolerance: number; except?: string; from?: number[] }) {
        return s.lib.with((r) => {
            const at = r.ints(to);
            const how = r.slot();
            const from = o.from === undefined ? 0 : r.ints(o.from);
            const status = s.lib.raw("sl_doc_snap", doc(s, n), r.text(o.except), from, at, o.tolerance, BigInt(o.t), how);
            const place = s.lib.wasm.HEAP32.slice(at >> 2, (at >> 2) + 2);
            return { x: place[0]!, y: place[1]!, how: status === 0 ? r.word(how) : 0 };
        });
    },
    doc_erase: editing((s, n: number, path: number[], radius: number, t: number, whole: boolean) => {
        const name = whole ? "sl_doc_erase_items" : "sl_doc_erase";
        return json(s, name, (r) => [doc(s, n), r.ints(path), path.length / 2, radius, BigInt(t)]);
    }),
    doc_lasso: (s, n: number, path: number[], t: number) =>
        json(s, "sl_doc_lasso", (r) => [doc(s, n), r.ints(path), path.length / 2, BigInt(t)]),
    doc_hit(s, n: number, x: number, y: number, radius: number, t: number) {
        return s.lib.with((r) => {
            const slot = r.slot();
            const status = s.lib.raw("sl_doc_hit", doc(s, n), x, y, radius, BigInt(t), slot);
            return status === 0 ? s.lib.takeText(r.word(slot)) : null;
        });
    },
    doc_group: (s, n: number, name: string | null) => plain(s, "sl_doc_group", (r) => [doc(s, n), r.text(name)]),
    doc_json: (s, n: number) => json(s, "sl_doc_json", () => [doc(s, n)]),
    doc_csv: (s, n: number) => idOf(s, "sl_doc_csv", () => [doc(s, n)]),
    doc_svg: (s, n: number, t: number) => idOf(s, "sl_render_svg", () => [doc(s, n), BigInt(t), 0]),
};

const STROKES: Record<string, Method> = {
    stroke_begin(s, n: number, item: object) {
        return s.lib.with((r) => {
            const slot = r.slot(2);
            s.lib.call("sl_doc_stroke_begin", doc(s, n), ...r.json(item), slot);
            return r.id(slot);
        });
    },
    stroke_points(s, n: number, stroke: number, xypt: Float32Array, tilt?: number) {
        s.lib.with((r) => {
            if (tilt !== undefined) {
                s.lib.raw("sl_doc_stroke_tilt", doc(s, n), BigInt(stroke), tilt);
            }
            const status = s.lib.raw("sl_doc_stroke_points", doc(s, n), BigInt(stroke), r.floats(xypt), xypt.length / 4);
            if (status !== 0) {
                s.ready(n);
            }
        });
    },
    stroke_predict(s, n: number, stroke: number, ahead: number) {
        return s.lib.with((r) => {
            const at = r.slot(2);
            const status = s.lib.raw("sl_doc_stroke_predict", doc(s, n), BigInt(stroke), ahead, at);
            return status === 0 ? Array.from(s.lib.wasm.HEAP32.slice(at >> 2, (at >> 2) + 2)) : null;
        });
    },
    stroke_end: editing((s, n: number, stroke: number, keep: boolean) =>
        idOf(s, "sl_doc_stroke_end", () => [doc(s, n), BigInt(stroke), keep ? 1 : 0])),
};

const PICTURES: Record<string, Method> = {
    doc_draw(s, n: number, t: number, width: number, height: number, over: Uint8ClampedArray | null) {
        return s.lib.with((r) => {
            const { data } = drawn(s, r, n, t, [width, height], over);
            const out = straight(s.lib.wasm.HEAPU8, data, width * 4, [0, 0, width, height]);
            return new Answer(out, [out.buffer]);
        });
    },
    doc_png(s, n: number, t: number, width: number, height: number, over: Uint8ClampedArray | null) {
        return s.lib.with((r) => {
            const { pixels } = drawn(s, r, n, t, [width, height], over);
            const slot = r.slot();
            s.lib.call("sl_render_png", pixels, slot);
            const png = s.lib.takeBytes(r.word(slot))!;
            return new Answer(png, [png.buffer]);
        });
    },
    view_new(s, n: number, width: number, height: number) {
        return s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_overlay_new", doc(s, n), width, height, slot);
            const at = r.word(slot);
            const pixels = s.lib.wasm._malloc(PIXELS_WORDS * 4);
            const close = () => {
                s.lib.wasm._free(pixels);
                s.lib.raw("sl_overlay_free", at);
            };
            return hold<Overlay>(s, { kind: "view", at, on: n, pixels, close });
        });
    },
    /** What changed since the last call: its box and pixels, null for nothing. */
    view_show(s, number: number, t: number) {
        const view = held<Overlay>(s, number, "view");
        return s.lib.with((r) => {
            const m = s.lib.wasm;
            const damage = r.slot(4);
            m.HEAPU32[view.pixels >> 2] = PIXELS_WORDS * 4;
            s.lib.call("sl_overlay_show", view.at, BigInt(t), view.pixels, damage);
            const box = Array.from(m.HEAP32.subarray(damage >> 2, (damage >> 2) + 4));
            if (box[2] === 0) {
                return null;
            }
            const stride = m.HEAPU32[(view.pixels >> 2) + 3]!;
            const pixels = straight(m.HEAPU8, m.HEAPU32[(view.pixels >> 2) + 4]!, stride, box);
            return new Answer({ box, pixels }, [pixels.buffer]);
        });
    },
};

export const DOC_METHODS: Record<string, Method> = { ...EDITS, ...STROKES, ...PICTURES };
