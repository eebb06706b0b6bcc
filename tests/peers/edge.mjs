// The server's edge, for server.mjs: whose pages may open the live channel, how long one may be silent.
import { connect } from "node:net";
import { WebSocket } from "ws";
import { check } from "./report.mjs";

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
  const { json } = await ask(server.base, "GET", "/api/v1/admin/audit?after=0", { token });
  const lines = json.lines.filter((l) => l.action === "http.refused" && l.outcome === "403" && l.object === "127.0.0.1");
  const refused = tries.filter(([, status]) => status === 403).length;
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
