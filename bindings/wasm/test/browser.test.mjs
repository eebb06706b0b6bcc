/*
 * The package in Debian's Chromium, against a real sidelined: what stays through reloads, crashes and kills,
 * tabs, missing OPFS; the native client beside it; the native picture.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { browser, killable, open, program, run, scratch, startSidelined, until } from "./helpers.mjs";
import { serve } from "./server.mjs";

const PASSWORD = "correct horse battery staple";
const WIDTH = 640;
const HEIGHT = 360;

let folder;
let pages;
let context;
let sidelined;

before(async () => {
    folder = scratch();
    pages = await serve([["/fonts/", "/usr/share/fonts/truetype/dejavu"], ["/scratch/", folder.folder]]);
    sidelined = await startSidelined(folder.folder);
    pages.told.api = sidelined.port;
    context = await browser(path.join(folder.folder, "profile"));
    await context.addInitScript(() => {
        window.video = (id, more = {}) => ({ op: "create", entity: "video", space: `video:${id}`, id, fields: {
            title: "Serve", blob: "ab".repeat(32), media_type: "video/mp4", size: 1, duration_us: 5e6,
            width: 640, height: 360, ...more } });
        /* Creates one record after the other; window.kept counts those that were said to be durable. */
        window.pour = async (core, newId) => {
            window.kept = 0;
            for (;;) {
                await core.apply([window.video(newId())]);
                window.kept++;
            }
        };
    });
});

after(async () => {
    await context?.close();
    await pages?.close();
    await sidelined?.stop();
    folder?.remove();
});

test("a page that is reloaded without closing finds everything, sealed or not", async () => {
    const page = await open(context, pages.url);
    for (const key of [undefined, 7]) {
        const dir = `reload-${key}`;
        const write = async ([dir, key]) => {
            const { openCore, newId } = window.sideline;
            const core = await openCore({ dir, ...(key && { key: new Uint8Array(32).fill(key) }) });
            for (let i = 0; i < 10; i++) {
                await core.apply([window.video(newId())]);
            }
            return core.storage;
        };
        assert.equal(await page.evaluate(write, [dir, key]), "opfs");
        await page.reload();
        await page.waitForFunction("window.ready");
        const read = await page.evaluate(async ([dir, key]) => {
            const { openCore } = window.sideline;
            let denied = null;
            if (key) {
                denied = await openCore({ dir }).catch((error) => error.code);
            }
            const core = await openCore({ dir, ...(key && { key: new Uint8Array(32).fill(key) }) });
            const n = await core.count({ from: "video" });
            await core.close();
            return { denied, n };
        }, [dir, key]);
        assert.deepEqual(read, { denied: key ? "DENIED" : null, n: 10 });
    }
    await page.close();
});

test("a thread that is ended in the middle of writing has lost nothing it said was kept", async () => {
    const page = await open(context, pages.url);
    const { kept, found } = await page.evaluate(async () => {
        const { openCore, newId } = window.sideline;
        let thread;
        const worker = () => (thread = new Worker("/dist/worker.js", { type: "module" }));
        const core = await openCore({ dir: "crash", worker });
        void window.pour(core, newId);
        while (window.kept < 20) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        thread.terminate();
        const kept = window.kept;
        const again = await openCore({ dir: "crash" });
        const found = await again.count({ from: "video" });
        await again.close();
        return { kept, found };
    });
    assert.ok(kept >= 20 && found >= kept && found <= kept + 1, `${kept} kept, ${found} found`);
    await page.close();
});

test("a browser that is killed has lost nothing it said was kept: OPFS and IndexedDB", async () => {
    const profile = path.join(folder.folder, "killed");
    const before = await killable(profile);
    const counts = {};
    for (const storage of ["opfs", "indexeddb"]) {
        const page = await open(before.context, pages.url);
        await page.evaluate(async (storage) => {
            const { openCore, newId } = window.sideline;
            const core = await openCore({ dir: `kill-${storage}`, storage });
            window.already = await core.count({ from: "video" });
            const video = (id) => ({ op: "create", entity: "video", space: `video:${id}`, id, fields: { title: "x",
                blob: "ab".repeat(32), media_type: "video/mp4", size: 1, duration_us: 5e6, width: 64, height: 36 } });
            window.kept = 0;
            (async () => {
                for (;;) {
                    await core.apply([video(newId())]);
                    window.kept++;
                }
            })();
        }, storage);
        await page.waitForFunction("window.kept >= 15");
        counts[storage] = await page.evaluate("window.already + window.kept");
    }
    await before.kill();
    const after = await killable(profile);
    for (const storage of ["opfs", "indexeddb"]) {
        const page = await open(after.context, pages.url);
        const found = await page.evaluate(async (storage) => {
            const core = await window.sideline.openCore({ dir: `kill-${storage}`, storage });
            const found = await core.count({ from: "video" });
            await core.close();
            return found;
        }, storage);
        assert.ok(found >= counts[storage], `${storage}: ${counts[storage]} kept, ${found} found`);
    }
    await after.kill();
});

test("two tabs work on one core, and the second takes over when the first is closed", async () => {
    const [first, second] = [await open(context, pages.url), await open(context, pages.url)];
    const space = await first.evaluate(async () => {
        const { openCore, newId } = window.sideline;
        window.core = await openCore({ dir: "tabs" });
        const id = newId();
        await window.core.apply([window.video(id)]);
        return `video:${id}`;
    });
    await second.evaluate(async (space) => {
        const core = (window.core = await window.sideline.openCore({ dir: "tabs" }));
        window.seen = [];
        (async () => {
            for await (const rows of core.live({ from: "video" })) {
                window.seen.push(rows.length);
            }
        })();
        window.doc = await core.doc(space);
        const canvas = document.getElementById("canvas").transferControlToOffscreen();
        window.view = await window.doc.view(canvas);
        window.changed = 0;
        window.doc.onchange = () => window.changed++;
    }, space);
    await second.waitForFunction("window.seen.at(-1) === 1");
    await first.evaluate(async (space) => {
        const doc = await window.core.doc(space);
        await doc.add({ kind: "arrow", points: [[1000, 1000], [9000, 9000]], style: { color: "#FF0000", width: 300 },
            in: 0, out: 1e6 });
        await window.core.apply([window.video(window.sideline.newId())]);
    }, space);
    await second.waitForFunction("window.seen.at(-1) === 2 && window.changed > 0");
    assert.ok(await second.evaluate("window.view.show(10).then((box) => box[2] > 0)"), "the other tab's arrow is seen");
    assert.equal(await second.evaluate(`window.sideline.openCore({ dir: "tabs", key: new Uint8Array(32) })
        .catch((error) => error.code)`), "DENIED");
    await first.close();
    const after = await second.evaluate(async () => {
        const { core, doc } = window;
        await core.count({ from: "video" }); /* a read waits for the one that takes over */
        await core.apply([window.video(window.sideline.newId())]);
        const { items } = await doc.drawing();
        return { n: await core.count({ from: "video" }), items: items.length };
    });
    assert.deepEqual(after, { n: 3, items: 1 });
    await second.waitForFunction("window.seen.at(-1) === 3");
    await second.evaluate("window.core.close()");
    await second.close();
});

test("without OPFS files are in IndexedDB, without that in memory, and the core says so", async () => {
    const page = await open(context, pages.url);
    const use = (worker) => page.evaluate(async (worker) => {
        const { openCore, newId } = window.sideline;
        const core = await openCore({ dir: "fallback", worker: () => new Worker(worker, { type: "module" }) });
        const before = await core.count({ from: "video" });
        await core.apply([window.video(newId())]);
        const { storage } = core;
        await core.close();
        return { storage, before };
    }, worker);
    assert.deepEqual(await use("/no-opfs.js"), { storage: "indexeddb", before: 0 });
    await page.reload();
    await page.waitForFunction("window.ready");
    assert.deepEqual(await use("/no-opfs.js"), { storage: "indexeddb", before: 1 });
    assert.deepEqual(await use("/no-opfs.js?memory"), { storage: "memory", before: 0 });
    await page.close();
});

test("a browser and the native client draw on one video and end up with the same", async () => {
    const cli = (...args) => run(program("sideline"), ["--data", path.join(folder.folder, "cli"), "--server",
        `http://127.0.0.1:${sidelined.port}`, ...args]);
    const page = await open(context, pages.url);
    const bytes = new Uint8Array(2_500_000).map((_, i) => (i * 7) >> 2);
    mkdirSync(path.join(folder.folder, "files"), { recursive: true });
    writeFileSync(path.join(folder.folder, "files/clip.mp4"), bytes);
    const made = await page.evaluate(async ([password, url]) => {
        const { openCore, newId } = window.sideline;
        const core = (window.core = await openCore({ dir: "converge" }));
        const account = { email: "coach@example.com", password, name: "Coach", role: "coach", birth_date: "1990-01-31" };
        const me = await core.account.signUp(account);
        await core.sync.start();
        const id = newId();
        const space = `video:${id}`;
        const file = await (await fetch(url)).blob();
        const stop = new AbortController();
        await core.blobs.put(space, file, { draft: "clip", signal: stop.signal, onProgress: () => stop.abort() })
            .catch(() => undefined);
        const told = [];
        const options = { draft: "clip", mediaType: "video/mp4", onProgress: ({ done }) => told.push(done) };
        const blob = await core.blobs.put(space, file, options);
        await core.apply([window.video(id, { blob, size: file.size })]);
        const doc = (window.doc = await core.doc(space));
        const stroke = doc.stroke({ kind: "pen", style: { color: "#00E5FF", width: 200, opacity: 1 }, in: 0, out: 1e6 });
        stroke.points([1000, 1000, 0.5, 0, 5000, 3000, 0.7, 16, 9000, 2000, 0.2, 33]);
        await stroke.end();
        await core.sync.settle();
        return { role: me.role, id, blob, first: told[0] };
    }, [PASSWORD, "/scratch/files/clip.mp4"]);
    assert.equal(made.role, "coach");
    assert.equal(made.blob, createHash("sha256").update(bytes).digest("hex"));
    assert.equal(made.first, 2 << 20, "the draft went on behind its first slice");
    await cli("login", "coach@example.com", "--password", PASSWORD);
    await cli("sync");
    const items = [{ kind: "arrow", points: [[2000, 2000], [9000, 9000]], in: 0, out: 2e6, style: { width: 300 } },
        { kind: "text", points: [[3000, 9000]], text: "Größe ½", in: 0, out: 2e6, style: { font_size: 1200 } }];
    const file = path.join(folder.folder, "items.json");
    writeFileSync(file, JSON.stringify(items));
    await cli("draw", made.id, file);
    await cli("sync");
    const ours = await page.evaluate(async () => {
        await window.doc.add({ kind: "rect", points: [[100, 100], [5000, 5000]], in: 0, out: 1e6, style: { width: 100 } });
        await window.core.sync.settle();
        return window.doc.drawing();
    });
    await cli("sync");
    const out = path.join(folder.folder, "drawing.json");
    await cli("drawing", made.id, out);
    assert.equal(ours.items.length, 4);
    assert.deepEqual(JSON.parse(readFileSync(out, "utf8")), ours);
    await page.evaluate("window.core.close()");
    await page.close();
});

test("a picture is the native one", async () => {
    const ppm = path.join(folder.folder, "frame.ppm");
    const head = Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`);
    const frame = Buffer.alloc(WIDTH * HEIGHT * 3);
    for (let i = 0; i < frame.length; i++) {
        frame[i] = (i * 5 + (i >> 9)) % 200;
    }
    writeFileSync(ppm, Buffer.concat([head, frame]));
    await run(program("draw"), [ppm, path.join(folder.folder, "native")]);
    /* What draw.c draws. */
    const source = readFileSync(new URL("../../../examples/draw.c", import.meta.url), "utf8");
    const list = /ITEMS\[\] = \{(.*?)\n\};/s.exec(source)[1];
    const items = list.split("}\",\n").map((part) => JSON.parse([...part.matchAll(/"((?:[^"\\]|\\.)*)"?/g)].map((m) => m[1])
        .join("").replaceAll("\\\"", "\"") + (part.trimEnd().endsWith("}\",") || part.trimEnd().endsWith("}\"") ? "" : "}")));
    assert.equal(items.length, 5);
    const page = await open(context, pages.url);
    const { lines, texts, inked } = await page.evaluate(async ({ items, width, height }) => {
        const core = await window.sideline.openCore({ dir: "golden", fonts: { "DejaVuSans-Bold": "/fonts/DejaVuSans-Bold.ttf" } });
        const over = new ImageData(width, height);
        for (let i = 0, o = 0; i < width * height * 3; i++, o += (o + 1) % 4 === 3 ? 2 : 1) {
            over.data[o] = (i * 5 + (i >> 9)) % 200;
        }
        for (let i = 3; i < over.data.length; i += 4) {
            over.data[i] = 255;
        }
        const drawn = async (some) => {
            const doc = await core.newDoc(width, height);
            for (const item of some) {
                await doc.add(item);
            }
            return (await doc.image(500000, width, height, over)).data;
        };
        const ours = await drawn(items);
        const without = await drawn(items.filter((item) => item.text === undefined));
        /* A value within four pixels of one that a text changes. */
        const lettered = new Uint8Array(ours.length);
        ours.forEach((v, i) => {
            if (v !== without[i]) {
                for (let y = -4; y <= 4; y++) {
                    lettered.fill(1, Math.max(0, i + (y * width - 5) * 4), Math.max(0, i + (y * width + 5) * 4));
                }
            }
        });
        const bitmap = await createImageBitmap(await (await fetch("/scratch/native.png")).blob());
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const native = context.getImageData(0, 0, width, height).data;
        const [lines, texts] = [0, 0].map(() => ({ worst: 0, differing: 0, values: 0 }));
        let inked = 0;
        ours.forEach((v, i) => {
            const d = Math.abs(v - native[i]);
            const part = lettered[i] ? texts : lines;
            part.worst = Math.max(part.worst, d);
            part.differing += d > 0 ? 1 : 0;
            part.values++;
            inked += !lettered[i] && v !== over.data[i] ? 1 : 0;
        });
        await core.close();
        return { lines, texts, inked };
    }, { items, width: WIDTH, height: HEIGHT });
    assert.ok(inked > 50000, `${inked} values are drawn by others than texts`);
    assert.ok(texts.values > 1000 && texts.values < 0.2 * WIDTH * HEIGHT * 4, `${texts.values} values near texts`);
    assert.deepEqual([lines.worst, lines.differing], [0, 0], "lines and areas are the native ones to the last bit");
    /* Natively Pango places letters, here Cairo does: their edges differ a little. */
    assert.ok(texts.worst <= 32 && texts.differing < 5000, JSON.stringify(texts));
    await page.close();
});

test("a microphone into a voice, and the voice out of a loudspeaker, in step", async () => {
    const page = await open(context, pages.url);
    const { duration, positions, took } = await page.evaluate(async () => {
        const core = await window.sideline.openCore({ dir: "voice" });
        const recorder = await core.recorder({ rate: 48000, channels: 1 });
        const audio = new AudioContext({ sampleRate: 48000 });
        await recorder.command("record");
        await recorder.listen(await navigator.mediaDevices.getUserMedia({ audio: true }), audio);
        while ((await recorder.look()).position < 500000) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const { blob } = await recorder.finish(`video:${window.sideline.newId()}`);
        recorder.close();
        const voice = await core.voice(blob);
        const positions = [];
        const began = performance.now();
        await voice.play(audio, (at) => positions.push(at));
        const took = performance.now() - began;
        const { duration } = voice;
        await core.close();
        return { duration, positions, took };
    });
    assert.ok(duration >= 500000);
    assert.ok(took * 1000 >= duration * 0.9, `${took} ms for ${duration} us`);
    assert.ok(positions.length > 3 && positions.every((at, i) => i === 0 || at >= positions[i - 1]), positions.join(" "));
    await page.close();
});
