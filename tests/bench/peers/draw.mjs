/*
 * Skia's CPU renderer (@napi-rs/canvas) filling the outlines given, and perfect-freehand making
 * outlines of the strokes given. Prints milliseconds of CPU time, the best of the rounds: Skia with
 * paths that are there already, Skia with paths made in the round, perfect-freehand.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const ROUNDS = 25;
const [given, peers] = [process.argv[2], process.argv[3]];
const require = createRequire(pathToFileURL(`${peers}/`));
const { createCanvas, Path2D } = require('@napi-rs/canvas');
const { getStroke } = require('perfect-freehand');
const { width, height, outlines, strokes } = JSON.parse(readFileSync(given, 'utf8'));

function cpu() {
    const used = process.cpuUsage();
    return (used.user + used.system) / 1e3;
}

function best(work) {
    let least = Infinity;
    for (let i = 0; i < ROUNDS; i++) {
        const began = cpu();
        work();
        least = Math.min(least, cpu() - began);
    }
    return least;
}

function pathOf(xy) {
    const path = new Path2D();
    path.moveTo(xy[0], xy[1]);
    for (let i = 2; i < xy.length; i += 2) {
        path.lineTo(xy[i], xy[i + 1]);
    }
    path.closePath();
    return path;
}

const canvas = createCanvas(width, height);
const context = canvas.getContext('2d');
const paths = outlines.map(pathOf);
context.fillStyle = 'rgb(255, 204, 0)';

function fill(list) {
    for (const path of list) {
        context.fill(path);
    }
    /* What was put off is drawn now. */
    return context.getImageData(0, 0, 1, 1).data[3];
}

const skia = best(() => fill(paths));
const anew = best(() => fill(outlines.map(pathOf)));
let corners = 0;
const freehand = best(() => {
    for (const { size, points } of strokes) {
        corners += getStroke(points, { size, simulatePressure: false, last: true }).length;
    }
});
if (corners === 0) {
    throw new Error('no outline was made');
}
console.log(skia.toFixed(4), anew.toFixed(4), freehand.toFixed(4));
