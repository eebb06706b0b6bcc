/* What the package weighs, in bytes, and which part of the library which part of sideline.wasm is. */
import { existsSync, readFileSync } from "node:fs";
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

/* By the archives and objects in the linker's map: before wasm-opt, which takes some off all of them. */
const PARTS = [[/libsqlite3/, "SQLite"], [/libcairo/, "Cairo"], [/libpixman/, "pixman"], [/libfreetype/, "FreeType"],
    [/libpng/, "libpng"], [/libz\b|libz\.a/, "zlib"], [/libopus/, "Opus"], [/libcjson/, "cJSON"], [/mbedcrypto|mbedtls/, "mbedTLS"],
    [/libsideline|sl_\w+\.dir/, "Sideline"], [/libc|libdlmalloc|libcompiler|crt/, "C library"]];
const map = path.join(dist, "../../../build/wasm/sideline.map");
if (existsSync(map)) {
    const sums = new Map();
    for (const line of readFileSync(map, "utf8").split("\n")) {
        const found = /^\s*[0-9a-f-]+\s+[0-9a-f]+\s+([0-9a-f]+)\s{9}(\S+:\(\S+\))/.exec(line);
        if (found !== null) {
            const part = PARTS.find(([pattern]) => pattern.test(found[2]))?.[1] ?? "other";
            sums.set(part, (sums.get(part) ?? 0) + parseInt(found[1], 16));
        }
    }
    console.log("sideline.wasm by part, as linked:");
    for (const [part, bytes] of [...sums].sort((x, y) => y[1] - x[1])) {
        console.log(`  ${part.padEnd(26)} ${String(bytes).padStart(9)}`);
    }
}
