/*
 * The main job by two people, each in a browser of their own, against a real server: clip, drawing, voice, review,
 * answer; with the network taken away in the middle.
 */
import { createHmac } from "node:crypto";
import { together } from "./live.mjs";
import { draw, inked } from "./pens.mjs";
import { PASSWORD, World, waitFor } from "./world.mjs";

const [sidelined, app, clip, speech, shots] = process.argv.slice(2);
const world = new World({ sidelined, app, speech, shots });

const by = (page) => ({
    button: (name) => page.getByRole("button", { name, exact: true }),
    link: (name) => page.getByRole("link", { name }),
    see: (text) => page.getByText(text).first().waitFor(),
});

async function signingUp(anna, carl) {
    await anna.page.goto(`${world.url}/sign-up`);
    await anna.page.getByLabel("Name").waitFor();
    await world.axe(anna.page, "sign up");
    await world.shot(anna.page, "sign-up");
    await Promise.all([world.signUp(anna), world.signUp(carl)]);
    await world.axe(anna.page, "home, empty");
    await world.axe(carl.page, "dashboard, empty");
}

async function connecting(anna, carl) {
    await by(anna.page).link("Coaches").click();
    await anna.page.getByLabel("A coach’s e-mail").fill(carl.email);
    await by(anna.page).button("Invite").click();
    await by(carl.page).link("Athletes").click();
    await by(carl.page).button("Accept").click();
    await anna.page.locator("main").getByRole("link", { name: "Message" }).waitFor();
    await world.axe(anna.page, "people");
    await world.shot(anna.page, "people", [320, 1024]);
}

async function uploading(anna) {
    const { page } = anna;
    await page.goto(`${world.url}/upload`);
    await world.axe(page, "upload");
    await page.locator("input[type=file]").first().setInputFiles(clip);
    await page.getByLabel("Title").fill("First throw");
    await page.getByLabel("Note").fill("Does my arm come through too late?");
    await world.axe(page, "upload, described");
    await world.shot(page, "upload", [320, 1024]);
    await by(page).button("Send").click();
    await by(page).button("Pause").click();
    await by(page).see("Paused");
    await world.axe(page, "upload, paused");
    await world.shot(page, "upload-paused", [320]);
    await by(page).button("Resume").click();
    await page.getByText("Uploaded").waitFor({ timeout: 30_000 });
    await page.goto(`${world.url}/`);
    await by(page).see("First throw");
    await world.axe(page, "home");
    await world.shot(page, "home");
}

async function opening(carl) {
    const { page } = carl;
    await page.goto(`${world.url}/`);
    await by(page).see("First throw");
    await world.axe(page, "dashboard");
    await world.shot(page, "dashboard");
    await page.locator(".pending-row").first().click();
    await page.locator(".stage video").waitFor();
    await waitFor("the film", () => page.locator(".stage video").evaluate((video) => video.readyState >= 2));
    await world.axe(page, "workspace, empty");
}

async function drawing(carl) {
    const { page } = carl;
    await page.keyboard.press("l");
    await page.getByRole("slider", { name: "Position" }).fill("2000000");
    await draw(page, [0.15, 0.75], [0.45, 0.4]);
    await page.keyboard.press("p");
    await draw(page, [0.2, 0.3], [0.3, 0.2], [0.5, 0.18], [0.7, 0.3]);
    await page.keyboard.press("2");
    await page.keyboard.press("g");
    await draw(page, [0.3, 0.6], [0.45, 0.8]);
    await draw(page, [0.45, 0.8], [0.65, 0.62]);
    await page.locator(".measure").waitFor();
    const items = page.locator(".items li");
    await waitFor("three drawings", async () => (await items.count()) === 3);
    await waitFor("ink over the film", async () => (await inked(page, ".stage .overlay canvas")) > 2000);
    await page.keyboard.press("Control+z");
    await waitFor("two drawings", async () => (await items.count()) === 2);
    await page.keyboard.press("Control+Shift+z");
    await waitFor("three drawings again", async () => (await items.count()) === 3);
    await page.keyboard.press("v");
    await items.last().getByRole("button").click();
    await world.axe(page, "workspace");
    await world.shot(page, "workspace");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await world.axe(page, "keyboard");
    await world.shot(page, "keys", [320, 1024]);
    await page.keyboard.press("Escape");
}

async function speaking(carl) {
    const { page } = carl;
    await page.keyboard.press("Escape");
    await by(page).button("Record voice-over").click();
    await by(page).button("Pause recording").waitFor();
    await page.keyboard.press(" ");
    await waitFor("some of the voice", async () => (await page.locator(".voice-time").textContent()) > "0:01.50");
    await page.keyboard.press(" ");
    await page.keyboard.press("a");
    await page.keyboard.press("3");
    await draw(page, [0.75, 0.75], [0.55, 0.5]);
    await waitFor("the arrow", async () => (await page.locator(".items li").count()) === 4);
    await waitFor("more of the voice", async () => (await page.locator(".voice-time").textContent()) > "0:03.00");
    await world.shot(page, "recording", [1024]);
    await by(page).button("Finish").click();
    await by(page).button("Record again").waitFor();
    await page.locator(".voice").getByRole("button", { name: "Preview" }).click();
    await page.locator("dialog .big-play").click();
    await waitFor("the preview's voice", async () => (await page.locator("dialog .timecode").textContent()) > "0:01");
    await world.axe(page, "preview");
    await world.shot(page, "preview", [1024]);
    await page.keyboard.press("Escape");
}

async function sendingOffline(carl) {
    const { page, context } = carl;
    await context.setOffline(true);
    await by(page).button("Save & send").click();
    await page.getByLabel("A line to go with it").fill("Watch the elbow");
    await page.getByText("kept here and sent later").waitFor();
    await world.axe(page, "send");
    await world.shot(page, "send", [320, 1024]);
    await page.getByRole("dialog").getByRole("button", { name: "Save & send" }).click();
    await by(page).see("No connection.");
    await page.reload();
    await by(page).see("No connection.");
    await page.getByText(/wait to be sent/).waitFor();
    await world.axe(page, "dashboard, offline");
    await world.shot(page, "offline", [320, 1024]);
    await by(page).link("Messages").first().click();
    await page.locator("main .list-row").first().click();
    await page.getByText("Watch the elbow").waitFor();
    await page.getByText("Not sent yet").first().waitFor();
    await world.shot(page, "chat-offline", [320, 1024]);
}

async function watching(anna, carl) {
    await carl.context.setOffline(false);
    await waitFor("the mark", () => carl.page.getByText("Not sent yet").count().then((n) => n === 0), 30_000);
    const { page } = anna;
    await page.goto(`${world.url}/`);
    await by(page).see("Latest review");
    await world.axe(page, "home, with a review");
    await world.shot(page, "home-review");
    await page.locator(".latest").click();
    await page.locator(".big-play").click();
    await waitFor("the voice", async () => (await page.locator(".timecode").textContent()) > "0:02");
    await waitFor("the film", () => page.locator(".review-stage video").evaluate((video) => video.currentTime > 2));
    await page.locator(".transport").getByRole("button", { name: "Pause" }).click();
    const slider = page.getByRole("slider", { name: "Position" });
    await slider.fill(await slider.getAttribute("max"));
    await waitFor("the arrow", async () => (await inked(page, ".overlay canvas")) > 300);
    await slider.fill("500000");
    await waitFor("the three drawings", async () => (await inked(page, ".overlay canvas")) > 2000);
    await world.axe(page, "watch");
    await world.shot(page, "watch");
    await page.getByLabel("Reply to your coach").fill("I see it now, thank you!");
    await by(page).button("Send").click();
    await by(carl.page).see("I see it now, thank you!");
    await by(page).link("Open chat").click();
    await page.getByText("Read", { exact: true }).first().waitFor();
    await world.axe(page, "chat");
    await world.shot(page, "chat");
}

/** Tab until the keyboard is where it is wanted. */
async function tabTo(page, name) {
    for (let i = 0; i < 80; i++) {
        const here = await page.evaluate(() => {
            const on = document.activeElement;
            return on?.getAttribute("aria-label") ?? on?.labels?.[0]?.textContent ?? on?.textContent ?? "";
        });
        if (here.trim() === name) {
            return;
        }
        await page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard does not come to "${name}"`);
}

/** A whole review without a pointer. */
async function keyboardOnly(carl) {
    const { page } = carl;
    const press = async (...keys) => {
        for (const key of keys) {
            await page.keyboard.press(key);
        }
    };
    await page.goto(`${world.url}/videos`);
    await page.locator(".video-card").waitFor();
    await tabTo(page, await page.locator(".video-card").textContent());
    await press("Enter");
    await page.locator(".review-view video").waitFor();
    await tabTo(page, "Review");
    await press("Enter");
    await page.locator(".stage video").waitFor();
    await waitFor("the film", () => page.locator(".stage video").evaluate((video) => video.readyState >= 2));
    const items = page.locator(".items li");
    const before = await items.count();
    await press("a", "4", ".", ".");
    await tabTo(page, "Frame to draw on");
    await press("ArrowLeft", "ArrowLeft", "Enter", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowLeft", "Enter");
    await waitFor("another drawing", async () => (await items.count()) === before + 1);
    await press("n");
    await waitFor("the voice", async () => (await page.locator(".voice-time").textContent()) > "0:00.50");
    await press("Shift+N");
    await by(page).button("Record again").waitFor();
    await press("Control+Enter");
    await page.getByLabel("A line to go with it").waitFor();
    await page.keyboard.type("By keyboard");
    await press("Enter");
    await by(page).see(/^Review saved/);
}

/** The code an authenticator shows now (RFC 6238, RFC 4648). */
function codeOf(secret) {
    const bits = [...secret].map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
    const hash = createHmac("sha1", key).update(counter).digest();
    return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function secondFactor(carl) {
    const { page } = carl;
    await page.goto(`${world.url}/account`);
    await by(page).button("Set up an authenticator").click();
    const secret = (await page.locator(".secret").textContent()).replaceAll(" ", "");
    await page.getByLabel("Code").fill(codeOf(secret));
    await by(page).button("Confirm").click();
    const spare = (await page.locator(".codes code").first().textContent({ timeout: 60_000 })).trim();
    await world.axe(page, "authenticator");
    await by(page).button("Sign out").last().click();
    await page.getByLabel("E-mail").fill(carl.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await by(page).button("Sign in").click();
    await page.getByLabel("Code").fill(spare);
    await world.axe(page, "sign in, second step");
    await by(page).button("Sign in").click();
    await by(page).see("Pending reviews");
}

/** A clip beside itself, half a second later. */
async function grouping(anna, carl) {
    const coach = carl.page;
    await by(coach).link("Messages").first().click();
    await by(coach).button("New group").click();
    await coach.getByLabel("Name of the group").fill("Throwers");
    await coach.getByRole("dialog").getByRole("checkbox").first().check();
    await world.axe(coach, "a new group");
    await world.shot(coach, "group-new", [320, 1024]);
    await by(coach).button("Make the group").click();
    await by(coach).see("You made the group “Throwers”");
    await coach.getByLabel("Message to Throwers").fill("Welcome, all of you");
    await coach.getByLabel("Message to Throwers").press("Enter");
    const { page } = anna;
    await page.goto(`${world.url}/messages`);
    await page.locator("main .list-row", { hasText: "Throwers" }).click();
    await by(page).see("Welcome, all of you");
    await by(page).button("People in the group").click();
    await page.getByRole("dialog").getByText("leads it").waitFor();
    await world.axe(page, "a group's people");
    await page.keyboard.press("Escape");
    await world.shot(page, "group", [320, 1024]);
    await by(coach).button("People in the group").click();
    await coach.getByLabel("Name of the group").fill("Morning throwers");
    await world.shot(coach, "group-people", [320, 1024]);
    await by(coach).button("Rename").click();
    await coach.keyboard.press("Escape");
    await page.getByRole("heading", { name: "Morning throwers" }).waitFor();
    await by(page).button("People in the group").click();
    await by(page).button("Leave the group").click();
    await waitFor("nothing of it", async () => (await page.locator("main .list-row").count()) === 1);
    await by(coach).see(/^\S+ left$/);
}
async function comparing(anna) {
    const { page } = anna;
    await page.goto(`${world.url}/videos`);
    const id = (await page.locator(".video-card").getAttribute("href")).slice("/video/".length);
    await page.goto(`${world.url}/compare/${id}/${id}`);
    const times = () => page.locator(".compare video").evaluateAll((all) => all.map((one) => (one.readyState >= 2 ? one.currentTime : Number.NaN)));
    await waitFor("two films", async () => (await times()).filter((time) => time >= 0).length === 2);
    await page.getByRole("slider", { name: /Position in/ }).fill("500000");
    await waitFor("the second", async () => Math.abs((await times())[1] - 0.5) < 0.05);
    await by(page).button("Mark").nth(1).click();
    await page.getByRole("slider", { name: "Position", exact: true }).fill("2000000");
    await waitFor("both in step", async () => Math.abs((await times())[1] - 2.5) < 0.05);
    await world.axe(page, "compare");
    await world.shot(page, "compare");
}

async function rest(anna) {
    const { page } = anna;
    await page.goto(`${world.url}/progress`);
    await by(page).button("New goal").click();
    await page.getByRole("textbox", { name: "Goal", exact: true }).fill("Clean throws");
    await page.getByRole("textbox", { name: "Unit", exact: true }).fill("throws");
    await by(page).button("Add goal").click();
    await by(page).button("Log").click();
    await page.getByText("Last: 1").waitFor();
    await world.axe(page, "progress");
    await world.shot(page, "progress");
    await page.goto(`${world.url}/account`);
    await world.axe(page, "account");
    await page.getByLabel("Language").selectOption("ar");
    await waitFor("right to left", () => page.evaluate(() => document.documentElement.dir === "rtl"));
    await world.axe(page, "account, Arabic");
    await page.goto(`${world.url}/`);
    await page.locator(".latest").waitFor();
    await world.axe(page, "home, Arabic");
    await world.shot(page, "arabic");
}

await world.run("app", async (step) => {
    const anna = await world.person("Anna", "athlete");
    const carl = await world.person("Carl", "coach");
    await step("both sign up", () => signingUp(anna, carl));
    await step("they connect", () => connecting(anna, carl));
    await step("the athlete sends a clip", () => uploading(anna));
    await step("the coach opens it", () => opening(carl));
    await step("the athlete sees the coach draw", () => together(world, anna, carl));
    await step("the coach draws, undoes, measures", () => drawing(carl));
    await step("the coach talks over it and looks at it", () => speaking(carl));
    await step("without a network the review is kept, over a reload too", () => sendingOffline(carl));
    await step("the athlete watches it and answers", () => watching(anna, carl));
    await step("the coach makes another by keyboard alone", () => keyboardOnly(carl));
    await step("the coach signs in by a second step", () => secondFactor(carl));
    await step("the coach makes a group, the athlete leaves it", () => grouping(anna, carl));
    await step("two films side by side", () => comparing(anna));
    await step("goals, account, the other direction of reading", () => rest(anna));
});
