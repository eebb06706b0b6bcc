/*
 * server.mjs: what the browser tests load, from loopback: pages of test/pages, the package's dist, and
 * everything under /api handed on to a sidelined, WebSockets too, so that page and API have one origin.
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm",
    ".map": "application/json", ".css": "text/css", ".ttf": "font/ttf" };

/* Where a path of the page is on the disk: the first of `mounts` that it begins with. */
function locate(mounts, url) {
    const wanted = decodeURIComponent(new URL(url, "http://x").pathname).replace(/\/$/, "/index.html");
    for (const [prefix, folder] of mounts) {
        if (wanted.startsWith(prefix)) {
            const file = path.join(folder, path.normalize(wanted.slice(prefix.length)));
            return file.startsWith(folder) && existsSync(file) && statSync(file).isFile() ? file : null;
        }
    }
    return null;
}

/** api: { port } of a sidelined, or null; may be set later. */
export async function serve(mounts = []) {
    const all = [...mounts, ["/dist/", path.join(here, "../dist")], ["/", path.join(here, "pages")]];
    const told = { api: null };
    const server = http.createServer((request, response) => {
        if (request.url.startsWith("/api/")) {
            const { method, headers, url } = request;
            const onward = http.request({ host: "127.0.0.1", port: told.api ?? 9, method, path: url, headers }, (answer) => {
                response.writeHead(answer.statusCode, answer.headers);
                answer.pipe(response);
            });
            onward.on("error", () => response.destroy());
            request.pipe(onward);
            return;
        }
        const file = locate(all, request.url);
        if (file === null) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
        createReadStream(file).pipe(response);
    });
    server.on("upgrade", (request, socket, head) => {
        const onward = net.connect(told.api ?? 9, "127.0.0.1", () => {
            const lines = [`${request.method} ${request.url} HTTP/1.1`];
            for (let i = 0; i < request.rawHeaders.length; i += 2) {
                lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
            }
            onward.write(`${lines.join("\r\n")}\r\n\r\n`);
            onward.write(head);
            onward.pipe(socket).pipe(onward);
        });
        onward.on("error", () => socket.destroy());
        socket.on("error", () => onward.destroy());
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        told,
        close: () => new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
        }),
    };
}
