/*
 * bench.mjs: in one run in Chromium, by the wall clock (most of it is the browser's and the disk's): the best of
 * three rounds, that take turns. From nothing to the first answer on 10,000 records; durable inserts, against the
 * official SQLite on its OPFS pool; pen to pixels.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { browser, open, scratch } from "./helpers.mjs";
import { serve } from "./server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const ROUNDS = 3;
const RECORDS = 10000;
const SINGLE = 300;
const BODY = "Elbow higher through the contact, weight onto the front foot. ".repeat(3);

const folder = scratch();
const pages = await serve([["/sqlite/", path.join(here, "../node_modules/@sqlite.org/sqlite-wasm/dist")]]);
const context = await browser(path.join(folder.folder, "profile"));
const page = await open(context, pages.url);
const row = (what, value, unit) => console.log(`${what.padEnd(66)} ${String(value).padStart(8)} ${unit}`);

async function inserts(round) {
    return page.evaluate(async ([round, single, many, body]) => {
        const { openCore, newId } = window.sideline;
        const core = await openCore({ dir: `bench-${round}` });
        const id = newId();
        const space = `video:${id}`;
        await core.create("video", space, { title: "x", blob: "ab".repeat(32), media_type: "video/mp4", size: 1,
            duration_us: 1e9, width: 640, height: 360 }, id);
        const op = (i) => ({ op: "create", entity: "comment", space, fields: { body: `${i} ${body}`, at_us: i } });
        let began = performance.now();
        await Promise.all(Array.from({ length: single }, (_, i) => core.apply([op(i)])));
        const one = single / ((performance.now() - began) / 1000);
        began = performance.now();
        for (let i = 0; i < many; i += 1000) {
            await core.apply(Array.from({ length: 1000 }, (_, k) => op(i + k)));
        }
        const batch = many / ((performance.now() - began) / 1000);
        await core.close();
        const worker = new Worker("/sahpool.js", { type: "module" });
        const official = await new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = reject;
            worker.postMessage({ single, many, body, space });
        });
        worker.terminate();
        return { one, batch, official };
    }, [round, SINGLE, RECORDS, BODY]);
}

async function coldStart() {
    const fresh = await context.newPage();
    await fresh.goto(`${pages.url}/blank.html`);
    const took = await fresh.evaluate(async () => {
        const began = performance.now();
        const { openCore } = await import("/dist/index.js");
        const core = await openCore({ dir: "bench-0" });
        const opened = performance.now() - began;
        const rows = await core.query({ from: "comment", order: ["-at_us"], limit: 50 });
        const ended = performance.now() - began;
        if (rows.length !== 50) {
            throw new Error("the records are not there");
        }
        await core.close();
        return { opened, ended };
    });
    await fresh.close();
    return took;
}

async function penToPixels() {
    return page.evaluate(async () => {
        const core = await window.sideline.openCore({ dir: "bench-pen" });
        const doc = await core.newDoc(1280, 720);
        for (let i = 0; i < 200; i++) {
            const points = Array.from({ length: 40 }, (_, k) => [((i * 917 + k * 300) % 32000), ((i * 413 + k * k * 7) % 18000)]);
            await doc.add({ kind: "pen", points, in: 0, out: 1e6, style: { color: "#FF3B30", width: 120, opacity: 1 } });
        }
        const view = await doc.view(document.getElementById("canvas").transferControlToOffscreen());
        await view.show(10);
        const stroke = doc.stroke({ kind: "pen", style: { color: "#00E5FF", width: 200, opacity: 1 }, in: 0, out: 1e6 });
        const took = [];
        for (let i = 0; i < 300; i++) {
            const began = performance.now();
            stroke.points([2000 + i * 90, 9000 + 4000 * Math.sin(i / 20), 0.5, i * 8]);
            await view.show(10);
            took.push(performance.now() - began);
        }
        await core.close();
        took.sort((a, b) => a - b);
        return { median: took[150], p99: took[296] };
    });
}

const rounds = [];
for (let i = 0; i < ROUNDS; i++) {
    rounds.push(await inserts(i));
}
const best = (pick) => Math.round(Math.max(...rounds.map(pick)));
row("one record a batch, durable (outbox and index of it included)", best((r) => r.one), "batches/s");
row("  sqlite-wasm opfs-sahpool, one row a transaction, as it comes", best((r) => r.official.delete.single), "tx/s");
row("  the same with WAL and an exclusive lock", best((r) => r.official.wal.single), "tx/s");
row("1,000 records a batch", best((r) => r.batch), "records/s");
row("  opfs-sahpool, 1,000 rows a transaction, as it comes", best((r) => r.official.delete.many), "rows/s");
row("  the same with WAL and an exclusive lock", best((r) => r.official.wal.many), "rows/s");
const starts = [];
for (let i = 0; i < 2 * ROUNDS; i++) {
    starts.push(await coldStart());
}
row("from nothing loaded to the core open, 10,000 records", Math.round(Math.min(...starts.map((s) => s.opened))), "ms");
row("from nothing loaded to the first answer", Math.round(Math.min(...starts.map((s) => s.ended))), "ms");
const pen = await penToPixels();
row("points of a live stroke to pixels in the canvas, 200 strokes below: median", pen.median.toFixed(1), "ms");
row("  the slowest of a hundred", pen.p99.toFixed(1), "ms");
await context.close();
await pages.close();
folder.remove();
