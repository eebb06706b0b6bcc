/* A real sidelined with the built app, a real browser, and what two people do in it. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
export const PASSWORD = "correct horse battery";

export class World {
    constructor(options) {
        this.options = options;
        this.work = mkdtempSync(join(tmpdir(), "sideline-app-"));
        this.problems = [];
    }

    /** Starts the server, on the same port as before when there was one. */
    async serve() {
        const portFile = join(this.work, "port");
        const { sidelined, app } = this.options;
        rmSync(portFile, { force: true });
        this.server = spawn(sidelined, ["--data", join(this.work, "data"), "--port", this.port ?? "0", "--port-file", portFile, "--web", app, "--mfa", "optional", "--no-limits", ...(this.options.more ?? []), ...(this.options.media ? [] : ["--no-media"]), "--upload-rate", "400000"], { stdio: ["ignore", "ignore", "inherit"] });
        this.port = await waitFor("the server's port", () => {
            try {
                return readFileSync(portFile, "utf8").trim() || undefined;
            } catch {
                return undefined;
            }
        });
        this.url = `http://127.0.0.1:${this.port}`;
    }

    /** Ends the server without a warning. */
    async kill() {
        const ended = new Promise((resolve) => this.server.once("exit", resolve));
        this.server.kill("SIGKILL");
        await ended;
    }

    async start() {
        const { clip, speech } = this.options;
        await this.serve();
        const camera = join(this.work, "camera.mjpeg");
        if (clip !== undefined) {
            execFileSync("ffmpeg", ["-v", "error", "-ss", "2", "-i", clip, "-t", "4", "-vf", "scale=640:480", "-r", "25", "-q:v", "4", camera]);
        }
        this.how = {
            executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
            args: ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${speech}`, ...(clip === undefined ? [] : [`--use-file-for-fake-video-capture=${camera}`]), "--autoplay-policy=no-user-gesture-required"],
        };
        this.browser = await chromium.launch(this.how);
    }

    /** A whole test: its steps, what they found, and the end of the process. */
    async run(name, work) {
        const began = Date.now();
        let steps = 0;
        const step = async (what, doing) => {
            const from = Date.now();
            try {
                await doing();
            } catch (error) {
                error.message = `${what}: ${error.message}`;
                throw error;
            }
            steps += 1;
            console.log(`  ok  ${what} (${((Date.now() - from) / 1000).toFixed(1)} s)`);
        };
        try {
            await this.start();
            await work(step);
        } catch (error) {
            this.problems.push(error.message);
            await this.last();
        } finally {
            await this.stop();
        }
        this.problems.forEach((problem) => console.error(`  FAILED  ${problem}`));
        console.log(`${name}: ${steps} steps, ${this.problems.length} problems, ${((Date.now() - began) / 1000).toFixed(0)} s`);
        process.exit(this.problems.length > 0 ? 1 : 0);
    }

    /** What was on the screens when something failed. */
    async last() {
        const { shots } = this.options;
        for (const [i, page] of (this.browser?.contexts() ?? []).flatMap((one) => one.pages()).entries()) {
            const text = await page.locator("body").innerText({ timeout: 2000 }).catch(() => "nothing to be read");
            console.error(`  ${page.url()}: ${text.replace(/\s+/g, " ").slice(0, 1500)}`);
            if (shots !== undefined) {
                await page.screenshot({ path: join(shots, `failed-${i}.png`) }).catch(() => undefined);
            }
        }
    }

    /** Somebody with a browser of their own; lasting: one that is no private window, so that its store has a limit. */
    async person(name, role, { lasting = false, ...options } = {}) {
        const all = { viewport: { width: 1280, height: 800 }, locale: "en-GB", permissions: ["microphone", "camera"], ...options };
        const context = await (lasting ? chromium.launchPersistentContext(join(this.work, name), { ...this.how, ...all }) : this.browser.newContext(all));
        context.setDefaultTimeout(15_000);
        const page = await context.newPage();
        page.on("pageerror", (error) => this.problems.push(`${name}: ${error.message}`));
        page.on("console", (message) => {
            if (message.type() === "error" && !/ERR_INTERNET_DISCONNECTED|Failed to load resource|WebSocket connection/.test(message.text())) {
                this.problems.push(`${name}: ${message.text()}`);
            }
        });
        return { name, role, email: `${name.toLowerCase()}@example.org`, context, page };
    }

    async signUp(person) {
        const { page } = person;
        await page.goto(`${this.url}/sign-up`);
        await page.getByLabel("Name").fill(person.name);
        await page.getByLabel("E-mail").fill(person.email);
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByLabel("Date of birth").fill("1990-01-31");
        await page.getByLabel(person.role === "coach" ? "Coach" : "Athlete", { exact: true }).check();
        await page.getByRole("button", { name: "Create account" }).click();
        await page.getByRole("navigation", { name: "Main" }).waitFor();
    }

    /** What axe-core has to say of a screen; WCAG 2.1 A and AA. */
    async axe(page, screen) {
        await page.evaluate(`${AXE};`);
        await page.emulateMedia({ reducedMotion: "reduce" }); /* a colour on its way to another is neither */
        const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
        await page.emulateMedia({ reducedMotion: null });
        for (const one of found.violations) {
            this.problems.push(`${screen}: ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`);
        }
        const before = page.viewportSize();
        for (const width of [320, 768, 1024]) {
            await page.setViewportSize({ width, height: 768 });
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            if (wide > 0) {
                const what = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
                    .slice(-3).map((one) => `${one.tagName.toLowerCase()}.${one.getAttribute("class")}`).join(", "));
                this.problems.push(`${screen}: at ${width} px, ${wide} px wider than the window: ${what}`);
            }
        }
        await page.setViewportSize(before);
        /* Named targets smaller than 44 px, but for links within a text. Of a box to check the label is the target. */
        const small = await page.evaluate(() => [...document.querySelectorAll("button, a.button, a.tool, select, input:not([type=range], [type=file], [type=radio])")]
            .filter((one) => one.getClientRects().length > 0 && !one.classList.contains("unseen") && !one.classList.contains("range-body"))
            .filter((one) => (one.closest("label") ?? one).getBoundingClientRect().height < 43.5 || (one.tagName !== "INPUT" && one.getBoundingClientRect().width < 43.5))
            .map((one) => `${one.className} ${one.getAttribute("aria-label") ?? one.textContent}`));
        if (small.length > 0) {
            this.problems.push(`${screen}: smaller than 44 px: ${small.join(", ")}`);
        }
    }

    /** Pictures for a person's eyes, at the three widths, when asked for. */
    async shot(page, name, widths = [320, 768, 1024]) {
        const { shots } = this.options;
        if (shots === undefined) {
            return;
        }
        const before = page.viewportSize();
        for (const width of widths) {
            await page.setViewportSize({ width, height: width < 700 ? 680 : 768 });
            await page.waitForTimeout(250);
            await page.screenshot({ path: join(shots, `${name}-${width}.png`) });
        }
        await page.setViewportSize(before);
    }

    async stop() {
        await this.browser?.close();
        if (this.server?.exitCode === null) {
            this.server.kill();
            await new Promise((resolve) => this.server.once("exit", resolve));
        }
        rmSync(this.work, { recursive: true, force: true });
    }
}

export async function waitFor(what, ask, ms = 15_000) {
    const end = Date.now() + ms;
    for (;;) {
        const value = await ask();
        if (value !== undefined && value !== false && value !== null) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`waited ${ms / 1000} s for ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
