// A chat server as one would write it on ws, for the load generator to compare with.
//
//   node chat.mjs PEERS PORT-FILE [DATABASE]
//
// Signs in by a token, gives each message the next number of its space, answers the sender by a receipt and sends
// the message to all of the space; strokes it passes on to the others. With DATABASE receipts and messages follow
// the commit (better-sqlite3, WAL, synchronous=FULL), and what comes in one turn of the loop is one transaction.
import { createHmac } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [peers, portFile, path] = process.argv.slice(2);
const require = createRequire(join(peers, "package.json"));
const { WebSocketServer } = require("ws");
const spaces = new Map();
let waiting = [];
let database;
let insert;
let known;

if (path) {
  database = new (require("better-sqlite3"))(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE message (space TEXT, seq INTEGER, sender TEXT, id TEXT, body TEXT, ms INTEGER," +
    " PRIMARY KEY (space, seq), UNIQUE (sender, id)) WITHOUT ROWID");
  insert = database.prepare("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)");
  known = database.prepare("SELECT seq FROM message WHERE sender = ? AND id = ?");
}

function tell(client, frame, seq) {
  const text = JSON.stringify({ t: "msg", space: client.space.name, seq, from: client.user, body: frame.body });
  const bytes = Buffer.from(text);
  for (const other of client.space.members) other.send(bytes, { binary: false });
  client.send(JSON.stringify({ t: "receipt", id: frame.id, seq }));
}

// What is told to the others only, without a number or a receipt.
function passOn(client, frame) {
  const bytes = Buffer.from(JSON.stringify({ t: "msg", from: client.user, body: frame.body }));
  for (const other of client.space.members) if (other !== client) other.send(bytes, { binary: false });
}

function commit() {
  const batch = waiting;
  waiting = [];
  const numbers = [];
  database.transaction(() => {
    for (const [client, frame] of batch) {
      const had = known.get(client.user, frame.id);
      const seq = had ? had.seq : ++client.space.seq;
      if (!had) insert.run(client.space.name, seq, client.user, frame.id, frame.body, Date.now());
      numbers.push(had ? 0 : seq);
    }
  })();
  batch.forEach(([client, frame], i) => tell(client, frame, numbers[i]));
}

function onMessage(client, data) {
  const frame = JSON.parse(data);
  if (frame.t === "connect") {
    client.user = createHmac("sha256", "key").update(frame.token).digest("hex");
    if (!spaces.has(frame.space)) spaces.set(frame.space, { name: frame.space, members: new Set(), seq: 0 });
    client.space = spaces.get(frame.space);
    client.space.members.add(client);
    client.send(JSON.stringify({ t: "connected" }));
  } else if (client.space && frame.t === "stroke") {
    passOn(client, frame);
  } else if (client.space && database) {
    if (waiting.push([client, frame]) === 1) setImmediate(commit);
  } else if (client.space) {
    tell(client, frame, ++client.space.seq);
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 1000 });
server.on("connection", (client) => {
  client.on("message", (data) => onMessage(client, data));
  client.on("close", () => client.space?.members.delete(client));
  client.on("error", () => client.terminate());
});
server.on("listening", () => {
  writeFileSync(`${portFile}.part`, `${server.address().port}\n`);
  renameSync(`${portFile}.part`, portFile);
});
