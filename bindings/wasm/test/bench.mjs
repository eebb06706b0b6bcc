/*
 * bench.mjs [--canvaskit FOLDER] [--app FOLDER] [PART..]: in one run in Chromium, by the wall clock (much of it is the
 * browser's and the disk's) and by the CPU time of the page's process, which other work on the machine disturbs less;
 * the best of three rounds, that take turns. Parts: inserts, start, draw, load; by default all.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchDraw } from "./bench_draw.mjs";
import { benchInserts } from "./bench_inserts.mjs";
import { benchLoad } from "./bench_load.mjs";
import { benchStart } from "./bench_start.mjs";
import { scratch, startSidelined } from "./helpers.mjs";
import { serve } from "./server.mjs";

const ROUNDS = 3;

const here = path.dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({ allowPositionals: true,
    options: { canvaskit: { type: "string" }, app: { type: "string" } } });
const wanted = (name) => positionals.length === 0 || positionals.includes(name);
const row = (what, value, unit) => console.log(`${what.padEnd(72)} ${String(value).padStart(16)} ${unit}`);

const folder = scratch();
const profile = (name) => path.join(folder.folder, name);
const pages = await serve([["/sqlite/", path.join(here, "../node_modules/@sqlite.org/sqlite-wasm/dist")],
    ["/fonts/", "/usr/share/fonts/truetype/dejavu"],
    ...(values.canvaskit === undefined ? [] : [["/canvaskit/", values.canvaskit]])]);
if (wanted("inserts")) {
    await benchInserts(profile("inserts"), pages.url, ROUNDS, row);
}
if (wanted("start")) {
    await benchStart(profile("start"), pages.url, 2 * ROUNDS, row);
}
if (wanted("draw")) {
    await benchDraw(profile("draw"), pages.url, ROUNDS, row, values.canvaskit !== undefined);
}
if (wanted("load") && values.app !== undefined) {
    const server = await startSidelined(folder.folder, ["--web", values.app]);
    await benchLoad((i) => profile(`load-${i}`), `http://127.0.0.1:${server.port}/`, ROUNDS, row);
    await server.stop();
}
await pages.close();
folder.remove();
