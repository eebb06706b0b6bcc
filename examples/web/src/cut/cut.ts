/*
 * A part of a film, cut without a decoder: an MP4 or QuickTime file whose samples are those that the part needs, and
 * whose edit list says where in them it begins. Nothing is encoded anew, and the bytes stay where they are: the new
 * file is made of pieces of the old one. What comes before the last key frame ahead of the part is not in it, so that
 * it may hold some frames more than are shown.
 */
import { type Part, NotCuttable, boxesOf, box, inside, topLevel, viewOf } from "./boxes";
import { type Placed, type Sample, type Track, trackOf, trakOf, withLength } from "./tables";

export { NotCuttable };

interface Movie {
    ftyp: Part;
    moov: Part;
    mvhd: Part;
    scale: number;
    tracks: Track[];
}

async function read(file: Blob): Promise<Movie> {
    const top = await topLevel(file, ["ftyp", "moov"]);
    const [ftyp, moov] = [top.get("ftyp"), top.get("moov")];
    const mvhd = moov === undefined ? undefined : inside(moov, "mvhd");
    if (ftyp === undefined || moov === undefined || mvhd === undefined) {
        throw new NotCuttable("this is no MP4 file");
    }
    if (inside(moov, "mvex") !== undefined) {
        throw new NotCuttable("the film is in fragments");
    }
    const scale = viewOf(mvhd).getUint32(viewOf(mvhd).getUint8(0) === 1 ? 20 : 12);
    const traks = boxesOf(moov).filter((one) => one.type === "trak");
    const tracks = traks.map((one) => trackOf(one.data, scale)).filter((one) => one !== null && one.samples.length > 0) as Track[];
    if (scale === 0 || !tracks.some((one) => one.kind === "vide") || tracks.some((one) => one.scale === 0)) {
        throw new NotCuttable("there is no film in it");
    }
    return { ftyp, moov, mvhd, scale, tracks };
}

/** Whether a part can be cut out of this file. */
export async function cuttable(file: Blob): Promise<boolean> {
    try {
        await read(file);
        return true;
    } catch {
        return false;
    }
}

/** The samples that a part of a track needs, from the last key frame before it on. */
function needed(track: Track, from: number, to: number): Sample[] {
    const shown = (one: Sample) => one.time + one.later;
    const { samples } = track;
    let first = 0;
    samples.forEach((one, i) => {
        if (one.key && shown(one) <= from) {
            first = i;
        }
    });
    if (track.kind === "soun") {
        first = Math.max(0, first - 1); /* decoders of sound want the block before */
    }
    const last = samples.findLastIndex((one) => shown(one) < to);
    return samples.slice(first, Math.max(last, first) + 1);
}

interface Kept {
    track: Track;
    samples: Placed[];
    begin: number;
}

/** Cuts out what is shown from one time of the film to another, in microseconds. */
export async function cut(file: File, fromUs: number, toUs: number): Promise<File> {
    const { ftyp, moov, mvhd, scale, tracks } = await read(file);
    const length = Math.round(((toUs - fromUs) * scale) / 1e6);
    const kept = tracks.map((track): Kept => {
        const from = Math.round((fromUs * track.scale) / 1e6) + track.begin;
        const to = Math.round((toUs * track.scale) / 1e6) + track.begin;
        const samples = needed(track, from, to).map((one): Placed => ({ ...one, to: 0 }));
        return { track, samples, begin: Math.max(0, from - samples[0]!.time) };
    });
    /* In the order of the old file; pieces that follow one another there are one piece. */
    const order = kept.flatMap((one) => one.samples).sort((a, b) => a.at - b.at);
    const pieces: { at: number; end: number }[] = [];
    for (const sample of order) {
        const before = pieces.at(-1);
        if (before?.end === sample.at) {
            before.end += sample.size;
        } else {
            pieces.push({ at: sample.at, end: sample.at + sample.size });
        }
    }
    const bytes = order.reduce((sum, one) => sum + one.size, 0);
    const head = () => {
        const traks = kept.map(({ track, samples, begin }) => trakOf(track, samples, begin, length));
        const rest = boxesOf(moov).filter((one) => !["mvhd", "trak", "mvex"].includes(one.type)).map((one) => one.whole);
        return box("moov", box("mvhd", withLength(mvhd, 16, 24, length)), ...traks, ...rest);
    };
    const place = (from: number) => {
        let at = from;
        for (const sample of order) {
            sample.to = at;
            at += sample.size;
        }
    };
    const mdat = new Uint8Array(16);
    viewOf(mdat).setUint32(0, 1);
    mdat.set(Uint8Array.from("mdat", (char) => char.charCodeAt(0)), 4);
    viewOf(mdat).setBigUint64(8, BigInt(bytes + 16));
    const start = box("ftyp", ftyp);
    place(0);
    /* The tables are as long wherever the bytes are: places have 64 bits. */
    const before = start.length + head().length + mdat.length;
    place(before);
    const parts = [start, head(), mdat, ...pieces.map(({ at, end }) => file.slice(at, end))];
    return new File(parts, file.name, { type: file.type, lastModified: file.lastModified });
}
