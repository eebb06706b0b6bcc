// The server's own description of itself (openapi.json) against fast-check and ajv: requests made from it, and others
// near them, by nobody, an athlete and a coach. No answer is a 5xx, each has a status that is described and a body that fits
// its schema, and what is sent twice with the same number has one effect. PEERS_SEED repeats a run.
import Ajv from "ajv/dist/2020.js";
import fc from "fast-check";
import { randomUUID } from "node:crypto";

const RUNS = 400; // at least: as many more as there is time for
const TIME_MS = 15000;
const SEED = Number(process.env.PEERS_SEED ?? Date.now() % 1000000000);
const PUSHES = 25;

const strange = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", "'", "\"", "../../x", "%00", "\u0000", "\ud7ff",
  "-1", "9".repeat(30), "true", "null", "a".repeat(5000), "1e999", "<script>", "user:x", "{}"));
const anything = fc.oneof({ weight: 3, arbitrary: strange }, fc.integer(), fc.double({ noNaN: true }), fc.boolean(),
  fc.constant(null), fc.array(fc.integer(), { maxLength: 3 }), fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }));

// A value of the schema, or sometimes none.
function valueOf(schema) {
  const right = schema?.type === "string" ? fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom("anna@example.org",
    "athlete", "018b0000-0000-7000-8000-000000000001", "a long enough password")) :
    schema?.type === "integer" || schema?.type === "number" ? fc.integer({ min: -5, max: 1000 }) :
      schema?.type === "boolean" ? fc.boolean() : schema?.type === "array" ? fc.array(anything, { maxLength: 3 }) :
        schema?.type === "object" ? fc.dictionary(fc.string(), anything, { maxKeys: 3 }) : anything;
  return fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: anything });
}

function bodyOf(schema) {
  if (!schema?.properties) return fc.constant(undefined);
  const members = Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, valueOf(v)]));
  return fc.record(members, { requiredKeys: [] });
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([method]) => ["get", "post", "put", "patch", "delete", "head", "options"].includes(method))
    .map(([method, about]) => ({ path, method: method.toUpperCase(), about,
      schema: about.requestBody?.content?.["application/json"]?.schema })));
}

const queryOf = (op) => (op.about.parameters ?? []).filter((p) => p.in === "query").map((p) => p.name);

// Sessions end by these; the token is wanted for the rest.
const ends = /logout|erase|auth\/devices/;

const requests = (operations, people) => fc.constantFrom(...operations).chain((op) => fc.record({
  op: fc.constant(op),
  id: fc.oneof(strange, fc.constant("018b0000-0000-7000-8000-000000000001"), fc.constant("a".repeat(64))),
  body: bodyOf(op.schema),
  broken: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom("{", "[]", "\"x\"", "",
    "[".repeat(10000), "{\"a\":1,\"a\":2}", "\ufeff{}", "{\"e\":1e999}") }),
  who: fc.constantFrom(null, ...people),
  query: fc.dictionary(fc.constantFrom(...queryOf(op), "space", "limit", "unknown"), fc.oneof(strange,
    fc.constantFrom("5", "throw", "018b0000-0000-7000-8000-000000000001")), { maxKeys: 3 }),
}));

export async function tryApi(base, people, check) {
  const api = await (await fetch(`${base}/openapi.json`)).json();
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(api, "api");
  const operations = operationsOf(api);
  const checkers = new Map();
  let schemas = 0;
  const fits = (op, status, body) => {
    const answer = op.about.responses?.[status] ?? op.about.responses?.default;
    const at = answer?.$ref ? answer.$ref.split("/").slice(1).reduce((o, k) => o[k], api) : answer;
    const schema = at?.content?.["application/json"]?.schema;
    if (!schema) return true;
    const text = JSON.stringify(schema).replaceAll("#/", "api#/");
    if (!checkers.has(text)) checkers.set(text, ajv.compile(JSON.parse(text)));
    schemas++;
    return checkers.get(text)(body);
  };
  await tryMade(base, people[0], operations, fits, check);
  const property = fc.asyncProperty(requests(operations, people), async ({ op, id, body, broken, who, query }) => {
    const where = op.path.replace(/\{[^}]*\}/g, encodeURIComponent(id) || "x");
    const url = new URL(`${base}${where}`);
    for (const [k, v] of Object.entries(query)) url.searchParams.set(k, v);
    const headers = who && !ends.test(op.path) ? { authorization: `Bearer ${who.token}` } : {};
    const plain = ["GET", "HEAD", "OPTIONS"].includes(op.method);
    const sent = plain ? undefined : broken ?? (body === undefined ? undefined : JSON.stringify(body));
    if (sent !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(url, { method: op.method, headers, body: sent, redirect: "manual" }).catch((e) => {
      throw new Error(`${op.method} ${url} ${String(sent).slice(0, 200)}: ${e.cause ?? e}`);
    });
    const text = await answer.text();
    const what = `${op.method} ${url.pathname}${url.search} ${sent}: ${answer.status} ${text.slice(0, 200)}`;
    if (answer.status >= 500) throw new Error(`a 5xx: ${what}`);
    const known = op.about.responses?.[answer.status] ?? op.about.responses?.default ?? op.about.responses?.["4XX"];
    // A strange id may lead to another address, or to none.
    if (!known && ![400, 404, 405, 414, 431].includes(answer.status)) throw new Error(`not described: ${what}`);
    if ((answer.headers.get("content-type") ?? "").startsWith("application/json") && op.method !== "HEAD" &&
      !fits(op, answer.status, JSON.parse(text))) throw new Error(`does not fit its schema: ${what}`);
  });
  const began = Date.now();
  let runs = 0;
  let result = { failed: false };
  for (let i = 0; !result.failed && (runs < RUNS || Date.now() - began < TIME_MS); i++) {
    result = await fc.check(property, { numRuns: 100, seed: SEED + i, endOnFailure: true });
    runs += result.numRuns;
  }
  check(`fast-check, ajv: seed ${SEED}, ${runs} requests from openapi.json, ${schemas} bodies fit their schemas, no 5xx${
    result.failed ? `: seed ${result.seed}: ${result.errorInstance}` : ""}`, !result.failed && runs >= RUNS && schemas > 0);
  for (const who of people) await replays(base, who, check);
}

// Records that requests make, and lists that have them, are as described.
async function tryMade(base, who, operations, fits, check) {
  const [video, drawing] = [randomUUID(), randomUUID()];
  const sha = "a".repeat(64);
  const form = new FormData();
  Object.entries({ id: randomUUID(), title: "Throw by a form", duration_us: "5", width: "6", height: "7" })
    .forEach(([k, v]) => form.set(k, v));
  form.set("file", new Blob(["bytes"], { type: "video/mp4" }), "throw.mp4");
  const json = (body) => ({ body: JSON.stringify(body), type: "application/json" });
  const asked = [
    ["video_make", 201, "", json({ id: video, title: "Throw", blob: sha, media_type: "video/mp4", size: 5, duration_us: 5, width: 6, height: 7 })],
    ["video_make", 201, "", { body: form }],
    ["annotation_make", 201, video, json({ id: drawing, kind: "arrow", geometry: "AAAA", style: {}, t_in: 0, t_out: 5 })],
    ["annotation_make", 200, video, json({ id: drawing, kind: "arrow", geometry: "AAAA", style: {}, t_in: 0, t_out: 5 })],
    ["search", 200, "?q=throw", {}], ["reviews", 200, "", {}], ["coaches", 200, "", {}]];
  for (const [id, status, more, { body, type }] of asked) {
    const op = operations.find((o) => o.about.operationId === id);
    const url = `${base}${op.path.replace(/\{[^}]*\}/g, more)}${more.startsWith("?") ? more : ""}`;
    const answer = await fetch(url, { method: op.method, body,
      headers: { authorization: `Bearer ${who.token}`, ...(type && { "content-type": type }) } });
    const text = await answer.text();
    check(`ajv: ${id} answers ${status} as described${answer.status === status ? "" : `: ${answer.status} ${text}`}`,
      answer.status === status && fits(op, status, JSON.parse(text)));
  }
}

// The same push again and again, at once too: one receipt, one record, which is as it was sent.
async function replays(base, who, check) {
  const space = `user:${who.user}`;
  let n = 0;
  let cursor = { from: 0, epoch: "" };
  const post = async (path, body) => (await fetch(`${base}${path}`, { method: "POST", headers: { authorization: `Bearer ${who.token}`,
    "content-type": "application/json" }, body: JSON.stringify(body) })).json();
  const news = async () => {
    const records = [];
    for (let more = true; more;) {
      const page = await post("/api/v1/sync/pull", { space, ...cursor });
      records.push(...page.records);
      cursor = { from: page.to, epoch: page.epoch };
      more = page.more;
    }
    return records;
  };
  await news();
  const push = async (op) => {
    const answer = await fetch(`${base}/api/v1/sync/push`, { method: "POST", headers: { authorization: `Bearer ${who.token}`,
      "content-type": "application/json" }, body: JSON.stringify({ ops: [op] }) });
    return answer.text();
  };
  let applied = 0;
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.string({ maxLength: 200 }), async (times, text) => {
    const op = { n: ++n, op: "create", entity: "favourite", space, id: randomUUID(), fields: { kind: "coach",
      target_space: `x${text}`.slice(0, 60), target_id: who.user }, hlc: `${(Date.now() * 65536).toString(16).padStart(16, "0")}00000001` };
    const receipts = await Promise.all(Array.from({ length: times }, () => push(op)));
    receipts.push(await push(op));
    if (new Set(receipts).size !== 1) throw new Error(`not alike: ${receipts.join(" ")}`);
    const { result, seq } = JSON.parse(receipts[0]).receipts[0];
    const came = await news();
    const same = came.length === 1 && came[0].id === op.id && came[0].seq === seq &&
      Object.entries(op.fields).every(([k, v]) => came[0].fields[k] === v);
    if (result === "applied" ? !same : came.length > 0) throw new Error(`${receipts[0]}: ${JSON.stringify(came)}`);
    applied += result === "applied" ? 1 : 0;
  });
  const result = await fc.check(property, { numRuns: PUSHES, seed: SEED, endOnFailure: true });
  check(`fast-check: ${PUSHES} pushes sent up to six times have one receipt each, the ${applied} that were applied one record${
    result.failed ? `: ${result.errorInstance}` : ""}`, !result.failed && applied > 0);
}
