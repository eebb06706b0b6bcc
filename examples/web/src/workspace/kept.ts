/*
 * What the workspace has in its hands when the page goes, by a reload or a crash. Voices are the core's to save, and so
 * are drawings once it has them; here is the rest: drawings on their way to it, the line that is being drawn, what a take
 * has noted, and a voice that was finished and not sent.
 */
import { CoreError, type Doc, type Drawing } from "@sideline/core";
import { theCore } from "../core";
import { peaksIn, textOf } from "./peaks";
import type { Finished, Noted } from "./take";

/** Read without asking: it must be there the moment the page goes. */
function read<T>(store: Storage, key: string): T | null {
    const text = store.getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
}

/** A full store loses what this one is for, and nothing else. */
function write(store: Storage, key: string, value: unknown): void {
    try {
        store.setItem(key, JSON.stringify(value));
    } catch (error) {
        console.warn(error);
    }
}

/* ---- drawings that the core may not have yet: of this tab ---- */

/** It has its id from the beginning: so it is known whether the core has it. */
export type Named = Drawing["items"][number];

const inkOf = (space: string, id = "") => `ink ${space} ${id}`;

export function keepInk(space: string, item: Named): void {
    write(sessionStorage, inkOf(space, item.id), item);
}

export function dropInk(space: string, id: string): void {
    sessionStorage.removeItem(inkOf(space, id));
}

/** Adds it unless it is there: the answer to the first time may have been lost. */
export async function addOnce(doc: Doc, item: Named): Promise<void> {
    await doc.add(item).catch((error: unknown) => {
        if (!(error instanceof CoreError && error.code === "CONFLICT")) {
            throw error;
        }
    });
}

/** What was on its way when the page went, in the order in which it was drawn: a line as far as it had come. */
export async function restoreInk(space: string, doc: Doc): Promise<void> {
    for (const key of Object.keys(sessionStorage).filter((one) => one.startsWith(inkOf(space))).sort()) {
        const item = read<Named>(sessionStorage, key)!;
        await addOnce(doc, item).finally(() => dropInk(space, item.id));
    }
}

/* ---- a take ---- */

interface KeptTake {
    space: string;
    events: Noted[];
    finished?: Omit<Finished, "events">;
}

const PREFIX = "take ";

export function keepTake(id: string, take: KeptTake): void {
    write(localStorage, PREFIX + id, take);
}

export function dropTake(id: string): void {
    localStorage.removeItem(PREFIX + id);
}

/** Says to other tabs that a take is in somebody's hands, until the page goes or the answer is called. */
export function holdTake(id: string): () => void {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    void navigator.locks?.request(PREFIX + id, () => held);
    return letGo;
}

/** The core keeps it with a voice that was interrupted. */
export function noteOf(id: string, space: string): string {
    return JSON.stringify({ take: id, space });
}

/** A voice-over that nobody has in their hands: interrupted, or finished and not sent. */
export interface Left {
    id: string;
    duration_us: number;
    events: Noted[];
    /** Of one that was interrupted. */
    path?: string;
    finished?: Omit<Finished, "events">;
}

/** Without what was noted, the film runs on from its beginning. */
const PLAIN: Noted[] = [{ t: 0, do: "seek", to: 0 }, { t: 0, do: "play", rate: 1 }];

export async function leftTakes(space: string): Promise<Left[]> {
    const found: Left[] = [];
    for (const { path, duration_us, note } of await theCore().info("recordings")) {
        const { take: id, space: of } = JSON.parse(note ?? "{}") as { take?: string; space?: string };
        if (id !== undefined && of === space) {
            found.push({ id, duration_us, path, events: read<KeptTake>(localStorage, PREFIX + id)?.events ?? PLAIN });
        }
    }
    const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX) && !held.has(one))) {
        const { space: of, events, finished } = read<KeptTake>(localStorage, key)!;
        if (of === space && finished !== undefined) {
            found.push({ id: key.slice(PREFIX.length), duration_us: finished.duration_us, events, finished });
        }
    }
    return found;
}

export async function discardLeft(left: Left): Promise<void> {
    if (left.path !== undefined) {
        await theCore().removeRecording(left.path);
    }
    if (left.finished !== undefined) {
        await theCore().blobs.transfer(left.finished.blob, "cancel").catch(() => undefined);
    }
    dropTake(left.id);
}

/** What a left voice-over is worth: a finished take, as if it had ended where it was interrupted. */
export async function recoverLeft(left: Left, space: string): Promise<Finished> {
    const core = theCore();
    if (left.path === undefined) {
        return { ...left.finished!, events: left.events };
    }
    const bytes = await core.recording(left.path);
    using voice = await core.voice(bytes);
    const peaks = await peaksIn(voice);
    const blob = await core.blobs.put(space, bytes, { mediaType: "audio/ogg" });
    const finished = { blob, duration_us: voice.duration, peaks: textOf(peaks) };
    keepTake(left.id, { space, events: left.events, finished });
    await core.removeRecording(left.path);
    return { ...finished, events: left.events };
}
