/* Clips: what a chosen file is, how it is stored and shared, and how one that is kept is shown. */
import { CoreError, type Video, newId } from "@sideline/core";
import { useEffect, useState } from "react";
import { theCore } from "./core";
import { t } from "./i18n";

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

/** Stores a film with its record, lets the coach in and tells them: durable at once, sent when there is a network. */
export async function store(
    file: File,
    facts: Facts,
    about: { title: string; note: string; coach: { user: string; thread: string } | null },
    onProgress: (part: number) => void,
): Promise<string> {
    const core = theCore();
    const id = newId();
    const space = `video:${id}`;
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
    if (about.coach !== null) {
        await core.create("share", space, { user_id: about.coach.user, role: "coach" });
        await core.chat.send(`thread:${about.coach.thread}`, { kind: "video", body: about.note || about.title, ref_space: space, ref_id: id });
    }
    return id;
}

/* ---- what is kept ---- */

const urls = new Map<string, Promise<string>>();

async function open(sha256: string, type: string): Promise<string> {
    const core = theCore();
    let bytes: Uint8Array<ArrayBuffer>;
    try {
        bytes = await core.blobs.get(sha256);
    } catch (error) {
        if (!(error instanceof CoreError && error.code === "NOT_FOUND")) {
            throw error;
        }
        await core.blobs.fetch(sha256);
        bytes = await core.blobs.get(sha256);
    }
    return URL.createObjectURL(new Blob([bytes], { type }));
}

/** An address at which the page finds a blob, fetched first when it is not here. */
export function urlOf(sha256: string, type: string): Promise<string> {
    let url = urls.get(sha256);
    if (url === undefined) {
        url = open(sha256, type);
        urls.set(sha256, url);
        url.catch(() => urls.delete(sha256));
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

export function useClip(video: Video | undefined) {
    return useUrl(video?.blob, video?.media_type ?? "video/mp4");
}

/** The name of the file without its ending. */
export function titleOf(file: File): string {
    return file.name.replace(/\.[^.]+$/, "") || file.name;
}
