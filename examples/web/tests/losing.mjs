/* The page goes in the middle of work at the bench: what was drawn is there, and the voice is offered again. */
import { placeOf as at } from "./pens.mjs";
import { waitFor } from "./world.mjs";

const items = (page) => page.locator(".items li");
export const film = (page) => waitFor("the film", () => page.locator(".stage video").evaluate((video) => video.readyState >= 2).catch(() => false));

/** A clip of one's own, opened at the bench: its address. */
export async function bench(world, person, clip, title) {
    const { page } = person;
    await page.goto(`${world.url}/upload`);
    await page.locator("input[type=file]").first().setInputFiles(clip);
    await page.getByLabel("Title").fill(title);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.waitForURL(/upload\/./);
    await page.goto(page.url().replace("/upload/", "/review/"));
    await film(page);
    await page.locator(".stage .overlay canvas").first().waitFor();
    return page.url();
}

/** So many drawings are listed, none of them twice. */
async function listed(page, count) {
    await waitFor(`${count} drawings`, async () => (await items(page).count()) >= count);
    if ((await items(page).count()) !== count) {
        throw new Error(`a drawing of ${count} is there twice`);
    }
}

/** Reloads while the pen is down: the line is there as far as it had come, and can be undone. */
async function whileDrawing(page) {
    await page.mouse.move(...(await at(page, 0.2, 0.3)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.6, 0.4)), { steps: 6 });
    await page.reload();
    await page.mouse.up();
    await film(page);
    await listed(page, 1);
}

/** Reloads the moment the pen is lifted: the core may have the drawing by then, or not; undone and done again, there is one. */
async function liftingThePen(page) {
    for (const [round, key] of ["p", "a"].entries()) {
        await page.keyboard.press(key);
        await page.mouse.move(...(await at(page, 0.2, 0.5 + round * 0.1)));
        await page.mouse.down();
        await page.mouse.move(...(await at(page, 0.6, 0.4 + round * 0.1)), { steps: 6 });
        const again = page.waitForEvent("load");
        await page.evaluate(() => addEventListener("pointerup", () => location.reload()));
        await page.mouse.up();
        await again;
        await film(page);
        await listed(page, 2);
        await page.keyboard.press("Control+z");
        await waitFor("it is undone", async () => (await items(page).count()) === 1);
    }
}

async function record(page, until) {
    await page.getByRole("button", { name: "Record voice-over" }).click();
    await page.getByRole("button", { name: "Pause recording" }).waitFor();
    await page.keyboard.press("a");
    await page.mouse.move(...(await at(page, 0.7, 0.7)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.5, 0.5)), { steps: 4 });
    await page.mouse.up();
    await waitFor("the voice", async () => (await page.locator(".voice-time").textContent()) > until);
}

/** Minutes and seconds as the screen has them, in seconds. */
const seconds = (text) => text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

/** A second tab works through the first one's core: what it records is safe there, whichever of the two goes. */
async function inAnotherTab({ context, page }, address) {
    const second = await context.newPage();
    await second.goto(address);
    await film(second);
    const offered = second.getByRole("region", { name: "Recover recording" });
    for (const goes of [second, page]) {
        await record(second, "0:01.60");
        await goes.reload();
        if (goes !== second) {
            await second.reload();
        }
        await offered.getByText(/A voice-over of 0:\d\d was interrupted/).waitFor();
        await offered.getByRole("button", { name: "Throw away" }).click();
        await offered.waitFor({ state: "detached" });
    }
    await second.close();
}

export async function losing(world, person, clip) {
    const { page } = person;
    const address = await bench(world, person, clip, "Interrupted");
    await whileDrawing(page);
    await liftingThePen(page);
    /* Thrown away. */
    await record(page, "0:00.60");
    await page.reload();
    const offered = page.getByRole("region", { name: "Recover recording" });
    await offered.getByRole("button", { name: "Throw away" }).click();
    await offered.waitFor({ state: "detached" });
    /* Recovered: as long as it was, to be heard with what was drawn meanwhile, and sent. */
    await record(page, "0:02.20");
    const from = performance.now();
    const long = seconds(await page.locator(".voice-time").textContent());
    await page.reload();
    const most = long + (performance.now() - from) / 1000 + 0.5;
    await offered.getByText(/A voice-over of 0:\d\d was interrupted/).waitFor();
    await world.axe(page, "workspace, a recording to recover");
    await world.shot(page, "recover", [320, 1024]);
    await offered.getByRole("button", { name: "Recover recording" }).click();
    await page.getByRole("button", { name: "Record again" }).waitFor();
    const recovered = seconds(await page.locator(".voice-time").textContent());
    if (!(recovered > long - 1.5 && recovered < most)) {
        throw new Error(`${recovered} s of ${long} to ${most} s were recovered`);
    }
    await listed(page, 3);
    /* Finished and not sent is not lost either. */
    await page.reload();
    await offered.getByText("was recorded and not sent").waitFor();
    await offered.getByRole("button", { name: "Recover recording" }).click();
    await page.locator(".voice").getByRole("button", { name: "Preview" }).click();
    await page.locator("dialog .big-play").click();
    await waitFor("the voice", async () => (await page.locator("dialog .timecode").textContent()) > "0:01");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Save & send" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save & send" }).click();
    await page.getByText(/^Review (sent|saved)/).waitFor();
    await inAnotherTab(person, address);
    return address;
}
