// kill -9 of the server under load, again and again. Two people who are connected write favourites into their own spaces
// and messages to each other, live and by requests, and upload clips. What was acknowledged is there, once, under its
// number, for whoever may read it; own spaces have no hole; an offset that was told does not go back; a clip that is
// complete is what was sent.
//
//   node kill.mjs SIDELINED CYCLES [SEED]
import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { sleep } from "./report.mjs";

const [sidelined, cycles = "20", seed = String(Date.now() % 1000000)] = process.argv.slice(2);
const DEVICES = 2; // of each, live
const OUTSTANDING = 8;
const CHUNK = 96 * 1024;
const work = mkdtempSync(join(tmpdir(), "sideline-kill-"));
const password = "a long enough password";
let state = BigInt(seed) * 2654435761n + 1n;
let server;
let base;

// xorshift: which moment is hit repeats with the seed, as far as the machine lets it.
function random(n) {
  state ^= (state << 13n) & 0xffffffffffffffffn;
  state ^= state >> 7n;
  state ^= (state << 17n) & 0xffffffffffffffffn;
  return Number(state % BigInt(n));
}

async function start() {
  const portFile = join(work, "port");
  rmSync(portFile, { force: true });
  server = spawn(sidelined, ["--data", join(work, "data"), "--port", "0", "--port-file", portFile, "--no-media",
    "--no-limits", "--mfa", "optional"], { stdio: ["ignore", "ignore", "inherit"] });
  server.ended = new Promise((done) => server.once("exit", done));
  for (let i = 0; i < 2000 && !existsSync(portFile); i++) await sleep(5);
  base = `http://127.0.0.1:${readFileSync(portFile, "utf8").trim()}`;
}

async function post(path, body, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

const hlc = (n) => (BigInt(Date.now()) << 16n | BigInt(n & 0xffff)).toString(16).padStart(16, "0") + "00000001";
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

// ---- who ----

const people = [];
const acknowledged = []; // { id, space, seq }
let thread;

// waiting: operations without a receipt, by number.
async function device(person, first) {
  const id = randomUUID();
  const more = { email: person.email, password, device: id };
  const json = first ? await post("/api/v1/auth/signup", { ...more, name: "A", role: person.role, birth_date: "1990-01-31" })
    : await post("/api/v1/auth/login", more);
  person.user = json.user.id;
  person.own = `user:${person.user}`;
  return { person, device: id, token: json.access_token, n: 0, waiting: new Map() };
}

async function signIn() {
  for (const [email, role] of [["cleo@example.org", "coach"], ["anna@example.org", "athlete"]]) {
    const person = { email, role, clip: null, clips: [] };
    person.by = await device(person, true); // by requests
    person.live = [];
    for (let i = 0; i < DEVICES; i++) person.live.push(await device(person, false));
    people.push(person);
  }
  const [coach, athlete] = people;
  const connection = randomUUID();
  make(coach.by, "connection", coach.own, { peer_email: athlete.email }, connection);
  await pushNow(coach.by);
  make(athlete.by, "connection", athlete.own, { status: "accepted" }, connection, "patch");
  await pushNow(athlete.by);
  const page = await post("/api/v1/sync/pull", { space: coach.own }, coach.by.token);
  thread = `thread:${page.records.find((r) => r.entity === "connection").fields.thread_id}`;
}

// ---- operations ----

function make(d, entity, space, fields, id = randomUUID(), kind = "create") {
  const op = { n: ++d.n, op: kind, entity, space, id, fields, hlc: hlc(d.n) };
  d.waiting.set(op.n, op);
  return op;
}

const anything = (d) => random(2) === 0
  ? make(d, "message", thread, { kind: "text", body: `number ${d.n + 1}` })
  : make(d, "favourite", d.person.own, { kind: "coach", target_space: "coach:x", target_id: d.person.user });

function take(d, receipts) {
  for (const r of receipts) {
    const op = d.waiting.get(r.n);
    if (r.result !== "applied") throw new Error(`refused: ${JSON.stringify(r)} ${JSON.stringify(op)}`);
    if (op !== undefined && op.entity !== "connection") acknowledged.push({ id: op.id, space: op.space, seq: r.seq });
    d.waiting.delete(r.n);
  }
}

async function pushNow(d) {
  const ops = [...d.waiting.values()];
  const { receipts } = await post("/api/v1/sync/push", { ops }, d.token);
  if (receipts.length !== ops.length) throw new Error(`${ops.length} operations, ${receipts.length} receipts`);
  take(d, receipts);
}

// Runs one device on a new connection until it is cut.
function talk(d) {
  const socket = new WebSocket(`${base.replace("http", "ws")}/api/v1/ws`, "sideline.v1.json");
  const push = (op) => socket.send(JSON.stringify({ t: "push", ops: [op] }));
  const more = () => {
    while (d.waiting.size < OUTSTANDING && socket.readyState === WebSocket.OPEN) push(anything(d));
  };
  socket.on("error", () => {});
  socket.on("open", () => socket.send(JSON.stringify({ t: "connect", v: 1, token: d.token, device: d.device, floor: 1 })));
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.t === "connected") for (const op of d.waiting.values()) push(op); // what has no receipt is sent again
    if (frame.t === "error") throw new Error(JSON.stringify(frame));
    if (frame.t === "receipt" || frame.t === "receipts") take(d, frame.receipts ?? [frame]);
    more();
  });
  return new Promise((done) => socket.once("close", done));
}

// The same by requests: a push that was cut is sent again, whole, under its numbers.
async function request(person) {
  for (;;) {
    while (person.by.waiting.size < 3) anything(person.by);
    await pushNow(person.by);
  }
}

// ---- clips ----

const tus = (person, method, where, headers, body) => fetch(base + where, { method, body,
  headers: { authorization: `Bearer ${person.by.token}`, "tus-resumable": "1.0.0", ...headers } });

async function uploadSome(person) {
  const clip = person.clip ??= { id: randomUUID(), bytes: randomBytes(3 * CHUNK + random(CHUNK)), place: null, told: 0 };
  if (clip.place === null) {
    const values = { sha256: hash(clip.bytes), space: `video:${clip.id}`, type: "video/mp4" };
    const made = await tus(person, "POST", "/api/v1/uploads", { "upload-length": String(clip.bytes.length),
      "upload-metadata": Object.entries(values).map(([k, v]) => `${k} ${Buffer.from(v).toString("base64")}`).join(",") });
    if (made.status !== 201) throw new Error(`an upload: ${made.status}`);
    clip.place = made.headers.get("location");
  }
  const head = await tus(person, "HEAD", clip.place, {});
  const at = Number(head.headers.get("upload-offset"));
  if (head.status !== 200 || at < clip.told) throw new Error(`an offset went back: ${clip.told}, now ${head.status} ${at}`);
  if (at < clip.bytes.length) {
    const patched = await tus(person, "PATCH", clip.place, { "upload-offset": String(at),
      "content-type": "application/offset+octet-stream" }, clip.bytes.subarray(at, at + CHUNK));
    if (patched.status !== 204) throw new Error(`a part: ${patched.status}`);
    clip.told = Number(patched.headers.get("upload-offset"));
  } else {
    clip.told = at;
  }
  if (clip.told === clip.bytes.length) {
    person.clips.push({ id: clip.id, sha256: hash(clip.bytes), size: clip.bytes.length, seen: false });
    make(person.by, "video", `video:${clip.id}`, { title: "x", blob: hash(clip.bytes), media_type: "video/mp4",
      size: clip.bytes.length, duration_us: 1, width: 2, height: 2 }, clip.id);
    person.clip = null;
  }
}

async function upload(person) {
  for (;;) await uploadSome(person);
}

// A loop of requests ends with the server; what the server has said wrong ends all.
const untilCut = (loop) => loop.catch((error) => {
  if (!(error instanceof TypeError) && error.name !== "SyntaxError") throw error; // fetch failed, an answer cut off
});

// ---- what is there ----

const spaces = new Map(); // by name: { held: id to number, cursor, epoch }

// Reads what is new of a space.
async function read(space, token, dense) {
  const s = spaces.get(space) ?? { held: new Map(), cursor: 0, epoch: "" };
  spaces.set(space, s);
  for (;;) {
    const page = await post("/api/v1/sync/pull", { space, epoch: s.epoch, from: s.cursor }, token);
    if (page.from !== s.cursor) throw new Error(`a hole: ${s.cursor} to ${page.from}`);
    const seqs = page.records.map((r) => r.seq).sort((a, b) => a - b);
    for (const r of page.records.filter((x) => ["favourite", "message", "video"].includes(x.entity))) {
      if (s.held.has(r.id) && r.entity !== "video") throw new Error(`${r.entity} ${r.id} is there twice`);
      s.held.set(r.id, r.seq);
    }
    if (dense && s.cursor > 0 && seqs.some((q, i) => q !== page.from + i + 1)) throw new Error("numbers have a hole");
    s.cursor = page.to;
    s.epoch = page.epoch;
    if (!page.more) return;
  }
}

let looked = 0; // so many of the acknowledged were looked for
let counts;
let made; // ids that were acknowledged

function lookAnew() {
  spaces.clear();
  looked = 0;
  counts = { favourites: 0, messages: 0, clips: 0 };
  made = new Set();
  for (const clip of people.flatMap((p) => p.clips)) clip.seen = false;
}

// What was acknowledged since the last time is there.
async function look() {
  for (const person of people) await read(person.own, person.by.token, true);
  await read(thread, people[0].by.token, false);
  for (; looked < acknowledged.length; looked++) {
    const { id, space, seq } = acknowledged[looked];
    made.add(id);
    if (!spaces.has(space)) continue; // of a clip: it is asked for below
    const found = spaces.get(space).held.get(id);
    if (found !== seq) throw new Error(`lost: ${id} of ${space}, acknowledged as ${seq}, is ${found}`);
    counts[space === thread ? "messages" : "favourites"]++;
  }
  for (const person of people) {
    for (const clip of person.clips.filter((c) => !c.seen && made.has(c.id))) {
      const answer = await tus(person, "GET", `/api/v1/blobs/${clip.sha256}`, {});
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (answer.status !== 200 || hash(bytes) !== clip.sha256) throw new Error(`a clip is lost: ${answer.status}`);
      clip.seen = true;
      counts.clips++;
    }
  }
}

try {
  await start();
  await signIn();
  lookAnew();
  await look();
  for (let i = 0; i < Number(cycles); i++) {
    const ends = people.flatMap((p) => [...p.live.map(talk), untilCut(request(p)), untilCut(upload(p))]);
    await sleep(60 + random(200));
    server.kill("SIGKILL");
    await server.ended;
    await Promise.all(ends);
    await start();
    await look();
  }
  lookAnew();
  await look(); // all of it once more, from the beginning
  server.kill("SIGTERM");
  await server.ended;
  const { favourites, messages, clips } = counts;
  console.log(`kill server: seed ${seed}, ${cycles} cycles, acknowledged: ${favourites} favourites, ${messages} messages, ` +
    `${clips} clips, none lost, none twice`);
  process.exitCode = favourites > 0 && messages > 0 && (clips > 0 || Number(cycles) < 5) ? 0 : 1;
} catch (error) {
  console.log(`kill server: FAILED: seed ${seed}: ${error.stack}`);
  process.exitCode = 1;
} finally {
  server?.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
