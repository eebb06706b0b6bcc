/*
 * build.mjs [folder of sideline.js and sideline.wasm]: the package's dist/, from the TypeScript here and
 * what platform/wasm/build.sh made (build/wasm). The page's side, the thread's and Node's are a file each, with a
 * source map: what is loaded in one piece is there sooner.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const built = path.resolve(process.argv[2] ?? path.join(root, "build/wasm"));
const dist = path.join(here, "dist");

for (const file of ["sideline.js", "sideline.wasm"]) {
    if (!existsSync(path.join(built, file))) {
        console.error(`${path.join(built, file)} is missing: run platform/wasm/build.sh product first`);
        process.exit(1);
    }
}
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
execFileSync(process.execPath, [path.join(here, "node_modules/typescript/bin/tsc"), "-p", here], { stdio: "inherit" });

/* Emscripten's loader becomes a module: what it would look for in Node's scripts are parameters. */
const glue = readFileSync(path.join(built, "sideline.js"), "utf8");
const end = glue.indexOf("if (typeof exports === 'object'");
if (end < 0) {
    throw new Error("sideline.js is not as Emscripten 3.1 writes it");
}
const loader = `export default function load(require, __dirname) {\nconst document = undefined, __filename = undefined;\n${
    glue.slice(0, end)}return createSideline;\n}\n`;

for (const [name, platform] of [["index", "browser"], ["worker", "browser"], ["node", "node"]]) {
    await build({
        input: path.join(here, `src/${name}.ts`),
        platform,
        transform: { target: "es2022" },
        plugins: [{
            name: "loader",
            resolveId: (wanted) => (wanted === "./sideline.js" ? "\0loader" : null),
            load: (id) => (id === "\0loader" ? { code: loader, map: { mappings: "" } } : null),
        }],
        output: { file: path.join(dist, `${name}.js`), format: "es", codeSplitting: false, sourcemap: true, comments: false },
    });
}
copyFileSync(path.join(built, "sideline.wasm"), path.join(dist, "sideline.wasm"));
copyFileSync(path.join(here, "src/worklet.js"), path.join(dist, "worklet.js"));
copyFileSync(path.join(root, "LICENSE"), path.join(here, "LICENSE"));
console.log(`@sideline/core: ${path.relative(root, dist)}`);
