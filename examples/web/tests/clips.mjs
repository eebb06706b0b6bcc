/* What the owner of a clip does with it: held by a finger, renamed, shown to less and more people, deleted. */
import { waitFor } from "./world.mjs";

const TITLE = "Filmed here";

export async function clips(world, anna, cleo) {
    const { page } = anna;
    const seen = async (title) => (await cleo.core.query({ from: "video" })).some((one) => one.title === title);
    await page.goto(`${world.url}/videos`);
    const card = (title) => page.locator(".video-card", { hasText: title });
    const hold = async (title) => {
        const hand = await page.context().newCDPSession(page);
        await card(title).scrollIntoViewIfNeeded();
        const box = await card(title).boundingBox();
        await hand.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: box.x + box.width / 2, y: box.y + 40 }] });
        await page.getByRole("button", { name: "Rename" }).waitFor();
        await hand.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await hold(TITLE);
    await world.axe(page, "a clip's options");
    await world.shot(page, "clip-options", [320]);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Title").fill("Throw, slowly");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await card("Throw, slowly").waitFor();
    await waitFor("the new title at the other end", () => seen("Throw, slowly"));
    await card("Throw, slowly").click();
    const options = page.getByRole("button", { name: "What can be done with this video" });
    await options.click();
    await page.getByRole("button", { name: "Who sees it" }).click();
    await world.axe(page, "who sees a clip");
    await page.getByRole("button", { name: "Remove Cleo" }).click();
    await waitFor("it leaves the other's device", async () => !(await seen("Throw, slowly")));
    await page.getByRole("button", { name: "Let in Cleo" }).click();
    await waitFor("it is there again", () => seen("Throw, slowly"));
    await page.getByRole("button", { name: "Close" }).click();
    await options.click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save the file" }).click()]);
    if (!/^Throw, slowly\.(mp4|webm)$/.test(file.suggestedFilename())) {
        throw new Error(`the file is called ${file.suggestedFilename()}`);
    }
    await options.click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete for everybody" }).click();
    await page.waitForURL(/\/videos$/);
    await waitFor("it is gone at both ends", async () => !(await seen("Throw, slowly")) && (await card("Throw, slowly").count()) === 0);
}

/** address: of a bench at whose clip there is one review of her own. */
export async function reviewed(world, { page }, address) {
    await page.goto(address.replace("/review/", "/video/"));
    const reviews = page.locator("a[href*='/watch/']");
    await reviews.click();
    const options = page.getByRole("button", { name: "What can be done with this review" });
    await options.click();
    await world.axe(page, "a review's options");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Title").fill("Second thoughts");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("heading", { name: "Second thoughts" }).waitFor();
    await options.click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete for everybody" }).click();
    await page.getByText("No review yet.").waitFor();
    if ((await reviews.count()) > 0) {
        throw new Error("the review is still there");
    }
}
