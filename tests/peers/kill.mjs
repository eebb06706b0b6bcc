// kill -9 of the server under load, again and again: what was acknowledged is there, once, under its number, and the
// space has no hole.
//
//   node kill.mjs SIDELINED CYCLES [SEED]
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { sleep } from "./report.mjs";

const [sidelined, cycles = "20", seed = "1"] = process.argv.slice(2);
const CLIENTS = 4;
const OUTSTANDING = 8;
const work = mkdtempSync(join(tmpdir(), "sideline-kill-"));
const password = "a long enough password";
let state = BigInt(seed) * 2654435761n + 1n;
let server;
let base;
let space;

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
    "--no-limits"], { stdio: ["ignore", "ignore", "inherit"] });
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

const clients = [];

async function signIn() {
  for (let i = 0; i < CLIENTS; i++) {
    const device = randomUUID();
    const more = { email: "anna@example.org", password, device };
    const json = i === 0 ? await post("/api/v1/auth/signup", { ...more, name: "A", role: "athlete", birth_date: "1990-01-31" })
      : await post("/api/v1/auth/login", more);
    space = `user:${json.user.id}`;
    clients.push({ device, token: json.access_token, n: 0, waiting: new Map(), acknowledged: new Map() });
  }
}

// Runs one client on a new connection until it is cut.
function talk(c, user) {
  const socket = new WebSocket(`${base.replace("http", "ws")}/api/v1/ws`, "sideline.v1.json");
  const push = (op) => socket.send(JSON.stringify({ t: "push", ops: [op] }));
  const more = () => {
    while (c.waiting.size < OUTSTANDING && socket.readyState === WebSocket.OPEN) {
      const n = ++c.n;
      const op = { n, op: "create", entity: "favourite", space, id: randomUUID(), fields: { kind: "coach",
        target_space: "coach:x", target_id: user }, hlc: (BigInt(Date.now()) << 16n | BigInt(n & 0xffff)).toString(16)
        .padStart(16, "0") + "00000001" };
      c.waiting.set(n, op);
      push(op);
    }
  };
  socket.on("error", () => {});
  socket.on("open", () => socket.send(JSON.stringify({ t: "connect", v: 1, token: c.token, device: c.device, floor: 1 })));
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.t === "connected") for (const op of c.waiting.values()) push(op); // what has no receipt is sent again
    for (const r of frame.t === "receipt" ? [frame] : frame.receipts ?? []) {
      if (r.result !== "applied") throw new Error(`refused: ${JSON.stringify(r)}`);
      c.acknowledged.set(c.waiting.get(r.n)?.id ?? c.acknowledged.get(r.n), r.seq);
      c.waiting.delete(r.n);
    }
    if (frame.t !== "error") more();
  });
  return new Promise((done) => socket.once("close", done));
}

const held = new Map(); // by id: number
let cursor = 0;
let epoch = "";

// Reads what is new, and looks whether all that was acknowledged is there.
async function look() {
  for (;;) {
    const page = await post("/api/v1/sync/pull", { space, epoch, from: cursor }, clients[0].token);
    if (page.from !== cursor) throw new Error(`a hole: ${cursor} to ${page.from}`);
    const seqs = page.records.map((r) => r.seq).sort((a, b) => a - b);
    for (const r of page.records.filter((x) => x.entity === "favourite")) {
      if (held.has(r.id)) throw new Error(`${r.id} is there twice`);
      held.set(r.id, r.seq);
    }
    if (seqs.some((s, i) => s !== page.from + i + 1)) throw new Error("numbers have a hole");
    cursor = page.to;
    epoch = page.epoch;
    if (!page.more) break;
  }
  let count = 0;
  for (const c of clients) {
    for (const [id, seq] of c.acknowledged) {
      if (held.get(id) !== seq) throw new Error(`lost: ${id}, acknowledged as ${seq}, is ${held.get(id)}`);
      count++;
    }
  }
  return count;
}

try {
  await start();
  await signIn();
  await look().catch((error) => { throw new Error(`before: ${error.message}`); });
  let acknowledged = 0;
  for (let i = 0; i < Number(cycles); i++) {
    const user = space.slice(5);
    const ends = clients.map((c) => talk(c, user));
    await sleep(30 + random(120));
    server.kill("SIGKILL");
    await server.ended;
    await Promise.all(ends);
    await start();
    acknowledged = await look();
  }
  server.kill("SIGTERM");
  await server.ended;
  console.log(`kill server: ${cycles} cycles, ${acknowledged} acknowledged operations, none lost, none twice`);
  process.exitCode = acknowledged > 0 ? 0 : 1;
} catch (error) {
  console.log(`kill server: FAILED: ${error.stack}`);
  process.exitCode = 1;
} finally {
  server?.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
