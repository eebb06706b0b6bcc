/* A film in the page: its time by the frame, steps, speed, and who wants to know of them. */
import { useEffect, useState, useSyncExternalStore } from "react";

const FRAME_US = 1e6 / 30; /* until the film's own rate has been seen */

export const SPEEDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2] as const;

export interface FilmState {
    /** Microseconds of the frame that is shown. */
    time: number;
    playing: boolean;
    rate: number;
    ready: boolean;
}

export class Film {
    state: FilmState = { time: 0, playing: false, rate: 1, ready: false };
    /** Microseconds from frame to frame. */
    frame = FRAME_US;
    private readonly hearers = new Set<() => void>();
    private readonly end = new AbortController();
    private lastTime = -1;
    private lastFrames = 0;

    constructor(
        readonly video: HTMLVideoElement,
        readonly duration: number,
        frame?: number,
    ) {
        this.frame = frame ?? FRAME_US;
        const { signal } = this.end;
        for (const name of ["play", "pause", "ratechange", "seeked", "loadeddata", "ended"]) {
            video.addEventListener(name, () => this.look(), { signal });
        }
        /* The same film from elsewhere, or in another size, goes on where it was. */
        let before = 0;
        video.addEventListener("emptied", () => (before = this.state.time), { signal });
        video.addEventListener("loadedmetadata", () => before > 0 && this.seek(before), { signal });
        this.nextFrame(frame === undefined);
        this.look();
    }

    close(): void {
        this.end.abort();
        this.hearers.clear();
    }

    /** Each frame that is shown; of two that follow one another the rate is learned. */
    private nextFrame(learn: boolean): void {
        this.video.requestVideoFrameCallback((_, facts) => {
            if (this.end.signal.aborted) {
                return;
            }
            const time = Math.round(facts.mediaTime * 1e6);
            const step = time - this.lastTime;
            if (learn && facts.presentedFrames === this.lastFrames + 1 && step > 1e6 / 250 && step < 1e6 / 10) {
                this.frame = step;
            }
            this.lastTime = time;
            this.lastFrames = facts.presentedFrames;
            this.look(time);
            this.nextFrame(learn);
        });
    }

    private look(time = Math.round(this.video.currentTime * 1e6)): void {
        const { video } = this;
        /* What is drawn on the last frame lasts until the film's end, which is not part of it. */
        const next = { time: Math.min(time, this.duration - 1), playing: !video.paused && !video.ended, rate: video.playbackRate, ready: video.readyState >= 2 };
        const before = this.state;
        if (next.time !== before.time || next.playing !== before.playing || next.rate !== before.rate || next.ready !== before.ready) {
            this.state = next;
            this.hearers.forEach((heard) => heard());
        }
    }

    on(heard: () => void): () => void {
        this.hearers.add(heard);
        return () => void this.hearers.delete(heard);
    }

    seek(us: number): void {
        this.video.currentTime = Math.min(Math.max(0, us), this.duration - 1000) / 1e6;
    }

    toggle(): void {
        if (this.video.paused) {
            if (this.video.ended || this.video.currentTime * 1e6 >= this.duration - this.frame) {
                this.seek(0);
            }
            this.video.play().catch(() => undefined);
        } else {
            this.video.pause();
        }
    }

    /** The middle of the next frame, or of one before: never a border between two. */
    step(frames: number): void {
        this.video.pause();
        const at = Math.floor(this.state.time / this.frame + 0.5);
        this.seek((at + frames + 0.5) * this.frame);
    }

    speed(by: -1 | 1): void {
        const at = SPEEDS.findIndex((one) => one >= this.video.playbackRate - 0.001);
        this.video.playbackRate = SPEEDS[Math.min(Math.max(0, at + by), SPEEDS.length - 1)] ?? 1;
    }
}

const STILL: FilmState = { time: 0, playing: false, rate: 1, ready: false };

export function useFilmState(film: Film | null): FilmState {
    return useSyncExternalStore(
        (heard) => film?.on(heard) ?? (() => undefined),
        () => film?.state ?? STILL,
    );
}

/** The film of a video element, once that is there. */
export function useFilm(element: HTMLVideoElement | null, duration: number | undefined, frame?: number): Film | null {
    const [film, setFilm] = useState<Film | null>(null);
    useEffect(() => {
        if (element === null || duration === undefined) {
            return undefined;
        }
        const made = new Film(element, duration, frame);
        setFilm(made);
        return () => {
            made.close();
            setFilm(null);
        };
    }, [element, duration, frame]);
    return film;
}
