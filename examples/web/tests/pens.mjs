/* Drawing on a frame, and what of it is seen. */

/** Draws in the frame: places are parts of it. */
export async function draw(page, ...places) {
    const box = await page.locator(".stage .frame").last().boundingBox();
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await page.mouse.move(...at(places[0]));
    await page.mouse.down();
    for (const place of places.slice(1)) {
        await page.mouse.move(...at(place), { steps: 8 });
    }
    await page.mouse.up();
}

/** How much of the canvas over the film is drawn on. */
export function inked(page, selector) {
    return page.locator(selector).first().evaluate((canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        let n = 0;
        for (let i = 3; i < data.length; i += 4) {
            n += data[i] > 0 ? 1 : 0;
        }
        return n;
    });
}

/** A place of the frame, in parts of it, in the window. */
export async function placeOf(page, x, y) {
    const box = await page.locator(".stage .frame").last().boundingBox();
    return [box.x + x * box.width, box.y + y * box.height];
}
