/* What npm pack makes, installed into a project that knows nothing of this tree, built by Vite, and used. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { browser, open, run, scratch } from "./helpers.mjs";
import { serve } from "./server.mjs";

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const tool = (name) => path.join(here, "node_modules", name);

const MAIN = `
import { openCore, newId, CoreError, type Core, type Video } from "@sideline/core";
declare global { interface Window { ready: boolean; use(): Promise<string[]> } }
window.use = async () => {
    const core: Core = await openCore({ dir: "app" });
    const id = newId();
    await core.create("video", \`video:\${id}\`, { title: "Serve", blob: "ab".repeat(32), media_type: "video/mp4", size: 1,
        duration_us: 5e6, width: 640, height: 360 }, id);
    const videos: Video[] = await core.query({ from: "video", where: { title: { prefix: "Se" } }, order: ["-title"] });
    // @ts-expect-error: no such field
    await core.query({ from: "video", where: { nonsense: 1 } }).catch((e) => { if (!(e instanceof CoreError)) throw e; });
    await core.close();
    return videos.map((video) => video.title);
};
window.ready = true;
`;

test("the packed package is installed, type-checked, built by Vite, and works", async () => {
    const folder = scratch();
    const project = path.join(folder.folder, "app");
    mkdirSync(path.join(project, "src"), { recursive: true });
    await run("npm", ["pack", "--silent", "--pack-destination", folder.folder], { cwd: here });
    const tarball = readdirSync(folder.folder).find((name) => name.endsWith(".tgz"));
    const write = (name, text) => writeFileSync(path.join(project, name), text);
    write("package.json", JSON.stringify({ name: "app", private: true, type: "module",
        dependencies: { "@sideline/core": `file:../${tarball}` } }));
    write("index.html", `<!doctype html><title>App</title><script type="module" src="/src/main.ts"></script>`);
    write("src/main.ts", MAIN);
    write("tsconfig.json", JSON.stringify({ compilerOptions: { strict: true, noEmit: true, target: "es2022", module: "esnext",
        moduleResolution: "bundler", types: [], lib: ["es2022", "esnext.disposable", "dom", "dom.asynciterable"] }, include: ["src"] }));
    await run("npm", ["install", "--offline", "--silent", "--no-audit", "--ignore-scripts"], { cwd: project });
    const installed = (file) => path.join(project, "node_modules/@sideline/core", file);
    const { exports } = JSON.parse(readFileSync(installed("package.json"), "utf8"));
    for (const file of Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))) {
        assert.ok(existsSync(installed(file)), `${file} is exported and not there`);
    }
    for (const name of ["index", "worker", "node"]) {
        assert.match(readFileSync(installed(`dist/${name}.js`), "utf8"), new RegExp(`^//# sourceMappingURL=${name}\\.js\\.map$`, "m"));
        const { sources, sourcesContent } = JSON.parse(readFileSync(installed(`dist/${name}.js.map`), "utf8"));
        const at = sources.findIndex((source) => source.endsWith(`src/${name}.ts`));
        assert.equal(sourcesContent[at], readFileSync(path.join(here, `src/${name}.ts`), "utf8"));
    }
    symlinkSync(tool("vite"), path.join(project, "node_modules/vite"));
    await run(process.execPath, [tool("typescript/bin/tsc"), "-p", project]);
    await run(process.execPath, [tool("vite/bin/vite.js"), "build", "--logLevel", "warn"], { cwd: project });
    const built = readdirSync(path.join(project, "dist/assets"));
    assert.equal(built.filter((name) => name.endsWith(".wasm")).length, 1, `one .wasm: ${built}`);
    const pages = await serve([["/", path.join(project, "dist")]]);
    const context = await browser(path.join(folder.folder, "profile"));
    try {
        const page = await open(context, pages.url);
        assert.deepEqual(await page.evaluate("window.use()"), ["Serve"]);
    } finally {
        await context.close();
        await pages.close();
        folder.remove();
    }
});
