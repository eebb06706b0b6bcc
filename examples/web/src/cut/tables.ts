/* The tables of a track: where each of its samples is, how long it lasts, when it is shown; and the same of a part of them. */
import { type Part, NotCuttable, boxesOf, box, inside, join, viewOf, words } from "./boxes";

export interface Sample {
    /** Where in the file, and how many bytes. */
    at: number;
    size: number;
    /** When it is decoded, how long it lasts, and how much later it is shown, in the track's units. */
    time: number;
    lasts: number;
    later: number;
    key: boolean;
}

export interface Track {
    kind: "vide" | "soun";
    /** Units in a second. */
    scale: number;
    /** The time of the track at which the film begins. */
    begin: number;
    samples: Sample[];
    /** The whole trak box, for what stays as it is. */
    trak: Part;
}

const MOST_SAMPLES = 5_000_000;

/** Runs of (count, value) of a table, spread. */
function spread(data: Part, count: number, signed = false): number[] {
    const view = viewOf(data);
    const out: number[] = [];
    for (let i = 0, at = 8; i < view.getUint32(4); i++, at += 8) {
        const value = signed ? view.getInt32(at + 4) : view.getUint32(at + 4);
        for (let n = view.getUint32(at); n > 0 && out.length < count; n--) {
            out.push(value);
        }
    }
    if (out.length < count) {
        throw new NotCuttable("a table is too short");
    }
    return out;
}

function sizesOf(stbl: Part): number[] {
    const data = inside(stbl, "stsz");
    if (data === undefined) {
        throw new NotCuttable("there are no sizes of samples");
    }
    const view = viewOf(data);
    const [one, count] = [view.getUint32(4), view.getUint32(8)];
    if (count > MOST_SAMPLES) {
        throw new NotCuttable("there are too many samples");
    }
    return Array.from({ length: count }, (_, i) => (one !== 0 ? one : view.getUint32(12 + i * 4)));
}

/** Where each sample is: chunks of so many samples, one behind the other. */
function placesOf(stbl: Part, sizes: number[]): number[] {
    const [stsc, stco, co64] = ["stsc", "stco", "co64"].map((type) => inside(stbl, type));
    const table = stco ?? co64;
    if (stsc === undefined || table === undefined) {
        throw new NotCuttable("there are no chunks");
    }
    const [runs, chunks] = [viewOf(stsc), viewOf(table)];
    const places: number[] = [];
    for (let chunk = 1, run = 0; chunk <= chunks.getUint32(4) && places.length < sizes.length; chunk++) {
        while (run + 1 < runs.getUint32(4) && runs.getUint32(8 + (run + 1) * 12) <= chunk) {
            run++;
        }
        let at = stco !== undefined ? chunks.getUint32(8 + (chunk - 1) * 4) : Number(chunks.getBigUint64(8 + (chunk - 1) * 8));
        for (let n = runs.getUint32(8 + run * 12 + 4); n > 0 && places.length < sizes.length; n--) {
            at += places.length === 0 || n === runs.getUint32(8 + run * 12 + 4) ? 0 : sizes[places.length - 1]!;
            places.push(at);
        }
    }
    if (places.length < sizes.length) {
        throw new NotCuttable("samples are in no chunk");
    }
    return places;
}

/** Where the film begins, by its edit list; one that does more than begin late is not understood. */
function beginOf(trak: Part, scale: number, movieScale: number): number {
    const elst = inside(trak, "edts", "elst");
    if (elst === undefined) {
        return 0;
    }
    const view = viewOf(elst);
    const long = view.getUint8(0) === 1;
    let waits = 0;
    let begin: number | null = null;
    for (let i = 0, at = 8; i < view.getUint32(4); i++, at += long ? 20 : 12) {
        const length = long ? Number(view.getBigUint64(at)) : view.getUint32(at);
        const media = long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
        if (begin !== null) {
            throw new NotCuttable("the film is edited already");
        }
        if (media < 0) {
            waits += length;
        } else {
            begin = media;
        }
    }
    return (begin ?? 0) - Math.round((waits * scale) / movieScale);
}

export function trackOf(trak: Part, movieScale: number): Track | null {
    const hdlr = inside(trak, "mdia", "hdlr");
    const mdhd = inside(trak, "mdia", "mdhd");
    const stbl = inside(trak, "mdia", "minf", "stbl");
    const kind = hdlr === undefined ? "" : String.fromCharCode(...hdlr.subarray(8, 12));
    if (mdhd === undefined || stbl === undefined || (kind !== "vide" && kind !== "soun")) {
        return null;
    }
    const view = viewOf(mdhd);
    const scale = view.getUint32(view.getUint8(0) === 1 ? 20 : 12);
    const sizes = sizesOf(stbl);
    const places = placesOf(stbl, sizes);
    const lasts = spread(inside(stbl, "stts") ?? words(0, 0), sizes.length);
    const ctts = inside(stbl, "ctts");
    const later = ctts === undefined ? null : spread(ctts, sizes.length, true);
    const stss = inside(stbl, "stss");
    const keys = stss === undefined ? null : new Set(Array.from({ length: viewOf(stss).getUint32(4) }, (_, i) => viewOf(stss).getUint32(8 + i * 4) - 1));
    let time = 0;
    const samples = sizes.map((size, i): Sample => {
        const sample = { at: places[i]!, size, time, lasts: lasts[i]!, later: later?.[i] ?? 0, key: keys?.has(i) ?? true };
        time += sample.lasts;
        return sample;
    });
    return { kind, scale, begin: beginOf(trak, scale, movieScale), samples, trak };
}

/* ---- writing ---- */

/** [count, value] of equal values that follow one another. */
function runs(values: number[]): number[] {
    const out: number[] = [];
    for (const value of values) {
        if (out.length > 0 && out.at(-1) === value) {
            out[out.length - 2]! += 1;
        } else {
            out.push(1, value);
        }
    }
    return out;
}

/** A sample where it will be. */
export interface Placed extends Sample {
    to: number;
}

function tables(stbl: Part, samples: Placed[], kind: Track["kind"]): Part {
    const stsd = boxesOf(stbl).find((one) => one.type === "stsd");
    const chunks: { to: number; n: number }[] = [];
    let end = -1;
    for (const sample of samples) {
        if (sample.to === end) {
            chunks.at(-1)!.n += 1;
        } else {
            chunks.push({ to: sample.to, n: 1 });
        }
        end = sample.to + sample.size;
    }
    const stsc = chunks.flatMap(({ n }, i) => (i > 0 && chunks[i - 1]!.n === n ? [] : [i + 1, n, 1]));
    const stts = runs(samples.map((one) => one.lasts));
    const later = samples.some((one) => one.later !== 0) ? runs(samples.map((one) => one.later)) : null;
    const keys = samples.flatMap((one, i) => (one.key ? [i + 1] : []));
    const signed = samples.some((one) => one.later < 0) ? 0x01000000 : 0;
    return box(
        "stbl",
        stsd?.whole ?? words(),
        box("stts", words(0, stts.length / 2, stts)),
        ...(later === null ? [] : [box("ctts", words(signed, later.length / 2, later))]),
        ...(kind === "vide" ? [box("stss", words(0, keys.length, keys))] : []),
        box("stsc", words(0, stsc.length / 3, stsc)),
        box("stsz", words(0, 0, samples.length, samples.map((one) => one.size))),
        box("co64", words(0, chunks.length, chunks.flatMap(({ to }) => [Math.floor(to / 2 ** 32), to % 2 ** 32]))),
    );
}

/** A copy with a length written at a place that depends on the box's version. */
export function withLength(data: Part, short: number, long: number, length: number): Part {
    const copy = data.slice();
    const view = viewOf(copy);
    if (view.getUint8(0) === 1) {
        view.setBigUint64(long, BigInt(length));
    } else {
        view.setUint32(short, Math.min(length, 0xffffffff));
    }
    return copy;
}

/** The trak box of these samples: of the film's time from `begin` on, so many units of the movie long. */
export function trakOf(track: Track, samples: Placed[], begin: number, movieLength: number): Part {
    const length = samples.reduce((sum, one) => sum + one.lasts, 0);
    const again = (data: Part, path: string[]): Part[] => boxesOf(data).flatMap(({ type, data: held, whole }) => {
        switch ([...path, type].join("/")) {
            case "tkhd": return [box("tkhd", withLength(held, 20, 28, movieLength))];
            case "edts": return [];
            case "mdia":
            case "mdia/minf": return [box(type, ...again(held, [...path, type]))];
            case "mdia/mdhd": return [box("mdhd", withLength(held, 16, 24, length))];
            case "mdia/minf/stbl": return [tables(held, samples, track.kind)];
            default: return [whole];
        }
    });
    const edits = box("edts", box("elst", words(0x01000000, 1, 0, movieLength, Math.floor(begin / 2 ** 32), begin % 2 ** 32, 0x00010000)));
    const [head, ...rest] = again(track.trak, []);
    return box("trak", join(head!, edits, ...rest));
}
