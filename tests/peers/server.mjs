// The server against independent programs: npm's ws, tus-js-client, fast-check, ajv and stripe; nginx in front of it; sslscan,
// testssl.sh, openssl and curl; sqlmap; Chromium. Each that is not there is said to be skipped.
//
//   node server.mjs SIDELINED [PART..]
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { tryApi } from "./api.mjs";
import { tryBrowser } from "./browser.mjs";
import { tryCrowd, tryDeadline, tryHeads, tryOrigins } from "./edge.mjs";
import { tryPush, tryRefused, tryStrokes } from "./more.mjs";
import { tryNegative } from "./negative.mjs";
import { tryPay } from "./pay.mjs";
import { check, finish, skipped, until } from "./report.mjs";
import { trySqlmap } from "./sqlmap.mjs";
import { tryStrict } from "./strict.mjs";
import { makeCertificate, tryTestssl, tryTls } from "./tls.mjs";
import { tryTus } from "./tus.mjs";

const run = promisify(execFile);
const [sidelined, ...wanted] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "sideline-peers-"));
const password = "a long enough password";
const children = new Set();

function have(program) {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore", env: { ...process.env, PATH: path() } });
    return true;
  } catch {
    return false;
  }
}

const path = () => `${process.env.PATH}:/usr/sbin:/sbin`;

function start(program, words) {
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, PATH: path() } });
  children.add(child);
  child.ended = new Promise((done) => child.once("exit", (code) => { children.delete(child); done(code); }));
  return child;
}

async function startServer(name, more = [], limits = ["--no-limits"]) {
  const portFile = join(work, `${name}.port`);
  rmSync(portFile, { force: true });
  const child = start(sidelined, ["--data", join(work, name), "--port", "0", "--port-file", portFile, "--mfa", "optional",
    ...limits, "--no-media", ...more]);
  child.port = Number(await until("the server", () => existsSync(portFile) && readFileSync(portFile, "utf8").trim()));
  child.base = `http://127.0.0.1:${child.port}`;
  return child;
}

async function stop(child) {
  child.kill("SIGTERM");
  return child.ended;
}

// A folder for --web with one page.
function page(html) {
  const dir = mkdtempSync(join(work, "web-"));
  writeFileSync(join(dir, "index.html"), html);
  return dir;
}

// A server of its own with an admin: { server, root, token }.
async function adminOf(name, more = []) {
  const first = await startServer(name);
  const root = await signUp(first.base, "root@example.org");
  await stop(first);
  execFileSync(sidelined, ["--data", join(work, name), "--make-admin", root.email]);
  const server = await startServer(name, more);
  return { server, root, token: (await logIn(server.base)(root)).token };
}

async function ask(base, method, where, { body, token } = {}) {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(base + where, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // not JSON
  }
  return { status: answer.status, json, text };
}

async function signUp(base, email, role = "athlete") {
  const device = randomUUID();
  const { json } = await ask(base, "POST", "/api/v1/auth/signup", { body: { email, password, name: "N", role, device, birth_date: "1990-01-31" } });
  return { token: json.access_token, user: json.user.id, device, email };
}

// Another device of somebody.
const logIn = (base) => async (who) => {
  const device = randomUUID();
  const { json } = await ask(base, "POST", "/api/v1/auth/login", { body: { email: who.email, password, device } });
  return { ...who, token: json.access_token, device };
};

// ---- ws: the live channel ----

function open(base, who, more = {}) {
  const socket = new WebSocket(`${base.replace("http", "ws")}/api/v1/ws`, "sideline.v1.json", more);
  const frames = [];
  socket.on("message", (data) => frames.push(JSON.parse(data)));
  socket.closed = new Promise((done) => socket.once("close", (code) => done(code)));
  socket.on("error", () => {});
  socket.say = (frame) => socket.send(JSON.stringify(frame));
  socket.wait = (t, n = 0) => until(t, () => frames.filter((f) => f.t === t)[n]);
  socket.all = (t) => frames.filter((f) => f.t === t);
  socket.once("open", () => socket.say({ t: "connect", v: 1, token: who.token, device: who.device, floor: 1 }));
  return socket;
}

const hlc = (n) => (BigInt(Date.now()) << 16n | BigInt(n)).toString(16).padStart(16, "0") + "00000001";
const favourite = (who, n) => ({ n, op: "create", entity: "favourite", space: `user:${who.user}`, id: randomUUID(),
  fields: { kind: "coach", target_space: `coach:${who.user}`, target_id: who.user }, hlc: hlc(n) });

async function tryLive(base, who, name) {
  const space = `user:${who.user}`;
  const socket = open(base, who);
  await socket.wait("connected");
  socket.say({ t: "subscribe", space, epoch: "", from: 0 });
  const head = await socket.wait("subscribed");
  const ops = Array.from({ length: 50 }, (_, i) => favourite(who, i + 1));
  for (const op of ops) socket.say({ t: "push", ops: [op] });
  await until("the receipts", () => socket.all("receipt").length + socket.all("receipts").flatMap((f) => f.receipts).length >= 50);
  const changes = socket.all("change");
  const dense = changes.every((f, i) => f.seq === head.seq + i + 1);
  check(`ws: ${name}: 50 operations have 50 receipts, and their changes follow each other`,
    changes.length === 50 && dense);
  socket.ping();
  await new Promise((done) => socket.once("pong", done));
  socket.terminate();
  const second = open(base, who);
  await second.wait("connected");
  second.say({ t: "subscribe", space, epoch: head.epoch, from: changes[19].seq });
  await second.wait("subscribed");
  const came = second.all("page").flatMap((f) => f.records).length;
  check(`ws: ${name}: after a cut it goes on from its cursor`, came === 30);
  second.terminate();
}

// ---- a reader that does not read ----

// Signs in on a bare socket and then reads nothing: the kernel fills up, and then the server's queue.
async function trySlow(base, port) {
  const who = await signUp(base, "slow@example.org");
  const other = await logIn(base)(who);
  const space = `user:${who.user}`;
  const slow = open(base, who);
  await slow.wait("connected");
  slow.say({ t: "subscribe", space, epoch: "", from: 0 });
  const head = await slow.wait("subscribed");
  slow._socket.pause();
  const quick = open(base, other);
  await quick.wait("connected");
  quick.say({ t: "subscribe", space, epoch: "", from: 0 });
  await quick.wait("subscribed");
  const big = "x".repeat(1900);
  let n = 0;
  let longest = 0;
  let cut = false;
  slow._socket.on("close", () => { cut = true; });
  const batch = () => ({ t: "push", ops: Array.from({ length: 250 }, () => ({ n: ++n, op: "create", entity: "profile", space,
    id: randomUUID(), fields: { bio: big }, hlc: hlc(n) })) });
  for (let i = 0; i < 80; i++) {
    const began = Date.now();
    const had = quick.all("receipts").length;
    quick.say(batch());
    await until("a receipt", () => quick.all("receipts").length > had);
    if (i === 0 && quick.all("change").length === 0) throw new Error(JSON.stringify(quick.all("receipts")[0].receipts[0]));
    longest = Math.max(longest, Date.now() - began);
  }
  const last = quick.all("change").at(-1).seq;
  slow._socket.resume();
  const code = await slow.closed;
  check(`a reader that does not read is cut off (${code}), and the others never wait (${longest} ms at most)`,
    [4408, 1006].includes(code) && longest < 3000);
  const changes = slow.all("change");
  const from = changes.length > 0 ? changes.at(-1).seq : head.seq;
  check("what it has has no hole, and is not all", changes.every((f, i) => i === 0 || f.from === undefined ||
    f.from === changes[i - 1].seq) && from < last);
  const back = open(base, who);
  await back.wait("connected");
  back.say({ t: "subscribe", space, epoch: head.epoch, from });
  const credit = setInterval(() => back.say({ t: "more", bytes: 1 << 20 }), 20);
  const end = await back.wait("subscribed");
  clearInterval(credit);
  const pages = back.all("page");
  check("it comes again with its cursor and catches up", end.seq === last &&
    pages.every((p, i) => p.from === (i === 0 ? from : pages[i - 1].to)));
  for (const socket of [quick, back]) socket.terminate();
  void port;
}

// ---- SIGTERM ----

async function tryDrain() {
  const server = await startServer("drain", ["--upload-rate", "400000"]);
  const who = await signUp(server.base, "drain@example.org");
  const socket = open(server.base, who);
  await socket.wait("connected");
  const body = JSON.stringify({ ops: [favourite(who, 1)] }).padEnd(60000, " ");
  const answer = new Promise((done) => {
    const lane = connect(server.port, "127.0.0.1");
    let text = "";
    lane.on("data", (more) => { text += more; });
    lane.on("close", () => done(text));
    lane.on("connect", () => {
      lane.write(`POST /api/v1/sync/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${who.token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 1000)}`, () => {
        setTimeout(() => server.kill("SIGTERM"), 100); // the head has been read by then, or the answer is none
        socket.closed.then(() => lane.write(body.slice(1000)));
      });
    });
  });
  const code = await socket.closed;
  const text = await answer;
  const exit = await server.ended;
  check("SIGTERM: connections are told 1001, a request under way is answered, and the end is 0",
    code === 1001 && text.startsWith("HTTP/1.1 200") && text.includes("\"applied\"") && exit === 0);
}

// ---- nginx in front ----

// Requests that two readers could understand differently. None may be answered with what is hidden in it.
const hidden = "GET /api/v1/health?hidden HTTP/1.1\r\nHost: x\r\n\r\n";
const smuggled = {
  "a length and chunks": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  "two lengths": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "a length with a sign": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: +${hidden.length}\r\n\r\n${hidden}`,
  "a negative length": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${hidden}`,
  "a length of 23 digits": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(hidden.length).padStart(23, "0")}\r\n\r\n${hidden}`,
  "a hexadecimal length": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n${hidden}`,
  "a blank before the colon": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length : ${hidden.length}\r\n\r\n${hidden}`,
  "two hosts": `GET /api/v1/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${hidden}`,
  "no host": `GET /api/v1/health HTTP/1.1\r\n\r\n${hidden}`,
  "an odd coding": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
  "chunks twice": `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
};

function raw(port, text) {
  return new Promise((done) => {
    let all = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(1500, () => socket.destroy());
    socket.on("data", (more) => { all += more; });
    socket.on("error", () => {});
    socket.on("close", () => done(all));
  });
}

async function trySmuggling(port, name) {
  await Promise.all(Object.entries(smuggled).map(async ([what, request]) => {
    const answer = await raw(port, request);
    const answers = answer.split("HTTP/1.1 ").length - 1;
    const health = await fetch(`http://127.0.0.1:${port}/api/v1/health`);
    check(`${name}: ${what}: refused (${answer.slice(9, 12)}), and what hides behind is not read`,
      answers === 1 && /^HTTP\/1\.1 (4\d\d|501) /.test(answer) && health.status === 200);
  }));
}

async function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

// In front of the server: { child, port, secure, tls, dir }, null when it is not there.
async function startNginx(server, name) {
  if (!have("nginx")) return null;
  const port = await freePort();
  const secure = await freePort();
  const dir = join(work, name);
  mkdirSync(dir);
  const tls = have("openssl") && makeCertificate(dir);
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((t) => `${t}_temp_path ${dir}/${t};`).join(" ");
  writeFileSync(join(dir, "conf"), `daemon off; master_process off; pid ${dir}/pid; error_log /dev/null; events {}
    http { access_log off; ${temps} client_max_body_size 32m; server { listen 127.0.0.1:${port};
    ${tls ? `listen 127.0.0.1:${secure} ssl http2; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : ""} location / {
    proxy_pass http://127.0.0.1:${server.port}; proxy_http_version 1.1; proxy_set_header Host $host;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; proxy_request_buffering off; } } }`);
  const child = start("nginx", ["-c", join(dir, "conf")]);
  await until("nginx", () => fetch(`http://127.0.0.1:${port}/api/v1/health`).then(() => true, () => false));
  return { child, port, secure, tls, dir };
}

async function tryNginx(server, who) {
  const nginx = await startNginx(server, "nginx");
  if (nginx === null) return skipped("nginx", "it is not installed (Debian package nginx)");
  const { child, port, secure, tls, dir } = nginx;
  const base = `http://127.0.0.1:${port}`;
  await tryTus(base, await logIn(base)(who), "behind nginx", ask);
  await tryLive(base, await signUp(base, "proxied@example.org"), "behind nginx");
  await trySmuggling(port, "nginx");
  if (tls && have("curl")) await tryHttp2(`https://127.0.0.1:${secure}`, tls, who, dir);
  else skipped("HTTP/2 by nginx", "curl or openssl is not installed");
  await stop(child);
}

// What our own TLS does not offer: an upload in one request, longer than any other may be.
async function tryHttp2(base, tls, who, dir) {
  const bytes = randomBytes(20 * 1024 * 1024);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const file = join(dir, "clip");
  writeFileSync(file, bytes);
  const curl = async (...words) => (await run("curl", ["-s", "--cacert", tls.cert, "--http2", "-w", " %{http_version} %{http_code}",
    "-H", `Authorization: Bearer ${who.token}`, "-H", "Tus-Resumable: 1.0.0", ...words], { timeout: 20000 })).stdout;
  const made = await curl("-D", "-", "-X", "POST", "-H", `Upload-Length: ${bytes.length}`, "-H", "Upload-Metadata: " + Object.entries(
    { sha256, space: `user:${who.user}` }).map(([k, v]) => `${k} ${Buffer.from(v).toString("base64")}`).join(","),
  `${base}/api/v1/uploads`);
  const place = /location: (\S+)/i.exec(made)?.[1];
  const patched = await curl("-D", "-", "-X", "PATCH", "-H", "Upload-Offset: 0", "-H",
    "Content-Type: application/offset+octet-stream", "--data-binary", `@${file}`, `${base}${place}`);
  check("curl --http2 by nginx: 20 MiB in one request are taken, and their hash is right",
    made.endsWith(" 2 201") && patched.endsWith(" 2 204") && new RegExp(`upload-offset: ${bytes.length}`, "i").test(patched));
}

// ---- all of it ----

const tools = { adminOf, ask, have, run, signUp, startNginx, startServer, stop, work };

// One after the other on one server; then those that go well together, with servers of their own.
const parts = (server, who) => [[
  ["strict", () => tryStrict(server.port, check)],
  ["tus", async () => tryTus(server.base, await logIn(server.base)(who), "direct", ask)],
  ["live", () => tryLive(server.base, who, "direct")],
  ["smuggling", () => trySmuggling(server.port, "direct")],
  ["slow", () => trySlow(server.base, server.port)],
  ["strokes", async () => tryStrokes(server, await signUp(server.base, "draws@example.org"), logIn(server.base), open)],
  ["api", async () => tryApi(server.base, [await signUp(server.base, "fuzz@example.org"),
    await signUp(server.base, "trains@example.org", "coach")], check)],
], [
  ["nginx", () => tryNginx(server, who)],
  ["sqlmap", () => have("sqlmap") ? trySqlmap(server, who, tools) :
    skipped("sqlmap", "it is not installed (Debian package sqlmap)")],
  ["tls", () => tryTls(tools)],
  ["testssl", () => tryTestssl(tools)],
  ["browser", () => tryBrowser(tools)],
  ["drain", () => tryDrain()],
  ["push", () => tryPush(startServer, stop, signUp, ask)],
  ["pay", () => tryPay(tools)],
  ["refused", () => tryRefused(stop, adminOf, ask, raw, smuggled)],
  ["negative", () => tryNegative(tools)],
  ["origins", () => tryOrigins(stop, ask, adminOf)],
  ["crowd", () => tryCrowd(startServer, stop, signUp, logIn, open)],
  ["heads", () => tryHeads(stop, adminOf, ask, raw, page("<!doctype html><title>A page</title>"))],
  ["deadline", () => tryDeadline(server)],
]];

async function main() {
  const server = await startServer("srv");
  const who = await signUp(server.base, "anna@example.org");
  const [single, together] = parts(server, who).map((list) => list.filter(([name]) => wanted.length === 0 || wanted.includes(name)));
  for (const [, part] of single) await part();
  await Promise.all(together.map(([, part]) => part()));
  check("after all that the server ends with 0", await stop(server) === 0);
}

try {
  await main();
} catch (error) {
  check(String(error.stack ?? error), false);
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
finish("server peers");
