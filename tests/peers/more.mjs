// More of the server, for server.mjs, which calls these with what it has: strokes that pass by a viewer who does not
// read, push notifications that a receiver of HTTP gets, the audit log of what is refused before the service sees it.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { check, until } from "./report.mjs";

const hlc = (n) => (BigInt(Date.now()) << 16n | BigInt(n)).toString(16).padStart(16, "0") + "00000001";

// Bytes that the kernel holds between the server and this socket.
function inKernel(port, local) {
  const hex = (n) => n.toString(16).toUpperCase().padStart(4, "0");
  let sum = 0;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const [, from, to, , queues] = line.trim().split(/\s+/);
    if (from === undefined) continue;
    const ports = [from.split(":")[1], to.split(":")[1]];
    const [tx, rx] = queues.split(":").map((q) => parseInt(q, 16));
    if (ports[0] === hex(port) && ports[1] === hex(local)) sum += tx;
    if (ports[0] === hex(local) && ports[1] === hex(port)) sum += rx;
  }
  return sum;
}

const turn = (socket) => new Promise((done) => { socket.once("pong", done); socket.ping(); });

// Bytes of those `told` that the server itself still holds for the viewer `slow`, when its kernel takes no more of them:
// two pings of another viewer are two turns of the server's loop, in each of which it writes what the kernel takes.
async function heldFor(slow, other, port, told) {
  for (;;) {
    const before = inKernel(port, slow._socket.localPort);
    await turn(other);
    await turn(other);
    if (inKernel(port, slow._socket.localPort) === before) return told - before;
  }
}

// A viewer whose queue is above 64 KiB is spared what is being drawn, and loses nothing of what is stored.
export async function tryStrokes(server, who, login, open) {
  if (!existsSync("/proc/net/tcp")) return;
  const id = randomUUID();
  const space = `video:${id}`;
  const sockets = [];
  for (let i = 0; i < 3; i++) sockets.push(open(server.base, i === 0 ? who : await login(who)));
  const [slow, quick, drawer] = sockets;
  for (const s of sockets) await s.wait("connected");
  let n = 0;
  const push = async (ops) => {
    const had = drawer.all("receipt").length + drawer.all("receipts").length;
    drawer.say({ t: "push", ops: ops.map((op) => ({ n: ++n, space, hlc: hlc(n), op: "create", ...op })) });
    await until("a receipt", () => drawer.all("receipt").length + drawer.all("receipts").length > had);
  };
  await push([{ entity: "video", id, fields: { title: "x", blob: "a".repeat(64), media_type: "video/mp4", size: 1,
    duration_us: 1, width: 2, height: 2 } }]);
  for (const s of sockets) {
    s.say({ t: "subscribe", space, epoch: "", from: 0 });
    await s.wait("subscribed");
  }
  const stroke = (data) => drawer.say({ t: "signal", space, what: "stroke", data });
  const strokes = (s) => s.all("signal").map((f) => f.data);
  stroke("before");
  for (const s of [slow, quick]) await until("a stroke", () => strokes(s).includes("before"));
  slow._socket.pause();
  let told = 0;
  quick.on("message", (data) => { told += data.length; });
  const body = "x".repeat(3900);
  for (let i = 0; i < 30 && await heldFor(slow, quick, server.port, told) < 1 << 20; i++) {
    await push(Array.from({ length: 250 }, () => ({ entity: "comment", id: randomUUID(), fields: { body } })));
    await until("the changes", () => quick.all("change").at(-1)?.seq >= 1 + 250 * (i + 1));
  }
  const last = quick.all("change").at(-1).seq;
  const during = Array.from({ length: 20 }, (_, i) => `during ${i}`);
  for (const data of during) stroke(data);
  await until("the strokes", () => during.every((d) => strokes(quick).includes(d)));
  slow._socket.resume();
  await until("the changes", () => slow.all("change").at(-1)?.seq === last);
  stroke("after");
  await until("the stroke after", () => strokes(slow).includes("after"));
  const changes = slow.all("change");
  check("ws: who does not read is spared the strokes drawn meanwhile, and nobody else is",
    strokes(slow).join() === "before,after" && strokes(quick).length === 22);
  check("ws: ... is not cut off, and has all that is stored, without a hole", slow.readyState === slow.OPEN &&
    changes.every((f, i) => (f.from ?? f.seq - 1) === (i === 0 ? 1 : changes[i - 1].seq)));
  for (const s of sockets) s.terminate();
}

// The webhook: what it gets, again when it fails, and no more when it says that the token is gone.
export async function tryPush(startServer, stop, signUp, ask) {
  const got = [];
  const answers = [503, 200, 410];
  const receiver = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => { text += part; });
    request.on("end", () => {
      got.push({ secret: request.headers.authorization, type: request.headers["content-type"], json: JSON.parse(text) });
      response.writeHead(answers[got.length - 1] ?? 200).end("{}");
    });
  });
  await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
  process.env.SIDELINED_PUSH_SECRET = "a secret of the webhook";
  const server = await startServer("push", ["--push-url", `http://127.0.0.1:${receiver.address().port}/hook`]);
  delete process.env.SIDELINED_PUSH_SECRET;
  const coach = await signUp(server.base, "coach@example.org", "coach");
  const anna = await signUp(server.base, "anna@example.org");
  let n = 0;
  const push = async (who, op) => {
    const { json } = await ask(server.base, "POST", "/api/v1/sync/push",
      { token: who.token, body: { ops: [{ n: ++n, hlc: hlc(n), ...op }] } });
    const [receipt] = json.receipts;
    if (receipt.result !== "applied") throw new Error(JSON.stringify(receipt));
  };
  const own = (who) => `user:${who.user}`;
  const connection = randomUUID();
  await push(coach, { op: "create", entity: "connection", space: own(coach), id: connection,
    fields: { peer_email: anna.email } });
  await push(anna, { op: "patch", entity: "connection", space: own(anna), id: connection, fields: { status: "accepted" } });
  await push(anna, { op: "create", entity: "device", space: own(anna), id: anna.device,
    fields: { name: "Phone", platform: "ios", push_token: "t0ken" } });
  const page = await ask(server.base, "POST", "/api/v1/sync/pull", { token: coach.token, body: { space: own(coach) } });
  const { thread_id: thread } = page.json.records.find((r) => r.entity === "connection").fields;
  const say = (body) => push(coach, { op: "create", entity: "message", space: `thread:${thread}`, id: randomUUID(),
    fields: { kind: "text", body } });
  await say("Elbow up");
  await until("the second try", () => got.length >= 2);
  const [first, second] = got;
  check("push: the webhook gets a notification with its secret, and again after 503",
    first.secret === "Bearer a secret of the webhook" && first.type === "application/json" &&
    JSON.stringify(first.json) === JSON.stringify(second.json));
  const { payload, ...rest } = first.json;
  check("push: it names device, token and badge, and carries what the core reads",
    rest.token === "t0ken" && rest.device === anna.device && rest.platform === "ios" && rest.badge === 1 &&
    payload.sideline.kind === "message" && payload.sideline.to === anna.user && payload.sideline.body === "Elbow up");
  await say("Again");
  await until("the refused one", () => got.length >= 3);
  await until("the token to go", async () => {
    const { json } = await ask(server.base, "POST", "/api/v1/sync/pull", { token: anna.token, body: { space: own(anna) } });
    return json.records.find((r) => r.entity === "device").fields.push_token === undefined;
  });
  await say("Nobody hears");
  check("push: a token that is gone is forgotten, and the server ends with 0 all the same", await stop(server) === 0 &&
    got.length === 3);
  receiver.close();
}

// Frames that RFC 6455 has a server refuse, as bytes behind the handshake.
const broken = {
  "a frame without a mask": [1002, [0x81, 0x01, 0x61]],
  "a reserved bit": [1002, [0xc1, 0x81, 0, 0, 0, 0, 0x61]],
  "an unknown opcode": [1002, [0x83, 0x80, 0, 0, 0, 0]],
  "a ping in pieces": [1002, [0x09, 0x80, 0, 0, 0, 0]],
  "a continuation of nothing": [1002, [0x80, 0x80, 0, 0, 0, 0]],
  "a message of 2 MiB": [1009, [0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]],
};

function rawFrames(port, bytes) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" +
      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Protocol: sideline.v1.json\r\n\r\n"));
    let all = Buffer.alloc(0);
    let sent = false;
    socket.on("data", (more) => {
      all = Buffer.concat([all, more]);
      const end = all.indexOf("\r\n\r\n");
      if (end >= 0 && !sent) {
        sent = true;
        socket.write(Buffer.from(bytes));
      }
      const close = end >= 0 ? all.indexOf(0x88, end + 4) : -1;
      if (close >= 0 && all.length >= close + 4) {
        socket.destroy();
        done(all.readUInt16BE(close + 2));
      }
    });
    socket.on("error", () => {});
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("close", () => done(0));
  });
}

// What is refused before the service sees it: the answer, nothing changed, one line in the audit log.
export async function tryRefused(stop, adminOf, ask, raw, smuggled) {
  const { server, root, token } = await adminOf("refused");
  let after = 0;
  const lines = async () => {
    const found = (await ask(server.base, "GET", `/api/v1/admin/audit?after=${after}`, { token })).json.lines;
    after = found.at(-1)?.n ?? after;
    return found.filter((l) => l.action !== "audit"); // not of these questions themselves
  };
  const state = async () => (await ask(server.base, "POST", "/api/v1/sync/pull", { token,
    body: { space: `user:${root.user}` } })).text;
  const before = await state();
  await lines();
  const wrong = [];
  let requests = 0;
  const expect = async (what, action, outcome, answer) => {
    const found = [];
    await until("a line", async () => found.push(...await lines()) > 0).catch(() => {});
    found.push(...await lines());
    const [line] = found;
    requests++;
    if (!answer || found.length !== 1 || line.action !== action || line.outcome !== outcome || line.object !== "127.0.0.1")
      wrong.push(`${what}: ${answer} ${JSON.stringify(found)}`);
  };
  for (const [what, request] of Object.entries(smuggled)) {
    const status = /^HTTP\/1\.1 (4\d\d)/.exec(await raw(server.port, request))?.[1];
    await expect(what, "http.refused", status, status !== undefined);
  }
  for (const [what, [code, bytes]] of Object.entries(broken)) {
    const got = await rawFrames(server.port, bytes);
    await expect(what, "ws.refused", String(code), got === code);
  }
  check(`${requests} requests and frames refused by the adapter: the answer, nothing changed, one line of the audit log each` +
    wrong.map((w) => `\n       ${w}`).join(""), wrong.length === 0 && await state() === before);
  await stop(server);
}
