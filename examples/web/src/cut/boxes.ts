/* Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12): a length, four letters, and what they hold. */

/** A box within bytes that are here. */
export interface Box {
    type: string;
    /** What it holds. */
    data: Uint8Array<ArrayBuffer>;
    /** All of it. */
    whole: Uint8Array<ArrayBuffer>;
}

export class NotCuttable extends Error {}

export function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function header(view: DataView, at: number, end: number): { type: string; head: number; size: number } {
    if (at + 8 > end) {
        throw new NotCuttable("a box is cut short");
    }
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    const short = view.getUint32(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 1 && at + 16 <= end ? Number(view.getBigUint64(at + 8)) : short === 0 ? end - at : short;
    if (size < head || at + size > end) {
        throw new NotCuttable(`${type} is longer than what it is in`);
    }
    return { type, head, size };
}

export function boxesOf(bytes: Uint8Array<ArrayBuffer>): Box[] {
    const view = viewOf(bytes);
    const found: Box[] = [];
    for (let at = 0; at < bytes.length; ) {
        const { type, head, size } = header(view, at, bytes.length);
        found.push({ type, data: bytes.subarray(at + head, at + size), whole: bytes.subarray(at, at + size) });
        at += size;
    }
    return found;
}

/** The box at the end of a path within these bytes. */
export function inside(bytes: Uint8Array<ArrayBuffer>, ...path: string[]): Uint8Array<ArrayBuffer> | undefined {
    let at: Uint8Array<ArrayBuffer> | undefined = bytes;
    for (const type of path) {
        at = at === undefined ? undefined : boxesOf(at).find((one) => one.type === type)?.data;
    }
    return at;
}

const MOST_BOXES = 1000;
const MOST_HEAD = 64 << 20;

/** The boxes of a file by name, only those wanted read. */
export async function topLevel(file: Blob, wanted: readonly string[]): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const found = new Map<string, Uint8Array<ArrayBuffer>>();
    for (let at = 0, n = 0; at < file.size && n < MOST_BOXES; n++) {
        const view = new DataView(await file.slice(at, at + 16).arrayBuffer());
        const padded = new DataView(new ArrayBuffer(16));
        new Uint8Array(padded.buffer).set(new Uint8Array(view.buffer));
        const short = padded.getUint32(0);
        const size = short === 1 ? Number(padded.getBigUint64(8)) : short === 0 ? file.size - at : short;
        const type = String.fromCharCode(...new Uint8Array(padded.buffer, 4, 4));
        if (view.byteLength < 8 || size < 8) {
            throw new NotCuttable("these are no boxes");
        }
        if (wanted.includes(type)) {
            if (size > MOST_HEAD) {
                throw new NotCuttable(`${type} is too large`);
            }
            const head = short === 1 ? 16 : 8;
            found.set(type, new Uint8Array(await file.slice(at + head, at + size).arrayBuffer()));
        }
        at += size;
    }
    return found;
}

/* ---- making ---- */

export type Part = Uint8Array<ArrayBuffer>;

export function join(...parts: Part[]): Part {
    const out = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

/** 32-bit numbers. */
export function words(...numbers: (number | readonly number[])[]): Part {
    const all = numbers.flat() as number[];
    const out = new Uint8Array(all.length * 4);
    const view = viewOf(out);
    all.forEach((n, i) => view.setUint32(i * 4, n >>> 0));
    return out;
}

export function box(type: string, ...parts: Part[]): Part {
    const data = join(...parts);
    return join(words(data.length + 8), Uint8Array.from(type, (char) => char.charCodeAt(0)), data);
}
