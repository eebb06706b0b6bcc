/* One draws, another who has the same film open looks on: lines are seen before the pen is lifted, and nothing stays of one taken back. */
import { inked, placeOf } from "./pens.mjs";
import { waitFor } from "./world.mjs";

const SAVED = ".review-stage .overlay canvas >> nth=0";
const LIVE = ".review-stage .overlay canvas >> nth=1";

async function penDown(page, [x, y], ...others) {
    await page.mouse.move(...(await placeOf(page, x, y)));
    await page.mouse.down();
    for (const [toX, toY] of others) {
        await page.mouse.move(...(await placeOf(page, toX, toY)), { steps: 6 });
    }
}

const sees = (page, what, canvas, some) => waitFor(what, async () => ((await inked(page, canvas)) > 200) === some);

/** The coach is at the bench, at the film's beginning. */
export async function together(world, anna, carl) {
    const { page: athlete } = anna;
    const { page: coach } = carl;
    const items = coach.locator(".items li");
    await athlete.goto(coach.url().replace("/review/", "/video/"));
    await athlete.locator(LIVE).waitFor();
    await coach.keyboard.press("p");
    await penDown(coach, [0.2, 0.3], [0.5, 0.2], [0.7, 0.4]);
    await sees(athlete, "the line while it is drawn", LIVE, true);
    await athlete.getByText("Carl draws at 0:00.00").waitFor();
    if ((await items.count()) !== 0 || (await inked(athlete, SAVED)) > 0) {
        throw new Error("the line is a drawing before the pen is lifted");
    }
    await world.axe(athlete, "video, somebody draws");
    await world.shot(athlete, "live", [320, 1024]);
    await coach.mouse.up();
    await sees(athlete, "the drawing that it became", SAVED, true);
    await sees(athlete, "nothing in its place", LIVE, false);
    /* One that is taken back. */
    await penDown(coach, [0.2, 0.7], [0.6, 0.8]);
    await sees(athlete, "another line", LIVE, true);
    await coach.keyboard.press("Escape");
    await sees(athlete, "that it is gone", LIVE, false);
    await coach.mouse.up();
    /* At another moment of the film, with another tool, and to be found. */
    await coach.getByRole("slider", { name: "Position" }).fill("5000000");
    await coach.getByText("0:05.00").waitFor(); /* what is drawn is drawn on the picture that is seen */
    await coach.keyboard.press("a");
    await penDown(coach, [0.2, 0.7], [0.6, 0.5]);
    await athlete.getByText("Carl draws at 0:05").waitFor();
    if ((await inked(athlete, LIVE)) > 0) {
        throw new Error("a line is seen where it was not drawn");
    }
    await athlete.getByRole("button", { name: "Go there" }).click();
    await sees(athlete, "the arrow while it is drawn", LIVE, true);
    await coach.mouse.up();
    await sees(athlete, "nothing in the arrow's place", LIVE, false);
    await sees(athlete, "the arrow", SAVED, true);
    await coach.keyboard.press("Control+z");
    await coach.keyboard.press("Control+z");
    await waitFor("no drawing", async () => (await items.count()) === 0);
    await sees(athlete, "no drawing", SAVED, false);
}
