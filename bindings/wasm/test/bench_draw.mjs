/* A pen over workload W: input to pixels, and one more point of a live line, the core's and CanvasKit's. */
import { measured, part, spent } from "./bench_browser.mjs";
import { open } from "./helpers.mjs";

const POINTS = 200;
const LINES = 30;
const MOVES = 15;

async function withInput(page) {
    await page.evaluate("window.listen()");
    for (let line = 0; line < LINES; line++) {
        const y = 60 + line * 20;
        await page.mouse.move(100, y);
        await page.mouse.down();
        for (let i = 1; i <= MOVES; i++) {
            await page.mouse.move(100 + i * 40, y + 30 * Math.sin(i));
        }
        await page.mouse.up();
    }
    await page.evaluate("window.view.show(10)");
    return page.evaluate("window.took");
}

async function points(chrome, page, rounds, call) {
    let best = null;
    for (let i = 0; i < rounds; i++) {
        const before = await chrome.cpu();
        const list = await page.evaluate(call);
        const cpu = spent(before, await chrome.cpu()) / POINTS;
        if (best === null || cpu < best.cpu) {
            best = { cpu, median: part(list, 0.5), p99: part(list, 0.99) };
        }
    }
    return best;
}

/** kit: CanvasKit is at /canvaskit/. */
export async function benchDraw(profile, url, rounds, row, kit) {
    const chrome = await measured(profile);
    const page = await open(chrome.context, `${url}/draw.html`);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.evaluate("window.prepare()");
    const took = await withInput(page);
    for (const [what, list] of [["pen down", took.down], ["pen moved", took.move]]) {
        row(`${what}, W below: from the event to pixels, ${list.length} times: median`, part(list, 0.5).toFixed(1), "ms");
        row("  p99", part(list, 0.99).toFixed(1), "ms");
    }
    const told = (what, { cpu, median, p99 }) => row(what, `${median.toFixed(2)}, p99 ${p99.toFixed(1)}, CPU ${cpu.toFixed(2)}`, "ms");
    told("one more point of a live line over W: in the core's thread and back, median",
        await points(chrome, page, rounds, `window.ours(${POINTS})`));
    if (kit) {
        await page.evaluate("window.prepareTheirs()");
        told("  CanvasKit on the CPU, clipped to what changed", await points(chrome, page, rounds, `window.theirs(${POINTS}, true)`));
        told("  the same, not clipped", await points(chrome, page, 1, `window.theirs(${POINTS}, false)`));
    }
    await chrome.close();
}
