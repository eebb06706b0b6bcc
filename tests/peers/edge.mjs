// The server's edge, for server.mjs: whose pages may open the live channel, how long one may be silent, how many may come.
import { connect } from "node:net";
import { WebSocket } from "ws";
import { check, until } from "./report.mjs";

const PROTOCOL = "sideline.v1.json";

// 101 when the handshake was taken, else the status of its refusal; 0: no answer.
export function handshake(url, options = {}) {
  return new Promise((done) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/ws`, PROTOCOL, options);
    socket.on("open", () => { done(101); socket.terminate(); });
    socket.on("unexpected-response", (request, answer) => { done(answer.statusCode); request.destroy(); });
    socket.on("error", () => done(0));
  });
}

export async function tryOrigins(stop, ask, adminOf) {
  const { server, token } = await adminOf("origins", ["--public-url", "https://sideline.example", "--origin",
    "https://app.example.org", "--origin", "http://localhost:5173"]);
  const own = `127.0.0.1:${server.port}`;
  const tries = [[undefined, 101], [`http://${own}`, 101], [`https://${own}`, 101], ["https://app.example.org", 101],
    ["http://localhost:5173", 101], ["https://sideline.example", 101], ["http://evil.example", 403], ["null", 403],
    [`http://${own}.evil.example`, 403], ["http://app.example.org", 403], ["https://app.example.org:8443", 403],
    ["http://127.0.0.1", 403], [`http://evil.example/${own}`, 403], [`http://${own},http://evil.example`, 403],
    [`http://${"a".repeat(2000)}`, 403]];
  const wrong = [];
  for (const [origin, status] of tries) {
    const got = await handshake(server.base, { origin });
    if (got !== status) wrong.push(`${origin}: ${got}`);
  }
  const refused = tries.filter(([, status]) => status === 403).length;
  const lines = await until("the lines", async () => { // which are written behind the answers
    const { json } = await ask(server.base, "GET", "/api/v1/admin/audit?after=0", { token });
    const found = json.lines.filter((l) => l.action === "http.refused" && l.outcome === "403" && l.object === "127.0.0.1");
    return found.length >= refused && found;
  });
  check(`ws: of ${tries.length} pages those of our own origin and those allowed open the live channel, ${lines.length} are ` +
    `refused with 403 and a line of the audit log each ${wrong.join("; ")}`, wrong.length === 0 && lines.length === refused);
  await stop(server);
}

// Says nothing, or drips half a frame: both have five seconds.
export async function tryDeadline(server) {
  const silent = (bytes) => new Promise((done) => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write("GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" +
      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Protocol: ${PROTOCOL}\r\n\r\n`));
    let all = Buffer.alloc(0);
    let began = 0;
    let drip = null;
    socket.on("data", (more) => {
      all = Buffer.concat([all, more]);
      const end = all.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (began === 0) {
        began = Date.now();
        let at = 0;
        drip = setInterval(() => at < bytes.length && socket.write(bytes.subarray(at, ++at)), 500);
      }
      if (all.length >= end + 8) {
        clearInterval(drip);
        done({ code: all.readUInt16BE(end + 6), ms: Date.now() - began });
        socket.destroy();
      }
    });
    socket.on("error", () => {});
    socket.setTimeout(20000, () => socket.destroy());
    socket.on("close", () => { clearInterval(drip); done({ code: 0, ms: 0 }); });
  });
  const [still, dripping] = await Promise.all([silent(Buffer.alloc(0)),
    silent(Buffer.concat([Buffer.from([0x81, 0xa0, 0, 0, 0, 0]), Buffer.alloc(32, 0x20)]))]);
  const ok = ({ code, ms }) => code === 4401 && ms >= 4500 && ms < 8000;
  check(`ws: who does not say who it is ends with 4401 after 5 s (${still.ms} ms), octet by octet too (${dripping.ms} ms)`,
    ok(still) && ok(dripping));
}

// So many from one address, so many of one user, so many operations; a place that is free again is given again.
export async function tryCrowd(startServer, stop, signUp, logIn, open) {
  const server = await startServer("crowd", ["--address-connections", "5", "--behind-proxy"], ["--user-connections", "3"]);
  const hold = (from) => new Promise((done) => {
    const socket = new WebSocket(`${server.base.replace("http", "ws")}/api/v1/ws`, PROTOCOL,
      { headers: from && { "x-forwarded-for": from } });
    socket.on("open", () => done({ status: 101, socket }));
    socket.on("unexpected-response", (request, answer) => {
      done({ status: answer.statusCode, retry: Number(answer.headers["retry-after"]) });
      request.destroy();
    });
    socket.on("error", () => done({ status: 0 }));
  });
  const from = async (address, n) => {
    const all = [];
    for (let i = 0; i < n; i++) all.push(await hold(address));
    return all;
  };
  const direct = await from(undefined, 6);
  const forged = await from("192.0.2.9, 198.51.100.1", 6);
  const other = await from("198.51.100.2", 1);
  const statuses = (list) => list.map((h) => h.status).join();
  const refused = direct[5];
  direct[0].socket.terminate();
  const again = await until("a place", async () => { const h = await hold(); return h.status === 101 && h; });
  check(`ws: five from one address, the sixth is answered 429 and told to come again in ${refused.retry} s, until one goes`,
    statuses(direct) === "101,101,101,101,101,429" && refused.retry === 60 && again.status === 101);
  check("ws: behind a proxy the address is the one that the proxy has added",
    statuses(forged) === "101,101,101,101,101,429" && statuses(other) === "101");
  for (const { socket } of [...direct, ...forged, ...other, again]) socket?.terminate();
  await until("places", async () => (await handshake(server.base)) === 101);
  const who = await signUp(server.base, "crowd@example.org");
  const devices = [who];
  for (let i = 0; i < 3; i++) devices.push(await logIn(server.base)(who));
  const sockets = devices.map((d) => open(server.base, d, { headers: { "x-forwarded-for": `198.51.100.${10 + devices.indexOf(d)}` } }));
  await Promise.race(sockets.map((s) => s.closed));
  const closed = await Promise.all(sockets.map((s) => Promise.race([s.closed, s.wait("connected").then(() => 0)])));
  const last = sockets[closed.findIndex((code) => code !== 0)];
  const [error] = last.all("error");
  check("ws: three devices of one user are connected, the fourth is closed with 4429 and told when to come again",
    closed.filter((code) => code === 0).length === 3 && closed.includes(4429) && error.retry_after === 60);
  const first = sockets[closed.indexOf(0)];
  const space = `user:${who.user}`;
  let n = 0;
  while (first.readyState === WebSocket.OPEN && n < 40000) {
    first.say({ t: "push", ops: Array.from({ length: 1000 }, () => ({ n: ++n, op: "dance", space })) });
    await until("an answer", () => first.readyState !== WebSocket.OPEN || first.all("receipts").length * 1000 === n);
  }
  const code = await first.closed;
  const taken = first.all("receipts").length * 1000;
  check(`ws: after ${taken} operations at once the next are not taken: ${code}, again in ${first.all("error")[0]?.retry_after} s`,
    code === 4429 && taken >= 20000 && taken < 30000 && first.all("error")[0].retry_after >= 1);
  for (const s of sockets) s.terminate();
  await stop(server);
}

// Requests that are none, are too long, or of another kind: each has an answer of HTTP/1.1, with an id, the connection
// ends, and nothing of what hides behind is answered.
const times = (n, text) => Array.from({ length: n }, (_, i) => text(i)).join("");
const get = (lines, target = "/api/v1/health") => `GET ${target} HTTP/1.1\r\nHost: x\r\n${lines}\r\n`;
const heads = {
  "2,000 headers": [431, get(times(2000, (i) => `X-${i}: b\r\n`))], "a header of 65 KB": [431, get(`X-A: ${"a".repeat(65000)}\r\n`)],
  "a cookie of 65 KB": [431, get(`Cookie: ${"a".repeat(65000)}\r\n`)], "a header of 9 KB that is read": [431,
    get(`Idempotency-Key: ${"a".repeat(9000)}\r\n`)], "a header without an end": [431, `GET / HTTP/1.1\r\nX-A: ${"a".repeat(20000)}`],
  "an address of 100 KB": [414, get("", `/${"a".repeat(100000)}`)], "a query of 100 KB": [414, get("", `/?${"a".repeat(100000)}`)],
  "2,000 parameters": [414, get("", `/?a${"&a".repeat(2000)}`)], "TRACE": [501, "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"],
  "CONNECT": [501, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"], "a method that is none": [501, "DANCE / HTTP/1.1\r\nHost: x\r\n\r\n"],
  "HTTP/2 in clear": [501, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "HTTP/3.0": [505, "GET / HTTP/3.0\r\nHost: x\r\n\r\n"],
  "HTTP/0.9": [400, "GET /\r\n\r\n"], "TLS": [400, "\x16\x03\x01\x02\x00\x01\x00\x01"], "a NUL": [400, get("X-A: a\0b\r\n")],
  "a bare CR": [400, get("X-A: a\rb\r\n")], "a bare LF": [400, "GET / HTTP/1.1\nHost: x\n\n"], "a folded header": [400, get("X-A: a\r\n b\r\n")],
  "a header that begins with a blank": [400, get(" X-A: a\r\n")], "a header without a name": [400, get(": a\r\n")],
  "a NUL in the address": [400, get("", "/%00")], "half an escape": [400, get("", "/%4")], "a fragment": [400, get("", "/#a")],
  "an absolute address": [400, get("", "http://x/api/v1/health")], "another server's": [400, get("", "http://evil.example/")],
};

export async function tryHeads(stop, adminOf, ask, raw, folder) {
  const { server, token } = await adminOf("heads", ["--web", folder]);
  const wrong = [];
  const hidden = "GET /api/v1/health?hidden HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const [what, [status, request]] of Object.entries(heads)) {
    const answer = await raw(server.port, request + hidden);
    const [line, ...lines] = answer.split("\r\n\r\n")[0].split("\r\n");
    const ids = lines.filter((l) => /^x-request-id: [0-9a-f-]{36}$/i.test(l)).length;
    if (!line.startsWith(`HTTP/1.1 ${status} `) || ids !== 1 || !lines.includes("Connection: close") ||
      answer.split("HTTP/1.1 ").length !== 2) wrong.push(`${what}: ${JSON.stringify(answer.slice(0, 200))}`);
  }
  const count = Object.keys(heads).length;
  const lines = await until("the lines", async () => {
    const { json } = await ask(server.base, "GET", "/api/v1/admin/audit?after=0", { token });
    const found = json.lines.filter((l) => l.action === "http.refused" && l.object === "127.0.0.1");
    return found.length >= count && found;
  }).catch(() => []);
  check(`${count} requests that are none or too long: a status each, an id, the connection's end, a line of the audit log` +
    wrong.map((w) => `\n       ${w}`).join(""), wrong.length === 0 && lines.length === count);
  const paths = ["/", "/nowhere", "/api/v1/health", "/api/v1/nowhere", "/api/v1/auth/devices", "/openapi.json"];
  const answers = await Promise.all(paths.map((path) => fetch(server.base + path)));
  const ids = answers.map((a) => a.headers.get("x-request-id"));
  const etag = answers[0].headers.get("etag");
  const same = await fetch(`${server.base}/`, { headers: { "if-none-match": etag } });
  check(`every answer has an id of its own, the app's files' too (${answers.map((a) => a.status)}, ${same.status})`,
    new Set([...ids, same.headers.get("x-request-id")]).size === paths.length + 1 && ids.every((id) => /^[0-9a-f-]{36}$/.test(id)) &&
    answers[0].status === 200 && same.status === 304);
  await stop(server);
}
