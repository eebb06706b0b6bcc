/*
 * unit.mjs BUILD [NAME..]: runs the unit tests of the core, as platform/wasm/build.sh has built them in BUILD for
 * Node, in threads of a page in Chromium: the same programs, to the byte. NAME: only those.
 */
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { privateBrowser } from "./helpers.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../../..");
const AT_ONCE = 2;
const LIMIT_MS = 300_000;

const build = path.resolve(process.argv[2] ?? path.join(root, "build/wasm"));
const names = process.argv.slice(3);
/* What the programs may read of the machine. */
const ROOTS = [build, root, "/usr/share/fonts/truetype/dejavu"];

function programs() {
    const units = path.join(build, "tests/unit");
    return readdirSync(units).flatMap((module) => {
        const folder = path.join(units, module);
        return statSync(folder).isDirectory()
            ? readdirSync(folder).filter((name) => /^test_.*\.js$/.test(name)).map((name) => path.join(folder, name))
            : [];
    }).filter((file) => names.length === 0 || names.includes(path.basename(file, ".js").slice("test_".length)));
}

const server = http.createServer((request, response) => {
    const wanted = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const page = { "/": "blank.html", "/unit.js": "unit.js" }[wanted];
    const file = page === undefined ? path.normalize(wanted.replace(/^\/machine/, "")) : path.join(here, "pages", page);
    const allowed = page !== undefined || ROOTS.some((folder) => file === folder || file.startsWith(`${folder}/`));
    if (!allowed || !existsSync(file)) {
        response.writeHead(404).end();
    } else if (statSync(file).isDirectory()) {
        response.writeHead(200, { "x-folder": "yes" }).end();
    } else {
        response.writeHead(200, { "content-type": file.endsWith(".html") ? "text/html" : "text/javascript" });
        createReadStream(file).pipe(response);
    }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await privateBrowser();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);

const run = (program) => page.evaluate(([program, folder, limit]) => new Promise((resolve) => {
    const thread = new Worker("/unit.js");
    const end = (result) => {
        thread.terminate();
        resolve(result);
    };
    thread.onmessage = ({ data }) => end(data);
    thread.onerror = (event) => end({ code: -1, said: event.message });
    setTimeout(() => end({ code: -1, said: "it does not end" }), limit);
    thread.postMessage({ program, folder });
}), [program, root, LIMIT_MS]);

const queue = programs();
const all = queue.length;
let [failed, checks] = [0, 0];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let program = queue.shift(); program !== undefined; program = queue.shift()) {
        const { code, said } = await run(program);
        const [, done] = /Checks: (\d+)/.exec(said) ?? [];
        checks += Number(done ?? 0);
        if (code !== 0 || done === undefined) {
            failed++;
            console.log(`${path.relative(build, program)}: ended with ${code}\n${said}`);
        }
    }
}));
await browser.close();
server.close();
console.log(`unit tests in Chromium: ${all} programs, ${checks} checks, ${failed} failed`);
process.exit(failed > 0 || all === 0 ? 1 : 0);
