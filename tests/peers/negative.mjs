// Requests that must be refused, from negative.json, over real sockets: straight to the server and through nginx. Each gets
// its status, none changes anything, and each that is denied leaves one line in the audit log.
//
// An entry of the table stands for all that its lists name: methods, paths, headers, bodies, tokens, who asks ("as"); "each"
// takes methods and paths from openapi.json. {words} in braces are filled in. "edge": the head is sent as it is, is refused
// before the service sees it, and by nginx with another status perhaps.
import { createHash, createHmac, createPublicKey, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { check, skipped, until } from "./report.mjs";

const LEAST = 800;
const BATCH = 60; // requests between two looks at the audit log
const PAGE = 500; // lines of one answer
const table = JSON.parse(readFileSync(new URL("negative.json", import.meta.url), "utf8"));
const b64 = (x) => Buffer.from(x).toString("base64url");
const list = (x) => (Array.isArray(x) ? x : [x]);

// One request as bytes; its status, 0: no answer.
function send(port, text) {
  return new Promise((done) => {
    let all = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(text, "latin1")));
    socket.setTimeout(10000, () => socket.destroy());
    socket.on("data", (more) => { all += more.toString("latin1"); });
    socket.on("error", () => {});
    socket.on("close", () => done(Number(/^HTTP\/1\.1 (\d{3}) /.exec(all)?.[1] ?? 0)));
  });
}

// ---- what stands in the table's braces ----

async function people(base, ask, signUp, root) {
  const user = await signUp(base, "user@example.org");
  const other = await signUp(base, "other@example.org", "coach");
  const { json: session } = await ask(base, "POST", "/api/v1/auth/login", { body: { email: user.email,
    password: "a long enough password", device: user.device } });
  user.token = session.access_token;
  const { keys: [jwk] } = await (await fetch(`${base}/.well-known/jwks.json`)).json();
  const video = randomUUID();
  const theirs = `video:${video}`;
  const blob = createHash("sha256").update("clip").digest("hex");
  const tus = (method, where, headers, body) => fetch(new URL(where, base), { method, body,
    headers: { authorization: `Bearer ${other.token}`, "tus-resumable": "1.0.0", ...headers } });
  await ask(base, "POST", "/api/v1/sync/push", { token: other.token, body: { ops: [{ n: 1, op: "create", entity: "video",
    space: theirs, id: video, fields: { title: "x", blob, media_type: "video/mp4", size: 4, duration_us: 1, width: 2, height: 2 },
    hlc: `${(BigInt(Date.now()) << 16n).toString(16).padStart(16, "0")}00000001` }] } });
  const begin = (bytes) => tus("POST", "/api/v1/uploads", { "upload-length": "4", "upload-metadata": Object.entries(
    { sha256: createHash("sha256").update(bytes).digest("hex"), space: theirs })
    .map(([k, v]) => `${k} ${Buffer.from(v).toString("base64")}`).join(",") });
  const patch = (where, bytes) => tus("PATCH", where, { "upload-offset": "0", "content-type": "application/offset+octet-stream" }, bytes);
  await patch((await begin("clip")).headers.get("location"), "clip");
  const upload = (await begin("clop")).headers.get("location");
  await patch(upload, "c");
  const [h, c, s] = user.token.split(".");
  return { base, root, as: { user, other }, jwk, upload, words: { h, c, s, kid: jwk.kid, refresh: session.refresh_token, upload, blob, theirs,
    video, user: user.user, other: other.user, device: other.device, large: `{"a":"${"0".repeat(70000)}"}`, deep: "[".repeat(10000) } };
}

const fill = (w, text) => text.replace(/\{([a-z]+)\}/g, (all, word) => w.words[word] ?? all);

// The tokens that a description stands for.
function tokensOf(w, t) {
  const { h, c, s, kid } = w.words;
  if (t.form !== undefined) return [fill(w, t.form)];
  if (t.header !== undefined) return [`${b64(JSON.stringify(t.header).replaceAll("{kid}", kid))}.${c}.${s}`];
  if (t.claims !== undefined) return [`${h}.${b64(JSON.stringify({ ...JSON.parse(Buffer.from(c, "base64url")), ...t.claims }))}.${s}`];
  if (t.hmac !== undefined) {
    const secret = { pem: createPublicKey({ key: w.jwk, format: "jwk" }).export({ type: "spki", format: "pem" }), n: w.jwk.n, kid }[t.hmac] ?? "";
    const text = `${b64(JSON.stringify({ alg: t.alg, typ: "at+jwt", kid }))}.${c}`;
    return [`${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`];
  }
  const token = `${h}.${c}.${s}`;
  return Array.from({ length: Math.floor(token.length / t.flip) }, (_, i) => i * t.flip)
    .map((i) => `${token.slice(0, i)}${token[i] === "A" ? "B" : "A"}${token.slice(i + 1)}`);
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const within = (path) => path.replace(/\{[^}]*\}/g, "018b0000-0000-7000-8000-00000000aaaa");

// [method, path] pairs.
function placesOf(w, api, entry) {
  const all = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([m, about]) => ({ path,
    method: m.toUpperCase(), about })));
  const pairs = (found) => found.map((o) => [o.method, within(o.path)]);
  switch (entry.each) {
    case undefined: return list(entry.method).flatMap((m) => list(entry.path).map((p) => [m, p]));
    case "operation that needs a token": return pairs(all.filter((o) => o.about.security?.length > 0 &&
      o.about.security.every((s) => Object.keys(s).length > 0))); // not where a guest may ask
    case "operation for admins": return pairs(all.filter((o) => o.path.startsWith("/api/v1/admin/")));
    case "operation without a token that takes JSON": return pairs(all.filter((o) => !o.about.security &&
      o.about.requestBody?.content?.["application/json"] && o.method === "POST"));
    case "address and method that it does not know": return Object.entries(api.paths).flatMap(([path, methods]) => METHODS
      .filter((m) => !methods[m.toLowerCase()] && !all.some((o) => o.method === m && new RegExp(`^${o.path
        .replaceAll("{path}", ".+").replace(/\{[^}]*\}/g, "[^/]+")}$`).test(within(path)))).map((m) => [m, within(path)]));
    default: throw new Error(`no such set: ${entry.each}`);
  }
}

// All that an entry stands for: { what, text, status, edge }.
function requestsOf(w, api, entry) {
  if (entry.head) return entry.head.map((text) => ({ what: JSON.stringify(text.slice(0, 60)), text, status: entry.status, edge: true }));
  const tokens = entry.token ? entry.token.flatMap((t) => tokensOf(w, t)) : entry.as ? entry.as.map((who) => w.as[who].token) : [null];
  const out = [];
  for (const [method, path] of placesOf(w, api, entry)) {
    for (const headers of entry.headers ?? [{}]) {
      for (const body of entry.body === undefined ? [undefined] : list(entry.body)) {
        for (const token of tokens) {
          const bytes = body === undefined ? "" : Buffer.from(fill(w, body), "utf8").toString("latin1");
          const lines = { host: "x", connection: "close", ...(token && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { "content-type": "application/json", "content-length": String(bytes.length) }), ...headers };
          out.push({ what: `${method} ${path} ${JSON.stringify(headers)} ${body?.slice(0, 40)} ${token?.slice(0, 60)}`,
            text: `${method} ${fill(w, path)} HTTP/1.1\r\n${Object.entries(lines).map(([k, v]) => `${k}: ${fill(w, v)}\r\n`).join("")}\r\n${bytes}`,
            status: entry.status, edge: false });
        }
      }
    }
  }
  return out.map((r) => ({ ...r, what: `${entry.n}: ${r.what}` }));
}

// ---- what must not change ----

async function stateOf(w, ask) {
  const parts = [];
  for (const { token, user, email } of Object.values(w.as)) {
    parts.push((await ask(w.base, "POST", "/api/v1/sync/pull", { token, body: { space: `user:${user}` } })).text);
    parts.push((await ask(w.base, "GET", "/api/v1/auth/devices", { token })).text.replace(/"seen_ms":\d+/g, ""));
    parts.push((await ask(w.base, "GET", `/api/v1/admin/accounts?email=${email}`, { token: w.root })).text);
  }
  parts.push((await ask(w.base, "POST", "/api/v1/sync/pull", { token: w.as.other.token, body: { space: w.words.theirs } })).text);
  parts.push((await ask(w.base, "GET", `/api/v1/blobs/${w.words.blob}`, { token: w.as.other.token })).text);
  const head = await fetch(new URL(w.upload, w.base), { method: "HEAD", headers: { authorization: `Bearer ${w.as.other.token}`,
    "tus-resumable": "1.0.0" } });
  parts.push(`${head.status} ${head.headers.get("upload-offset")}`);
  return parts.join("\n");
}

// Sends all of them one by one. What was wrong, as sentences.
async function replay(w, ask, requests, port, straight) {
  const wrong = [];
  let after = 0;
  const lines = async () => {
    const all = [];
    for (let full = true; full;) {
      const { lines: found } = (await ask(w.base, "GET", `/api/v1/admin/audit?after=${after}`, { token: w.root })).json;
      after = found.at(-1)?.n ?? after;
      all.push(...found);
      full = found.length >= PAGE;
    }
    return all;
  };
  await lines();
  for (let i = 0; i < requests.length; i += BATCH) {
    const batch = requests.slice(i, i + BATCH);
    let denied = 0;
    for (const { what, text, status, edge } of batch) {
      const got = await send(port, text);
      const right = edge && !straight ? (got >= 400 && got < 500) || got === 501 || got === 505 : got === status;
      if (!right) wrong.push(`${what}: ${got}, not ${status}`);
      denied += !edge && [401, 403, 429].includes(status) ? 1 : 0;
      denied += edge && straight ? 1 : 0;
    }
    const found = [];
    const counted = () => found.filter((l) => (straight && l.action === "http.refused") || (l.action !== "http.refused" &&
      ["401", "403", "429"].includes(l.outcome))).length;
    await until("the lines", async () => { found.push(...await lines()); return counted() >= denied; }).catch(() => {});
    found.push(...await lines());
    if (counted() !== denied) wrong.push(`${batch[0].what} ..: ${denied} were denied, ${counted()} lines`);
  }
  return wrong;
}

export async function tryNegative({ ask, signUp, stop, adminOf, startNginx }) {
  const { server, token } = await adminOf("negative");
  const w = await people(server.base, ask, signUp, token);
  const api = await (await fetch(`${server.base}/openapi.json`)).json();
  const all = table.flatMap((entry) => requestsOf(w, api, entry));
  const ways = [["straight", server.port]];
  const nginx = await startNginx(server, "negative-nginx");
  if (nginx) ways.push(["through nginx", nginx.port]);
  else skipped("the negative requests through nginx", "it is not installed (Debian package nginx)");
  const before = await stateOf(w, ask);
  let count = 0;
  for (const [way, port] of ways) {
    const wrong = await replay(w, ask, all, port, way === "straight");
    const same = await stateOf(w, ask) === before;
    count += all.length;
    check(`${all.length} requests that must be refused, ${way}: ${same ? "nothing changed" : "SOMETHING CHANGED"}, a line of the audit ` +
      `log for each that was denied${wrong.slice(0, 20).map((x) => `\n       ${x}`).join("")}`, wrong.length === 0 && same);
  }
  check(`the table stands for ${count} requests`, !nginx || count >= LEAST);
  if (nginx) await stop(nginx.child);
  await stop(server);
}
