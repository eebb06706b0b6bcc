/* Clips: what a chosen file is, how it is stored and shared, and how one that is kept is shown. */
import { CoreError, type Video, newId } from "@sideline/core";
import { useEffect, useState } from "react";
import { theCore } from "./core";
import { t } from "./i18n";
import { type Rung, network, rungFor, streamOf } from "./stream";

/** When something was made, by its id. */
export function timeOf(id: string): number {
    return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/* ---- what a file is ---- */

export interface Facts {
    duration_us: number;
    width: number;
    height: number;
    thumb: Blob;
}

function once(target: EventTarget, name: string, failure?: string): Promise<void> {
    return new Promise((resolve, reject) => {
        target.addEventListener(name, () => resolve(), { once: true });
        if (failure !== undefined) {
            target.addEventListener("error", () => reject(new Error(failure)), { once: true });
        }
    });
}

/** Length and size of a film, and its first second as a small JPEG, as this browser sees them. */
export async function look(file: Blob): Promise<Facts> {
    const video = document.createElement("video");
    const url = URL.createObjectURL(file);
    try {
        video.muted = true;
        video.preload = "auto";
        video.src = url;
        await once(video, "loadeddata", t("upload.unreadable"));
        /* Films of a recorder in a browser do not say their length before they have been run through. */
        if (!Number.isFinite(video.duration)) {
            video.currentTime = 1e9;
            await once(video, "durationchange");
        }
        const duration = video.duration;
        video.currentTime = Math.min(1, duration / 3);
        await once(video, "seeked");
        const { videoWidth: width, videoHeight: height } = video;
        const scale = Math.min(1, 480 / Math.max(width, height));
        const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
        canvas.getContext("2d")!.drawImage(video, 0, 0, canvas.width, canvas.height);
        const thumb = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
        return { duration_us: Math.max(1, Math.round(duration * 1e6)), width, height, thumb };
    } finally {
        video.removeAttribute("src");
        URL.revokeObjectURL(url);
    }
}

/** Somebody with whom one is connected, as far as letting them in needs. */
export interface Receiver {
    peer_id: string;
    peer_role?: string | undefined;
    thread_id: string;
}

/** Lets somebody see a clip, and draw on it when they coach, and tells them so. */
export async function shareWith(space: `video:${string}`, id: string, { peer_id, peer_role, thread_id }: Receiver, words: string): Promise<void> {
    const core = theCore();
    await core.create("share", space, { user_id: peer_id, role: peer_role === "athlete" ? "member" : "coach" });
    await core.chat.send(`thread:${thread_id}`, { kind: "video", body: words, ref_space: space, ref_id: id });
}

/** Stores a film with its record, and shares it: durable at once, sent when there is a network. */
export async function store(
    file: File,
    facts: Facts,
    about: { title: string; note: string; to: Receiver | null },
    onProgress: (part: number) => void,
): Promise<string> {
    const core = theCore();
    const id = newId();
    const space = `video:${id}` as const;
    const media_type = file.type === "" ? "video/mp4" : file.type;
    const blob = await core.blobs.put(space, file, {
        mediaType: media_type,
        /* The same file chosen again after a reload goes on where it was. */
        draft: `${file.name} ${file.size} ${file.lastModified}`,
        onProgress: ({ done, total }) => onProgress(done / (total ?? file.size)),
    });
    const thumb = await core.blobs.put(space, facts.thumb, { mediaType: "image/jpeg" });
    const { duration_us, width, height } = facts;
    await core.create("video", space, { title: about.title, blob, thumb, media_type, size: file.size, duration_us, width, height }, id);
    if (about.to !== null) {
        await shareWith(space, id, about.to, about.note || about.title);
    }
    return id;
}

/* ---- what is kept ---- */

const urls = new Map<string, Promise<string>>();

/** The address of a blob that is on this device. */
async function keptUrl(sha256: string, type: string): Promise<string | undefined> {
    if (!urls.has(sha256)) {
        try {
            const bytes = await theCore().blobs.get(sha256);
            urls.set(sha256, Promise.resolve(URL.createObjectURL(new Blob([bytes], { type }))));
        } catch (error) {
            if (!(error instanceof CoreError && error.code === "NOT_FOUND")) {
                throw error;
            }
        }
    }
    return urls.get(sha256);
}

async function open(sha256: string, type: string): Promise<string> {
    const core = theCore();
    await core.blobs.fetch(sha256);
    return URL.createObjectURL(new Blob([await core.blobs.get(sha256)], { type }));
}

/** An address at which the page finds a blob, fetched first when it is not here. */
export async function urlOf(sha256: string, type: string): Promise<string> {
    let url = await keptUrl(sha256, type);
    if (url === undefined) {
        const opening = urls.get(sha256) ?? open(sha256, type);
        urls.set(sha256, opening);
        opening.catch(() => urls.delete(sha256));
        url = await opening;
    }
    return url;
}

export function useUrl(sha256: string | undefined, type: string): { url: string | undefined; problem: string | undefined } {
    const [found, setFound] = useState<{ sha256: string; url?: string; problem?: string }>();
    useEffect(() => {
        let alive = true;
        if (sha256 !== undefined) {
            urlOf(sha256, type).then(
                (url) => alive && setFound({ sha256, url }),
                (error: unknown) => alive && setFound({ sha256, problem: error instanceof Error ? error.message : String(error) }),
            );
        }
        return () => {
            alive = false;
        };
    }, [sha256, type]);
    const now = found?.sha256 === sha256 ? found : undefined;
    return { url: now?.url, problem: now?.problem };
}

/* ---- films that are watched ---- */

/** As the network and the screen allow, so many lines, or the very file that was sent. */
export type Quality = "auto" | "original" | `${number}`;

const KEEP_BYTES = 300e6; /* a film that is watched is kept for when there is no network, unless it is larger */

export interface Clip {
    url: string | undefined;
    problem: string | undefined;
    /** What the server offers of one that is not here. */
    rungs: Rung[];
    quality: Quality;
    choose(quality: Quality): void;
}

interface Source {
    url: string;
    rungs: Rung[];
}

/** What is played: the file when it is here; else what the server has made ready of it; else the file, fetched first. */
async function sourceOf(video: Video, quality: Quality): Promise<Source> {
    const kept = await keptUrl(video.blob, video.media_type);
    if (kept !== undefined) {
        return { url: kept, rungs: [] };
    }
    const rungs = (await streamOf(video))?.rungs ?? [];
    const lines = Math.min(innerWidth, innerHeight) * devicePixelRatio;
    const rung = rungs.find((one) => String(one.lines) === quality) ?? rungFor(rungs, lines, network());
    if (quality === "original" || rung === undefined) {
        return { url: await urlOf(video.blob, video.media_type), rungs };
    }
    if (network().saveData !== true && video.size <= KEEP_BYTES) {
        theCore().blobs.fetch(video.blob).catch(() => undefined); /* it is fetched when it is wanted next */
    }
    return { url: rung.url, rungs };
}

/** The film of a clip. What is played stays the same until another quality is chosen. */
export function useClip(video: Video | undefined): Clip {
    const [quality, setQuality] = useState((localStorage.getItem("quality") ?? "auto") as Quality);
    const [found, setFound] = useState<{ blob: string } & (Source | { problem: string })>();
    const blob = video?.blob;
    useEffect(() => {
        let alive = true;
        if (video !== undefined) {
            sourceOf(video, quality).then(
                (source) => alive && setFound({ blob: video.blob, ...source }),
                (error: unknown) => alive && setFound({ blob: video.blob, problem: error instanceof Error ? error.message : String(error) }),
            );
        }
        return () => {
            alive = false;
        };
    }, [blob, quality]);
    const now = found?.blob === blob ? found : undefined;
    const choose = (next: Quality) => {
        localStorage.setItem("quality", next);
        setQuality(next);
    };
    return {
        url: now !== undefined && "url" in now ? now.url : undefined,
        problem: now !== undefined && "problem" in now ? now.problem : undefined,
        rungs: now !== undefined && "rungs" in now ? now.rungs : [],
        quality,
        choose,
    };
}

/** A picture of a film: that which was sent with it, else one that the server made. */
export function useStill(video: Video | undefined): string | undefined {
    const sent = useUrl(video?.thumb, "image/jpeg").url;
    const [made, setMade] = useState<string>();
    const without = video !== undefined && video.thumb === undefined && video.status === "ready";
    useEffect(() => {
        let alive = true;
        if (without) {
            void streamOf(video).then((stream) => alive && setMade(stream?.poster));
        }
        return () => {
            alive = false;
        };
    }, [without, video?.id]);
    return sent ?? (without ? made : undefined);
}

/** The name of the file without its ending. */
export function titleOf(file: File): string {
    return file.name.replace(/\.[^.]+$/, "") || file.name;
}
