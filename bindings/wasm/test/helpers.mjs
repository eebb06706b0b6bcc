/* What the tests share: a sidelined of their own, and a browser. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");

/** A program of this tree: where SIDELINE_BIN says, else of the release or the development build. */
export function program(name) {
    const folders = [process.env.SIDELINE_BIN, "build/release/bin", "build/dev/bin"].filter(Boolean);
    const found = folders.map((f) => path.resolve(root, f, name)).find(existsSync);
    if (found === undefined) {
        throw new Error(`${name} is not built (./run test web builds it)`);
    }
    return found;
}

export function scratch() {
    const folder = mkdtempSync(path.join(os.tmpdir(), "sideline-web-"));
    return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Tries again until it gives something, for at most 20 s. */
export async function until(what, attempt) {
    const end = performance.now() + 20000;
    for (;;) {
        const got = await attempt();
        if (got !== undefined && got !== null && got !== false) {
            return got;
        }
        if (performance.now() > end) {
            throw new Error(`in 20 seconds, not: ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

export async function startSidelined(folder, more = []) {
    const port = path.join(folder, "port");
    rmSync(port, { force: true });
    const child = spawn(program("sidelined"),
        ["--data", path.join(folder, "srv"), "--port", "0", "--port-file", port, "--mfa", "optional", ...more], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const number = await until("sidelined writes its port", () => existsSync(port) && Number(readFileSync(port, "utf8")));
    return {
        port: number,
        async stop() {
            child.kill("SIGTERM");
            await ended;
        },
    };
}

/** Runs a program to its end: its standard output. */
export async function run(file, args, options = {}) {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let out = "";
    let err = "";
    child.stdout.on("data", (d) => (out += d));
    child.stderr.on("data", (d) => (err += d));
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code !== 0) {
        throw new Error(`${path.basename(file)} ${args.join(" ")}: ${code} ${err}`);
    }
    return out;
}

const CHROMIUM = process.env.SIDELINE_CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-gpu"];

/** A browser on a profile folder that stays, so that it can be killed and started again. */
export async function browser(profile) {
    const { chromium } = await import("playwright-core");
    return chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args: ARGS });
}

/** A private window: nothing stays. */
export async function privateBrowser() {
    const { chromium } = await import("playwright-core");
    return chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGS });
}

/** A page that has loaded the package. What goes wrong in it is told here. */
export async function open(context, url) {
    const page = await context.newPage();
    page.on("console", (message) => process.env.SIDELINE_VERBOSE && console.log("page:", message.text()));
    page.on("pageerror", (error) => console.log("page error:", error.message));
    await page.goto(url);
    await page.waitForFunction("window.ready === true");
    return page;
}

/** A browser that this process starts by itself, so that it can be killed as a whole. */
export async function killable(profile) {
    const { chromium } = await import("playwright-core");
    const args = [...ARGS, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
    const child = spawn(CHROMIUM, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let said = "";
    child.stderr.on("data", (d) => (said += d));
    const url = await until("the browser says where it listens", () => /listening on (ws:\S+)/.exec(said)?.[1]);
    const connected = await chromium.connectOverCDP(url);
    return {
        context: connected.contexts()[0],
        async kill() {
            process.kill(-child.pid, "SIGKILL"); /* its group: all of its processes at once */
            await ended;
            await connected.close().catch(() => undefined);
        },
    };
}
