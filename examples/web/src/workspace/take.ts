/*
 * A voice-over in the making: the voice is recorded, and what is done to film and drawings meanwhile is noted
 * against its clock. Out of both comes a review.
 */
import { type Drawing, type Recorder, type RecorderLook, type Timeline, newId } from "@sideline/core";
import { theCore } from "../core";
import type { Film, FilmState } from "../film";
import { type Left, dropTake, holdTake, keepTake, noteOf, recoverLeft } from "./kept";
import { peaksOf } from "./peaks";

export type Noted = { t: number; do: string; [fact: string]: string | number | number[] };

/** A second film beside the first: at one moment of it when the first is at one of its own. */
export interface Pair {
    video: string;
    length: number;
    mark: [first: number, second: number];
}

/** What a review says of it. */
export function pairEvent(pair: Pair | null): Omit<Noted, "t"> & { do: string } {
    return pair === null
        ? { do: "pair", layout: "single" }
        : { do: "pair", layout: "side", video: pair.video, length: pair.length, mark: pair.mark.map(Math.round), rate: 1 };
}

export interface TakeState {
    phase: "idle" | "recording" | "paused" | "done";
    position: number;
    level: number;
    /** Pairs of lowest and highest, -127..127, of all so far. */
    peaks: Int8Array;
    problem?: string;
}

export interface Finished {
    blob: string;
    duration_us: number;
    peaks: string;
    events: Noted[];
}

const NONE: TakeState = { phase: "idle", position: 0, level: 0, peaks: new Int8Array() };
const LOOK_MS = 60;
const KEEP_MS = 300;

export class Take {
    state = NONE;
    finished: Finished | null = null;
    private recorder: Recorder | null = null;
    private context: AudioContext | null = null;
    private stream: MediaStream | null = null;
    private events: Noted[] = [];
    private shown = new Set<string>();
    private drawnAt = new Map<string, number>();
    private before: FilmState;
    private looked = { position: 0, at: 0 };
    private timer: ReturnType<typeof setTimeout> | undefined;
    private readonly hearers = new Set<() => void>();
    private readonly offFilm: () => void;
    private readonly gone = new AbortController();
    /** Of the voice-over that is being made: what is kept for when the page goes has this name. */
    private id: string | null = null;
    private letGo = () => {};
    private keeping: ReturnType<typeof setTimeout> | undefined;

    constructor(
        private readonly film: Film,
        private readonly space: string,
        private readonly drawing: () => Drawing | null,
    ) {
        this.before = film.state;
        this.offFilm = film.on(() => this.noteFilm());
        addEventListener("pagehide", () => this.keep(), { signal: this.gone.signal });
    }

    on(heard: () => void): () => void {
        this.hearers.add(heard);
        return () => void this.hearers.delete(heard);
    }

    private set(state: Partial<TakeState>): void {
        this.state = { ...this.state, ...state };
        this.hearers.forEach((heard) => heard());
    }

    /* ---- the voice ---- */

    private async open(): Promise<Recorder> {
        if (this.recorder === null) {
            this.stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: true, autoGainControl: true } });
            this.context = new AudioContext();
            this.begin(newId());
            this.recorder = await theCore().recorder({ rate: this.context.sampleRate, channels: 1, level: true, note: noteOf(this.id!, this.space) });
            await this.recorder.listen(this.stream, this.context);
        }
        return this.recorder;
    }

    /** A gesture of one finger, or a button: what the core's recorder makes of it. */
    async command(command: "tap" | "hold" | "release" | "doubleTap"): Promise<void> {
        if (command === "doubleTap") {
            await this.finish();
            return;
        }
        const recorder = await this.open();
        await recorder.command(command);
        const look = await recorder.look(0);
        const running = look.state === "recording" || look.state === "held";
        this.looked = { position: look.position, at: performance.now() };
        this.set({ phase: running ? "recording" : "paused", position: look.position });
        if (running) {
            this.noteAll();
        }
        this.lookOn(recorder);
    }

    /** One look after the other: on a slow machine fewer, never a queue of them. */
    private lookOn(recorder: Recorder): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            this.look(recorder).then((goOn) => goOn && this.lookOn(recorder), () => this.interrupted(recorder));
        }, LOOK_MS);
    }

    private async look(recorder: Recorder): Promise<boolean> {
        const look: RecorderLook = await recorder.look(0);
        const current = this.recorder === recorder && this.state.phase !== "done";
        if (current) {
            this.looked = { position: look.position, at: performance.now() };
            this.set({ position: look.position, level: look.peak, peaks: look.pairs });
        }
        return current;
    }

    /** The tab that served the core is gone: what it had of the voice is offered by the one that serves now. */
    private interrupted(recorder: Recorder): void {
        if (this.recorder === recorder) {
            this.keep();
            this.silence();
            this.forget();
        }
    }

    async finish(): Promise<void> {
        const { recorder } = this;
        if (recorder === null || this.state.phase === "done") {
            return;
        }
        if (this.state.phase === "recording") {
            await recorder.command("tap");
        }
        this.set({ phase: "paused", level: 0 });
        clearTimeout(this.timer);
        this.film.video.pause();
        const { blob, duration_us, peaks } = await recorder.finish(this.space);
        this.finished = { blob, duration_us, peaks, events: this.events };
        this.silence();
        this.set({ phase: "done", position: duration_us });
        this.keep();
    }

    /** Takes up what was left: as if it had just been finished. */
    async recover(left: Left): Promise<void> {
        this.begin(left.id);
        try {
            this.finished = await recoverLeft(left, this.space);
        } catch (error) {
            this.forget();
            throw error;
        }
        this.events = this.finished.events;
        this.set({ ...NONE, phase: "done", position: this.finished.duration_us, peaks: peaksOf(this.finished.peaks) ?? NONE.peaks });
        this.keep();
    }

    /** It is part of a review now. */
    sent(): void {
        if (this.id !== null) {
            dropTake(this.id);
        }
        this.forget();
    }

    private begin(id: string): void {
        this.letGo();
        this.id = id;
        this.letGo = holdTake(id);
    }

    private forget(): void {
        clearTimeout(this.keeping);
        this.keeping = undefined;
        this.letGo();
        this.id = null;
        this.finished = null;
        this.events = [];
        this.shown.clear();
        this.drawnAt.clear();
        this.set(NONE);
    }

    /** What is noted goes to the disk soon, and at once when the page goes. */
    private keep(): void {
        clearTimeout(this.keeping);
        this.keeping = undefined;
        if (this.id !== null && (this.events.length > 0 || this.finished !== null)) {
            const { space, events } = this;
            const finished = this.finished === null ? {} : { finished: { blob: this.finished.blob, duration_us: this.finished.duration_us, peaks: this.finished.peaks } };
            keepTake(this.id, { space, events, ...finished });
        }
    }

    /** Throws the voice and what was noted away; drawings stay. */
    async discard(): Promise<void> {
        const { finished, recorder } = this;
        this.recorder = null;
        await recorder?.discard();
        this.silence();
        this.sent();
        if (finished !== null) {
            await theCore().blobs.transfer(finished.blob, "cancel").catch(() => undefined);
        }
    }

    private silence(): void {
        clearTimeout(this.timer);
        this.recorder?.close();
        this.recorder = null;
        this.stream?.getTracks().forEach((track) => track.stop());
        this.context?.close().catch(() => undefined);
        this.stream = this.context = null;
    }

    /** What is not finished, or not sent, is offered when the workspace is opened again. */
    close(): void {
        this.gone.abort();
        this.offFilm();
        this.keep();
        this.silence();
        this.letGo();
        this.hearers.clear();
    }

    /* ---- what is done meanwhile ---- */

    /** The voice's clock now: the recorder is asked some times a second, in between time runs. */
    now(): number {
        return Math.round(this.looked.position + (performance.now() - this.looked.at) * 1000);
    }

    private note(event: Omit<Noted, "t">, at = this.now()): void {
        if (this.state.phase === "recording") {
            this.events.push({ t: Math.max(0, at), ...event } as Noted);
            this.keeping ??= setTimeout(() => this.keep(), KEEP_MS);
        }
    }

    /** Where everything stands: at the beginning, and after a pause in which anything may have happened. */
    private noteAll(): void {
        const { state } = this.film;
        this.before = state;
        this.note({ do: "rate", rate: state.rate });
        this.note({ do: "seek", to: state.time });
        this.note({ do: state.playing ? "play" : "pause" });
        if (this.pair !== null) {
            this.note(pairEvent(this.pair));
        }
        this.noteItems();
    }

    private noteFilm(): void {
        const { before } = this;
        const { state } = this.film;
        this.before = state;
        if (this.state.phase !== "recording") {
            return;
        }
        if (state.rate !== before.rate) {
            this.note({ do: "rate", rate: state.rate });
        }
        const jumped = state.playing ? Math.abs(state.time - before.time) > 400_000 * Math.max(1, state.rate) : state.time !== before.time;
        if (jumped || state.playing !== before.playing) {
            this.note({ do: "seek", to: state.time });
            this.note({ do: state.playing ? "play" : "pause" });
        }
        this.noteItems();
    }

    /** A drawing is about to be made: it will grow from here on. */
    private began = 0;
    private pair: Pair | null = null;
    noteBegan(): void {
        this.began = this.now();
    }

    noteDrawn(id: string): void {
        if (this.state.phase === "recording") {
            this.drawnAt.set(id, this.now());
            this.shown.add(id);
            this.note({ do: "draw", item: id }, this.began);
        }
    }

    /** x and y: the top left of what is seen, in units. */
    noteView(view: { x: number; y: number; scale: number }): void {
        this.note({ do: "view", x: Math.round(view.x), y: Math.round(view.y), scale: view.scale });
    }

    /** The film beside this one, or none; it is noted at once, and where recording goes on. */
    notePair(pair: Pair | null): void {
        const none = this.pair === null && pair === null;
        this.pair = pair;
        if (!none) {
            this.note(pairEvent(pair));
        }
    }

    /** What came into sight and what went, by the ranges of the drawings and the film's time. */
    noteItems(): void {
        if (this.state.phase !== "recording") {
            return;
        }
        const { time } = this.film.state;
        const seen = new Set((this.drawing()?.items ?? []).filter((one) => time >= one.in && time < one.out).map((one) => one.id));
        for (const id of seen) {
            if (!this.shown.has(id)) {
                this.shown.add(id);
                this.note({ do: "show", item: id });
            }
        }
        for (const id of this.shown) {
            /* A new drawing is in the list a moment after it was made. */
            const fresh = this.now() - (this.drawnAt.get(id) ?? -1e9) < 1_000_000;
            if (!seen.has(id) && !fresh) {
                this.shown.delete(id);
                this.note({ do: "hide", item: id });
            }
        }
    }
}

/** The core's timeline of what was noted; it ends with the voice. */
export async function timelineOf(duration: number, finished: Pick<Finished, "duration_us" | "events">): Promise<Timeline> {
    const timeline = await theCore().timeline(duration);
    const events = [...finished.events].sort((a, b) => a.t - b.t);
    for (const event of events) {
        await timeline.add({ ...event, t: Math.min(event.t, finished.duration_us) });
    }
    await timeline.end(finished.duration_us);
    return timeline;
}
