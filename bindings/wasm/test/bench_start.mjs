/* From nothing loaded to the first answers on a store of 10,000 records. */
import { measured, part, spent } from "./bench_browser.mjs";
import { open } from "./helpers.mjs";

const RECORDS = 10000;
const BODY = "Elbow higher through the contact, weight onto the front foot. ".repeat(3);

async function fill(page) {
    return page.evaluate(async ([records, body]) => {
        const { openCore, newId } = window.sideline;
        const core = await openCore({ dir: "start" });
        const id = newId();
        const space = `video:${id}`;
        await core.create("video", space, { title: "x", blob: "ab".repeat(32), media_type: "video/mp4", size: 1,
            duration_us: 1e9, width: 640, height: 360 }, id);
        for (let i = 0; i < records; i += 1000) {
            await core.apply(Array.from({ length: 1000 }, (_, k) => (
                { op: "create", entity: "comment", space, fields: { body: `${i + k} ${body}`, at_us: i + k } })));
        }
        await core.close();
        return space;
    }, [RECORDS, BODY]);
}

async function start(chrome, url, query) {
    const page = await chrome.context.newPage();
    await page.goto(`${url}/blank.html`);
    const before = await chrome.cpu();
    const took = await page.evaluate(async (query) => {
        const began = performance.now();
        const { openCore } = await import("/dist/index.js");
        const core = (window.core = await openCore({ dir: "start" }));
        const opened = performance.now() - began;
        const rows = await core.query(query);
        const answered = performance.now() - began;
        if (rows.length !== 50) {
            throw new Error("the records are not there");
        }
        return { opened, answered };
    }, query);
    const cpu = spent(before, await chrome.cpu());
    await page.evaluate("window.core.close()");
    await page.close();
    return { ...took, cpu };
}

export async function benchStart(profile, url, rounds, row) {
    const chrome = await measured(profile);
    const page = await open(chrome.context, url);
    const space = await fill(page);
    await page.close();
    const queries = [
        ["50 of a video in their order", { from: "comment", where: { space }, order: ["at_us"], limit: 50 }],
        ["the last 50 of all, sorted anew", { from: "comment", order: ["-at_us"], limit: 50 }],
    ];
    for (const [what, query] of queries) {
        const took = [];
        for (let i = 0; i < rounds; i++) {
            took.push(await start(chrome, url, query));
        }
        const best = (key) => Math.round(Math.min(...took.map((t) => t[key])));
        const median = (key) => Math.round(part(took.map((t) => t[key]), 0.5));
        row("cold start with 10,000 records: the core is open", `${best("opened")}, median ${median("opened")}`, "ms");
        row(`  first answer: ${what}`, `${best("answered")}, median ${median("answered")}`, "ms");
        row("  CPU time of the page's process until then, all threads", `${best("cpu")}, median ${median("cpu")}`, "ms");
    }
    await chrome.close();
}
