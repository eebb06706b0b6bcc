/* A camera and what films with it: open, film, pause, go on, finish. What is filmed is on a reel (reel.ts). */
import { t } from "../i18n";
import { Reel } from "./reel";

export type Phase = "closed" | "ready" | "filming" | "paused" | "ended";

/* Pieces of an MP4 end before a key frame: without one each second a piece would be long. */
const PIECE_MS = 1000;
const BITS_PER_S = 12_000_000;

/* The first that the browser can make: what every player takes before what some do not. */
const TYPES = ["video/mp4;codecs=avc1.640032,mp4a.40.2", "video/mp4;codecs=avc1.640032,opus", "video/mp4", "video/webm;codecs=h264,opus", "video/webm;codecs=vp8,opus", "video/webm"];

/** Swings are fast: many pictures a second matter more than many points. */
const PICTURE = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 60 } };
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };

export const canFilm = () => navigator.mediaDevices?.getUserMedia !== undefined && "MediaRecorder" in globalThis;

/** What to say when no camera is given. */
function told(error: unknown): Error {
    const name = error instanceof DOMException ? error.name : "";
    return new Error(t(name === "NotAllowedError" ? "filming.refused" : name === "NotFoundError" ? "filming.none" : "filming.busy"));
}

export class Camera {
    phase: Phase = "closed";
    stream: MediaStream | undefined;
    /** The camera shows who films: as a mirror does. */
    mirrored = false;
    private recorder: MediaRecorder | undefined;
    private reel: Reel | undefined;
    private filmed = 0;
    private since = 0;
    private awake: WakeLockSentinel | undefined;

    /** ended: the camera went, or there was no room left; what was filmed is kept. */
    constructor(private readonly changed: () => void, private readonly ended: (why: string) => void) {}

    /** Shows what a camera sees: that of an id, or the one that looks away from who films. False: without sound. */
    async open(id?: string): Promise<boolean> {
        this.close();
        const video = id === undefined ? { ...PICTURE, facingMode: { ideal: "environment" } } : { ...PICTURE, deviceId: { exact: id } };
        let sound = true;
        const stream = await navigator.mediaDevices.getUserMedia({ video, audio: SOUND }).catch(() => {
            sound = false;
            return navigator.mediaDevices.getUserMedia({ video });
        }).catch((error: unknown) => {
            throw told(error);
        });
        this.stream = stream;
        const picture = stream.getVideoTracks()[0]!;
        this.mirrored = picture.getSettings().facingMode === "user";
        picture.addEventListener("ended", () => this.stream === stream && this.ended(t("filming.gone")));
        this.go("ready");
        return sound;
    }

    /** The next of the cameras there are. */
    async turn(): Promise<void> {
        const all = await cameras();
        const now = this.stream?.getVideoTracks()[0]?.getSettings().deviceId;
        await this.open(all[(all.findIndex((one) => one.deviceId === now) + 1) % all.length]?.deviceId);
    }

    async start(): Promise<void> {
        if (this.phase !== "ready" || this.stream === undefined || this.reel !== undefined) {
            return;
        }
        const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
        const recorder = new MediaRecorder(this.stream, { ...(type !== "" && { mimeType: type }), videoBitsPerSecond: BITS_PER_S, videoKeyFrameIntervalDuration: PIECE_MS } as MediaRecorderOptions);
        const reel = await Reel.begin(type === "" ? recorder.mimeType : type);
        recorder.addEventListener("dataavailable", ({ data }) => data.size > 0 && reel.add(data).catch(() => this.recorder === recorder && this.ended(t("filming.full"))));
        this.recorder = recorder;
        this.reel = reel;
        this.filmed = 0;
        this.since = performance.now();
        recorder.start(PIECE_MS);
        this.awake = await navigator.wakeLock?.request("screen").catch(() => undefined);
        this.go("filming");
    }

    pause(): void {
        if (this.phase === "filming") {
            this.recorder!.pause();
            this.recorder!.requestData();
            this.filmed += performance.now() - this.since;
            this.go("paused");
        }
    }

    resume(): void {
        if (this.phase === "paused") {
            this.recorder!.resume();
            this.since = performance.now();
            this.go("filming");
        }
    }

    /** Milliseconds that were filmed. */
    get length(): number {
        return this.filmed + (this.phase === "filming" ? performance.now() - this.since : 0);
    }

    /** The reel, which is the caller's then; undefined when nothing was filmed. */
    async finish(): Promise<Reel | undefined> {
        const { reel, recorder } = this;
        if (recorder !== undefined && recorder.state !== "inactive") {
            const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
            recorder.stop();
            await stopped;
        }
        this.reel = undefined;
        this.recorder = undefined;
        this.close();
        this.go("ended");
        return reel;
    }

    /** Lets go of the camera, and of a reel, which is found again where reels are left. */
    close(): void {
        const { recorder, reel } = this;
        this.recorder = undefined;
        this.reel = undefined;
        if (recorder !== undefined && recorder.state !== "inactive") {
            recorder.addEventListener("stop", () => reel?.release(), { once: true });
            recorder.stop();
        }
        const { stream } = this;
        this.stream = undefined;
        stream?.getTracks().forEach((track) => track.stop());
        void this.awake?.release();
        this.awake = undefined;
        this.phase = "closed";
    }

    private go(phase: Phase): void {
        this.phase = phase;
        this.changed();
    }
}

export async function cameras(): Promise<MediaDeviceInfo[]> {
    return (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
}
