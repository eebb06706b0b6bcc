/*
 * Sound to and from the audio thread, in blocks that are handed over by postMessage. Needs no shared
 * memory, and so no special headers of the page; it costs some 10 ms more than a shared ring would.
 */

const BLOCK = 960; /* frames to a message: 20 ms at 48 kHz */
const AHEAD = 9600; /* frames the player keeps waiting at the audio thread: 200 ms */

/* The processors run in the audio thread and see nothing of this module: their source goes there as text. */
const PROCESSORS = `
class SidelineListen extends AudioWorkletProcessor {
    constructor(options) {
        super();
        this.channels = options.processorOptions.channels;
        this.block = new Float32Array(${BLOCK} * this.channels);
        this.length = 0;
    }
    process(inputs) {
        const input = inputs[0];
        if (input.length === 0) return true;
        const frames = input[0].length;
        for (let i = 0; i < frames; i++) {
            for (let c = 0; c < this.channels; c++) {
                this.block[this.length++] = (input[c] ?? input[0])[i];
            }
            if (this.length === this.block.length) {
                this.port.postMessage(this.block, [this.block.buffer]);
                this.block = new Float32Array(${BLOCK} * this.channels);
                this.length = 0;
            }
        }
        return true;
    }
}
class SidelinePlay extends AudioWorkletProcessor {
    constructor() {
        super();
        this.blocks = [];
        this.at = 0;
        this.waiting = 0;
        this.ended = false;
        this.port.onmessage = ({ data }) => {
            if (data === "clear") {
                this.blocks = [];
                this.at = this.waiting = 0;
                this.ended = false;
            } else if (data === "end") {
                this.ended = true;
            } else {
                this.blocks.push(data);
                this.waiting += data.pcm.length;
            }
        };
    }
    process(inputs, outputs) {
        const out = outputs[0][0];
        let n = 0, position = null;
        while (n < out.length && this.blocks.length > 0) {
            const { pcm, from, to } = this.blocks[0];
            const take = Math.min(out.length - n, pcm.length - this.at);
            out.set(pcm.subarray(this.at, this.at + take), n);
            n += take;
            this.at += take;
            this.waiting -= take;
            position = from + (to - from) * this.at / pcm.length;
            if (this.at === pcm.length) {
                this.blocks.shift();
                this.at = 0;
            }
        }
        if (position !== null || this.ended) {
            this.port.postMessage({ position, waiting: this.waiting, done: this.ended && this.blocks.length === 0 });
        }
        return true;
    }
}
registerProcessor("sideline-listen", SidelineListen);
registerProcessor("sideline-play", SidelinePlay);
`;

const loaded = new WeakMap<BaseAudioContext, Promise<void>>();

function load(context: AudioContext): Promise<void> {
    let promise = loaded.get(context);
    if (promise === undefined) {
        const url = URL.createObjectURL(new Blob([PROCESSORS], { type: "text/javascript" }));
        promise = context.audioWorklet.addModule(url).finally(() => URL.revokeObjectURL(url));
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
        processorOptions: { channels },
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
