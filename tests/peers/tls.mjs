// TLS, for server.mjs: which versions and suites are spoken, by openssl, curl, sslscan, testssl.sh; WebSocket over it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { check, skipped } from "./report.mjs";

export function makeCertificate(dir) {
  const cert = join(dir, "cert.pem");
  const key = join(dir, "key.pem");
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "90",
    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "crlDistributionPoints=URI:http://127.0.0.1:9/crl"], { stdio: "ignore" });
  return { cert, key };
}

// The one speaks TLS 1.3, the other 1.2 too. A handshake that fails must be one that the server has refused.
async function tryVersions({ run, stop }, server, older) {
  const offered = async ({ port }, ...words) => {
    const result = await run("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...words], { timeout: 10000 })
      .catch((error) => error);
    const suite = /New, (TLSv[\d.]+), Cipher is (\S+)/.exec(result.stdout ?? "");
    const refused = /alert (handshake failure|protocol version)|alert number (40|70)/i.test(result.stderr ?? "");
    return suite && suite[2] !== "(NONE)" ? `${suite[1]} ${suite[2]}` : refused ? "refused" : `?${result.stderr}`;
  };
  const v13 = await offered(server, "-tls1_3");
  const v12 = await offered(server, "-tls1_2");
  check(`openssl: TLS 1.3 is spoken (${v13}), 1.2 is not (${v12})`, /^TLSv1\.3 TLS_/.test(v13) && v12 === "refused");
  const both = [await offered(older, "-tls1_3"), await offered(older, "-tls1_2")];
  const v11 = await offered(older, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
  check(`openssl: with --tls-min 1.2 both are (${both}), 1.1 is not (${v11})`, /^TLSv1\.3 TLS_/.test(both[0]) &&
    /^TLSv1\.2 ECDHE-/.test(both[1]) && v11 === "refused");
  const plain = await offered(older, "-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA");
  check(`openssl: of 1.2 nothing without forward secrecy, nothing without authentication (${plain})`, plain === "refused");
  await stop(older);
}

export async function tryTls(tools) {
  const { have, run, startServer, stop, work } = tools;
  if (!have("openssl")) return skipped("TLS", "openssl is not installed");
  const { cert, key } = makeCertificate(work);
  const server = await startServer("tls", ["--tls-cert", cert, "--tls-key", key]);
  const where = `127.0.0.1:${server.port}`;
  await tryVersions(tools, server, await startServer("tls-old", ["--tls-cert", cert, "--tls-key", key, "--tls-min", "1.2"]));
  if (have("curl")) {
    const { stdout } = await run("curl", ["-s", "--cacert", cert, "--http2", "-w", " %{http_version} %{http_code}",
      `https://${where}/api/v1/health`]);
    check(`curl --http2: HTTP/1.1 is agreed on, as no other is offered`, stdout.endsWith(" 1.1 200"));
  } else skipped("curl", "it is not installed");
  if (have("sslscan")) {
    const { stdout } = await run("sslscan", ["--no-colour", "--no-check-certificate", where], { timeout: 30000 });
    const old = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"].every((v) => new RegExp(`${v}\\s+disabled`).test(stdout));
    const lines = stdout.split("\n").filter((l) => /^(Preferred|Accepted)/.test(l));
    check(`sslscan: ${lines.length} suites, all of TLS 1.3, with AEAD, no compression, no renegotiation`, old &&
      lines.length > 0 && lines.every((l) => /TLSv1\.3/.test(l) && /(GCM|CHACHA20|CCM)/.test(l)) &&
      /Compression disabled|does not support compression/.test(stdout) && !/vulnerable/.test(stdout.replace(/not vulnerable/g, "")) &&
      /Session renegotiation not supported/.test(stdout));
  } else skipped("sslscan", "it is not installed (Debian package sslscan)");
  const dump = readFileSync(cert);
  process.env.NODE_EXTRA_CA_CERTS = cert;
  const socket = new WebSocket(`wss://${where}/api/v1/ws`, "sideline.v1.json", { ca: dump });
  const code = await new Promise((done) => {
    socket.on("open", () => socket.send("not a frame"));
    socket.on("close", (c) => done(c));
    socket.on("error", () => {});
  });
  check("ws over TLS: what is no frame closes with 4400", code === 4400);
  const bare = await run("node", ["-e", `const s=require("tls").connect({port:${server.port},host:"127.0.0.1",ca:require("fs").` +
    `readFileSync(${JSON.stringify(cert)})});let a=Buffer.alloc(0),g=0;s.on("data",d=>{a=Buffer.concat([a,d]);const i=a.indexOf("\\r\\n\\r\\n");` +
    "if(i>0&&!g){g=1;a=a.subarray(i+4);s.write(Buffer.from([0x81,1,0x78]))}if(g&&a.length>=4){console.log(a.readUInt16BE(2));s.destroy()}});" +
    "s.write('GET /api/v1/ws HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: " +
    "dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Protocol: sideline.v1.json\\r\\n\\r\\n')"], { timeout: 5000 })
    .catch((error) => error);
  check("over TLS too a frame that is not masked closes with 1002", bare.stdout?.trim() === "1002");
  await stop(server);
}

// About a minute: testssl.sh waits for what is not answered.
export async function tryTestssl({ have, run, startServer, stop, work }) {
  if (!have("testssl") || !have("openssl")) return skipped("testssl.sh", "it is not installed (Debian package testssl.sh)");
  const dir = join(work, "testssl");
  mkdirSync(dir);
  const { cert, key } = makeCertificate(dir);
  const server = await startServer("testssl-server", ["--tls-cert", cert, "--tls-key", key]);
  const file = join(dir, "found.json");
  const began = Date.now();
  const words = ["--quiet", "--color", "0", "--warnings", "off", "--add-ca", cert, "--jsonfile", file];
  await run("testssl", [...words, "-p", "-s", "-f", "-P", "-S", "-U", `https://127.0.0.1:${server.port}`],
    { timeout: 400000, maxBuffer: 1 << 24 }).catch(() => {}); // its status counts what it found
  const found = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const bad = found.filter((f) => ["HIGH", "CRITICAL", "FATAL"].includes(f.severity));
  const of = (id) => found.find((f) => f.id === id)?.finding ?? "nothing";
  check(`testssl.sh: ${found.length} findings in ${Math.round((Date.now() - began) / 1000)} s, TLS 1.3 ${of("TLS1_3")}, TLS 1.2 ${
    of("TLS1_2")}, none is of severity HIGH${bad.map((f) => `\n       ${f.id} ${f.severity}: ${f.finding}`).join("")}`,
  bad.length === 0 && found.length > 50 && found.some((f) => f.id === "heartbleed") && /offered/.test(of("TLS1_3")) &&
    /not offered/.test(of("TLS1_2")));
  await stop(server);
}
