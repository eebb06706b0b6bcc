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
