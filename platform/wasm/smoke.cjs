/*
 * smoke.cjs <build folder>: loads sideline.js under Node and uses the library as a web page would:
 * a core without threads, on files in memory, with JavaScript for a network. Exit code 0 when all of
 * it worked.
 */
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');

const STEPPED = 1;
const E_NETWORK = -13;
const RECORD = 1;
const PTR = 4;
const KEY_LEN = 32;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf';

/* Calls with an sl_error** last: throws with the error's own sentence. */
function makeCaller(m) {
    return function call(name, ...args) {
        const slot = m._malloc(PTR);
        m.HEAP32[slot >> 2] = 0;
        const status = m['_' + name](...args, slot);
        const error = m.HEAPU32[slot >> 2];
        m._free(slot);
        if (status !== 0) {
            const said = error ? m.UTF8ToString(m._sl_error_message(error)) : '';
            m._sl_error_release(error);
            throw new Error(`${name}: ${status} ${said}`);
        }
    };
}

/* A NUL-terminated copy; its length in bytes; free it with _free. */
function text(m, s) {
    const n = m.lengthBytesUTF8(s);
    const p = m._malloc(n + 1);
    m.stringToUTF8(s, p, n + 1);
    return [p, n];
}

/* Takes what an sl_bytes** holds: its text, or null; released. */
function takeBytes(m, slot) {
    const bytes = m.HEAPU32[slot >> 2];
    if (bytes === 0) {
        return null;
    }
    const at = m._sl_bytes_data(bytes);
    const copy = Buffer.from(m.HEAPU8.slice(at, at + m._sl_bytes_len(bytes)));
    m._sl_bytes_release(bytes);
    m.HEAP32[slot >> 2] = 0;
    return copy.toString('utf8');
}

/*
 * The built-in platform, whose clock, random numbers and files work here, with a network made of
 * JavaScript functions in place of the missing one. Every request is answered by `onRequest`.
 */
function makePlatform(m, onRequest) {
    const words = 11;
    const platform = m._malloc(words * PTR);
    m.HEAPU32.fill(0, platform >> 2, (platform >> 2) + words);
    m.HEAPU32[platform >> 2] = words * PTR;
    assert.strictEqual(m._sl_platform_builtin(platform), 0);
    assert.strictEqual(m.HEAPU32[(platform >> 2) + 6], 0, 'no network is built in');
    const http = m._malloc(4 * PTR);
    const start = m.addFunction((user, req, request) => {
        const at = request >> 2;
        onRequest(req, {
            method: m.UTF8ToString(m.HEAPU32[at + 2]),
            url: m.UTF8ToString(m.HEAPU32[at + 3]),
        });
        return 0;
    }, 'iiji');
    const cancel = m.addFunction(() => {}, 'vij');
    m.HEAPU32.set([4 * PTR, 0, start, cancel], http >> 2);
    m.HEAPU32[(platform >> 2) + 6] = http;
    return { platform, free: () => [http, platform].forEach((p) => m._free(p)) };
}

function makeCore(m, call, platform) {
    const [dir] = text(m, '/data');
    const [server] = text(m, 'http://sideline.invalid');
    const key = m._malloc(KEY_LEN);
    m.HEAPU8.fill(7, key, key + KEY_LEN);
    const config = [6 * PTR, STEPPED, dir, server, platform, key];
    const at = m._malloc(6 * PTR);
    m.HEAPU32.set(config, at >> 2);
    const slot = m._malloc(PTR);
    call('sl_core_open', at, slot);
    const core = m.HEAPU32[slot >> 2];
    [dir, server, key, at, slot].forEach((p) => m._free(p));
    return core;
}

/* All events there are now. */
function poll(m, call, core) {
    const slot = m._malloc(PTR);
    const events = [];
    for (;;) {
        call('sl_core_poll', core, 65536, slot);
        const json = takeBytes(m, slot);
        if (json === null) {
            break;
        }
        events.push(...JSON.parse(json));
    }
    m._free(slot);
    return events;
}

function withJson(m, call, name, core, json, ...more) {
    const [p, n] = text(m, JSON.stringify(json));
    const slot = m._malloc(8);
    m.HEAP32.fill(0, slot >> 2, (slot >> 2) + 2);
    try {
        call(name, core, p, n, ...more, slot);
        return { slot, value: m.HEAPU32[slot >> 2], done: () => m._free(slot) };
    } finally {
        m._free(p);
    }
}

function apply(m, call, core, ops) {
    const r = withJson(m, call, 'sl_apply', core, ops);
    const answer = JSON.parse(takeBytes(m, r.slot));
    r.done();
    return answer;
}

function get(m, call, core, entity, id) {
    const [e] = text(m, entity);
    const [i] = text(m, id);
    const slot = m._malloc(PTR);
    call('sl_record_get', core, e, i, slot);
    const record = JSON.parse(takeBytes(m, slot));
    [e, i, slot].forEach((p) => m._free(p));
    return record;
}

function video(id) {
    return {
        op: 'create', entity: 'video', space: `video:${id}`, id,
        fields: {
            title: 'Serve, side view – côté', blob: 'ab'.repeat(32), media_type: 'video/mp4',
            size: 1234, duration_us: 10000000, width: 720, height: 576,
        },
    };
}

/* Draws on the video of `space` and returns how many pixels have ink, and the size of their PNG. */
function draw(m, call, core, space) {
    const [name] = text(m, space);
    const slot = m._malloc(PTR);
    call('sl_doc_open', core, name, slot);
    const doc = m.HEAPU32[slot >> 2];
    const style = { color: '#FFCC00', width: 300, opacity: 1, font_size: 2500 };
    const items = [
        { kind: 'arrow', points: [[2000, 2000], [20000, 15000]], style, in: 0, out: 5000000 },
        { kind: 'text', points: [[3000, 20000]], text: 'Größe ½ ✓', style, in: 0, out: 5000000 },
    ];
    for (const item of items) {
        const r = withJson(m, call, 'sl_doc_add', doc, item);
        assert.match(takeBytes(m, r.slot), UUID);
        r.done();
    }
    const [width, height] = [360, 288];
    const data = m._malloc(width * height * 4);
    m.HEAPU8.fill(0, data, data + width * height * 4);
    const pixels = m._malloc(5 * PTR);
    m.HEAPU32.set([5 * PTR, width, height, width * 4, data], pixels >> 2);
    call('sl_render_draw', doc, 1000000n, pixels);
    const ink = m.HEAPU32.subarray(data >> 2, (data >> 2) + width * height);
    const inked = ink.reduce((n, v) => n + (v === 0 ? 0 : 1), 0);
    call('sl_render_png', pixels, slot);
    const png = m._sl_bytes_len(m.HEAPU32[slot >> 2]);
    m._sl_bytes_release(m.HEAPU32[slot >> 2]);
    m._sl_doc_close(doc);
    [name, slot, data, pixels].forEach((p) => m._free(p));
    return { inked, png };
}

/* One second of a tone through the recorder: what it says of the finished voice. */
function recordVoice(m, call, core, space) {
    const r = withJson(m, call, 'sl_recorder_new', core, { rate: 48000, channels: 1 });
    const recorder = r.value;
    r.done();
    call('sl_recorder_command', recorder, RECORD);
    const frames = 480;
    const pcm = m._malloc(frames * 4);
    for (let block = 0; block < 100; block++) {
        for (let i = 0; i < frames; i++) {
            m.HEAPF32[(pcm >> 2) + i] = 0.3 * Math.sin((block * frames + i) * 0.05);
        }
        assert.strictEqual(m._sl_recorder_write(recorder, pcm, frames, 0), 0);
        m._sl_core_step(core);
    }
    const [name] = text(m, space);
    const slot = m._malloc(PTR);
    call('sl_recorder_finish', recorder, name, 1, slot);
    const said = JSON.parse(takeBytes(m, slot));
    m._sl_recorder_free(recorder);
    [pcm, name, slot].forEach((p) => m._free(p));
    return said;
}

async function main() {
    const build = path.resolve(process.argv[2]);
    const create = require(path.join(build, 'sideline.js'));
    const m = await create({ wasmBinary: fs.readFileSync(path.join(build, 'sideline.wasm')) });
    const call = makeCaller(m);
    const version = m.UTF8ToString(m._sl_version());
    assert.match(version, /^\d+\.\d+\.\d+/);

    const requests = [];
    let core = 0;
    const host = makePlatform(m, (req, request) => requests.push({ req, ...request }));

    /* One batch, read back, and again after the core was closed and reopened. */
    const id = '018f0000-0000-7000-8000-000000000001';
    core = makeCore(m, call, host.platform);
    assert.deepStrictEqual(apply(m, call, core, [video(id)]).ids, [id]);
    assert.strictEqual(get(m, call, core, 'video', id).title, 'Serve, side view – côté');
    m._sl_core_close(core);
    core = makeCore(m, call, host.platform);
    const kept = get(m, call, core, 'video', id);
    assert.strictEqual(kept.width, 720);
    assert.strictEqual(kept.pending, true);

    /* Drawings, with a font the page brought, and a voice. */
    m.FS.mkdir('/fonts');
    m.FS.writeFile('/fonts/DejaVuSans-Bold.ttf', fs.readFileSync(FONT));
    const drawn = draw(m, call, core, `video:${id}`);
    assert.ok(drawn.inked > 1000 && drawn.png > 1000, JSON.stringify(drawn));
    const voice = recordVoice(m, call, core, `video:${id}`);
    assert.match(voice.blob, /^[0-9a-f]{64}$/);
    assert.strictEqual(voice.duration_us, 1000000);
    assert.strictEqual(voice.dropped, 0);

    /* A call that waits for the network: asked of JavaScript, answered by it, ended by one event. */
    const login = withJson(m, call, 'sl_session_login', core,
        { email: 'coach@example.com', password: 'correct horse battery' });
    const op = m.HEAPU32[login.slot >> 2];
    login.done();
    m._sl_core_step(core);
    assert.ok(requests.length > 0, 'the core asked the host for a request');
    assert.match(requests[0].url, /^http:\/\/sideline\.invalid\//);
    requests.splice(0).forEach((r) => m._sl_host_http_done(core, r.req, E_NETWORK));
    m._sl_core_step(core);
    const ends = poll(m, call, core).filter((e) => e.ev === 'op' && e.op === op);
    assert.strictEqual(ends.length, 1);
    assert.strictEqual(ends[0].code, E_NETWORK);

    m._sl_core_close(core);
    host.free();
    assert.strictEqual(Number(m._sl_debug_live_objects()), 0, 'everything given was released');
    const heap = (m.HEAPU8.length / 1048576).toFixed(0);
    console.log(`wasm: sideline ${version} in Node: a batch kept and read back, drawings, ` +
        `a voice, a request made by JavaScript; heap ${heap} MB`);
}

/* Node may wait for ever for compilers that have nothing left to do: it is told to end. */
main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
