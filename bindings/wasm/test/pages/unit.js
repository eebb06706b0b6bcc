/*
 * A thread that runs one program of the unit tests as Node would: what the program asks of Node is here. Files of the
 * machine are read from the server, once each; what is written stays in memory and goes with the thread.
 */
const ERRNO = { ENOENT: "no such file", EEXIST: "it exists", ENOTDIR: "no folder", EISDIR: "a folder", ENOTEMPTY: "not empty" };
const FOLDER = 0o040755;
const FILE = 0o100644;
const LINE = "\n";
const constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_NOCTTY: 0o400, O_TRUNC: 0o1000,
    O_APPEND: 0o2000, O_SYNC: 0o4010000 };

function fail(code, path) {
    throw Object.assign(new Error(`${code}: ${ERRNO[code]}, ${path}`), { code });
}

const path = {
    isAbsolute: (p) => p.startsWith("/"),
    normalize(p) {
        const parts = [];
        for (const part of p.split("/")) {
            if (part === "..") {
                parts.pop();
            } else if (part !== "" && part !== ".") {
                parts.push(part);
            }
        }
        return `/${parts.join("/")}`;
    },
    dirname: (p) => p.slice(0, Math.max(1, p.lastIndexOf("/"))),
    basename: (p) => p.slice(p.lastIndexOf("/") + 1),
    join: (...parts) => path.normalize(parts.join("/")),
    resolve: (...parts) => path.normalize(parts.reduce((at, p) => (p.startsWith("/") ? p : `${at}/${p}`), cwd)),
};
let cwd = "/";
let tree = "/"; /* the sources and what was built of them, wherever they are */

/* --- files --------------------------------------------------------------------------------- */

/** By their absolute names: a file has bytes and a size, a folder has neither; null is known to be absent. */
const nodes = new Map([["/", { mode: FOLDER }], ["/tmp", { mode: FOLDER }]]);
const opened = new Map();
let lastInode = 0;
let lastFd = 2;

/** What the machine has under this name. */
function fetched(name) {
    const request = new XMLHttpRequest();
    request.open("GET", `/machine${encodeURI(name)}`, false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status !== 200) {
        return null;
    }
    return request.getResponseHeader("x-folder") !== null
        ? { mode: FOLDER }
        : { mode: FILE, bytes: new Uint8Array(request.response), size: request.response.byteLength };
}

function find(name) {
    const full = path.resolve(name);
    if (!nodes.has(full)) {
        /* What is new in memory is not on the machine. */
        const above = nodes.get(path.dirname(full));
        const memory = full.startsWith("/tmp/") && !full.startsWith(`${tree}/`);
        nodes.set(full, above?.own === true || memory ? null : fetched(full));
    }
    return nodes.get(full);
}

function need(name) {
    return find(name) ?? fail("ENOENT", name);
}

function statOf(node) {
    node.ino ??= ++lastInode;
    const time = new Date(0);
    return { dev: 1, ino: node.ino, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size: node.size ?? 0, blksize: 4096,
        blocks: Math.ceil((node.size ?? 0) / 512), atime: time, mtime: time, ctime: time, isDirectory: () => node.mode === FOLDER };
}

function resize(node, size) {
    if (size > node.bytes.length) {
        const grown = new Uint8Array(Math.max(size, node.bytes.length * 2, 4096));
        grown.set(node.bytes);
        node.bytes = grown;
    }
    if (size < node.size) {
        node.bytes.fill(0, size, node.size);
    }
    node.size = size;
}

function children(name) {
    const prefix = `${path.resolve(name).replace(/\/$/, "")}/`;
    return [...nodes].filter(([n, node]) => node !== null && n.startsWith(prefix) && n !== "/" && !n.slice(prefix.length).includes("/"))
        .map(([n]) => n.slice(prefix.length));
}

const said = [];

const fs = {
    lstatSync: (name) => statOf(need(name)),
    statSync: (name) => statOf(need(name)),
    fstatSync: (fd) => (fd < 3 ? statOf({ mode: 0o020620 }) : statOf(opened.get(fd))),
    existsSync: (name) => find(name) !== null,
    chmodSync() {},
    chownSync() {},
    fchmodSync() {},
    fchownSync() {},
    utimesSync() {},
    fsyncSync() {},
    openSync(name, flags) {
        let node = find(name);
        if (node === null) {
            if ((flags & constants.O_CREAT) === 0 || find(path.dirname(path.resolve(name))) === null) {
                fail("ENOENT", name);
            }
            node = { mode: FILE, bytes: new Uint8Array(), size: 0 };
            nodes.set(path.resolve(name), node);
        } else if ((flags & constants.O_EXCL) !== 0) {
            fail("EEXIST", name);
        }
        if ((flags & 3) !== 0 && node.mode === FOLDER) {
            fail("EISDIR", name);
        }
        if ((flags & constants.O_TRUNC) !== 0) {
            resize(node, 0);
        }
        opened.set(++lastFd, node);
        return lastFd;
    },
    closeSync: (fd) => void opened.delete(fd),
    readSync(fd, into, offset, length, position) {
        const node = opened.get(fd);
        const n = Math.max(0, Math.min(length, node.size - position));
        into.set(node.bytes.subarray(position, position + n), offset);
        return n;
    },
    writeSync(fd, from, offset, length, position) {
        const bytes = from.subarray(offset, offset + length);
        if (fd < 3) {
            said.push(new TextDecoder().decode(bytes.slice()));
            return length;
        }
        const node = opened.get(fd);
        if (position + length > node.size) {
            resize(node, position + length);
        }
        node.bytes.set(bytes, position);
        return length;
    },
    ftruncateSync: (fd, size) => resize(opened.get(fd), size),
    truncateSync: (name, size) => resize(need(name), size),
    readFileSync: (name) => need(name).bytes.slice(0, need(name).size),
    mkdirSync(name) {
        if (find(name) !== null) {
            fail("EEXIST", name);
        }
        need(path.dirname(path.resolve(name)));
        nodes.set(path.resolve(name), { mode: FOLDER, own: true });
    },
    readdirSync(name) {
        if (need(name).mode !== FOLDER) {
            fail("ENOTDIR", name);
        }
        return children(name);
    },
    rmdirSync(name) {
        if (need(name).mode !== FOLDER || children(name).length > 0) {
            fail(need(name).mode !== FOLDER ? "ENOTDIR" : "ENOTEMPTY", name);
        }
        nodes.set(path.resolve(name), null);
    },
    unlinkSync(name) {
        if (need(name).mode === FOLDER) {
            fail("EISDIR", name);
        }
        nodes.set(path.resolve(name), null);
    },
    renameSync(from, to) {
        const [old, fresh] = [path.resolve(from), path.resolve(to)];
        const node = need(from);
        need(path.dirname(fresh));
        if (node.mode !== FOLDER && find(to)?.mode === FOLDER) {
            fail("EISDIR", to);
        }
        for (const [name, inside] of [...nodes]) {
            if (name.startsWith(`${old}/`)) {
                nodes.set(fresh + name.slice(old.length), inside);
                nodes.set(name, null);
            }
        }
        nodes.set(fresh, node);
        nodes.set(old, null);
    },
};

/* --- the program --------------------------------------------------------------------------- */

class Exit extends Error {}

/** An array over the same memory: the program hands over its whole heap with each call. */
const Buffer = { from: (source) => new Uint8Array(source), alloc: (n) => new Uint8Array(n) };

self.onmessage = ({ data }) => {
    const { program, folder } = data;
    const end = (code) => self.postMessage({ code, said: said.join("") });
    cwd = folder;
    tree = folder;
    const process = {
        argv: ["node", program],
        env: { CK_VERBOSITY: "normal" },
        platform: "linux",
        versions: { node: "20.0.0" },
        stdin: { fd: 0 },
        on() {},
        cwd: () => cwd,
        chdir: (to) => void (cwd = path.resolve(to)),
        hrtime: () => [Math.floor(performance.now() / 1000), Math.floor((performance.now() % 1000) * 1e6)],
        binding: () => ({ fs: constants }),
        exit(code) {
            end(code);
            throw new Exit();
        },
    };
    /* Tests that want other programs of the machine find that there are none, and say so. */
    const none = { spawnSync: () => ({ status: 127 }) };
    const require = (name) => (
        { fs, path, child_process: none, crypto: { randomBytes: (n) => crypto.getRandomValues(new Uint8Array(n)) } })[name];
    const console = { log: (...all) => said.push(all.join(" ") + LINE), warn: (...all) => said.push(all.join(" ") + LINE),
        error: (...all) => said.push(all.join(" ") + LINE) };
    self.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        if (!(event.reason instanceof Exit)) {
            said.push(String(event.reason?.stack ?? event.reason));
            end(-1);
        }
    });
    self.addEventListener("error", (event) => {
        event.preventDefault();
        if (!(event.error instanceof Exit)) {
            said.push(event.message);
            end(-1);
        }
    });
    const text = new TextDecoder().decode(fs.readFileSync(program));
    new Function("require", "process", "__filename", "__dirname", "module", "exports", "Buffer", "console", text)(
        require, process, program, path.dirname(program), {}, {}, Buffer, console);
};
