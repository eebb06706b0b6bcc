/* Fingers on the frame: two move, zoom and turn it, one draws where it touches, however the frame is turned. */
import { waitFor } from "./world.mjs";

const FRAME = ".stage .frame";

/** How the frame is seen: degrees, scale, and how far its middle was moved, in pixels. */
const view = (page) => page.locator(FRAME).evaluate((one) => {
    const { a, b, e, f } = new DOMMatrix(getComputedStyle(one).transform);
    return { turn: (Math.atan2(b, a) * 180) / Math.PI, scale: Math.hypot(a, b), x: e, y: f };
});

/** The box of what is drawn, in parts of the frame. */
const inkOf = (page) => page.locator(".stage .overlay canvas").first().evaluate((canvas) => {
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const box = { left: 1, top: 1, right: 0, bottom: 0 };
    for (let i = 3; i < data.length; i += 4) {
        if (data[i] > 0) {
            const [x, y] = [(((i - 3) / 4) % width) / width, Math.floor((i - 3) / 4 / width) / height];
            Object.assign(box, { left: Math.min(box.left, x), right: Math.max(box.right, x), top: Math.min(box.top, y), bottom: Math.max(box.bottom, y) });
        }
    }
    return box;
});

const near = (is, should, by, what) => {
    if (!(Math.abs(is - should) <= by)) {
        throw new Error(`${what} is ${is}, not ${should}`);
    }
};

/** The last move of a finger is seen a moment after it. */
async function becomes(page, what, should) {
    let is;
    await waitFor(what, async () => {
        is = await view(page);
        return Object.entries(should).every(([name, [value, by]]) => Math.abs(is[name] - value) <= by);
    }).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(is)}`);
    });
}

export async function fingers(world, { page }) {
    await page.getByRole("slider", { name: "Position" }).fill("8000000");
    const hand = await page.context().newCDPSession(page);
    const put = (type, ...at) => hand.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([x, y], id) => ({ x, y, id })) });
    await page.locator(".stage").scrollIntoViewIfNeeded();
    const box = await page.locator(".stage").boundingBox();
    const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
    const around = (degrees, arm) => [0, 180].map((more) => [cx + arm * Math.cos(((degrees + more) * Math.PI) / 180), cy + arm * Math.sin(((degrees + more) * Math.PI) / 180)]);
    /* Lifted when what they do is seen: moves that are under way when a finger goes may be dropped. */
    const twist = async (what, should, degrees, from = 80, to = 80) => {
        await put("touchStart", ...around(0, from));
        for (let part = 1; part <= 10; part++) {
            await put("touchMove", ...around((degrees * part) / 10, from + ((to - from) * part) / 10));
        }
        await becomes(page, what, should);
        await put("touchEnd");
    };
    /* A pinch that is not quite straight only zooms. */
    await twist("zoom alone after a pinch", { turn: [0, 0.01], scale: [1.5, 0.05] }, 6, 60, 90);
    await waitFor("no trace of the finger that came first", async () => (await inkOf(page)).right === 0);
    await page.keyboard.press("0");
    await twist("a turn alone", { turn: [30, 1], scale: [1, 0.02] }, 38);
    await world.axe(page, "workspace, turned");
    await world.shot(page, "turned", [320, 1024]);
    /* Near a right angle it is one, and a finger draws where it is: across the window is along the frame's height. */
    await page.getByRole("button", { name: "Whole picture" }).click();
    await twist("a right angle", { turn: [90, 0.01] }, 100);
    await page.keyboard.press("l");
    const before = await page.locator(".items li").count();
    await put("touchStart", [cx - 60, cy + 40]);
    await put("touchMove", [cx, cy + 40]);
    await put("touchMove", [cx + 60, cy + 40]);
    await put("touchEnd");
    await waitFor("the line", async () => (await page.locator(".items li").count()) === before + 1);
    const { width, height } = await page.locator(FRAME).evaluate((one) => ({ width: one.offsetWidth, height: one.offsetHeight }));
    /* The list has it a moment before the picture. */
    const ink = await waitFor("the line's ink", async () => {
        const drawn = await inkOf(page);
        return drawn.right > 0 && drawn;
    });
    near((ink.left + ink.right) / 2, 0.5 + 40 / width, 0.02, "the line's place across");
    near(ink.right - ink.left, 0, 0.03, "its width");
    near(ink.top, 0.5 - 60 / height, 0.03, "its top");
    near(ink.bottom, 0.5 + 60 / height, 0.03, "its bottom");
    /* The same without fingers. */
    await page.keyboard.press("0");
    await page.keyboard.press("w");
    await becomes(page, "the turn by a key", { turn: [15, 0.01] });
    await page.getByRole("button", { name: "Turn the picture" }).click();
    await becomes(page, "the turn by a button", { turn: [30, 0.01] });
    await page.keyboard.press("q");
    await page.keyboard.press("q");
    await becomes(page, "the turn back", { turn: [0, 0.01] });
    await page.keyboard.press("Control+z");
    await hand.detach();
}

/** The screens of the navigation are drawn aside, and pulled down. */
export async function screens(world, { page }) {
    const hand = await page.context().newCDPSession(page);
    const put = (type, ...at) => hand.send("Input.dispatchTouchEvent", { type, touchPoints: at.map(([x, y], id) => ({ x, y, id })) });
    const drag = async (from, to) => {
        await put("touchStart", from);
        for (let part = 1; part <= 5; part++) {
            await put("touchMove", from.map((value, i) => value + ((to[i] - value) * part) / 5));
        }
        await put("touchEnd");
    };
    const before = page.viewportSize();
    await page.setViewportSize({ width: 320, height: 680 });
    await page.goto(`${world.url}/videos`);
    await page.locator(".video-card").first().waitFor();
    await drag([280, 560], [60, 550]);
    await page.waitForURL(`${world.url}/messages`);
    await page.getByRole("heading", { name: "Messages" }).waitFor();
    await drag([40, 550], [260, 560]);
    await page.waitForURL(`${world.url}/videos`);
    await drag([160, 200], [165, 420]);
    await page.getByText("Looking for news").waitFor();
    await page.setViewportSize(before);
    await hand.detach();
}
