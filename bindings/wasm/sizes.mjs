/* What the package weighs, in bytes; and each part of sideline.wasm, by the linker's map. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const dist = path.join(here, "dist");
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

/* Code and constants as they are linked: wasm-opt then takes a part of the code away, and texts are merged. */
const NAMES = { "sideline": "Sideline", sqlite3: "SQLite", cairo: "Cairo", "pixman-1": "pixman", freetype: "FreeType", png: "libpng",
    z: "zlib", opus: "Opus", cjson: "cJSON", mbedcrypto: "mbedTLS" };
const parts = new Map();
for (const line of readFileSync(path.join(root, "build/wasm/sideline.map"), "utf8").split("\n")) {
    const [, size, where] = /^ *[-0-9a-f]+ +[-0-9a-f]+ +([0-9a-f]+) {9}([^ ].*)$/.exec(line) ?? [];
    const [, archive] = /([^/]*)\.a\(/.exec(where ?? "") ?? [];
    if ((archive !== undefined || where?.startsWith("<internal>")) && !where.includes(":(.bss")) {
        const name = archive === undefined ? "texts of all" : (NAMES[archive.slice(3)] ?? "C library");
        parts.set(name, (parts.get(name) ?? 0) + parseInt(size, 16));
    }
}
console.log("\nlinked, before it is made smaller");
for (const [name, size] of [...parts].sort(([, a], [, b]) => b - a)) {
    console.log(`${name.padEnd(28)} ${String(size).padStart(9)}`);
}
