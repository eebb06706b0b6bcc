/* The network of a core: fetch and WebSocket in place of the library's own HTTP and WebSocket. */
import { statusOf } from "./errors.js";
import { type Library, PTR } from "./library.js";

const OK = 0;
const NETWORK = statusOf("NETWORK");
const CANCELLED = statusOf("CANCELLED");
const TEXT = 1;
const BINARY = 2;
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
/* fetch sets these itself and refuses them from others. */
const OWN_HEADERS = new Set(["host", "content-length", "connection", "expect", "accept-encoding", "user-agent"]);

interface Request {
    method: string;
    url: string;
    headers: [string, string][];
    body: Uint8Array<ArrayBuffer> | null;
    timeout: number;
}

export class Transport {
    private core = 0;
    private readonly requests = new Map<number, AbortController>();
    private readonly sockets = new Map<number, WebSocket>();
    private readonly tables: number[] = [];
    readonly http: number;
    readonly ws: number;

    /** `heard` is called after each piece of news was told to the core. */
    constructor(
        private readonly lib: Library,
        private readonly fetcher: typeof fetch,
        private readonly heard: () => void,
    ) {
        const functions = lib.functions([
            ["iiji", (_user: number, req: bigint, at: number) => this.start(Number(req), at)],
            ["vij", (_user: number, req: bigint) => this.requests.get(Number(req))?.abort()],
            ["iijii", (_u: number, ws: bigint, url: number, sub: number) => this.open(Number(ws), url, sub)],
            ["iijiii", (_u: number, ws: bigint, kind: number, p: number, n: number) => this.send(Number(ws), kind, p, n)],
            ["vijii", (_u: number, ws: bigint, code: number) => this.shut(Number(ws), code)],
        ]);
        this.http = this.table(functions.slice(0, 2));
        this.ws = this.table(functions.slice(2));
    }

    /** News goes to this core; 0 to none. */
    attach(core: number): void {
        this.core = core;
        if (core === 0) {
            this.requests.forEach((r) => r.abort());
            this.sockets.forEach((s) => s.close());
            this.requests.clear();
            this.sockets.clear();
        }
    }

    free(): void {
        this.attach(0);
        this.tables.forEach((t) => this.lib.wasm._free(t));
    }

    private table(functions: number[]): number {
        const m = this.lib.wasm;
        const at = m._malloc((2 + functions.length) * PTR);
        m.HEAPU32.set([(2 + functions.length) * PTR, 0, ...functions], at >> 2);
        this.tables.push(at);
        return at;
    }

    /* --- HTTP ----------------------------------------------------------------------------- */

    private start(req: number, at: number): number {
        const m = this.lib.wasm;
        const word = (i: number) => m.HEAPU32[(at >> 2) + i]!;
        const headers = m.UTF8ToString(word(4)).split("\r\n").filter((line) => line.includes(":")).map(
            (line): [string, string] => {
                const colon = line.indexOf(":");
                return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
            },
        );
        const body = word(5) === 0 ? null : (m.HEAPU8.slice(word(5), word(5) + word(6)) as Uint8Array<ArrayBuffer>);
        const stop = new AbortController();
        this.requests.set(req, stop);
        void this.exchange(req, stop, {
            method: m.UTF8ToString(word(2)),
            url: m.UTF8ToString(word(3)),
            headers: headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase())),
            body,
            timeout: word(1),
        });
        return OK;
    }

    private async exchange(req: number, stop: AbortController, r: Request): Promise<void> {
        let late = false;
        const timer = r.timeout > 0 ? setTimeout(() => ((late = true), stop.abort()), r.timeout) : undefined;
        let status = OK;
        try {
            const init: RequestInit = {
                method: r.method,
                headers: r.headers,
                signal: stop.signal,
                redirect: "follow",
                credentials: "omit",
                cache: "no-store",
            };
            if (r.body !== null && r.method !== "GET" && r.method !== "HEAD") {
                init.body = r.body;
            }
            await this.receive(req, await this.fetcher(r.url, init));
        } catch {
            status = stop.signal.aborted && !late ? CANCELLED : NETWORK;
        } finally {
            clearTimeout(timer);
        }
        if (this.requests.delete(req)) {
            this.lib.raw("sl_host_http_done", this.core, BigInt(req), status);
            this.heard();
        }
    }

    private async receive(req: number, response: Response): Promise<void> {
        if (!this.requests.has(req)) {
            return;
        }
        const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
        this.lib.with((room) => {
            this.lib.raw("sl_host_http_head", this.core, BigInt(req), response.status, room.text(headers));
        });
        this.heard();
        const reader = response.body?.getReader();
        while (reader !== undefined) {
            const { done, value } = await reader.read();
            if (done || !this.requests.has(req)) {
                break;
            }
            this.lib.with((room) => {
                this.lib.raw("sl_host_http_data", this.core, BigInt(req), room.copy(value), value.length);
            });
            this.heard();
        }
    }

    /* --- WebSocket ------------------------------------------------------------------------ */

    private open(ws: number, url: number, subprotocol: number): number {
        const m = this.lib.wasm;
        let socket: WebSocket;
        try {
            socket = new WebSocket(m.UTF8ToString(url).replace(/^http/, "ws"), m.UTF8ToString(subprotocol));
        } catch {
            return NETWORK;
        }
        socket.binaryType = "arraybuffer";
        this.sockets.set(ws, socket);
        const told = (tell: () => void) => {
            if (this.sockets.get(ws) === socket) {
                tell();
                this.heard();
            }
        };
        socket.onopen = () => told(() => this.lib.raw("sl_host_ws_opened", this.core, BigInt(ws)));
        socket.onmessage = (event) => told(() => this.message(ws, event.data as string | ArrayBuffer));
        const ended = (code: number) =>
            told(() => {
                this.sockets.delete(ws);
                this.lib.raw("sl_host_ws_closed", this.core, BigInt(ws), code);
            });
        socket.onclose = (event) => ended(event.code || ABNORMAL_CLOSURE);
        /* After an error nothing comes but the end, and in Node 20 not even that. */
        socket.onerror = () => ended(ABNORMAL_CLOSURE);
        return OK;
    }

    private message(ws: number, data: string | ArrayBuffer): void {
        const text = typeof data === "string";
        const bytes = text ? new TextEncoder().encode(data) : new Uint8Array(data);
        this.lib.with((room) => {
            const at = room.copy(bytes);
            this.lib.raw("sl_host_ws_message", this.core, BigInt(ws), text ? TEXT : BINARY, at, bytes.length);
        });
    }

    private send(ws: number, kind: number, p: number, n: number): number {
        const socket = this.sockets.get(ws);
        if (socket === undefined || socket.readyState !== WebSocket.OPEN) {
            return NETWORK;
        }
        const bytes = this.lib.wasm.HEAPU8.slice(p, p + n) as Uint8Array<ArrayBuffer>;
        socket.send(kind === TEXT ? new TextDecoder().decode(bytes) : bytes);
        return OK;
    }

    private shut(ws: number, code: number): void {
        /* A page may close with 1000 and 3000 to 4999 only. */
        this.sockets.get(ws)?.close(code === NORMAL_CLOSURE || code >= 3000 ? code : NORMAL_CLOSURE);
    }
}
