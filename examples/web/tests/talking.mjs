/* A conversation in the app with somebody who is a core in this process. */
import { accept } from "./peer.mjs";
import { waitFor } from "./world.mjs";

const bubble = (page, words) => page.locator(".bubble-row", { has: page.locator(".bubble-text", { hasText: words }) }).first();

const HOLD_MS = 700;

/** A finger on something: twice, held, or drawn to the side. */
async function touch(page, on, how) {
    const { x, y, width, height } = await on.boundingBox();
    const [cx, cy] = [x + width / 2, y + height / 2];
    const finger = await page.context().newCDPSession(page);
    const put = (type, ...at) => finger.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([px, py], id) => ({ x: px, y: py, id })) });
    for (let times = how === "twice" ? 2 : 1; times > 0; times--) {
        await put("touchStart", [cx, cy]);
        if (how === "hold") {
            await page.waitForTimeout(HOLD_MS);
        }
        for (let moved = 10; how === "swipe" && moved <= 90; moved += 20) {
            await put("touchMove", [cx + moved, cy]);
        }
        await put("touchEnd");
    }
    await finger.detach();
}

/** Until what it does is seen: a browser with much to do takes a touch back that the page has not answered in time. */
async function touching(page, on, how, seen) {
    await waitFor(`what a finger does (${how})`, async () => {
        await touch(page, on, how);
        return seen.waitFor({ timeout: 1500 }).then(() => true, () => false);
    });
}

async function choose(page, words, what) {
    await bubble(page, words).getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: what, exact: true }).click();
}

/** They connect; the conversation is on the screen. */
export async function meeting(world, anna, cleo) {
    const { page } = anna;
    await world.signUp(anna);
    await page.getByRole("link", { name: "Coaches" }).first().click();
    await page.getByLabel("A coach’s e-mail").fill("cleo@example.org");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    const thread = await accept(cleo);
    await page.locator("main").getByRole("link", { name: "Message" }).click();
    return thread;
}

export async function talking(world, anna, cleo, thread) {
    const { page } = anna;
    const said = await cleo.chat.send(thread, { body: "Show me the left foot" });
    await bubble(page, "left foot").waitFor();
    await cleo.chat.typing(thread);
    await page.getByText("is typing").waitFor();
    await touching(page, bubble(page, "left foot").locator(".bubble"), "swipe", page.locator(".chat-about"));
    await page.getByLabel("Message to Cleo").fill("It turns too early");
    await page.getByLabel("Message to Cleo").press("Enter");
    await bubble(page, "turns too early").locator(".quote", { hasText: "left foot" }).waitFor();
    await waitFor("the answer", async () => (await cleo.chat.messages(thread)).messages.some((one) => one.reply?.id === said));
    await choose(page, "turns too early", "Edit");
    await page.getByLabel("Message to Cleo").fill("It turns much too early");
    await page.getByLabel("Message to Cleo").press("Enter");
    await bubble(page, "much too early").getByText("edited").waitFor();
    await choose(page, "left foot", "Pin");
    await page.locator(".chat-pin", { hasText: "left foot" }).waitFor();
    await touching(page, bubble(page, "left foot").locator(".bubble"), "twice", bubble(page, "left foot").locator(".reaction"));
    await waitFor("the sign", async () => (await cleo.chat.messages(thread)).messages[0].reactions?.[0].emoji === "👍");
    await choose(page, "left foot", "Forward");
    await world.axe(page, "forward");
    await page.getByRole("dialog").getByRole("button", { name: "Cleo" }).click();
    await page.locator(".bubble-note").waitFor();
    await page.getByRole("button", { name: "Search this conversation" }).click();
    await page.getByRole("searchbox").fill("much early");
    await page.locator(".chat-hit").waitFor();
    await world.axe(page, "chat, search");
    await world.shot(page, "chat-search", [320, 1024]);
    await page.locator(".chat-hit").click();
    await page.locator(".chat-marked").waitFor();
    await touching(page, bubble(page, "much too early").locator(".bubble"), "hold", page.getByRole("dialog"));
    await world.axe(page, "message");
    await world.shot(page, "chat-message", [320, 1024]);
    await page.keyboard.press("Escape");
    await world.shot(page, "chat-talk", [320, 1024]);
}

/** What is begun stays, a silent conversation does not count, and what is refused is sent again. */
export async function keeping(world, anna, cleo, thread) {
    const { page } = anna;
    const box = page.getByLabel("Message to Cleo");
    await box.fill("I will send");
    await page.reload();
    await waitFor("the draft", async () => (await box.inputValue()) === "I will send");
    await page.getByRole("button", { name: "Mute this conversation" }).click();
    await page.getByText("Muted").first().waitFor();
    await page.getByRole("link", { name: "Messages" }).first().click();
    await page.locator(".draft").waitFor();
    await cleo.chat.send(thread, { body: "psst" });
    await page.locator("main .badge").waitFor();
    if ((await page.locator(".side .nav-item .badge").count()) > 0) {
        throw new Error("a silent conversation counts");
    }
    await world.axe(page, "messages");
    await world.shot(page, "messages", [320, 1024]);
    await page.locator("main .list-row").click();
    await cleo.chat.block(anna.id ?? (await cleo.chat.people(thread)).find((one) => one.me !== true).user);
    await cleo.core.sync.settle();
    await box.fill("Are you there?");
    await box.press("Enter");
    const failed = bubble(page, "Are you there?");
    await failed.getByRole("button", { name: "Try again" }).waitFor();
    await world.axe(page, "chat, refused");
    await world.shot(page, "chat-failed", [320, 1024]);
    await cleo.chat.block((await cleo.core.query({ from: "block" }))[0].user_id, false);
    await cleo.core.sync.settle();
    await failed.getByRole("button", { name: "Try again" }).click();
    await waitFor("the message", async () => (await cleo.chat.messages(thread)).messages.some((one) => one.body === "Are you there?"));
    await failed.getByRole("button", { name: "Try again" }).waitFor({ state: "detached" });
}
