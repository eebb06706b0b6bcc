/* The surface in Node: fast, on files in memory. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CoreError, MemoryDevice, newId, openCore } from "../dist/node.js";

const NOWHERE = "http://127.0.0.1:9";
const STYLE = { color: "#FF3B30", width: 300, opacity: 1 };

function video(id, more = {}) {
    const fields = { title: "Serve – côté", blob: "ab".repeat(32), media_type: "video/mp4", size: 1, duration_us: 5e6,
        width: 640, height: 480, ...more };
    return { op: "create", entity: "video", space: `video:${id}`, id, fields };
}

async function opened(more = {}) {
    return openCore({ dir: "me", server: NOWHERE, ...more });
}

async function refused(code, promise) {
    await assert.rejects(promise, (error) => error instanceof CoreError && error.code === code, code);
}

test("records are there after reopening, and absent ones are undefined", async () => {
    const device = new MemoryDevice();
    const id = newId();
    let core = await opened({ device });
    assert.deepEqual((await core.apply([video(id)])).ids, [id]);
    await core.close();
    core = await opened({ device });
    const kept = await core.get("video", id);
    assert.equal(kept.title, "Serve – côté");
    assert.equal(kept.pending, true);
    assert.equal(await core.get("video", newId()), undefined);
    assert.equal(await core.count({ from: "video" }), 1);
    await core.close();
});

test("a sealed folder opens with its key only, and holds nothing that can be read", async () => {
    const device = new MemoryDevice();
    const key = new Uint8Array(32).fill(7);
    let core = await opened({ device, key });
    await core.apply([video(newId(), { title: "canary-in-the-clear" })]);
    await core.close();
    const all = Buffer.alloc(device.size());
    device.read(all, 0);
    assert.equal(all.includes("canary-in-the-clear"), false);
    await refused("DENIED", opened({ device, key: new Uint8Array(32).fill(8) }));
    await refused("DENIED", opened({ device }));
    await refused("MISUSE", opened({ device, key: new Uint8Array(5) }));
    core = await opened({ device, key });
    assert.equal((await core.query({ from: "video", where: { title: { prefix: "canary" } } })).length, 1);
    await core.close();
});

test("errors say code, field and a sentence", async () => {
    const core = await opened();
    await assert.rejects(core.apply([{ op: "create", entity: "video", space: `video:${newId()}`, fields: {} }]),
        (error) => error.code === "INVALID" && error.field === "title" && /title/.test(error.message));
    await refused("NOT_FOUND", core.undo(`video:${newId()}`));
    await refused("NETWORK", core.account.signIn({ email: "a@example.com", password: "wrong" }));
    await refused("NOT_FOUND", core.blobs.get("ab".repeat(32)));
    await core.close();
    await refused("CLOSED", core.query({ from: "video" }));
});

test("a live query gives everything, then differences, and ends with its loop, its signal or the core", async () => {
    const core = await opened();
    const [first, second] = [newId(), newId()];
    const seen = [];
    for await (const rows of core.live({ from: "video", order: ["title"] })) {
        seen.push(rows.map((row) => row.title));
        if (seen.length === 1) {
            await core.apply([video(first, { title: "b" }), video(second, { title: "a" })]);
        } else if (seen.length === 2) {
            await core.patch("video", second, { title: "c" });
        } else {
            break;
        }
    }
    assert.deepEqual(seen, [[], ["a", "b"], ["b", "c"]]);
    const stop = new AbortController();
    const watch = core.watch({ from: "video" }, { signal: stop.signal });
    assert.equal((await watch.next()).value.upserts.length, 2);
    setImmediate(() => stop.abort());
    assert.equal((await watch.next()).done, true);
    const events = core.events();
    const last = core.watch({ from: "comment" });
    await last.next();
    const ends = Promise.all([events.next(), last.next()]);
    await core.close();
    assert.deepEqual((await ends).map((end) => end.done), [true, true]);
});

test("a slow reader gets one merged difference", async () => {
    const core = await opened();
    const watch = core.watch({ from: "video" });
    await watch.next();
    for (let i = 0; i < 20; i++) {
        await core.apply([video(newId())]);
    }
    assert.equal((await watch.next()).value.upserts.length, 20);
    await core.close();
});

test("an aborted call rejects with the signal's reason, and the core goes on", async () => {
    const never = () => new Promise(() => undefined);
    const core = await opened({ fetch: never });
    const stop = new AbortController();
    const login = core.account.signIn({ email: "a@example.com", password: "x" }, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(login, /enough/);
    await assert.rejects(core.blobs.put("video:x", new Blob([new Uint8Array(1e5)]), { signal: stop.signal }), /enough/);
    assert.equal(await core.count({ from: "video" }), 0);
    await core.close();
});

test("a file is stored by slices, and a draft goes on after reopening", async () => {
    const device = new MemoryDevice();
    const bytes = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 3);
    const name = createHash("sha256").update(bytes).digest("hex");
    let read = 0;
    const file = new Blob([bytes]);
    const counted = { size: file.size, type: "video/mp4", slice: (a, b) => ((read += b - a), file.slice(a, b)) };
    let core = await opened({ device });
    const stop = new AbortController();
    const space = `video:${newId()}`;
    const onProgress = ({ done }) => done > 1_500_000 && stop.abort();
    await assert.rejects(core.blobs.put(space, counted, { draft: "a", signal: stop.signal, onProgress }));
    await core.close();
    const before = read;
    core = await opened({ device });
    const told = [];
    assert.equal(await core.blobs.put(space, counted, { draft: "a", onProgress: (p) => told.push(p.done) }), name);
    assert.ok(read - before < 1_100_000, `${read - before} bytes were read again`);
    assert.equal(told.at(-1), bytes.length);
    assert.deepEqual(await core.blobs.get(name), bytes);
    assert.equal(await core.blobs.put(space, bytes), name);
    await core.close();
});

test("drawings: a stroke, what it hits, its picture, undo", async () => {
    const core = await opened();
    const id = newId();
    const space = `video:${id}`;
    await core.apply([video(id)]);
    const doc = await core.doc(space);
    let changes = 0;
    doc.onchange = () => changes++;
    const stroke = doc.stroke({ kind: "pen", style: STYLE, in: 0, out: 1e6 });
    stroke.points([4000, 4000, 0.5, 0, 9000, 6000, 0.8, 10]);
    stroke.points(new Float32Array([15000, 9000, 0.5, 20]));
    const item = await stroke.end();
    assert.equal(await doc.hit(9000, 6000, 500, 1), item);
    assert.equal(await doc.hit(30000, 20000, 500, 1), null);
    const view = await doc.view({ width: 320, height: 240 });
    const pixels = await doc.pixels(1, 320, 240);
    assert.ok(pixels.filter((v, i) => i % 4 === 3 && v > 0).length > 100);
    assert.deepEqual([...(await doc.png(1, 32, 24)).slice(1, 4)], [0x50, 0x4e, 0x47]);
    view.close();
    const other = await core.newDoc(64, 48);
    const orphan = await other.view({ width: 64, height: 48 });
    other.close();
    await refused("CLOSED", orphan.take(1));
    await core.undo(space);
    assert.equal((await doc.drawing()).items.length, 0);
    await core.redo(space);
    assert.equal((await doc.drawing()).items.length, 1);
    assert.ok(changes >= 3);
    doc.close();
    await refused("CLOSED", doc.drawing());
    await core.close();
});

test("a live stroke goes on while others change the drawing", async () => {
    const core = await opened();
    const id = newId();
    await core.apply([video(id)]);
    const [doc, other] = [await core.doc(`video:${id}`), await core.doc(`video:${id}`)];
    const stroke = doc.stroke({ kind: "pen", style: STYLE, in: 0, out: 1e6 });
    stroke.points([4000, 4000, 0.5, 0, 9000, 6000, 0.8, 10]);
    await stroke.predict(0);
    const line = await other.add({ kind: "line", points: [[0, 0], [9000, 9000]], style: STYLE, in: 0, out: 1e6 });
    stroke.points([15000, 9000, 0.5, 20]);
    const item = await stroke.end();
    assert.deepEqual((await other.drawing()).items.map((one) => one.id).sort(), [item, line].sort());
    assert.deepEqual((await doc.drawing()).items.find((one) => one.id === item).points.at(-1), [15000, 9000]);
    await core.close();
});

test("a full disk is told, and what was there stays", async () => {
    class Small extends MemoryDevice {
        full = false;
        write(bytes, at) {
            if (this.full && at + bytes.length > this.size()) {
                throw new DOMException("no room", "QuotaExceededError");
            }
            super.write(bytes, at);
        }
    }
    const device = new Small();
    let core = await opened({ device });
    const id = newId();
    await core.apply([video(id)]);
    device.full = true;
    await refused("FULL", core.blobs.put(`video:${id}`, new Uint8Array(5e6)));
    device.full = false;
    await core.blobs.put(`video:${id}`, new Uint8Array(5e6));
    await core.close();
    core = await opened({ device });
    assert.equal((await core.get("video", id)).title, "Serve – côté");
    await core.close();
});

test("what is forgotten is closed by the collector, with a warning", async (t) => {
    const warned = t.mock.method(console, "warn", () => undefined);
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc");
    const core = await opened();
    await (async () => void (await core.newDoc(64, 48)))();
    for (let i = 0; i < 100 && warned.mock.callCount() === 0; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
    }
    assert.match(warned.mock.calls[0].arguments[0], /document was never closed/);
    await core.close();
});

test("a voice is recorded, stored, and read back", async () => {
    const core = await opened();
    const recorder = await core.recorder({ rate: 48000, channels: 1 });
    await recorder.command("record");
    for (let block = 0; block < 50; block++) {
        recorder.write(new Float32Array(960).map((_, i) => 0.3 * Math.sin((block * 960 + i) * 0.05)));
    }
    assert.equal((await recorder.look()).state, "recording");
    const said = await recorder.finish(`video:${newId()}`);
    assert.equal(said.duration_us, 1e6);
    recorder.close();
    const voice = await core.voice(said.blob);
    assert.equal(voice.duration, 1e6);
    await voice.seek(500000);
    const { pcm, position } = await voice.read(48000);
    assert.equal(pcm.length, 24000);
    assert.equal(position, 1e6);
    await core.close(); /* and whatever is still open with it */
});

test("a voice with a note that nobody finished is offered, until it is removed", async () => {
    const core = await opened();
    const begin = async () => {
        const recorder = await core.recorder({ rate: 48000, channels: 1, note: "of the third throw" });
        await recorder.command("record");
        recorder.write(new Float32Array(48000).map((_, i) => 0.3 * Math.sin(i * 0.05)));
        await recorder.look();
        return recorder;
    };
    await (await begin()).discard();
    assert.deepEqual(await core.info("recordings"), []);
    (await begin()).close();
    const [left] = await core.info("recordings");
    assert.equal(left.note, "of the third throw");
    assert.equal(left.duration_us, 1e6);
    const voice = await core.voice(await core.recording(left.path));
    assert.equal(voice.duration, 1e6);
    await core.removeRecording(left.path);
    await refused("NOT_FOUND", core.removeRecording(left.path));
    assert.deepEqual(await core.info("recordings"), []);
    await core.close();
});

test("a review's timeline", async () => {
    const core = await opened();
    const timeline = await core.timeline(10e6);
    await timeline.add({ t: 0, do: "play" });
    await timeline.add({ t: 2e6, do: "pause" });
    await timeline.end(3e6);
    const again = await core.timeline(await timeline.encode());
    assert.equal((await again.state(1e6)).position, 1e6);
    assert.equal((await again.state(2.5e6)).playing, false);
    await refused("INVALID", timeline.add({ t: 1, do: "play" }));
    await core.close();
});

test("ids are version 7 and in order", () => {
    const ids = Array.from({ length: 5000 }, newId);
    assert.match(ids[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual([...ids].sort(), ids);
});
