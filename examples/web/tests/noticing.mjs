/* What one is told and wants to be told; people who are named, blocked, reported; messages that wait for their time. */
import { openCore } from "@sideline/core";
import { PASSWORD, waitFor } from "./world.mjs";

const bubble = (page, words) => page.locator(".bubble-row", { has: page.locator(".bubble-text", { hasText: words }) }).first();

/** The same person on another device, where what the app does is seen again. */
async function twinOf(world, anna) {
    const core = await openCore({ dir: "twin", server: world.url });
    await core.account.signIn({ email: anna.email, password: PASSWORD });
    await core.sync.start();
    return core;
}

/** Reviews, remarks and requests are listed, lead to what they are about, and are read on all devices. */
export async function noticing(world, anna, cleo) {
    const { page } = anna;
    const bell = page.locator(".side-bell");
    const video = await waitFor("the clip", async () => (await cleo.core.query({ from: "video" }))[0]);
    const remark = (body) => cleo.core.create("comment", video.space, { body });
    await bell.click();
    await page.getByText("Cleo accepted your request").waitFor();
    await remark("The elbow comes first");
    const row = page.locator(".notice-new", { hasText: "Cleo made a remark on a video" });
    await row.getByText("The elbow comes first").waitFor();
    await waitFor("two unread ones", async () => (await bell.locator(".badge").innerText()).startsWith("2"));
    await world.axe(page, "notifications");
    await world.shot(page, "notices", [320, 1024]);
    await row.getByRole("link").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/video/${video.id}`);
    await waitFor("one unread one", async () => (await bell.locator(".badge").innerText()).startsWith("1"));
    await bell.click();
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await bell.locator(".badge").waitFor({ state: "detached" });
    await page.locator(".notice-new").first().waitFor({ state: "detached" });
    anna.twin = await twinOf(world, anna);
    await waitFor("the marks on another device", async () => {
        const told = await anna.twin.query({ from: "notification" });
        return told.length === 2 && told.every((one) => one.read_ms > 0);
    });
    await wishing(world, page, remark, anna.twin);
}

async function wishing(world, page, remark, twin) {
    await page.getByRole("link", { name: "Choose what you are told" }).click();
    const remarks = page.getByRole("group", { name: "Remarks" });
    await remarks.getByLabel("In the app").uncheck();
    await page.getByLabel("No sound at night").check();
    await page.getByLabel("From").fill("21:30");
    await waitFor("the wishes on another device", async () => {
        const held = await twin.query({ from: "notification_setting" });
        return held.length === 4 && held.every((one) => one.quiet_from_min === 21 * 60 + 30 && one.quiet_to_min === 7 * 60) && held.some((one) => one.topic === "comment" && one.in_app === false);
    });
    await waitFor("the language on another device", async () => (await twin.query({ from: "profile" }))[0]?.locale === "en");
    await world.axe(page, "account, what one is told");
    await world.shot(page, "wishes", [320, 1024]);
    await remark("Nobody is told of this");
    await remarks.getByLabel("In the app").check();
    await waitFor("the wish", async () => (await twin.query({ from: "notification_setting", where: { topic: "comment" } }))[0].in_app);
    await remark("But of this");
    await page.getByRole("link", { name: "Notifications" }).click();
    await page.locator(".notice-new", { hasText: "But of this" }).waitFor();
    if ((await page.locator(".notice").count()) !== 3) {
        throw new Error("what is not wanted is told");
    }
}

/** A name is picked by keys, set off where it is read, and counted. */
export async function naming(world, anna, cleo, thread) {
    const { page } = anna;
    const { user } = (await cleo.chat.people(thread)).find((one) => one.me !== true);
    await page.getByRole("link", { name: "Messages" }).first().click();
    await cleo.chat.send(thread, { body: "@Anna look here", mentions: [{ user, at: 0, len: 5 }] });
    await page.locator(".badge-mention").waitFor();
    await world.axe(page, "messages, named");
    await page.locator("main .list-row").first().click();
    await bubble(page, "look here").locator(".mention-me", { hasText: "@Anna" }).waitFor();
    const box = page.getByLabel("Message to Cleo");
    await box.fill("");
    await box.pressSequentially("Yes @cl");
    await page.getByRole("option", { name: "Cleo" }).waitFor();
    await world.axe(page, "chat, naming");
    await world.shot(page, "chat-naming", [320, 1024]);
    await box.press("Escape");
    await page.getByRole("option").waitFor({ state: "detached" });
    await box.press("Backspace");
    await box.press("Backspace");
    await box.press("Backspace");
    await box.pressSequentially("@");
    await page.getByRole("option", { name: "Cleo" }).waitFor();
    await box.press("Enter");
    await waitFor("the name", async () => (await box.inputValue()) === "Yes @Cleo ");
    await box.pressSequentially("I see");
    await box.press("Enter");
    await bubble(page, "I see").locator(".mention", { hasText: "@Cleo" }).waitFor();
    await waitFor("the mention", async () => {
        const [named] = (await cleo.chat.messages(thread)).messages.at(-1).mentions ?? [];
        return named?.user === cleo.id && named.at === 4 && named.len === 5;
    });
}

/** What waits for its time is seen, moved, sent at once or not at all. */
export async function waiting(world, anna, cleo, thread) {
    const { page } = anna;
    const box = page.getByLabel("Message to Cleo");
    const later = async (words) => {
        await box.fill(words);
        await page.getByRole("button", { name: "Send later" }).click();
    };
    const dialog = page.getByRole("dialog");
    await later("For tomorrow");
    await world.axe(page, "chat, when");
    await world.shot(page, "chat-when", [320, 1024]);
    await dialog.getByRole("button").nth(1).click();
    await page.getByText("1 message waits for its time").waitFor();
    await later("Not at all");
    await dialog.getByLabel("Day and time").fill("2031-05-06T07:08");
    await dialog.getByRole("button", { name: "Choose" }).click();
    await page.getByText("2 messages wait for their time").click();
    await world.axe(page, "chat, waiting");
    await world.shot(page, "chat-waiting", [320, 1024]);
    const waits = (words) => dialog.locator(".later", { hasText: words });
    await waits("Not at all").getByText("2031").waitFor();
    await waits("For tomorrow").getByRole("button", { name: "Change the time" }).click();
    await dialog.getByLabel("Day and time").fill("2032-05-06T07:08");
    await dialog.getByRole("button", { name: "Choose" }).click();
    await waits("For tomorrow").getByText("2032").waitFor();
    await waits("Not at all").getByRole("button", { name: "Do not send" }).click();
    await waits("Not at all").waitFor({ state: "detached" });
    await waits("For tomorrow").getByRole("button", { name: "Send now" }).click();
    await bubble(page, "For tomorrow").waitFor();
    await page.locator(".later-line").waitFor({ state: "detached" });
    await waitFor("the message", async () => (await cleo.chat.messages(thread)).messages.at(-1).body === "For tomorrow");
}

/** Somebody is blocked and let in again, a message is brought before those who run the service. */
export async function blocking(world, anna, cleo, thread) {
    const { page } = anna;
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "About this conversation" }).click();
    await world.axe(page, "chat, about");
    await world.shot(page, "chat-about", [320]);
    await dialog.getByRole("button", { name: "Block Cleo" }).click();
    await world.axe(page, "chat, block");
    await dialog.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByText("You have blocked Cleo.").waitFor();
    await world.axe(page, "chat, blocked");
    await world.shot(page, "chat-blocked", [320, 1024]);
    await page.locator(".side-user").click();
    await page.getByRole("heading", { name: "Blocked" }).waitFor();
    await world.axe(page, "account, blocked");
    await page.getByRole("button", { name: "Unblock Cleo" }).click();
    await page.getByRole("button", { name: "Unblock Cleo" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Messages" }).first().click();
    await page.locator("main .list-row").first().click();
    await bubble(page, "look here").getByRole("button", { name: /^Actions for/ }).click();
    await dialog.getByRole("button", { name: "Report", exact: true }).click();
    await dialog.getByLabel("Spam").check();
    await dialog.getByLabel("In your words").fill("Over and over");
    await world.axe(page, "chat, report");
    await world.shot(page, "chat-report", [320, 1024]);
    await dialog.getByRole("button", { name: "Send the report" }).click();
    await page.getByText("Thank you. We look at it.").waitFor();
    const [report] = await waitFor("the report", async () => {
        const all = await anna.twin.query({ from: "report" });
        return all.length > 0 && all;
    });
    const message = (await cleo.chat.messages(thread)).messages.find((one) => one.id === report.target_id);
    if (report.kind !== "message" || report.reason !== "spam" || report.detail !== "Over and over" || message?.body !== "@Anna look here") {
        throw new Error(`reported was ${JSON.stringify(report)}`);
    }
}

/** The same in the other language, from right to left. */
export async function otherWay(world, anna) {
    const { page } = anna;
    const screen = async (link, part, name) => {
        await page.locator(link).first().click();
        await page.locator(part).first().waitFor();
        await world.axe(page, `${name}, Arabic`);
        await world.shot(page, `${name}-ar`, [320, 1024]);
    };
    await page.locator(".side-user").click();
    await page.getByLabel("Language").selectOption("ar");
    await waitFor("the language on another device", async () => (await anna.twin.query({ from: "profile" }))[0].locale === "ar");
    await screen(".side-bell", ".notice", "notices");
    await screen(".side a[href='/messages']", "main .list-row", "messages");
    await screen("main .list-row", ".bubble", "chat");
    await screen(".side-user", ".wish", "wishes");
    await page.locator("select").first().selectOption("en");
    await page.getByRole("heading", { name: "Account" }).waitFor();
}
