/* Durable inserts, against the official SQLite on its OPFS pool. */
import { measured } from "./bench_browser.mjs";
import { open } from "./helpers.mjs";

const RECORDS = 10000;
const SINGLE = 300;
const BODY = "Elbow higher through the contact, weight onto the front foot. ".repeat(3);

function inserts(page, round) {
    return page.evaluate(async ([round, single, many, body]) => {
        const { openCore, newId } = window.sideline;
        const core = await openCore({ dir: `bench-${round}` });
        const id = newId();
        const space = `video:${id}`;
        await core.create("video", space, { title: "x", blob: "ab".repeat(32), media_type: "video/mp4", size: 1,
            duration_us: 1e9, width: 640, height: 360 }, id);
        const op = (i) => ({ op: "create", entity: "comment", space, fields: { body: `${i} ${body}`, at_us: i } });
        let began = performance.now();
        await Promise.all(Array.from({ length: single }, (_, i) => core.apply([op(i)])));
        const one = single / ((performance.now() - began) / 1000);
        began = performance.now();
        for (let i = 0; i < many; i += 1000) {
            await core.apply(Array.from({ length: 1000 }, (_, k) => op(i + k)));
        }
        const batch = many / ((performance.now() - began) / 1000);
        await core.close();
        const worker = new Worker("/sahpool.js", { type: "module" });
        const official = await new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = reject;
            worker.postMessage({ single, many, body, space });
        });
        worker.terminate();
        return { one, batch, official };
    }, [round, SINGLE, RECORDS, BODY]);
}

export async function benchInserts(profile, url, count, row) {
    const chrome = await measured(profile);
    const page = await open(chrome.context, url);
    const rounds = [];
    for (let i = 0; i < count; i++) {
        rounds.push(await inserts(page, i));
    }
    await chrome.close();
    const best = (pick) => Math.round(Math.max(...rounds.map(pick)));
    row("one record a batch, durable (outbox and index of it included)", best((r) => r.one), "batches/s");
    row("  sqlite-wasm opfs-sahpool, one row a transaction, as it comes", best((r) => r.official.delete.single), "tx/s");
    row("  the same with WAL and an exclusive lock", best((r) => r.official.wal.single), "tx/s");
    row("1,000 records a batch", best((r) => r.batch), "records/s");
    row("  opfs-sahpool, 1,000 rows a transaction, as it comes", best((r) => r.official.delete.many), "rows/s");
    row("  the same with WAL and an exclusive lock", best((r) => r.official.wal.many), "rows/s");
}
