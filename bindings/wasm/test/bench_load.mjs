/*
 * The app's first visit over loopback, from a new profile, the page's processor slowed down: when something is seen,
 * when one can sign in, and when the page is idle, which is after the last task of 50 ms or more that 5 s of quiet
 * follow ("time to interactive", as Lighthouse defined it). The page is asked by bare expressions: what Playwright
 * evaluates with brings 330 KB of its own, a long task of the page.
 */
import { setTimeout } from "node:timers/promises";
import { measured, part } from "./bench_browser.mjs";

const SLOWER = 4;
const QUIET_MS = 5000;
const ASK_MS = 500;

async function visit(chrome, url) {
    const page = await chrome.context.newPage();
    const session = await chrome.context.newCDPSession(page);
    await session.send("Network.setBypassServiceWorker", { bypass: true });
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await page.addInitScript(() => {
        window.tasks = [];
        new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.startTime + e.duration)))
            .observe({ type: "longtask", buffered: true });
        new MutationObserver((_, observer) => {
            if (document.querySelector("form input[type=password]") !== null) {
                window.form = performance.now();
                observer.disconnect();
            }
        }).observe(document, { childList: true, subtree: true });
    });
    const ask = async (expression) => (await session.send("Runtime.evaluate", { expression, returnByValue: true })).result.value;
    await page.goto(url);
    while (!await ask(`performance.now() - Math.max(window.form, ...window.tasks) > ${QUIET_MS}`)) {
        await setTimeout(ASK_MS);
    }
    const seen = await ask(`(() => {
        const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
        return { painted, form: window.form, interactive: Math.max(painted, window.form, ...window.tasks) };
    })()`);
    await page.close();
    return seen;
}

/** `profile(i)`: a new folder for each visit. */
export async function benchLoad(profile, url, rounds, row) {
    const seen = [];
    for (let i = 0; i < rounds; i++) {
        const chrome = await measured(profile(i));
        seen.push(await visit(chrome, url));
        await chrome.close();
    }
    const told = (key) => `${Math.round(Math.min(...seen.map((s) => s[key])))}, median ${Math.round(part(seen.map((s) => s[key]), 0.5))}`;
    row("the app's first visit, its processor 4 times slower: something is seen", told("painted"), "ms");
    row("  one can sign in", told("form"), "ms");
    row("  interactive", told("interactive"), "ms");
}
