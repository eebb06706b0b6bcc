/* Recording and playing voices, and the timeline of a review. */
import type { Connection } from "./connection.js";
import { Handle } from "./handle.js";
import type { Json } from "./models.js";

export interface RecorderOptions {
    rate: number;
    channels: 1 | 2;
    bitrate?: number;
    complexity?: number;
    dtx?: boolean;
    fec?: boolean;
    highpass?: boolean;
    level?: boolean;
    loudness?: boolean;
    /** Up to 1000 bytes of your own: a recorder that goes without an end, with its page or close(), leaves its voice with it under info("recordings"). */
    note?: string;
}

const COMMANDS = { record: 1, pause: 2, hold: 3, release: 4, tap: 5, doubleTap: 6, swipe: 7 } as const;
export type RecorderCommand = keyof typeof COMMANDS;
const STATES = ["paused", "recording", "held", "held still", "ended", "finished", "cancelled"] as const;
export type RecorderState = (typeof STATES)[number];

export interface RecorderLook {
    state: RecorderState;
    /** Microseconds of voice so far. */
    position: number;
    peak: number;
    rms: number;
    /** Microseconds of one pair of `pairs`. */
    span: number;
    /** Lowest and highest, -127..127, from the pair asked for on. */
    pairs: Int8Array;
}

export interface Recorded {
    blob: string;
    duration_us: number;
    peaks: string;
    dropped: number;
    lufs?: number;
    peak_db?: number;
    gain_db?: number;
}

/** A voice being recorded. It begins paused; sound comes from write(), or from a microphone. */
export class Recorder extends Handle {
    /** @internal */
    constructor(
        connection: Connection,
        number: number,
        readonly rate: number,
        readonly channels: 1 | 2,
    ) {
        super(connection, number, "recorder");
    }

    private microphone: { stop(): void } | null = null;

    command(command: RecorderCommand): Promise<void> {
        return this.call("recorder_command", COMMANDS[command]);
    }

    /** Forgets all after so many microseconds of voice. */
    retake(atUs: number): Promise<void> {
        return this.call("recorder_retake", Math.round(atUs));
    }

    /** Interleaved samples, -1..1; the array's memory goes along, it is empty afterwards. */
    write(pcm: Float32Array<ArrayBuffer>): void {
        this.tell("recorder_write", [pcm, this.channels], [pcm.buffer]);
    }

    /** How it stands; `from`: the first pair of the picture that is wanted. */
    async look(from = 0): Promise<RecorderLook> {
        const look = await this.call<Omit<RecorderLook, "state"> & { state: number }>("recorder_look", from);
        return { ...look, state: STATES[look.state]! };
    }

    /** Everything the stream of a microphone gives goes into the recorder, until it is finished or closed. */
    async listen(stream: MediaStream, context: AudioContext): Promise<void> {
        const { listen } = await import("./audio.js");
        this.microphone?.stop();
        this.microphone = await listen(stream, context, this.channels, (pcm) => {
            if (!this.closed) {
                this.write(pcm);
            }
        });
    }

    /** Stores the voice as a blob of the space and queues its upload. */
    async finish(space: string): Promise<Recorded> {
        this.microphone?.stop();
        return this.call("recorder_finish", space, true);
    }

    /** Throws it away. */
    async discard(): Promise<void> {
        this.microphone?.stop();
        await this.call("recorder_discard");
        this.close();
    }

    override close(): void {
        this.microphone?.stop();
        this.microphone = null;
        super.close();
    }
}

/** A voice being played: 48 kHz, one channel. */
export class Voice extends Handle {
    private player: { stop(): void; clear(): void; played(): number } | null = null;

    /** @internal */
    constructor(
        connection: Connection,
        number: number,
        /** Microseconds. */
        readonly duration: number,
    ) {
        super(connection, number, "voice");
    }

    /** The next frames; fewer than asked for only at the end. position: where in the voice their end is. */
    read(frames: number): Promise<{ pcm: Float32Array<ArrayBuffer>; position: number }> {
        return this.call("voice_read", frames);
    }

    async seek(atUs: number): Promise<void> {
        await this.call("voice_seek", atUs);
        this.player?.clear();
    }

    /** 0.25 to 2; the pitch stays. */
    async rate(rate: number): Promise<void> {
        await this.call("voice_rate", rate);
    }

    /**
     * Plays into the context, from where the voice stands, until its end, pause() or close(). `at` is told
     * some 20 times a second what is heard now, in microseconds of the voice: what a review follows.
     */
    async play(context: AudioContext, at?: (positionUs: number) => void): Promise<void> {
        const { play } = await import("./audio.js");
        this.player?.stop();
        let ended: () => void = () => undefined;
        const end = new Promise<void>((resolve) => (ended = resolve));
        this.player = await play(context, (frames) => this.read(frames), { at, ended });
        await end;
    }

    /** Stops, and stands where the last sound that was heard was. */
    async pause(): Promise<void> {
        const { player } = this;
        this.player = null;
        if (player !== null) {
            player.stop();
            await this.seek(player.played());
        }
    }

    override close(): void {
        this.player?.stop();
        this.player = null;
        super.close();
    }
}

export interface TimelineState {
    position: number;
    rate: number;
    playing: boolean;
    frozen: boolean;
    view: { x: number; y: number; scale: number };
    items: { id: string; since: number; growing: boolean }[];
    duration: number;
    second?: { video: string; position: number; layout: string; opacity: number };
}

/** What a coach did, against the clock of the voice. */
export class Timeline extends Handle {
    /** @internal */
    constructor(connection: Connection, number: number) {
        super(connection, number, "timeline");
    }

    /** Times never go back. */
    add(event: { t: number; do: string; [fact: string]: Json }): Promise<void> {
        return this.call("timeline_add", event);
    }

    end(tUs: number): Promise<void> {
        return this.call("timeline_end", Math.round(tUs));
    }

    /** To be stored as a blob. */
    encode(): Promise<Uint8Array<ArrayBuffer>> {
        return this.call("timeline_encode");
    }

    state(tUs: number): Promise<TimelineState> {
        return this.call("timeline_state", Math.round(tUs));
    }
}
