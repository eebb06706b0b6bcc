// Sign-in against independent programs: oidc-provider as the other provider, jose for tokens, oathtool for
// codes, smtp-server for mails, promtool for metrics.
//
//   node peers.mjs SIDELINED SIDELINE
//
// Prints one line for each check and ends with 1 when one fails. What is not installed is said to be skipped.
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, existsSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SignJWT, createRemoteJWKSet, exportJWK, generateKeyPair, importJWK, jwtVerify } from "jose";
import Provider from "oidc-provider";
import { SMTPServer } from "smtp-server";
import { check, finish, skipped, until } from "./report.mjs";

const run = promisify(execFile);
const [sidelined, sideline] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "sideline-peers-"));
const device = "018b0000-0000-7000-8000-000000000001";
const password = "a long enough password";
const mails = [];
let server;
let base;

async function startServer(more) {
  const portFile = join(work, "port");
  rmSync(portFile, { force: true });
  server = spawn(sidelined, ["--data", join(work, "srv"), "--port", "0", "--port-file", portFile, ...more],
    { stdio: ["ignore", "ignore", "inherit"] });
  const port = await until("the server", () => existsSync(portFile) && readFileSync(portFile, "utf8").trim());
  base = `http://127.0.0.1:${port}`;
}

async function stopServer() {
  const ended = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await ended;
}

async function ask(method, path, { body, token } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // not JSON: metrics, or nothing
  }
  return { status: answer.status, json, text };
}

const signUp = (email, role, name = "N") =>
  ask("POST", "/api/v1/auth/signup", { body: { email, password, name, role, device, birth_date: "1990-01-31" } });

// ---- mails ----

async function tryMails(smtpPort) {
  await until("the mail", () => mails.length > 0);
  const mail = mails.at(-1);
  check("smtp-server: the mail that proves an address is well formed",
    /^To: anna@example\.org\r\n/m.test(mail) && /^Subject: .+\r\n/m.test(mail) && mail.includes("\r\n\r\n"));
  const token = /#([A-Za-z0-9_-]{43})/.exec(mail)?.[1];
  const first = await ask("POST", "/api/v1/auth/verify", { body: { token } });
  const again = await ask("POST", "/api/v1/auth/verify", { body: { token } });
  check("smtp-server: its token proves the address, once", first.status === 204 && again.status === 422);
  void smtpPort;
}

// ---- tokens ----

async function tryTokens(session) {
  const keys = createRemoteJWKSet(new URL(`${base}/.well-known/jwks.json`));
  const rules = { issuer: "sidelined", audience: "sideline", typ: "at+jwt", algorithms: ["RS256"] };
  const { payload } = await jwtVerify(session.access_token, keys, rules);
  check("jose: verifies our access token by the published key", payload.sub === session.user.id);
  const used = async (token) => (await ask("GET", "/api/v1/auth/devices", { token })).status;
  check("the token is taken", (await used(session.access_token)) === 200);
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const [jwk] = (await ask("GET", "/.well-known/jwks.json")).json.keys;
  const mint = (header, key, claims = payload) => new SignJWT(claims).setProtectedHeader(header).sign(key);
  const forged = {
    "another key under our kid": await mint({ alg: "RS256", typ: "at+jwt", kid: jwk.kid }, privateKey),
    "another key under another kid": await mint({ alg: "RS256", typ: "at+jwt", kid: "x" }, privateKey),
    "its own key in the header": await mint(
      { alg: "RS256", typ: "at+jwt", kid: jwk.kid, jwk: await exportJWK(privateKey) }, privateKey),
    "HS256 with the public modulus": await mint({ alg: "HS256", typ: "at+jwt", kid: jwk.kid },
      new TextEncoder().encode(jwk.n)),
    "PS256": await mint({ alg: "PS256", typ: "at+jwt", kid: jwk.kid },
      (await generateKeyPair("PS256", { extractable: true })).privateKey),
    "no signature": `${Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url")}.${
      session.access_token.split(".")[1]}.`,
  };
  for (const [what, token] of Object.entries(forged)) {
    check(`jose: a token with ${what} is refused`, (await used(token)) === 401);
  }
  return jwk;
}

async function tryServiceKey(admin) {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const added = await ask("POST", "/api/v1/admin/service-keys",
    { token: admin, body: { name: "watcher", scope: "metrics", expires_in: 3600, jwk } });
  const mint = (claims, kid = added.json.kid) => new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", typ: "at+jwt", kid }).setIssuer("watcher").setAudience("sideline")
    .setExpirationTime("5m").sign(privateKey);
  const metrics = await ask("GET", "/metrics", { token: await mint({}) });
  check("jose: a service's own token opens what its scope has", added.status === 201 && metrics.status === 200);
  const pushes = ["queued_total", "sent_total", "gone_total", "failed_total", "dropped_total", "retries_total", "waiting"];
  check("the metrics say what became of pushes",
    pushes.every((name) => metrics.text.includes(`\nsidelined_push_${name} 0\n`)));
  const beyond = await ask("GET", "/api/v1/admin/audit", { token: await mint({}) });
  check("jose: and nothing else", beyond.status === 403);
  await importJWK(jwk, "RS256");
  try {
    execFileSync("promtool", ["check", "metrics"], { input: metrics.text, stdio: ["pipe", "pipe", "pipe"] });
    check("promtool: finds nothing in the metrics", true);
  } catch (error) {
    if (error.code === "ENOENT") skipped("promtool", "it is not installed (Debian package prometheus)");
    else check(`promtool: ${error.stderr}`, false);
  }
}

// ---- codes ----

async function tryCodes(session) {
  const oathtool = (secret, when) => execFileSync("oathtool", ["--totp", "-b", "-N", when, secret]).toString().trim();
  const token = session.access_token;
  const { json: offer } = await ask("POST", "/api/v1/auth/totp", { token });
  let code;
  try {
    code = oathtool(offer.secret, "now");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    skipped("oathtool", "it is not installed (Debian package oathtool)");
    return;
  }
  const confirmed = await ask("POST", "/api/v1/auth/totp/confirm", { token, body: { code } });
  check("oathtool: its code puts the authenticator in force",
    confirmed.status === 200 && confirmed.json.recovery_codes.length >= 20);
  const logIn = (given) => ask("POST", "/api/v1/auth/login",
    { body: { email: session.user.email, password, device, code: given } });
  check("oathtool: the same code again is refused", (await logIn(code)).status === 401);
  check("oathtool: the code of the next step signs in",
    (await logIn(oathtool(offer.secret, "now + 30 seconds"))).status === 200);
  check("oathtool: the code of five minutes ago does not",
    (await logIn(oathtool(offer.secret, "now - 300 seconds"))).status === 401);
}

// ---- another provider ----

function startProvider(port) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "sideline", token_endpoint_auth_method: "none", redirect_uris: ["http://127.0.0.1:9/back"],
      grant_types: ["authorization_code"], response_types: ["code"],
    }],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@provider.org`, email_verified: id !== "mallory", name: `The ${id}` }),
    }),
  });
  return new Promise((done) => {
    const http = createServer(provider.callback());
    http.listen(port, "127.0.0.1", () => done(http));
  });
}

// Opens the page as a browser would: follows redirects, keeps cookies, fills in the two forms.
async function browse(url, login) {
  const cookies = new Map();
  let form = null;
  for (let i = 0; i < 20; i++) {
    const answer = await fetch(url, {
      method: form ? "POST" : "GET", body: form, redirect: "manual",
      headers: { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join("; "),
        ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(";");
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    const to = answer.headers.get("location");
    form = null;
    if (to) {
      url = new URL(to, url).href;
      if (url.startsWith("http://127.0.0.1:9/back")) return url;
      continue;
    }
    const page = await answer.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (!action) throw new Error(`the provider says: ${page.slice(0, 300)}`);
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    form = new URLSearchParams({ prompt, ...(prompt === "login" && { login, password: "any" }) }).toString();
    url = new URL(action, url).href;
  }
  throw new Error("the provider leads round in circles");
}

// Not synchronous: the provider lives in this process and must answer meanwhile.
async function core(folder, ...words) {
  try {
    const { stdout } = await run(sideline, ["--data", join(work, folder), "--server", base, ...words]);
    return { code: 0, out: stdout };
  } catch (error) {
    return { code: error.code, out: error.stderr };
  }
}

async function tryProvider(issuer) {
  const begin = async (folder) => {
    const { code, out } = await core(folder, "oidc", "http://127.0.0.1:9/back");
    if (code !== 0) throw new Error(out);
    return JSON.parse(out);
  };
  const question = await begin("c1");
  const back = await browse(question.url, "peter");
  const other = await core("c1", "oidc", JSON.stringify({ ...question, state: "another", redirect: back }));
  check("oidc-provider: an answer to another question is refused by the core", other.code === 1);
  const strange = await core("c1", "oidc", JSON.stringify({ ...question, redirect:
    back.replace(/iss=[^&]+/, `iss=${encodeURIComponent("http://127.0.0.1:1")}`) }));
  check("oidc-provider: an answer of another issuer too", strange.code === 1);
  const signedIn = await core("c1", "oidc", JSON.stringify({ ...question, redirect: back }),
    "--birth", "1990-01-31");
  check("oidc-provider: code and verifier sign the core in",
    signedIn.code === 0 && signedIn.out.includes("peter@provider.org"));
  const code = new URL(back).searchParams.get("code");
  const give = (more) => ask("POST", "/api/v1/auth/oidc", { body: { code, verifier: question.verifier,
    nonce: question.nonce, redirect_uri: question.redirect_uri, device, ...more } });
  check("oidc-provider: a code serves once", (await give({})).status === 401);
  for (const [what, wrong] of [["verifier", { verifier: randomBytes(32).toString("base64url") }],
    ["nonce", { nonce: "x" }], ["address", { redirect_uri: "http://127.0.0.1:9/back2" }]]) {
    const q = await begin("c2");
    const to = await browse(q.url, "peter");
    const answer = await ask("POST", "/api/v1/auth/oidc", { body: {
      code: new URL(to).searchParams.get("code"), verifier: q.verifier, nonce: q.nonce,
      redirect_uri: q.redirect_uri, device, ...wrong } });
    check(`oidc-provider: another ${what} is refused`, answer.status === 401);
  }
  const mallory = await begin("c3");
  const landed = await browse(mallory.url, "mallory");
  const denied = await core("c3", "oidc", JSON.stringify({ ...mallory, redirect: landed }));
  check("oidc-provider: an address it has not verified opens no account", denied.code === 1);
  const challenge = createHash("sha256").update(question.verifier).digest("base64url");
  check("the page is asked for with PKCE S256",
    new URL(question.url).searchParams.get("code_challenge") === challenge && question.url.startsWith(issuer));
}

// ---- all of it ----

async function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function main() {
  const smtp = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS"], onData(stream, session, done) {
    let text = "";
    stream.on("data", (part) => { text += part; });
    stream.on("end", () => { mails.push(text); done(); });
  } });
  const smtpPort = await freePort();
  await new Promise((done) => smtp.listen(smtpPort, "127.0.0.1", done));
  const issuerPort = await freePort();
  const issuer = `http://127.0.0.1:${issuerPort}`;
  const provider = await startProvider(issuerPort);
  const options = ["--mail", `smtp://127.0.0.1:${smtpPort}`, "--public-url", "https://sideline.example",
    "--oidc-issuer", issuer, "--oidc-client", "sideline", "--mfa", "optional", "--no-limits"];
  await startServer(options);
  const { json: session } = await signUp("anna@example.org", "coach");
  await tryMails(smtpPort);
  await tryTokens(session);
  await tryCodes(session);
  await tryProvider(issuer);
  await signUp("root@example.org", "athlete");
  await stopServer();
  execFileSync(sidelined, ["--data", join(work, "srv"), "--make-admin", "root@example.org"]);
  await startServer([...options, "--push-url", "http://127.0.0.1:9/hook"]);
  const { json: admin } = await ask("POST", "/api/v1/auth/login",
    { body: { email: "root@example.org", password, device } });
  await tryServiceKey(admin.access_token);
  const kept = await ask("GET", "/api/v1/admin/audit?after=0", { token: admin.access_token });
  check("the audit log is whole after all that", kept.json.whole === true && kept.json.lines.length > 10);
  await stopServer();
  smtp.close();
  provider.close();
  provider.closeAllConnections();
}

try {
  await main();
} catch (error) {
  check(String(error.stack ?? error), false);
} finally {
  if (server && server.exitCode === null) server.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
finish("peers");
