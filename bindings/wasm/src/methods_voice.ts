/* Voices: recording, playing; and the review's timeline. */
import { type Held, type Method, type Session, hold, held, json, plain } from "./session.js";
import { Answer } from "./wire.js";

interface Recorder extends Held {
    kind: "recorder";
}

interface Voice extends Held {
    kind: "voice";
}

interface Timeline extends Held {
    kind: "timeline";
}

function number64(value: number | bigint): number {
    return Number(value);
}

function openVoice(s: Session, bytes: Uint8Array): number {
    const copy = s.lib.wasm._malloc(bytes.length);
    s.lib.wasm.HEAPU8.set(bytes, copy);
    try {
        return s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_voice_open", copy, bytes.length, slot);
            const at = r.word(slot);
            const close = () => {
                s.lib.raw("sl_voice_close", at);
                s.lib.wasm._free(copy);
            };
            return hold<Voice>(s, { kind: "voice", at, close });
        });
    } catch (error) {
        s.lib.wasm._free(copy);
        throw error;
    }
}

const RECORDER: Record<string, Method> = {
    recorder_new(s, options: object) {
        return s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_recorder_new", s.core, ...r.json(options), slot);
            const at = r.word(slot);
            return hold<Recorder>(s, { kind: "recorder", at, close: () => s.lib.raw("sl_recorder_free", at) });
        });
    },
    recorder_command: (s, n: number, command: number) =>
        plain(s, "sl_recorder_command", () => [held<Recorder>(s, n, "recorder").at, command]),
    recorder_retake: (s, n: number, at: number) =>
        plain(s, "sl_recorder_retake", () => [held<Recorder>(s, n, "recorder").at, BigInt(at)]),
    recorder_write(s, n: number, pcm: Float32Array, channels: number) {
        const { at } = held<Recorder>(s, n, "recorder");
        s.lib.with((r) => s.lib.raw("sl_recorder_write", at, r.floats(pcm), pcm.length / channels, 0));
    },
    /** State, position, level, and the pairs of the picture from `from` on. */
    recorder_look(s, n: number, from: number) {
        const { at } = held<Recorder>(s, n, "recorder");
        return s.lib.with((r) => {
            const m = s.lib.wasm;
            const meter = r.slot(2);
            s.lib.raw("sl_recorder_meter", at, meter, meter + 4);
            const room = 1500;
            const pairs = r.bytes(room * 2);
            const span = r.slot(2);
            const count = s.lib.raw("sl_recorder_peaks", at, from, pairs, room, span);
            return {
                state: s.lib.raw("sl_recorder_state", at),
                position: number64(s.lib.raw("sl_recorder_position", at)),
                peak: m.HEAPF32[meter >> 2]!,
                rms: m.HEAPF32[(meter >> 2) + 1]!,
                span: r.id(span),
                pairs: new Int8Array(m.HEAPU8.slice(pairs, pairs + 2 * count).buffer),
            };
        });
    },
    recorder_finish(s, n: number, space: string, keep: boolean) {
        const { at } = held<Recorder>(s, n, "recorder");
        return json(s, "sl_recorder_finish", (r) => [at, r.text(space), keep ? 1 : 0]);
    },
    recorder_discard: (s, n: number) =>
        plain(s, "sl_recorder_finish", () => [held<Recorder>(s, n, "recorder").at, 0, 0, 0]),
    recording_remove: (s, path: string) => plain(s, "sl_recording_remove", (r) => [s.core, r.text(path)]),
    recording_read(s, path: string) {
        const bytes = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_recording_read", s.core, r.text(path), slot);
            return s.lib.takeBytes(r.word(slot))!;
        });
        return new Answer(bytes, [bytes.buffer]);
    },
};

const PLAYER: Record<string, Method> = {
    voice_open: openVoice,
    voice_of(s, sha256: string) {
        const bytes = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_blob_get", s.core, r.text(sha256), slot);
            return s.lib.takeBytes(r.word(slot))!;
        });
        return openVoice(s, bytes);
    },
    voice_facts(s, n: number) {
        const { at } = held<Voice>(s, n, "voice");
        return {
            duration: number64(s.lib.raw("sl_voice_duration", at)),
            position: number64(s.lib.raw("sl_voice_position", at)),
        };
    },
    voice_read(s, n: number, frames: number) {
        const { at } = held<Voice>(s, n, "voice");
        return s.lib.with((r) => {
            const pcm = r.bytes(frames * 4);
            const got = s.lib.raw("sl_voice_read", at, pcm, frames);
            const out = s.lib.wasm.HEAPF32.slice(pcm >> 2, (pcm >> 2) + got);
            const position = number64(s.lib.raw("sl_voice_position", at));
            return new Answer({ pcm: out, position }, [out.buffer]);
        });
    },
    voice_seek: (s, n: number, at: number) =>
        void s.lib.raw("sl_voice_seek", held<Voice>(s, n, "voice").at, BigInt(Math.round(at))),
    voice_rate: (s, n: number, rate: number) =>
        plain(s, "sl_voice_set_rate", () => [held<Voice>(s, n, "voice").at, Math.round(rate * 1000)]),
    voice_cut(s, bytes: Uint8Array, from: number, to: number) {
        const out = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_voice_cut", r.copy(bytes), bytes.length, BigInt(from), BigInt(to), slot);
            return s.lib.takeBytes(r.word(slot))!;
        });
        return new Answer(out, [out.buffer]);
    },
};

function takeTimeline(s: Session, slot: number): number {
    const at = s.lib.wasm.HEAPU32[slot >> 2]!;
    return hold<Timeline>(s, { kind: "timeline", at, close: () => s.lib.raw("sl_timeline_free", at) });
}

const TIMELINE: Record<string, Method> = {
    timeline_new: (s, duration: number) =>
        s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_timeline_new", BigInt(duration), slot);
            return takeTimeline(s, slot);
        }),
    timeline_decode: (s, bytes: Uint8Array) =>
        s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_timeline_decode", r.copy(bytes), bytes.length, slot);
            return takeTimeline(s, slot);
        }),
    timeline_add: (s, n: number, event: object) =>
        plain(s, "sl_timeline_add", (r) => [held<Timeline>(s, n, "timeline").at, ...r.json(event)]),
    timeline_end: (s, n: number, t: number) =>
        plain(s, "sl_timeline_end", () => [held<Timeline>(s, n, "timeline").at, BigInt(t)]),
    timeline_encode(s, n: number) {
        const { at } = held<Timeline>(s, n, "timeline");
        const bytes = s.lib.with((r) => {
            const slot = r.slot();
            s.lib.call("sl_timeline_encode", at, slot);
            return s.lib.takeBytes(r.word(slot))!;
        });
        return new Answer(bytes, [bytes.buffer]);
    },
    timeline_state: (s, n: number, t: number) =>
        json(s, "sl_timeline_state", () => [held<Timeline>(s, n, "timeline").at, BigInt(t)]),
};

export const VOICE_METHODS: Record<string, Method> = { ...RECORDER, ...PLAYER, ...TIMELINE };
