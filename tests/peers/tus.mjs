// Uploads, for server.mjs: tus-js-client, whose requests are killed and go on, with the first bytes in the creation and
// without; and what of tus it does not speak, by fetch. What was sent is downloaded and compared.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import * as tus from "tus-js-client";
import { check } from "./report.mjs";

const MIB = 1024 * 1024;
const hash = (bytes, kind = "sha256", as = "hex") => createHash(kind).update(bytes).digest(as);
const metadata = (values) => Object.entries(values).map(([k, v]) => `${k} ${Buffer.from(v).toString("base64")}`).join(",");

// Sends all of it, through a request that is killed within. The offsets that the server told then.
function send(base, who, bytes, space, more) {
  const offsets = [];
  const heard = { expires: 0 };
  return new Promise((done, fail) => {
    let killed = false;
    const begin = (url) => {
      const upload = new tus.Upload(bytes, {
        endpoint: `${base}/api/v1/uploads`, uploadUrl: url, chunkSize: MIB, retryDelays: null,
        headers: { authorization: `Bearer ${who.token}` },
        metadata: { sha256: hash(bytes), space, type: "application/octet-stream" },
        onError: (error) => fail(error),
        onAfterResponse: (request, response) => { heard.expires = Date.parse(response.getHeader("upload-expires") ?? "") || heard.expires; },
        onSuccess: () => done({ offsets, expires: heard.expires }),
        onProgress: (sent) => {
          if (killed || sent < 1.4 * MIB) return;
          killed = true;
          void upload.abort(false).then(async () => {
            const head = await fetch(new URL(upload.url, base), { method: "HEAD",
              headers: { authorization: `Bearer ${who.token}`, "tus-resumable": "1.0.0" } });
            offsets.push(Number(head.headers.get("upload-offset")));
            begin(upload.url);
          });
        },
        ...more,
      });
      upload.start();
    };
    begin(null);
  });
}

// A video that refers to the bytes, so that they may be read.
async function refer(base, who, id, bytes, ask, n) {
  const { json } = await ask(base, "POST", "/api/v1/sync/push", { token: who.token, body: { ops: [{ n, op: "create",
    entity: "video", space: `video:${id}`, id, fields: { title: "x", blob: hash(bytes), media_type: "video/mp4", size: bytes.length,
      duration_us: 1, width: 2, height: 2 }, hlc: `${(BigInt(Date.now()) << 16n).toString(16).padStart(16, "0")}00000001` }] } });
  if (json?.receipts?.[0].result !== "applied") throw new Error(JSON.stringify(json));
}

async function download(base, who, bytes) {
  const answer = await fetch(`${base}/api/v1/blobs/${hash(bytes)}`, { headers: { authorization: `Bearer ${who.token}` } });
  const got = Buffer.from(await answer.arrayBuffer());
  return answer.status === 200 && got.length === bytes.length && hash(got) === hash(bytes);
}

export async function tryTus(base, who, name, ask) {
  let n = 0;
  for (const [how, more] of [["", {}], [" with its first bytes in the creation", { uploadDataDuringCreation: true }]]) {
    const bytes = randomBytes(3 * MIB + 17);
    const id = randomUUID();
    const before = await download(base, who, bytes);
    const { offsets, expires } = await send(base, who, bytes, `video:${id}`, more);
    await refer(base, who, id, bytes, ask, ++n);
    const days = (expires - Date.now()) / 86400000;
    check(`tus-js-client: ${name}:${how} a killed request resumes at ${offsets[0]}, what is downloaded is what was sent`,
      !before && offsets.length === 1 && offsets[0] >= 0 && offsets[0] < bytes.length && await download(base, who, bytes));
    check(`tus-js-client: ${name}:${how} it is told when an unfinished upload ends: in ${days.toFixed(2)} days`, days > 6.9 && days <= 7);
    const again = await request(base, who, "POST", "/api/v1/uploads", { "upload-length": String(bytes.length),
      "upload-metadata": metadata({ sha256: hash(bytes), space: `user:${who.user}` }) });
    check(`tus-js-client: ${name}: what the server has, by its hash, is born complete`,
      again.status === 201 && again.headers.get("upload-offset") === String(bytes.length));
  }
  const large = randomBytes(20 * MIB);
  const id = randomUUID();
  const made = await request(base, who, "POST", "/api/v1/uploads", { "upload-length": String(large.length),
    "upload-metadata": metadata({ sha256: hash(large), space: `video:${id}` }), "content-type": "application/offset+octet-stream" }, large);
  await refer(base, who, id, large, ask, ++n);
  check(`tus: ${name}: 20 MiB come with their creation`, made.status === 201 && await download(base, who, large));
  await tryChecksums(base, who, name, ask, ++n);
}

const request = (base, who, method, where, headers, body) => fetch(new URL(where, base), { method, body,
  headers: { authorization: `Bearer ${who.token}`, "tus-resumable": "1.0.0", ...headers } });

async function tryChecksums(base, who, name, ask, n) {
  const bytes = randomBytes(2 * MIB + 5);
  const id = randomUUID();
  const about = await request(base, who, "OPTIONS", "/api/v1/uploads", {});
  const spoken = about.headers.get("tus-extension").split(",");
  const created = await request(base, who, "POST", "/api/v1/uploads", { "upload-length": String(bytes.length),
    "upload-metadata": metadata({ sha256: hash(bytes), space: `video:${id}` }) });
  const place = created.headers.get("location");
  const patch = (at, part, checksum) => request(base, who, "PATCH", place, { "upload-offset": String(at),
    "content-type": "application/offset+octet-stream", "upload-checksum": checksum }, part).then((a) => a.status);
  const offset = async () => Number((await request(base, who, "HEAD", place, {})).headers.get("upload-offset"));
  const [first, rest] = [bytes.subarray(0, MIB), bytes.subarray(MIB)];
  const got = [];
  for (const kind of ["sha1", "sha256"]) {
    got.push(await patch(0, first, `${kind} ${hash(rest, kind, "base64")}`), await offset());
  }
  got.push(await patch(0, first, "md5 JkqgsTF8VuYYPKBEg2EWVQ=="), await offset());
  got.push(await patch(0, first, `sha1 ${hash(first, "sha1", "base64")}`), await offset());
  got.push(await patch(MIB, rest, `sha256 ${hash(rest, "sha256", "base64")}`));
  await refer(base, who, id, bytes, ask, n);
  check(`tus: ${name}: ${about.headers.get("tus-checksum-algorithm")}: bytes that are not what their checksum says are not kept`,
    about.headers.get("tus-checksum-algorithm") === "sha1,sha256" &&
    ["creation", "creation-with-upload", "expiration", "checksum", "termination"].every((x) => spoken.includes(x)) &&
    got.join() === `460,0,460,0,400,0,204,${MIB},204` && await download(base, who, bytes));
}
