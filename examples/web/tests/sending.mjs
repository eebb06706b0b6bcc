/* A part of a clip on its way to a coach: cut, held over a reload, and the same pictures at the other end. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { waitFor } from "./world.mjs";

const FROM_S = 2.52;
const TO_S = 4.52;

/** A small grey picture of the film at a moment. */
function still(page, base64, at) {
    return page.evaluate(async ([bytes, time]) => {
        const video = document.createElement("video");
        video.muted = true;
        video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0))], { type: "video/mp4" }));
        await new Promise((resolve) => (video.onloadeddata = resolve));
        video.currentTime = time;
        await new Promise((resolve) => (video.onseeked = resolve));
        const picture = new OffscreenCanvas(48, 32).getContext("2d");
        /* A slow machine has nothing to draw for some time after it has found the place: what is there twice is it. */
        const draw = () => {
            picture.drawImage(video, 0, 0, 48, 32);
            const { data } = picture.getImageData(0, 0, 48, 32);
            return Array.from({ length: 48 * 32 }, (_, i) => data[i * 4 + 1]);
        };
        let grey = draw();
        for (let tries = 0; tries < 100; tries++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            const before = grey;
            grey = draw();
            if (grey.some((value) => value > 32) && grey.every((value, i) => value === before[i])) {
                break;
            }
        }
        return { duration: video.duration, grey };
    }, [base64, at]);
}

const apart = (a, b) => a.grey.reduce((sum, value, i) => sum + Math.abs(value - b.grey[i]), 0) / a.grey.length;

export async function sending(world, anna, cleo, clip) {
    const { page } = anna;
    await page.goto(`${world.url}/upload`);
    await page.locator("input[type=file]").first().setInputFiles(clip);
    const [from, to] = [page.getByLabel("Start of the part"), page.getByLabel("End of the part")];
    await from.fill(String(FROM_S * 1e6));
    await to.fill(String(TO_S * 1e6));
    await page.getByLabel("Title").fill("The throw alone");
    await page.getByText("0:02.52 – 0:04.52").waitFor();
    await world.axe(page, "upload, a part");
    await world.shot(page, "upload-part", [320, 1024]);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused").waitFor();
    await page.reload();
    await page.getByText("Paused").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Paused").waitFor({ state: "detached" });
    await page.reload();
    await page.getByText("Uploaded").waitFor({ timeout: 30_000 });
    const video = await waitFor("the clip", async () => (await cleo.core.query({ from: "video" }))[0]);
    const { sha256 } = await cleo.core.blobs.fetch(video.blob);
    const bytes = Buffer.from(await cleo.core.blobs.get(sha256));
    const whole = readFileSync(clip);
    if (createHash("sha256").update(bytes).digest("hex") !== video.blob || bytes.length > whole.length * 0.7) {
        throw new Error(`${bytes.length} of ${whole.length} bytes came`);
    }
    const at = 0.62;
    const [part, same, other] = [await still(page, bytes.toString("base64"), at), await still(page, whole.toString("base64"), FROM_S + at), await still(page, whole.toString("base64"), at)];
    if (Math.abs(part.duration - (TO_S - FROM_S)) > 0.05 || Math.abs(video.duration_us / 1e6 - part.duration) > 0.05) {
        throw new Error(`the part lasts ${part.duration} s`);
    }
    if (!(apart(part, same) < 1) || !(apart(part, other) > 2 * apart(part, same) + 0.5)) {
        throw new Error(`the part differs from the clip by ${apart(part, same)}, from another moment of it by ${apart(part, other)}`);
    }
    return bytes;
}
