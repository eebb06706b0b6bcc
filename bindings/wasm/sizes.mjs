/* What the package weighs, in bytes. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), "dist");
const brotli = (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
let total = 0;
function row(what, bytes) {
    const small = brotli(bytes);
    total += small;
    console.log(`${what.padEnd(28)} ${String(bytes.length).padStart(9)} ${String(zlib.gzipSync(bytes, { level: 9 }).length)
        .padStart(9)} ${String(small).padStart(9)}`);
}
console.log(`${"".padEnd(28)} ${"raw".padStart(9)} ${"gzip -9".padStart(9)} ${"brotli 11".padStart(9)}`);
for (const [name, what] of [["sideline.wasm", ""], ["worker.js", ", not minified"], ["index.js", ", not minified"]]) {
    row(name + what, readFileSync(path.join(dist, name)));
}
console.log(`${"together, brotli".padEnd(28)} ${String(total).padStart(29)}`);
