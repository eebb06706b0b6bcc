// A browser that is nobody's client: Debian's Chromium without a window opens a page of the server's own, and pages of
// another origin. What they do with fetch and WebSocket they tell by going to an address of this program.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { check, skipped } from "./report.mjs";

const WAIT_MS = 60000;

// Runs in the page: /?API,REPORT are the server's origin and where to go then.
async function page() {
  const [api, report] = decodeURIComponent(location.search.slice(1)).split(",");
  const told = {};
  const ask = async (path, body, token) => {
    const answer = await fetch(api + path, { method: body ? "POST" : "GET", body: body && JSON.stringify(body), headers: {
      ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }) } });
    return { status: answer.status, json: await answer.json().catch(() => null) };
  };
  const talk = (who) => new Promise((done) => {
    const frames = [];
    const socket = new WebSocket(`${api.replace("http", "ws")}/api/v1/ws`, "sideline.v1.json");
    const say = (frame) => socket.send(JSON.stringify(frame));
    socket.onerror = () => done("refused");
    socket.onopen = () => (who ? say({ t: "connect", v: 1, token: who.token, device: who.device, floor: 1 }) : done("open"));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      frames.push(frame.t);
      if (frame.t === "connected") say({ t: "subscribe", space: who.space, epoch: "", from: 0 });
      if (frame.t === "subscribed") say({ t: "push", ops: [{ n: 1, op: "create", entity: "favourite", space: who.space,
        id: crypto.randomUUID(), fields: { kind: "coach", target_space: `coach:${who.user}`, target_id: who.user }, hlc: `${(BigInt(Date.now()) << 16n).toString(16).padStart(16, "0")}00000001` }] });
      if (frame.t === "receipt") done(`${frames.join()} ${frame.result}`);
    };
  });
  try {
    told.health = (await ask("/api/v1/health")).status;
  } catch {
    told.health = "blocked";
  }
  if (told.health === 200) {
    const device = crypto.randomUUID();
    const made = await ask("/api/v1/auth/signup", { email: "page@example.org", password: "a long enough password", name: "P", role: "athlete", device, birth_date: "1990-01-31" });
    told.signup = made.status;
    const { access_token: token, user } = made.json;
    told.talk = await talk({ token, device, user: user.id, space: `user:${user.id}` });
    told.devices = (await ask("/api/v1/auth/devices", undefined, token)).json.devices.length;
  } else {
    told.talk = await talk(null);
  }
  location.href = `${report}/told?${encodeURIComponent(JSON.stringify(told))}`;
}

const HTML = "<!doctype html><meta charset=\"utf-8\"><title>A page</title><script src=\"/page.js\"></script>";
const SCRIPT = `${page};page();`;

// Serves the same page under another origin; told: what a page comes here with.
function another() {
  const waiting = [];
  const server = createServer((request, answer) => {
    const [path, query] = request.url.split("?");
    if (path === "/told") waiting.shift()?.(JSON.parse(decodeURIComponent(query)));
    answer.writeHead(200, { "content-type": path === "/page.js" ? "text/javascript" : "text/html" });
    answer.end(path === "/page.js" ? SCRIPT : path === "/" ? HTML : "");
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ server, base: `http://127.0.0.1:${server.address().port}`,
    told: () => new Promise((heard) => waiting.push(heard)) })));
}

export async function tryBrowser({ have, startServer, stop, work }) {
  if (!have("chromium")) return skipped("Chromium", "it is not installed (Debian package chromium)");
  const folder = join(work, "page");
  mkdirSync(folder);
  writeFileSync(join(folder, "index.html"), HTML);
  writeFileSync(join(folder, "page.js"), SCRIPT);
  const other = await another();
  const server = await startServer("browser", ["--web", folder]);
  const friendly = await startServer("browser-friendly", ["--web", folder, "--origin", other.base]);
  const open = async (origin, api) => {
    const told = other.told();
    const browser = spawn("chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
      `--user-data-dir=${join(work, `profile-${Math.random()}`)}`, `${origin}/?${encodeURIComponent(`${api},${other.base}`)}`],
    { stdio: "ignore", detached: true, env: { ...process.env, HOME: work } });
    const ended = new Promise((done) => browser.once("exit", done));
    const found = await Promise.race([told, new Promise((done) => setTimeout(() => done({ health: "nothing" }), WAIT_MS).unref())]);
    process.kill(-browser.pid, "SIGKILL"); // its group: all of its processes at once
    await ended;
    return found;
  };
  const own = await open(server.base, server.base);
  check(`Chromium: a page of the server's own signs up, is connected and pushes: ${JSON.stringify(own)}`,
    own.health === 200 && own.signup === 201 && own.devices === 1 && /^connected,.*subscribed,.*receipt applied$/.test(own.talk));
  const foreign = await open(other.base, server.base);
  check(`Chromium: a page of another origin may neither fetch nor open the live channel: ${JSON.stringify(foreign)}`,
    foreign.health === "blocked" && foreign.talk === "refused");
  const allowed = await open(other.base, friendly.base);
  check(`Chromium: one that --origin names opens the live channel: ${JSON.stringify(allowed)}`,
    allowed.health === "blocked" && allowed.talk === "open");
  await stop(server);
  await stop(friendly);
  other.server.close();
  other.server.closeAllConnections();
}
