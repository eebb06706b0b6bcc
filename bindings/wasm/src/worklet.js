/*
 * What runs in the audio thread, a file of its own: that thread takes no module that a page has made, unless the
 * page's policy lets anything made by it run. It tells and is told by messages; audio.ts is its other end.
 */

/** Gathers a microphone's samples into blocks. */
class SidelineListen extends AudioWorkletProcessor {
    constructor(options) {
        super();
        this.channels = options.processorOptions.channels;
        this.frames = options.processorOptions.block;
        this.block = new Float32Array(this.frames * this.channels);
        this.length = 0;
    }
    process(inputs) {
        const input = inputs[0];
        if (input.length === 0) {
            return true;
        }
        const frames = input[0].length;
        for (let i = 0; i < frames; i++) {
            for (let c = 0; c < this.channels; c++) {
                this.block[this.length++] = (input[c] ?? input[0])[i];
            }
            if (this.length === this.block.length) {
                this.port.postMessage(this.block, [this.block.buffer]);
                this.block = new Float32Array(this.frames * this.channels);
                this.length = 0;
            }
        }
        return true;
    }
}

/** Plays blocks one behind the other, and says what is heard. */
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
        let n = 0;
        let position = null;
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
