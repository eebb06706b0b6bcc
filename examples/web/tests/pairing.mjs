/* A review with a second film beside the first: marked, saved, and in step when it is watched. */
import { waitFor } from "./world.mjs";

const times = (page, where) => page.locator(`${where} video`).evaluateAll((all) => all.map((one) => (one.readyState >= 2 ? one.currentTime : Number.NaN)));

export async function pairing(world, anna, clip) {
    const { page } = anna;
    await page.goto(`${world.url}/upload`);
    await page.locator("input[type=file]").first().setInputFiles(clip);
    await page.getByLabel("Title").fill("The throw after that");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.waitForURL(/upload\/./);
    await page.goto(`${world.url}/videos`);
    await page.locator(".video-card", { hasText: "The throw alone" }).click();
    await page.getByRole("link", { name: "Draw" }).click();
    await page.getByLabel("A video beside it").selectOption({ label: "The throw after that" });
    await waitFor("two films", async () => (await times(page, ".views")).filter((time) => time >= 0).length === 2);
    const slider = page.getByRole("slider", { name: "Position in “The throw after that”" });
    await slider.fill("1000000");
    await waitFor("its frame to be shown", async () => Math.abs(Number(await slider.inputValue()) - 1e6) < 1e5); /* what is seen is marked */
    await page.getByRole("button", { name: "Mark", exact: true }).click();
    await world.axe(page, "workspace, two films");
    await world.shot(page, "workspace-pair", [320, 1024]);
    await page.getByRole("button", { name: "Save & send" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save & send" }).click();
    await page.getByText(/^Review (sent|saved)/).waitFor();
    await page.locator(".latest").click();
    await page.getByRole("slider", { name: "Position" }).fill("500000");
    let seen = [];
    await waitFor("the second film a second ahead", async () => {
        const [first, second] = seen = await times(page, ".review-stage");
        return Math.abs(first - 0.5) < 0.1 && Math.abs(second - 1.5) < 0.1;
    }).catch((error) => {
        throw new Error(`${error.message}: at ${seen.join(" and ")} s`);
    });
    await world.axe(page, "watch, two films");
    await world.shot(page, "watch-pair", [320, 1024]);
}
