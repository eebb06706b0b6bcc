/* What goes wrong: the server dies, the store is full, one tab of two is closed, the browser keeps nothing. */
import { waitFor } from "./world.mjs";

const bodies = async (of, thread) => (await of.chat.messages(thread)).messages.map((one) => one.body);

async function say(page, words) {
    await page.getByLabel("Message to Cleo").fill(words);
    await page.getByLabel("Message to Cleo").press("Enter");
    await page.locator(".bubble-text", { hasText: words }).waitFor();
}

async function isSaid(cleo, thread, words) {
    await waitFor(`"${words}" at the other end`, async () => (await bodies(cleo, thread)).includes(words), 30_000);
    const times = (await bodies(cleo, thread)).filter((one) => one === words).length;
    if (times !== 1) {
        throw new Error(`"${words}" came ${times} times`);
    }
}

/** The server is killed in the middle of a talk, the page is loaded again meanwhile, and nothing is lost or doubled. */
export async function serverDies(world, anna, cleo, thread) {
    const { page } = anna;
    await page.goto(`${world.url}/messages/${thread.slice(7)}`);
    await say(page, "before");
    await world.kill();
    await say(page, "while it is gone");
    await page.getByText("Not sent yet").first().waitFor();
    await page.reload();
    await say(page, "after a reload");
    await world.axe(page, "chat, no server");
    const again = page.getByRole("button", { name: "Try now" });
    await again.waitFor();
    await world.serve();
    /* The core tries by itself too. */
    await waitFor("the server", async () => (await again.count()) === 0 || (await again.click({ timeout: 1000 }).then(() => false, () => false)));
    await cleo.core.sync.stop();
    await cleo.core.sync.start();
    for (const words of ["before", "while it is gone", "after a reload"]) {
        await isSaid(cleo, thread, words);
    }
    await waitFor("all of it sent", async () => (await page.getByText("Not sent yet").count()) === 0);
}

/** Two tabs of one browser work on one store; when the one that holds it is closed the other goes on. */
export async function twoTabs(world, anna, cleo, thread) {
    const first = anna.page;
    const second = await anna.context.newPage();
    second.on("pageerror", (error) => world.problems.push(`the second tab: ${error.message}`));
    await second.goto(first.url());
    await say(second, "from the second tab");
    await first.locator(".bubble-text", { hasText: "from the second tab" }).waitFor();
    await say(first, "from the first tab");
    await second.locator(".bubble-text", { hasText: "from the first tab" }).waitFor();
    await first.close();
    anna.page = second;
    /* What was under way when the store moved is told to be lost, and the words are still there. */
    const box = second.getByLabel("Message to Cleo");
    await box.fill("the first one is closed");
    await box.press("Enter");
    await waitFor("the message, or its words", async () => {
        if ((await box.inputValue()) !== "") {
            await box.press("Enter");
        }
        return (await second.locator(".bubble-text", { hasText: "the first one is closed" }).count()) > 0;
    });
    await isSaid(cleo, thread, "the first one is closed");
    await cleo.chat.send(thread, { body: "still with you" });
    await second.locator(".bubble-text", { hasText: "still with you" }).waitFor();
}

/** No room: what cannot be stored is said so, what was there stays, and it goes on when there is room again. */
export async function noRoom(world, clip) {
    const rob = await world.person("Rob", "athlete", { lasting: true });
    const { page, context } = rob;
    await world.signUp(rob);
    await page.goto(`${world.url}/upload`);
    await page.locator("input[type=file]").first().setInputFiles(clip);
    await page.getByLabel("Title").fill("Hardly any room");
    const tools = await context.newCDPSession(page);
    const limit = (quotaSize) => tools.send("Storage.overrideQuotaForOrigin", { origin: world.url, ...(quotaSize === undefined ? {} : { quotaSize }) });
    await limit(1);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("alert").getByText(/.+/).waitFor();
    await world.axe(page, "upload, no room");
    await limit();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.waitForURL(/upload\/./);
    await page.getByText("Hardly any room").waitFor();
    await page.getByText("Uploaded").waitFor({ timeout: 30_000 });
    await context.close();
}

/** A browser without the private file system, and one that keeps nothing at all: the app works, and says which it is. */
export async function keepsNothing(world) {
    const noFiles = "Object.defineProperty(navigator.storage, 'getDirectory', { value: () => Promise.reject(new DOMException('no', 'SecurityError')) });";
    const noDatabase = "Object.defineProperty(self, 'indexedDB', { value: { open() { throw new DOMException('no', 'SecurityError'); } } });";
    for (const [name, without, said] of [
        ["Ida", noFiles, /kept in this browser/],
        ["Mia", noFiles + noDatabase, /keeps nothing/],
    ]) {
        const person = await world.person(name, "athlete", { serviceWorkers: "block" });
        const { page } = person;
        await page.route(/\/assets\/worker-.*\.js$/, async (route) => {
            const answer = await route.fetch();
            await route.fulfill({ response: answer, body: `${without}\n${await answer.text()}` });
        });
        await world.signUp(person);
        if (name === "Ida") {
            await page.reload();
        }
        await page.locator(".side-user").click();
        await page.getByText(said).waitFor();
        await person.context.close();
    }
}
