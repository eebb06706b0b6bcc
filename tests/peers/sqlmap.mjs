// sqlmap, for server.mjs: parameters, members of JSON bodies and ids within addresses; each way has a mistake planted for
// it elsewhere, so that nothing found means that it looked.
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { check } from "./report.mjs";

const AT_ONCE = 3; // they are slow to start

// A server with the mistake that sqlmap looks for: in a parameter, in a JSON body, in the address.
function vulnerable() {
  return createServer(async (request, answer) => {
    const url = new URL(request.url, "http://x");
    let text = "";
    for await (const more of request) text += more;
    let id = url.searchParams.get("id") ?? decodeURIComponent(url.pathname.slice("/items/".length));
    try {
      if (text !== "") id = String(JSON.parse(text).id);
    } catch {
      id = "";
    }
    const quote = (id.match(/'/g) ?? []).length % 2 === 1;
    const test = /^1(?:\s+AND\s+(\d+)=(\d+))?(?:\s*--.*)?$/i.exec(id.trim());
    if (quote) {
      answer.statusCode = 500;
      answer.end("SQLite error: near \"'\": syntax error");
    } else {
      const yes = test && (test[1] === undefined || test[1] === test[2]);
      answer.end(`<html><body>${yes ? "found: one" : "nothing"}</body></html>`);
    }
  });
}

const json = "Content-Type: application/json";

const planted = (base) => [
  ["in a parameter", `${base}/?id=1`, ["-p", "id"]],
  ["in a body", `${base}/items`, ["-p", "id", `--headers=${json}`, `--data=${JSON.stringify({ id: "1" })}`]],
  ["in an address", `${base}/items/1*`, []],
];

// What is asked for is there, so that a change of the answer could be seen.
async function targets({ base }, who, { ask, signUp }) {
  const coach = await signUp(base, "sqlmap@example.org", "coach");
  const video = randomUUID();
  const thread = randomUUID();
  const bytes = "a clip";
  const blob = createHash("sha256").update(bytes).digest("hex");
  const as = (person) => `--headers=Authorization: Bearer ${person.token}`;
  const say = (method, where, body) => ask(base, method, where, { body, token: coach.token });
  const create = (n, entity, space, id, fields) => ({ n, op: "create", entity, space, id, fields,
    hlc: (BigInt(Date.now()) << 16n).toString(16).padStart(16, "0") + "00000001" });
  await say("POST", "/api/v1/sync/push", { floor: 0, ops: [
    create(1, "thread", `thread:${thread}`, thread, { title: "A group", group: true }),
    create(2, "coach", `coach:${coach.user}`, coach.user, { name: "Cleo" }),
    create(3, "product", `coach:${coach.user}`, randomUUID(), { title: "Throws", kind: "program", status: "offered",
      level: "beginner", language: "en" })] });
  await say("POST", "/api/v1/videos", { id: video, title: "A throw", blob, media_type: "video/mp4", size: bytes.length,
    duration_us: 1000, width: 16, height: 16 });
  const form = new FormData();
  form.append("space", `video:${video}`);
  form.append("file", new Blob([bytes], { type: "video/mp4" }), "clip");
  await fetch(`${base}/api/v1/uploads/form`, { method: "POST", body: form, headers: { authorization: `Bearer ${coach.token}` } });
  const message = { id: randomUUID(), thread_id: thread, body: "a throw" };
  await say("POST", "/api/v1/messages", message);
  const end = "ffffffff-ffff-7fff-bfff-ffffffffffff";
  return [
    ["a page of a space", `/api/v1/sync/load?space=user:${who.user}&from=0&to=5&limit=5`, ["-p", "space,from,limit", as(who)]],
    ["a search", "/api/v1/search?q=throw&type=video&limit=5", ["-p", "q,type,limit", as(coach)]],
    ["a list and its cursor", `/api/v1/reviews?video=${video}&author=${coach.user}&limit=5&after=${end}`,
      ["-p", "video,author,limit,after", as(coach)]],
    ["a list, its filters and its order", `/api/v1/coaches/${coach.user}/programs?sort=title&level=beginner&language=en&limit=5` +
      `&after=QQ.${end}`, ["-p", "sort,level,language,limit,after"]],
    ["a message", "/api/v1/messages", ["-p", "id,thread_id,body", `${as(coach)}\n${json}`, `--data=${JSON.stringify(message)}`]],
    ["a blob's address", `/api/v1/blobs/${blob}*`, [as(coach)]],
    ["a video's address", `/api/v1/videos/${video}*/playback`, [as(coach)]],
    ["a coach's address", `/api/v1/coaches/${coach.user}*`, []],
  ].map(([what, where, more]) => [what, base + where, [...more, "--code=200"]]);
}

export async function trySqlmap(server, who, tools) {
  const bait = vulnerable();
  await new Promise((done) => bait.listen(0, "127.0.0.1", done));
  const sqlmap = async (url, more, n) => {
    const { stdout } = await tools.run("sqlmap", ["-u", url, "--batch", "--level=2", "--risk=1", "--technique=BEU",
      "--dbms=SQLite", "--union-cols=1-6", "--threads=4", "--timeout=5", "--retries=0", "--disable-coloring", "--flush-session",
      `--output-dir=${join(tools.work, `sqlmap${n}`)}`, ...more],
    { timeout: 120000, maxBuffer: 1 << 24 }).catch((error) => error);
    return stdout ?? "";
  };
  const ours = await targets(server, who, tools);
  const all = [...planted(`http://127.0.0.1:${bait.address().port}`), ...ours];
  const said = [];
  let next = 0;
  const work = async () => {
    while (next < all.length) {
      const n = next++;
      said[n] = await sqlmap(all[n][1], all[n][2], n);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  bait.close();
  all.forEach(([what], n) => {
    const found = /is vulnerable|injectable/.test(said[n]) && /Parameter: /.test(said[n]);
    const none = /do not appear to be injectable/.test(said[n]) && !/Parameter: /.test(said[n]);
    if (n < all.length - ours.length) check(`sqlmap: finds the mistake that is planted for it ${what}`, found);
    else check(`sqlmap: finds nothing in ${what}`, none);
  });
}
