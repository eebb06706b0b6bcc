/*
 * Films as the server has made them ready: the same film in several sizes, each an MP4 file that plays while it
 * comes. What is kept on this device is played instead, and needs no network.
 */
import type { Video } from "@sideline/core";
import { theCore } from "./core";

export interface Rung {
    /** The shorter side in pixels, which names it. */
    lines: number;
    /** Bits in a second. */
    bandwidth: number;
    url: string;
}

export interface Stream {
    /** The largest first. */
    rungs: Rung[];
    /** A picture of it. */
    poster: string;
    until: number;
}

const SOON_MS = 60_000;
const LEFT = 0.7; /* of what the network takes, for the film */

const streams = new Map<string, Promise<Stream | null>>();

/** The rungs of a master playlist (RFC 8216): attributes, then an address. */
export function rungsOf(master: string, base: URL): Rung[] {
    const lines = master.split(/\r?\n/);
    return lines.flatMap((line, i): Rung[] => {
        const bandwidth = /^#EXT-X-STREAM-INF:.*\bBANDWIDTH=(\d+)/.exec(line)?.[1];
        const at = /^(\d+)\.m3u8/.exec(lines[i + 1] ?? "");
        if (bandwidth === undefined || at === null) {
            return [];
        }
        const url = new URL(lines[i + 1]!.replace(".m3u8", ".mp4"), base);
        return [{ lines: Number(at[1]), bandwidth: Number(bandwidth), url: url.href }];
    }).sort((a, b) => b.lines - a.lines);
}

async function ask(video: string): Promise<Stream | null> {
    const { url, expires_ms } = await theCore().account.do<{ url: string; expires_ms: number }>({ do: "playback", video });
    const base = new URL(url, location.origin);
    const answer = await fetch(base);
    if (!answer.ok) {
        return null; /* nothing is ready, or this server makes nothing ready */
    }
    const poster = new URL(`poster.jpg${base.search}`, base).href;
    return { rungs: rungsOf(await answer.text(), base), poster, until: expires_ms };
}

/** What the server has of a film; null for nothing, or without a connection. */
export async function streamOf(video: Video): Promise<Stream | null> {
    const kept = await streams.get(video.id)?.catch(() => null);
    if (kept !== undefined && kept !== null && kept.until - SOON_MS > Date.now()) {
        return kept;
    }
    const asked = ask(video.id);
    streams.set(video.id, asked);
    return asked.catch(() => null);
}

interface Connection {
    /** Megabits in a second, as the browser thinks. */
    downlink?: number;
    saveData?: boolean;
}

export function network(): Connection {
    return (navigator as { connection?: Connection }).connection ?? {};
}

/** The smallest that fills so many pixels, but none that the network does not bear. */
export function rungFor(rungs: Rung[], lines: number, { downlink = Infinity, saveData = false }: Connection): Rung | undefined {
    const borne = rungs.filter((one) => one.bandwidth <= downlink * 1e6 * LEFT);
    const enough = borne.filter((one) => one.lines >= lines);
    return (saveData ? undefined : (enough.at(-1) ?? borne[0])) ?? rungs.at(-1);
}
