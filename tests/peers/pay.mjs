// Payments: a provider that speaks as Stripe, which Stripe's own library is tried against first, and the server then;
// what the provider tells is signed by that library.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Stripe from "stripe";
import { check, until } from "./report.mjs";

const key = "sk_test_of_the_peers";
const secret = "whsec_of_the_peers";
const version = "2024-06-20";

// What the API does with the requests that the server makes: forms with brackets, keys that make them one, no others
// than who has the secret key.
function provider() {
  const kept = new Map(); // by path and id
  const answered = new Map(); // by key
  const seen = [];
  const state = { away: false };
  let n = 0;
  const said = (status, body) => ({ status, body: JSON.stringify(body) });
  const wrong = (status, type, code) => said(status, { error: { type, code, message: code } });
  const make = (path, form) => {
    const id = `${{ payment_intents: "pi", customers: "cus", products: "prod", subscriptions: "sub" }[path]}_${++n}`;
    const metadata = Object.fromEntries([...form].filter(([k]) => k.startsWith("metadata[")).map(([k, v]) => [k.slice(9, -1), v]));
    const made = { id, object: path.slice(0, -1), metadata };
    if (path === "payment_intents") {
      if (!/^[a-z]{3}$/.test(form.get("currency")) || !(Number(form.get("amount")) >= 50)) return null;
      Object.assign(made, { amount: Number(form.get("amount")), currency: form.get("currency"), status: "requires_payment_method",
        client_secret: `${id}_secret_${n}` });
    }
    if (path === "subscriptions") {
      if (!kept.has(`customers/${form.get("customer")}`) || !kept.has(`products/${form.get("items[0][price_data][product]")}`)) return null;
      Object.assign(made, { status: "incomplete", cancel_at_period_end: false,
        latest_invoice: { payment_intent: { client_secret: `${id}_secret_${n}` } } });
    }
    kept.set(`${path}/${id}`, made);
    return made;
  };
  const change = (path, method, form) => {
    const had = kept.get(path);
    if (had?.status === "canceled") return null;
    if (had && method === "DELETE") had.status = "canceled";
    if (had && form.has("cancel_at_period_end")) had.cancel_at_period_end = form.get("cancel_at_period_end") === "true";
    return had;
  };
  const answer = (request, text) => {
    const path = request.url.replace(/^\/v1\//, "").replace(/\?.*/, "");
    const form = new URLSearchParams(text);
    const once = request.headers["idempotency-key"];
    if (state.away) return wrong(503, "api_error", "away");
    seen.push({ method: request.method, path, form, once, version: request.headers["stripe-version"] });
    if (request.headers.authorization !== `Bearer ${key}`) return wrong(401, "invalid_request_error", "api_key_invalid");
    if (request.method === "GET") return kept.has(path) ? said(200, kept.get(path)) : wrong(404, "invalid_request_error", "resource_missing");
    const had = answered.get(once);
    if (had && had.text !== request.method + path + text) return wrong(400, "idempotency_error", "idempotency_key_in_use");
    if (had) return had.answer;
    if (path.includes("/") && !kept.has(path)) return wrong(404, "invalid_request_error", "resource_missing");
    const made = path.includes("/") ? change(path, request.method, form) : make(path, form);
    const now = made ? said(200, made) : wrong(400, "invalid_request_error", "parameter_invalid");
    if (once) answered.set(once, { text: request.method + path + text, answer: now });
    return now;
  };
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => { text += part; });
    request.on("end", () => {
      const { status, body } = answer(request, text);
      response.writeHead(status, { "content-type": "application/json", "request-id": `req_${seen.length}` }).end(body);
    });
  });
  return { server, seen, kept, state };
}

const failure = async (asked) => {
  try {
    await asked;
    return "";
  } catch (error) {
    return error.type;
  }
};

// The library takes the provider for its own.
async function tryProvider(port) {
  const to = { host: "127.0.0.1", port, protocol: "http", apiVersion: version, maxNetworkRetries: 0 };
  const stripe = new Stripe(key, to);
  const ask = { amount: 4999, currency: "eur", metadata: { id: "x" }, automatic_payment_methods: { enabled: true } };
  const one = await stripe.paymentIntents.create(ask, { idempotencyKey: "the same" });
  const two = await stripe.paymentIntents.create(ask, { idempotencyKey: "the same" });
  check("pay: the provider is as Stripe's library knows it: keys, forms, errors", one.id === two.id &&
    (await stripe.paymentIntents.retrieve(one.id)).metadata.id === "x" &&
    await failure(stripe.paymentIntents.create({ ...ask, amount: 1 }, { idempotencyKey: "the same" })) === "StripeIdempotencyError" &&
    await failure(stripe.paymentIntents.create({ ...ask, amount: 1 })) === "StripeInvalidRequestError" &&
    await failure(new Stripe("sk_test_another", to).paymentIntents.create(ask)) === "StripeAuthenticationError");
  return stripe;
}

const hlc = (n) => (BigInt(Date.now()) << 16n | BigInt(n)).toString(16).padStart(16, "0") + "00000001";

async function openShop(server, coach, ask) {
  const ids = { program: randomUUID(), plan: randomUUID() };
  const shop = `coach:${coach.user}`;
  const ops = [
    { entity: "coach", id: coach.user, space: shop, fields: { name: "Cleo" } },
    { entity: "program", id: ids.program, space: `program:${ids.program}`, fields: { title: "Serve & volley", status: "published" } },
    { entity: "subscription_plan", id: ids.plan, space: shop, fields: { title: "Monthly", period: "month", status: "offered" } },
  ].map((op, i) => ({ n: i + 1, op: "create", hlc: hlc(i), ...op }));
  await ask(server.base, "POST", "/api/v1/sync/push", { token: coach.token, body: { ops, floor: 1 } });
  const price = (entity, id, price_minor) => ask(server.base, "POST", "/api/v1/prices",
    { token: coach.token, body: { entity, id, price_minor, currency: "EUR" } });
  check("pay: a coach sets prices", (await price("program", ids.program, 4999)).status === 204 &&
    (await price("subscription_plan", ids.plan, 990)).status === 204);
  return ids;
}

export async function tryPay({ ask, signUp, startServer, stop }) {
  const p = provider();
  await new Promise((done) => p.server.listen(0, "127.0.0.1", done));
  const { port } = p.server.address();
  const stripe = await tryProvider(port);
  Object.assign(process.env, { SIDELINED_PAY_KEY: key, SIDELINED_PAY_SECRET: secret });
  const server = await startServer("pay", ["--pay", `http://127.0.0.1:${port}/v1`, "--pay-fee", "1000"]);
  const coach = await signUp(server.base, "coach@example.org", "coach");
  const athlete = await signUp(server.base, "athlete@example.org");
  const ids = await openShop(server, coach, ask);
  const post = (path, body) => ask(server.base, "POST", path, { token: athlete.token, body });
  const records = async (who, entity) => {
    const { json } = await ask(server.base, "POST", "/api/v1/sync/pull", { token: who.token, body: { space: `user:${who.user}` } });
    return json.records.filter((r) => r.entity === entity && !r.deleted);
  };
  // As the library signs it; at: seconds; change: of the header.
  const tell = async (id, type, object, { at, by = secret, change = (x) => x, more = "" } = {}) => {
    const payload = JSON.stringify({ id, object: "event", type, created: Math.floor(Date.now() / 1000), data: { object } });
    const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: by, ...(at && { timestamp: at }) });
    return (await fetch(`${server.base}/webhooks/stripe`, { method: "POST", body: payload + more,
      headers: { "stripe-signature": change(signature), "content-type": "application/json" } })).status;
  };

  const id = randomUUID();
  const [first, again] = [await post("/api/v1/payments", { id, program_id: ids.program }),
    await post("/api/v1/payments", { id, program_id: ids.program })];
  const [name] = [...p.kept.keys()].filter((k) => k.startsWith("payment_intents/")).slice(-1);
  const intent = await stripe.paymentIntents.retrieve(name.split("/")[1]);
  check("pay: a payment is one however often it is asked for, here and there", first.status === 201 && again.status === 200 &&
    first.json.client_secret === intent.client_secret && again.json.client_secret === intent.client_secret &&
    intent.amount === 4999 && intent.currency === "eur" && intent.metadata.id === id &&
    p.seen.filter((s) => s.once === id).every((s) => s.version === version));
  const paid = { ...intent, status: "succeeded", amount_received: 4999 };
  const now = Math.floor(Date.now() / 1000);
  const wrong = [{ more: " " }, { by: "whsec_another" }, { at: now - 400 }, { at: now + 400 }, ...[
    (x) => x.replace("v1=", "v0="), (x) => x.replace(/v1=.*/, "v1="), (x) => x.slice(0, -2), (x) => x.slice(0, -1), (x) => `${x}00`,
    (x) => x.replace(/t=\d+/, "t="), (x) => x.replace(/t=\d+,/, ""), () => "", () => "x".repeat(2000)].map((change) => ({ change }))];
  const refused = [];
  for (const how of wrong) refused.push(await tell("evt_1", "payment_intent.succeeded", paid, how));
  check("pay: an event that is signed wrongly, by another, or not now, is refused and does nothing",
    refused.every((status) => status === 400) && (await records(athlete, "purchase")).length === 0);
  const told = await Promise.all(Array.from({ length: 100 }, () => tell("evt_1", "payment_intent.succeeded", paid)));
  const bought = await records(athlete, "purchase");
  const earned = await records(coach, "earning");
  const open = () => ask(server.base, "POST", "/api/v1/sync/pull", { token: athlete.token, body: { space: `program:${ids.program}` } });
  const opened = await open();
  check("pay: what is bought is there once the provider has told of it, a hundred times at once, and the coach's part", told.every((status) => status === 204) &&
    bought.length === 1 && earned.length === 1 && JSON.stringify(earned).includes("4499") && opened.status === 200);
  check("pay: ... and gone when it is paid back", await tell("evt_2", "charge.refunded", { id: "ch_1", object: "charge",
    payment_intent: intent.id, refunded: true, metadata: {} }) === 204 &&
    (await open()).status === 404 &&
    (await records(coach, "earning")).length === 0);

  const subscription = randomUUID();
  const begun = await post("/api/v1/subscriptions", { id: subscription, coach_id: coach.user, plan_id: ids.plan });
  const sub = await until("the subscription", () => [...p.kept.values()].find((v) => v.id.startsWith("sub_")));
  await tell("evt_3", "customer.subscription.updated", { ...sub, status: "active", current_period_start: now, current_period_end: now + 2592000 });
  const ended = await ask(server.base, "DELETE", `/api/v1/subscriptions/${subscription}`, { token: athlete.token });
  check("pay: a subscription begins, runs and ends with its period", begun.status === 201 &&
    begun.json.client_secret === sub.latest_invoice.payment_intent.client_secret && (await records(athlete, "subscription")).length === 1 &&
    ended.status === 204 && (await stripe.subscriptions.retrieve(sub.id)).cancel_at_period_end === true);
  p.state.away = true;
  const away = await post("/api/v1/payments", { id: randomUUID(), program_id: ids.program });
  p.state.away = false;
  check("pay: while the provider is away payments wait", away.status === 503);
  sub.status = "canceled"; // and nobody told us
  const gone = await ask(server.base, "POST", "/api/v1/account/erase", { token: coach.token, body: { password: "a long enough password" } });
  check("pay: an account is erased though the provider has ended what is to be stopped", gone.status === 204 &&
    p.seen.at(-1).method === "DELETE" && p.seen.at(-1).path === `subscriptions/${sub.id}`);
  p.server.closeAllConnections();
  p.server.close();
  await stop(server);
}
