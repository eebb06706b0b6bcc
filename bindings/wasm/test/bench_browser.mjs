/* A browser for the benchmarks, and what its processes spend. */
import { killable } from "./helpers.mjs";

/** { context, cpu(), close() }; cpu(): seconds of CPU time by the number of each process that draws a page. */
export async function measured(profile) {
    const chrome = await killable(profile);
    const session = await chrome.context.browser().newBrowserCDPSession();
    return {
        context: chrome.context,
        async cpu() {
            const { processInfo } = await session.send("SystemInfo.getProcessInfo");
            return new Map(processInfo.filter(({ type }) => type === "renderer").map(({ id, cpuTime }) => [id, cpuTime]));
        },
        close: () => chrome.kill(),
    };
}

/** What the page's process spent between two answers of cpu(), in ms: that of the one that spent most. */
export function spent(before, after) {
    return 1000 * Math.max(...[...after].map(([id, seconds]) => seconds - (before.get(id) ?? 0)));
}

export function part(values, share) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
