/* The part of a frame that is seen: how the page moves it, and how reviews say it. */
import { unitsOf } from "./overlay";

/**
 * How the frame is seen: x and y, in parts of it, are how far its middle is moved; turn: degrees it is turned by, clockwise.
 * Reviews say nothing of a turn: it is for the one who draws.
 */
export interface ViewBox {
    scale: number;
    x: number;
    y: number;
    turn?: number;
}

export const WHOLE: ViewBox = { scale: 1, x: 0, y: 0 };
const MOST = 8;
const SNAP = 5; /* degrees: so near to upright, or to a side, it is that */

interface Size {
    width: number;
    height: number;
}

type Point = [x: number, y: number];

export function isWhole(view: ViewBox): boolean {
    return view.scale === 1 && view.x === 0 && view.y === 0 && (view.turn ?? 0) === 0;
}

export function transformOf(view: ViewBox): string {
    return `translate(${view.x * 100}%, ${view.y * 100}%) rotate(${view.turn ?? 0}deg) scale(${view.scale})`;
}

function rotated([x, y]: Point, degrees: number): Point {
    const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
    return [x * cos - y * sin, x * sin + y * cos];
}

export function zoomed(view: ViewBox, by: number): ViewBox {
    const scale = Math.min(MOST, Math.max(1, view.scale * by));
    return scale === 1 ? { ...WHOLE, turn: view.turn ?? 0 } : { ...view, scale, x: (view.x * scale) / view.scale, y: (view.y * scale) / view.scale };
}

/** Turned so far, -180 to 180. */
export function turned(view: ViewBox, turn: number): ViewBox {
    const right = Math.round(turn / 90) * 90;
    const to = Math.abs(turn - right) < SNAP ? right : turn;
    return { ...view, turn: ((((to + 180) % 360) + 360) % 360) - 180 };
}

/** What two fingers make of a view: where their middle was and is, in pixels from the middle of the stage. */
export function pinched(view: ViewBox, size: Size, from: Point, to: Point, by: number, turn: number): ViewBox {
    const next = turned(zoomed(view, by), turn);
    if (next.scale === 1 && next.turn === 0) {
        return WHOLE;
    }
    const arm: Point = [(view.x * size.width - from[0]) * (next.scale / view.scale), (view.y * size.height - from[1]) * (next.scale / view.scale)];
    const [x, y] = rotated(arm, next.turn! - (view.turn ?? 0));
    return { ...next, x: (to[0] + x) / size.width, y: (to[1] + y) / size.height };
}

/** A place of the window in parts of the frame, whose box in the window this is, and whose width is so many of its heights. */
export function within(view: ViewBox, shape: number, box: DOMRect, x: number, y: number): Point {
    const turn = view.turn ?? 0;
    const [sin, cos] = rotated([1, 0], turn).map(Math.abs).reverse() as Point;
    const width = box.width / (cos + sin / shape); /* of the frame as it is seen, before it is turned */
    const [dx, dy] = rotated([x - box.left - box.width / 2, y - box.top - box.height / 2], -turn);
    return [0.5 + dx / width, 0.5 + (dy * shape) / width];
}

/** The top left of what is seen, in units of the drawings. */
export function seenOf(view: ViewBox, video: Size): ViewBox {
    const units = unitsOf(video);
    const [x, y] = rotated([view.x * units.width, view.y * units.height], -(view.turn ?? 0));
    const along = (move: number, length: number) => (0.5 - 0.5 / view.scale) * length - move / view.scale;
    return { scale: view.scale, x: along(x, units.width), y: along(y, units.height) };
}

export function viewOf(seen: ViewBox, video: Size): ViewBox {
    if (seen.scale === 1 && seen.x === 0 && seen.y === 0) {
        return WHOLE;
    }
    const units = unitsOf(video);
    const along = (part: number) => (0.5 - part) * seen.scale - 0.5;
    return { scale: seen.scale, x: along(seen.x / units.width), y: along(seen.y / units.height) };
}
