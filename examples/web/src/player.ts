/*
 * Playing a review: the voice is the clock; film, view and drawings follow what the core's timeline says of each
 * moment. Drawings stand in a document of their own, whose time is that of the voice: so they grow as they were drawn.
 */
import type { Doc, Drawing, Timeline, TimelineState, Voice } from "@sideline/core";
import { theCore } from "./core";
import type { Shower } from "./overlay";

const APART_S = 0.12; /* the film may be so far from where it should be before it jumps */
const FOR_EVER = 36_000_000_000;
const WHOLE_BEFORE = 3_600_000_000;
const SHIFT = 7_200_000_000; /* times of the document begin here, so that a drawing may be older than the voice */

export interface PlayerState {
    time: number;
    playing: boolean;
    view: { x: number; y: number; scale: number };
    /** The film beside the first. */
    second: string | null;
}

export class ReviewPlayer {
    state: PlayerState = { time: 0, playing: false, view: { x: 0, y: 0, scale: 1 }, second: null };
    shower: Shower | null = null;
    video: HTMLVideoElement | null = null;
    /** Of the film beside the first, while there is one. */
    second: HTMLVideoElement | null = null;
    private readonly hearers = new Set<() => void>();
    private context: AudioContext | null = null;
    private clock = { time: 0, at: 0 };
    private turn = 0;
    private asking = false;
    /** Where it is to go next. */
    private wanted: number | null = null;
    private closed = false;
    /** What of the review's drawings is in the document: their ids there, and since when. */
    private readonly placed = new Map<string, { id: string; since: number }>();

    constructor(
        readonly duration: number,
        private readonly timeline: Timeline,
        private readonly voice: Voice | null,
        private readonly drawing: Drawing,
        readonly doc: Doc,
    ) {}

    static async open(source: { timeline: Timeline; voice: string | null; drawing: Drawing; size: { width: number; height: number }; duration: number }): Promise<ReviewPlayer> {
        const core = theCore();
        const [doc, voice] = await Promise.all([
            core.newDoc(source.size.width, source.size.height),
            source.voice === null ? null : core.voice(source.voice),
        ]);
        return new ReviewPlayer(source.duration, source.timeline, voice, source.drawing, doc);
    }

    on(heard: () => void): () => void {
        this.hearers.add(heard);
        return () => void this.hearers.delete(heard);
    }

    private set(state: Partial<PlayerState>): void {
        this.state = { ...this.state, ...state };
        this.hearers.forEach((heard) => heard());
    }

    now(): number {
        const { clock, state } = this;
        return state.playing ? Math.min(this.duration, clock.time + (performance.now() - clock.at) * 1000) : state.time;
    }

    play(): void {
        if (this.state.playing || this.closed) {
            return;
        }
        const from = this.state.time >= this.duration - 50_000 ? 0 : this.state.time;
        this.clock = { time: from, at: performance.now() };
        this.set({ playing: true, time: from });
        this.speak(from).catch(console.error);
        this.run();
    }

    private async speak(from: number): Promise<void> {
        const { voice } = this;
        if (voice === null) {
            return;
        }
        this.context ??= new AudioContext({ sampleRate: 48_000 });
        await this.context.resume();
        await voice.seek(from);
        if (this.state.playing) {
            await voice.play(this.context, (time) => {
                this.clock = { time, at: performance.now() };
            });
        }
    }

    pause(): void {
        const time = this.now();
        cancelAnimationFrame(this.turn);
        this.set({ playing: false, time });
        this.video?.pause();
        this.second?.pause();
        this.voice?.pause().catch(() => undefined);
        void this.follow(time);
    }

    toggle(): void {
        if (this.state.playing) {
            this.pause();
        } else {
            this.play();
        }
    }

    seek(time: number): void {
        const { playing } = this.state;
        if (playing) {
            this.pause();
        }
        this.set({ time: Math.min(Math.max(0, time), this.duration) });
        if (playing) {
            this.play();
        } else {
            void this.follow(this.state.time);
        }
    }

    private run(): void {
        this.turn = requestAnimationFrame(() => {
            const time = this.now();
            this.set({ time });
            void this.follow(time);
            if (time >= this.duration) {
                this.pause();
            } else if (this.state.playing) {
                this.run();
            }
        });
    }

    /** Brings everything to a moment of the voice; asked again meanwhile, to the last one that was asked for. */
    async follow(time: number): Promise<void> {
        this.wanted = time;
        if (this.asking) {
            return;
        }
        this.asking = true;
        try {
            while (this.wanted !== null && !this.closed) {
                const next = this.wanted;
                this.wanted = null;
                await this.bring(next);
            }
        } catch (error) {
            if (!this.closed) {
                console.error(error);
            }
        } finally {
            this.asking = false;
        }
    }

    private async bring(time: number): Promise<void> {
        const state = await this.timeline.state(time);
        this.followFilm(this.video, state.position, state);
        if (state.second !== undefined) {
            this.followFilm(this.second, state.second.position, state);
        }
        await this.followItems(state);
        this.shower?.show(SHIFT + Math.round(time));
        const { x, y, scale } = state.view;
        const now = this.state.view;
        if (x !== now.x || y !== now.y || scale !== now.scale) {
            this.set({ view: { x, y, scale } });
        }
        const second = state.second?.video ?? null;
        if (second !== this.state.second) {
            this.set({ second });
        }
    }

    private followFilm(video: HTMLVideoElement | null, position: number, state: TimelineState): void {
        if (video === null || video.readyState < 1) {
            return;
        }
        const at = position / 1e6;
        const runs = state.playing && this.state.playing && !state.frozen;
        const apart = Math.abs(video.currentTime - at);
        if (apart > (runs ? APART_S : 0.02)) {
            video.currentTime = at;
        }
        if (runs && video.paused) {
            video.play().catch(() => undefined);
        } else if (!runs && !video.paused) {
            video.pause();
        }
        const rate = Math.min(16, Math.max(0.0625, state.rate));
        if (video.playbackRate !== rate) {
            video.playbackRate = rate;
        }
    }

    private async followItems(state: TimelineState): Promise<void> {
        const wanted = new Map(state.items.map((one) => [one.id, one]));
        for (const [id, there] of this.placed) {
            if (wanted.get(id)?.since !== there.since) {
                this.placed.delete(id);
                await this.doc.remove(there.id);
            }
        }
        for (const { id, since, growing } of state.items) {
            const item = this.drawing.items.find((one) => one.id === id);
            if (item !== undefined && !this.placed.has(id)) {
                const from = SHIFT + since - (growing ? 0 : WHOLE_BEFORE);
                const { z: _z, fade: _fade, id: _id, ...rest } = item;
                const made = await this.doc.add({ ...rest, in: from, out: FOR_EVER });
                this.placed.set(id, { id: made, since });
            }
        }
    }

    close(): void {
        this.closed = true;
        cancelAnimationFrame(this.turn);
        this.state = { ...this.state, playing: false };
        this.video?.pause();
        this.second?.pause();
        this.voice?.close();
        this.doc.close();
        this.timeline.close();
        this.context?.close().catch(() => undefined);
        this.hearers.clear();
    }
}
