/* Between the part of a frame that is seen, as the page moves it and as reviews say it. */
import { unitsOf } from "./overlay";
import { type ViewBox, WHOLE } from "./workspace/stage";

interface Size {
    width: number;
    height: number;
}

/** The top left of what is seen, in units of the drawings. */
export function seenOf(view: ViewBox, video: Size): ViewBox {
    const units = unitsOf(video);
    const along = (move: number) => 0.5 - (0.5 + move) / view.scale;
    return { scale: view.scale, x: along(view.x) * units.width, y: along(view.y) * units.height };
}

export function viewOf(seen: ViewBox, video: Size): ViewBox {
    if (seen.scale === 1 && seen.x === 0 && seen.y === 0) {
        return WHOLE;
    }
    const units = unitsOf(video);
    const along = (part: number) => (0.5 - part) * seen.scale - 0.5;
    return { scale: seen.scale, x: along(seen.x / units.width), y: along(seen.y / units.height) };
}
