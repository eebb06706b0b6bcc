/* A film that is not on this device: played as the server has made it ready, in another size when that is chosen. */
import { newId } from "@sideline/core";
import { waitFor } from "./world.mjs";

/** bytes: of a film of two seconds. */
export async function streaming(world, anna, cleo, thread, bytes) {
    const { page } = anna;
    const { core } = cleo;
    const id = newId();
    const space = `video:${id}`;
    /* Not a byte sequence that is on her device already: a box behind it that says nothing. */
    const film = new Uint8Array([...bytes, 0, 0, 0, 8, ...Buffer.from("free")]);
    const blob = await core.blobs.put(space, film, { mediaType: "video/mp4" });
    await core.create("video", space, { title: "As it should be", blob, media_type: "video/mp4", size: film.length, duration_us: 2_000_000, width: 768, height: 576 }, id);
    const user = (await cleo.chat.people(thread)).find((one) => one.me !== true).user;
    await core.create("share", space, { user_id: user, role: "member" });
    await waitFor("the film is ready", async () => (await core.get("video", id))?.status === "ready", 60_000);
    await core.chat.send(thread, { kind: "video", body: "Watch this", ref_space: space, ref_id: id });
    /* As long as bytes are to be saved nothing is fetched but what is played. */
    await page.addInitScript(() => Object.defineProperty(Object.getPrototypeOf(navigator.connection), "saveData", { get: () => localStorage.saving === "yes" }));
    await page.evaluate(() => (localStorage.saving = "yes"));
    await page.goto(`${world.url}/videos`);
    await page.locator(".video-card", { hasText: "As it should be" }).click();
    const shown = page.locator(".review-stage video");
    const streams = (rung) => waitFor(`the film in ${rung}`, () => shown.evaluate((video, name) => video.currentSrc.includes(`/api/v1/videos/`) && video.currentSrc.includes(name) && video.readyState >= 2, rung));
    const lines = () => page.getByLabel("Quality").locator("option").evaluateAll((all) => all.map((one) => one.value).filter((one) => Number(one) > 0));
    await page.getByLabel("Quality").waitFor();
    const rungs = await lines();
    await streams(`/${rungs.at(-1)}.mp4`);
    if (!(await shown.getAttribute("poster"))?.includes("poster.jpg")) {
        throw new Error("there is no picture of the film");
    }
    await page.getByRole("slider", { name: "Position" }).fill("1500000");
    await waitFor("a later moment", () => shown.evaluate((video) => video.readyState >= 2 && Math.abs(video.currentTime - 1.5) < 0.1));
    await page.getByLabel("Quality").selectOption(rungs[0]);
    await streams(`/${rungs[0]}.mp4`);
    await waitFor("the same moment", () => shown.evaluate((video) => Math.abs(video.currentTime - 1.5) < 0.1));
    await world.axe(page, "video, streamed");
    await world.shot(page, "streamed", [320, 1024]);
    await page.getByLabel("Quality").selectOption("auto");
    await page.evaluate(() => (localStorage.saving = "no"));
    /* Now the file itself comes as well, for times without a network. */
    await waitFor("the film is kept", async () => {
        await page.reload();
        return waitFor("a film", () => shown.evaluate((video) => video.readyState >= 2 && video.currentSrc.startsWith("blob:")), 1500).catch(() => false);
    });
}
