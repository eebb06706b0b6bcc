/* The picture of a voice: pairs of lowest and highest, -127..127. */
import type { Voice } from "@sideline/core";

/** As records have it. */
export function peaksOf(text: string | undefined): Int8Array | null {
    return text === undefined ? null : Int8Array.from(atob(text), (char) => (char.charCodeAt(0) << 24) >> 24);
}

export function textOf(peaks: Int8Array<ArrayBuffer>): string {
    return btoa(String.fromCharCode(...new Uint8Array(peaks.buffer)));
}

const RATE = 48_000;
const PAIR_FRAMES = RATE / 50;
const PAIRS_MOST = 1500;

/** Lowest and highest of each part, as a recorder tells them. */
export async function peaksIn(voice: Voice): Promise<Int8Array<ArrayBuffer>> {
    const frames = Math.max(1, Math.round((voice.duration * RATE) / 1e6));
    const pairs = Math.min(PAIRS_MOST, Math.ceil(frames / PAIR_FRAMES));
    const peaks = new Int8Array(2 * pairs);
    let at = 0;
    for (;;) {
        const { pcm } = await voice.read(RATE);
        for (const sample of pcm) {
            const pair = Math.min(pairs - 1, Math.floor((at * pairs) / frames));
            const value = Math.round(127 * Math.max(-1, Math.min(1, sample)));
            peaks[2 * pair] = Math.min(peaks[2 * pair]!, value);
            peaks[2 * pair + 1] = Math.max(peaks[2 * pair + 1]!, value);
            at += 1;
        }
        if (pcm.length < RATE) {
            return peaks;
        }
    }
}
