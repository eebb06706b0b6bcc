/*
 * Sound to and from the audio thread, in blocks that are handed over by postMessage. Needs no shared
 * memory, and so no special headers of the page; it costs some 10 ms more than a shared ring would.
 */

const BLOCK = 960; /* frames to a message: 20 ms at 48 kHz */
const AHEAD = 9600; /* frames the player keeps waiting at the audio thread: 200 ms */

const loaded = new WeakMap<BaseAudioContext, Promise<void>>();

function load(context: AudioContext): Promise<void> {
    let promise = loaded.get(context);
    if (promise === undefined) {
        promise = context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
        loaded.set(context, promise);
    }
    return promise;
}

/** Blocks of interleaved sound, at the context's own rate. */
export async function listen(
    stream: MediaStream,
    context: AudioContext,
    channels: 1 | 2,
    take: (pcm: Float32Array<ArrayBuffer>) => void,
): Promise<{ stop(): void }> {
    await load(context);
    const source = context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(context, "sideline-listen", {
        numberOfOutputs: 0,
        processorOptions: { channels, block: BLOCK },
    });
    node.port.onmessage = (event) => take(event.data as Float32Array<ArrayBuffer>);
    source.connect(node);
    return {
        stop() {
            node.port.onmessage = null;
            source.disconnect();
        },
    };
}

type Read = (frames: number) => Promise<{ pcm: Float32Array<ArrayBuffer>; position: number }>;

interface Told {
    position: number | null;
    waiting: number;
    done: boolean;
}

/** Keeps the audio thread fed, until the source ends. The context runs at 48 kHz, or sounds too fast or slow. */
export async function play(
    context: AudioContext,
    read: Read,
    told: { at: ((positionUs: number) => void) | undefined; ended: () => void },
): Promise<{ stop(): void; clear(): void; played(): number }> {
    await load(context);
    const node = new AudioWorkletNode(context, "sideline-play", { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    let filling = false;
    let stopped = false;
    let whole = false;
    let turn = 0; /* counts seeks: what was read before one is not played after it */
    let last = 0;
    let from: number | null = null;
    let reported = 0;
    const stop = () => {
        if (!stopped) {
            stopped = true;
            node.port.onmessage = null;
            node.disconnect();
            told.ended();
        }
    };
    const fill = async (waiting: number) => {
        if (filling || stopped || whole || waiting > AHEAD) {
            return;
        }
        filling = true;
        const frames = BLOCK * 5;
        const asked = turn;
        const { pcm, position } = await read(frames);
        filling = false;
        if (stopped) {
            return;
        }
        if (asked !== turn) {
            await fill(0);
            return;
        }
        const length = pcm.length;
        if (length > 0) {
            const start = from ?? position - (length * 1e6) / context.sampleRate;
            node.port.postMessage({ pcm, from: start, to: position }, [pcm.buffer]);
            from = position;
        }
        if (length < frames) {
            whole = true;
            node.port.postMessage("end");
        } else {
            void fill(waiting + length);
        }
    };
    node.port.onmessage = ({ data }: MessageEvent<Told>) => {
        last = data.position ?? last;
        if (context.currentTime - reported > 0.05) {
            reported = context.currentTime;
            told.at?.(last);
        }
        if (data.done) {
            stop();
        } else {
            void fill(data.waiting);
        }
    };
    await fill(0);
    return {
        stop,
        clear() {
            node.port.postMessage("clear");
            from = null;
            whole = false;
            turn++;
            void fill(0);
        },
        played: () => last,
    };
}
