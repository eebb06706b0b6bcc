/* What the package weighs, in bytes. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), "dist");
const brotli = (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
const WORKER = ["worker", "errors", "library", "loader", "methods", "methods_blob", "methods_doc", "methods_voice", "service",
    "session", "storage", "tabs", "transport", "wire"];
const PAGE = ["index", "connection", "core", "doc", "errors", "handle", "id", "live", "models", "surface", "symbols", "upload",
    "voice", "audio"];

let total = 0;
function row(what, bytes) {
    const small = brotli(bytes);
    total += small;
    console.log(`${what.padEnd(28)} ${String(bytes.length).padStart(9)} ${String(zlib.gzipSync(bytes, { level: 9 }).length)
        .padStart(9)} ${String(small).padStart(9)}`);
}
const all = (names) => Buffer.concat(names.map((name) => readFileSync(path.join(dist, `${name}.js`))));
console.log(`${"".padEnd(28)} ${"raw".padStart(9)} ${"gzip -9".padStart(9)} ${"brotli 11".padStart(9)}`);
row("sideline.wasm", readFileSync(path.join(dist, "sideline.wasm")));
row("sideline.js (loader)", readFileSync(path.join(dist, "sideline.js")));
row("the worker, not minified", all(WORKER));
row("the page, not minified", all(PAGE));
console.log(`${"together, brotli".padEnd(28)} ${String(total).padStart(29)}`);
