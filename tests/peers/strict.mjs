// WebSocket strictness: cases after Autobahn's categories, sent as raw bytes to sidelined and to npm's ws, which is
// the oracle: the close code must be the same, and a connection that lives on must answer a ping behind the case.
//
// Both applications close with 4400 when a whole message came, so that nothing but framing is compared.
import { connect } from "node:net";
import { WebSocketServer } from "ws";

const MAX = 1024 * 1024; // of a message, at both
const PROBE = "probe";
const WAIT_MS = 15000; // on a busy machine, for what never comes
const LANES = 12;

const b = (...bytes) => Buffer.from(bytes);
const masked = { key: b(0x12, 0x34, 0xab, 0xcd) };

// One frame. more: rsv, fin, mask, length (as said, whatever the payload has).
function frame(opcode, payload = Buffer.alloc(0), { fin = true, rsv = 0, mask = true, said, wide } = {}) {
  const bytes = Buffer.from(payload);
  const n = said ?? BigInt(bytes.length);
  const size = wide ?? (n < 126n ? 0 : n < 65536n ? 2 : 8);
  const head = Buffer.alloc(2 + size);
  head[0] = (fin ? 0x80 : 0) | rsv << 4 | opcode;
  head[1] = (mask ? 0x80 : 0) | (size === 0 ? Number(n) : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(Number(n), 2);
  if (size === 8) head.writeBigUInt64BE(n, 2);
  if (!mask) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, masked.key, bytes.map((v, i) => v ^ masked.key[i & 3])]);
}

const text = (s, more) => frame(1, s, more);
const ping = (s = "", more) => frame(9, s, more);
const close = (code, reason = "") => frame(8, code === undefined ? "" : Buffer.concat([
  b(code >> 8, code & 255), Buffer.from(reason)]));

// [name, pieces]: each piece is a write of its own. A case without a whole message ends with a ping.
const cases = [];
const add = (name, ...pieces) => cases.push({ name, pieces });
const octets = (bytes) => Array.from(bytes, (v) => b(v));

function framing() {
  for (const n of [0, 1, 2, 124, 125, 126, 127, 128, 255, 4096, 65535, 65536, 65537]) {
    add(`1 text of ${n}`, text("*".repeat(n)));
    add(`1 binary of ${n}`, frame(2, Buffer.alloc(n, 0xfe)));
  }
  add("1 text, octet by octet", ...octets(text("*".repeat(40))));
  add("1 text of 150, octet by octet", ...octets(text("*".repeat(150))));
  add("1 short text with a length of 16 bits", text("abc", { wide: 2 }));
  add("1 short text with a length of 64 bits", text("abc", { wide: 8 }));
}

function pings() {
  for (const n of [0, 1, 8, 124, 125]) add(`2 ping of ${n}`, ping("p".repeat(n)));
  for (const n of [126, 127, 200, 65536]) add(`2 ping of ${n}`, ping("p".repeat(n)));
  add("2 ping with bytes", ping(b(0, 255, 254, 253, 252, 251, 0, 255)));
  add("2 ping, octet by octet", ...octets(ping("a ping")));
  add("2 ping of 125, octet by octet", ...octets(ping("p".repeat(125))));
  add("2 pong", frame(10));
  add("2 pong with bytes", frame(10, "unsolicited"));
  add("2 pong of 126", frame(10, "p".repeat(126)));
  add("2 pong then ping", frame(10, "x"), ping("y"));
  add("2 ten pings", ...Array.from({ length: 10 }, (_, i) => ping(`${i}`)));
  add("2 ten pings at once", Buffer.concat(Array.from({ length: 10 }, (_, i) => ping(`${i}`))));
  add("2 ping in pieces", ping("x", { fin: false }));
  add("2 pong in pieces", frame(10, "x", { fin: false }));
  add("2 close in pieces", frame(8, b(3, 232), { fin: false }));
}

function reserved() {
  for (const [name, opcode] of [["text", 1], ["binary", 2], ["close", 8], ["ping", 9], ["pong", 10]]) {
    for (let rsv = 1; rsv < 8; rsv++) add(`3 ${name} with rsv ${rsv}`, frame(opcode, opcode === 8 ? "" : "x", { rsv }));
  }
  for (let rsv = 1; rsv < 8; rsv++) {
    add(`3 continuation with rsv ${rsv}`, text("x", { fin: false }), frame(0, "y", { rsv }));
  }
  add("3 ping, then rsv", Buffer.concat([ping("a"), text("x", { rsv: 4 })]));
}

function opcodes() {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    add(`4 opcode ${opcode}`, frame(opcode));
    add(`4 opcode ${opcode} with bytes`, frame(opcode, "xyz"));
    add(`4 opcode ${opcode} behind a ping`, Buffer.concat([ping("a"), frame(opcode, "x")]));
    add(`4 opcode ${opcode} in a message`, text("x", { fin: false }), frame(opcode));
  }
}

function fragments() {
  const open = { fin: false };
  add("5 text in two", text("ab", open), frame(0, "cd"));
  add("5 text in two at once", Buffer.concat([text("ab", open), frame(0, "cd")]));
  add("5 text in two, octet by octet", ...octets(Buffer.concat([text("ab", open), frame(0, "cd")])));
  add("5 binary in three", frame(2, "ab", open), frame(0, "cd", open), frame(0, "ef"));
  add("5 with empty pieces", text("", open), frame(0, "", open), frame(0, ""));
  add("5 only an empty first piece", text("", open));
  add("5 a first piece", text("ab", open));
  add("5 two pieces, no end", text("ab", open), frame(0, "c", open));
  add("5 ping between", text("ab", open), ping("x"), frame(0, "cd"));
  add("5 pong between", text("ab", open), frame(10, "x"), frame(0, "cd"));
  add("5 close between", text("ab", open), close(1000));
  add("5 end without a beginning", frame(0, "ab"));
  add("5 continuation without a beginning", frame(0, "ab", open));
  add("5 continuation without a beginning, empty", frame(0, "", open));
  add("5 text in a text", text("ab", open), text("cd"));
  add("5 text in a text, both open", text("ab", open), text("cd", open));
  add("5 binary in a text", text("ab", open), frame(2, "cd"));
  add("5 text in a binary", frame(2, "ab", open), text("cd"));
  add("5 text in a text behind a ping", text("ab", open), ping("x"), text("cd"));
  add("5 two beginnings at once", Buffer.concat([text("a", open), text("b", open)]));
  add("5 ping too long between", text("ab", open), ping("x".repeat(126)));
  add("5 ping in pieces between", text("ab", open), ping("x", open));
}

function utf8() {
  const good = ["κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\u{10000}", "\u{10ffff}", "\ufffd", "\ufffe", "\u0080", "\u07ff",
    "\u0800", "\uffff", "\ud7ff", "\ue000", "\u0000", "\u007f", "日本語", "🎯"];
  const bad = [[0x80], [0xbf], [0x80, 0xbf, 0x80], [0xc0], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xdf, 0xc0],
    [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe0, 0xa0], [0xe1, 0x80, 0x41], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
    [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80], [0xef, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf7, 0xbf, 0xbf, 0xbf],
    [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfb, 0xbf, 0xbf, 0xbf, 0xbf], [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], [0xfe], [0xff],
    [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5, 0xed, 0xa0, 0x80, 0x65, 0x64]];
  for (const s of good) add(`6 good ${escape(s)}`, text(s));
  for (const s of bad) {
    add(`6 bad ${Buffer.from(s).toString("hex")}`, text(b(...s)));
    add(`6 bad ${Buffer.from(s).toString("hex")} behind letters`, text(Buffer.concat([Buffer.from("abcd"), b(...s)])));
  }
  const word = Buffer.from("κόσμε");
  for (let i = 1; i < word.length; i++) {
    add(`6 good, cut at ${i}`, text(word.subarray(0, i), { fin: false }), frame(0, word.subarray(i)));
  }
  add("6 good, octet by octet", ...octets(text(word)));
  add("6 bad over two frames", text(b(0xce), { fin: false }), frame(0, b(0x41)));
  add("6 ends within a character", text(b(0x61, 0xce), { fin: false }), frame(0, ""));
  add("6 binary need not be text", frame(2, b(0xff, 0xfe, 0x80)));
  add("6 ping need not be text", ping(b(0xff, 0xfe)));
}

function closes() {
  add("7 close, empty", close());
  add("7 close, one byte", frame(8, b(3)));
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    add(`7 close ${code}`, close(code));
  }
  for (const code of [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) {
    add(`7 close ${code}, not to be sent`, close(code));
  }
  add("7 close with a reason", close(1000, "that is all"));
  add("7 close with a reason of 123", close(1000, "r".repeat(123)));
  add("7 close with a reason of 124", frame(8, Buffer.concat([b(3, 232), Buffer.alloc(124, 0x72)])));
  add("7 close with a reason that is no text", frame(8, b(3, 232, 0xce, 0xba, 0xed, 0xa0, 0x80)));
  add("7 close with a reason cut within a character", frame(8, b(3, 232, 0xce)));
  add("7 close, octet by octet", ...octets(close(1000, "bye")));
  add("7 bad close, octet by octet", ...octets(close(999)));
  add("7 close twice", close(1000), close(1000));
  add("7 text behind a close", Buffer.concat([close(1000), text("late")]));
  add("7 ping behind a close", Buffer.concat([close(1000), ping("late")]));
  add("7 what is wrong behind a close", Buffer.concat([close(1000), text("late", { rsv: 7 })]));
}

function limits() {
  add("9 the largest message", frame(2, Buffer.alloc(MAX)));
  add("9 one byte more", frame(2, Buffer.alloc(MAX + 1)));
  add("9 one byte more, in two", frame(2, Buffer.alloc(MAX), { fin: false }), frame(0, "x"));
  add("9 the largest, in two", frame(2, Buffer.alloc(MAX / 2), { fin: false }), frame(0, Buffer.alloc(MAX / 2)));
  add("9 2^31 bytes said", frame(2, "x", { said: 2n ** 31n }));
  add("9 2^53 bytes said", frame(2, "x", { said: 2n ** 53n }));
  add("9 2^63 bytes said", frame(2, "x", { said: 2n ** 63n }));
  add("9 2^64 - 1 bytes said", frame(2, "x", { said: 2n ** 64n - 1n }));
  add("9 many small pieces", Buffer.concat([text("", { fin: false }),
    ...Array.from({ length: 2000 }, () => frame(0, "x", { fin: false })), frame(0, "")]));
}

function masks() {
  const bare = { mask: false };
  add("10 text, not masked", text("x", bare));
  add("10 empty text, not masked", text("", bare));
  add("10 binary, not masked", frame(2, "x", bare));
  add("10 ping, not masked", ping("x", bare));
  add("10 pong, not masked", frame(10, "x", bare));
  add("10 close, not masked", frame(8, b(3, 232), bare));
  add("10 long text, not masked", text("x".repeat(70000), bare));
  add("10 continuation, not masked", text("x", { fin: false }), frame(0, "y", bare));
  add("10 not masked, octet by octet", ...octets(text("x", bare)));
  add("10 not masked, behind a ping", Buffer.concat([ping("a"), text("x", bare)]));
}

const upgrade = (path, protocol) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n` +
  "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  (protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : "") + "\r\n";

// The frames in what a server sent, and what is left over.
function* framesOf(bytes) {
  let at = 0;
  while (bytes.length - at >= 2) {
    let n = bytes[at + 1] & 127;
    let head = 2;
    if (n === 126) {
      if (bytes.length - at < 4) return;
      n = bytes.readUInt16BE(at + 2);
      head = 4;
    }
    if (bytes.length - at < head + n) return;
    yield { opcode: bytes[at] & 15, payload: bytes.subarray(at + head, at + head + n) };
    at += head + n;
  }
}

// What a server makes of a case: "open", the close code, "cut" when it ends without one.
function play(port, path, protocol, pieces) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    let bytes = Buffer.alloc(0);
    let began = false;
    let result;
    let again;
    const end = (what) => {
      result ??= what;
      clearTimeout(timer);
      clearInterval(again);
      socket.destroy();
      done(result);
    };
    const timer = setTimeout(() => end("nothing"), WAIT_MS);
    const send = async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        await new Promise((next) => { socket.write(piece, () => setImmediate(next)); });
      }
      // Of several pings an endpoint may answer some only (RFC 6455, 5.5.3).
      if (pieces.at(-1).equals(ping(PROBE))) again = setInterval(() => socket.write(pieces.at(-1)), 200);
    };
    socket.setNoDelay(true);
    socket.on("error", () => end("cut"));
    socket.on("close", () => end("cut"));
    socket.on("end", () => end("cut"));
    socket.on("connect", () => socket.write(upgrade(path, protocol)));
    socket.on("data", (more) => {
      bytes = Buffer.concat([bytes, more]);
      const at = bytes.indexOf("\r\n\r\n");
      if (!began && at >= 0) {
        began = true;
        bytes = bytes.subarray(at + 4);
        void send();
      }
      if (!began) return;
      for (const f of framesOf(bytes)) {
        if (f.opcode === 8) return end(f.payload.length >= 2 ? f.payload.readUInt16BE(0) : 1005);
        if (f.opcode === 10 && f.payload.toString() === PROBE) return end("open");
      }
    });
  });
}

// The close codes of messages too long, when they are read only after all was sent: a reset must not overtake them.
async function lastWords(port, count) {
  const found = new Set();
  for (let i = 0; i < count; i++) {
    found.add(await new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(upgrade("/api/v1/ws", "sideline.v1.json")));
      let bytes = Buffer.alloc(0);
      let sent = false;
      socket.setTimeout(WAIT_MS, () => done("nothing"));
      socket.on("error", (e) => done(e.code));
      socket.on("close", () => done("cut"));
      socket.on("data", (more) => {
        bytes = Buffer.concat([bytes, more]);
        const at = bytes.indexOf("\r\n\r\n");
        if (!sent && at >= 0) {
          sent = true;
          bytes = bytes.subarray(at + 4);
          socket.pause();
          socket.write(frame(2, Buffer.alloc(MAX + 1)), (e) => (e ? done(e.code) : socket.resume()));
        }
        for (const f of sent ? framesOf(bytes) : []) {
          done(f.payload.readUInt16BE(0));
          socket.destroy();
        }
      });
    }));
  }
  return [...found].join(" ");
}

// What must not become a WebSocket.
async function handshakes(port, check) {
  const ok = upgrade("/api/v1/ws", "sideline.v1.json");
  const refused = {
    "another version": ok.replace("Version: 13", "Version: 8"), "no version": ok.replace(/Sec-WebSocket-Version.*\r\n/, ""),
    "no key": ok.replace(/Sec-WebSocket-Key.*\r\n/, ""), "a short key": ok.replace(/(Key: ).*/, "$1YWJj\r"),
    "a key that is no base64": ok.replace(/(Key: ).*/, "$1dGhlIHNhbXBsZSBub25jZ!==\r"),
    "a POST": ok.replace("GET", "POST"), "another path": ok.replace("/api/v1/ws", "/api/v1/other"),
    "no Host": ok.replace(/Host.*\r\n/, ""), "a body said": ok.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello"),
    "chunks said": ok.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), "h2c": ok.replace("websocket", "h2c"),
    "another upgrade": ok.replace("websocket", "tls/1.3"),
  };
  for (const [name, request] of Object.entries(refused)) {
    const answer = await new Promise((done) => {
      let all = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(request, "latin1"));
      socket.setTimeout(WAIT_MS, () => socket.destroy());
      socket.on("data", (more) => { all += more.toString("latin1"); });
      socket.on("error", () => {});
      socket.on("close", () => done(all));
    });
    const health = await fetch(`http://127.0.0.1:${port}/api/v1/health`);
    check(`handshake: ${name} is refused (${answer.slice(9, 12)})`, /^HTTP\/1\.1 4\d\d /.test(answer) && health.status === 200);
  }
}

export async function tryStrict(port, check) {
  for (const part of [framing, pings, reserved, opcodes, fragments, utf8, closes, limits, masks]) part();
  const oracle = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: MAX, perMessageDeflate: false });
  oracle.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.on("message", () => ws.close(4400));
  });
  await new Promise((done) => oracle.once("listening", done));
  const differ = [];
  let next = 0;
  const lane = async () => {
    while (next < cases.length) {
      const { name, pieces } = cases[next++];
      // ws answers no ping behind a whole message, which closes; both answer it behind all else.
      const all = [...pieces, ping(PROBE)];
      let theirs;
      // The oracle's close may be overtaken by the reset that bytes still under way cause: then it is asked again.
      for (let again = 0; (theirs ?? "cut") === "cut" && again < 4; again++) {
        theirs = await play(oracle.address().port, "/", undefined, all);
      }
      const whole = theirs === 4400;
      const ours = await play(port, "/api/v1/ws", "sideline.v1.json", whole ? pieces : all);
      if (ours !== theirs) differ.push(`${name}: ${ours}, ws ${theirs}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const line of differ) console.log(`       ${line}`);
  check(`ws: ${cases.length} cases of framing end alike, ${differ.length} do not`, differ.length === 0);
  const parting = await lastWords(port, 20);
  check(`ws: who sends the whole of a message too long before reading anything is told 1009: ${parting}`, parting === "1009");
  await handshakes(port, check);
  await new Promise((done) => oracle.close(done));
}
