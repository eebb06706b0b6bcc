/*
 * The app's first visit over loopback, from a new profile, the page's processor slowed down: when something is seen,
 * when one can sign in, and when the page is idle, which is after the last task of 50 ms or more that 5 s of quiet
 * follow ("time to interactive", as Lighthouse defined it).
 */
import { measured, part } from "./bench_browser.mjs";

const SLOWER = 4;
const QUIET_MS = 5000;

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
    await page.goto(url);
    await page.waitForFunction("window.form !== undefined");
    await page.waitForFunction((quiet) => performance.now() - Math.max(window.form, ...window.tasks) > quiet, QUIET_MS);
    const seen = await page.evaluate(() => {
        const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
        return { painted, form: window.form, interactive: Math.max(painted, window.form, ...window.tasks),
            bytes: performance.getEntriesByType("resource").reduce((n, e) => n + e.transferSize, 0) };
    });
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
