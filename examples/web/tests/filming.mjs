/* A film made in the app by a camera that sees a real clip: with fingers and with keys, over a reload, and sent. */
import { waitFor } from "./world.mjs";

const seconds = async (page) => (await page.getByRole("timer").textContent()).split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
const filmed = (page, least) => waitFor(`${least} s of film`, async () => (await seconds(page).catch(() => 0)) >= least, 60_000);
const preview = (page) => page.locator(".upload-preview");

/** Seconds of what was chosen, run through first where the browser does not know. */
const length = (page) => preview(page).evaluate(async (video) => {
    if (!Number.isFinite(video.duration)) {
        video.currentTime = 1e9;
        await new Promise((resolve) => video.addEventListener("durationchange", resolve, { once: true }));
    }
    return video.duration;
});

function near(is, from, to, what) {
    if (!(is >= from && is <= to)) {
        throw new Error(`${what} is ${is}, not within ${from} and ${to}`);
    }
}

/** Started by a touch, held to pause, gone on with, and gone in the middle: what is left is the film without its last seconds. */
async function withFingers(world, page) {
    const hand = await page.context().newCDPSession(page);
    const box = await page.locator(".filming").boundingBox();
    const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
    const touch = async (until) => {
        await hand.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
        await until?.();
        await hand.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await touch();
    await filmed(page, 2);
    const on = page.getByRole("button", { name: "Go on filming" });
    await touch(() => on.waitFor());
    await on.waitFor();
    await world.axe(page, "filming, paused");
    await world.shot(page, "filming", [320, 1024]);
    await touch();
    await page.getByRole("button", { name: "Pause filming" }).waitFor();
    await filmed(page, 4);
    await page.reload();
    const left = page.getByRole("region", { name: "Film left here" });
    await left.getByRole("button", { name: "Take it up" }).click();
    await preview(page).waitFor();
    near(await length(page), 0.9, 6, "the film that was left");
    await page.getByRole("button", { name: "Choose another" }).click();
    await left.getByRole("button", { name: "Throw away" }).click();
    await left.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Film", exact: true }).click();
    await page.getByRole("button", { name: "Start filming", disabled: false }).waitFor(); /* the camera is open */
    await touch();
    await filmed(page, 2);
    await touch();
    await touch();
    await preview(page).waitFor();
}

export async function filming(world, anna, cleo) {
    const { page } = anna;
    const before = (await cleo.core.query({ from: "video" })).length;
    await page.goto(`${world.url}/upload`);
    await page.getByRole("button", { name: "Film", exact: true }).click();
    await page.getByLabel("Start", { exact: true }).selectOption("3");
    await page.getByRole("button", { name: "Start filming" }).press("Enter");
    await page.getByRole("button", { name: "Do not start" }).press("Enter");
    await page.getByLabel("Start", { exact: true }).selectOption("0");
    await world.axe(page, "filming");
    await withFingers(world, page);
    near(await length(page), 1.5, 6, "the film");
    near(await preview(page).evaluate((video) => video.videoWidth / video.videoHeight), 1.3, 1.8, "the picture's shape");
    await page.getByLabel("Title").fill("Filmed here");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Uploaded").waitFor({ timeout: 30_000 });
    const video = await waitFor("the film at the other end", async () => {
        const all = await cleo.core.query({ from: "video" });
        return all.length > before && all.find((one) => one.title === "Filmed here" && one.status === "ready");
    }, 60_000);
    near(video.duration_us, 1_500_000, 6_000_000, "its length");
    await page.goto(`${world.url}/upload`);
    await page.getByRole("button", { name: "Film", exact: true }).waitFor();
    if ((await page.getByRole("region", { name: "Film left here" }).count()) > 0) {
        throw new Error("a film that was sent is still left");
    }
}
