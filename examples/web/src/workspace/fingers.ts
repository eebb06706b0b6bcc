/* One finger draws; two move the frame, zoom it and turn it. */
import { type PointerEvent, type RefObject, useEffect, useRef } from "react";
import { type ViewBox, pinched } from "../view";
import type { Drawer } from "./drawer";

const MEANT = 8; /* degrees that two fingers turn before the frame does: a pinch is never quite straight */

interface Two {
    x: number;
    y: number;
    apart: number;
    /** Degrees. */
    angle: number;
}

/** The answers say whether the pointer is the pen. */
export function useFingers(frame: RefObject<HTMLDivElement | null>, view: ViewBox, onView: (view: ViewBox) => void, drawer: Drawer) {
    const touches = useRef(new Map<number, { x: number; y: number }>());
    const pinching = useRef(false);
    const turning = useRef({ by: 0, from: 0 });
    const current = useRef(view);
    /* While they move it is theirs: what is rendered comes later, and would undo what they have done since. */
    useEffect(() => {
        if (!pinching.current) {
            current.current = view;
        }
    }, [view]);

    const two = (): Two | null => {
        const [a, b] = [...touches.current.values()];
        return a === undefined || b === undefined ? null : {
            x: (a.x + b.x) / 2, y: (a.y + b.y) / 2,
            apart: Math.hypot(a.x - b.x, a.y - b.y),
            angle: (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI,
        };
    };
    const pinch = (before: Two, now: Two) => {
        const element = frame.current!;
        const size = { width: element.offsetWidth, height: element.offsetHeight };
        const stage = element.offsetParent!;
        const box = stage.getBoundingClientRect();
        const [mx, my] = [box.left + stage.clientLeft + element.offsetLeft + size.width / 2, box.top + stage.clientTop + element.offsetTop + size.height / 2];
        const turn = turning.current;
        turn.by += ((now.angle - before.angle + 540) % 360) - 180;
        const meant = Math.sign(turn.by) * Math.max(0, Math.abs(turn.by) - MEANT);
        current.current = pinched(current.current, size, [before.x - mx, before.y - my], [now.x - mx, now.y - my], now.apart / before.apart, turn.from + meant);
        onView(current.current);
    };
    return {
        down(event: PointerEvent): boolean {
            if (event.pointerType !== "touch") {
                return true;
            }
            touches.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
            if (touches.current.size === 2) {
                pinching.current = true;
                turning.current = { by: 0, from: current.current.turn ?? 0 };
                drawer.cancel();
            }
            return touches.current.size === 1;
        },
        move(event: PointerEvent): boolean {
            const before = two();
            if (event.pointerType !== "touch" || !touches.current.has(event.pointerId)) {
                return event.pointerType !== "touch";
            }
            touches.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
            const now = two();
            if (pinching.current && before !== null && now !== null && before.apart > 0) {
                pinch(before, now);
            }
            return !pinching.current;
        },
        up(event: PointerEvent): boolean {
            touches.current.delete(event.pointerId);
            const drawn = !pinching.current;
            if (touches.current.size === 0) {
                pinching.current = false;
            }
            return drawn;
        },
    };
}
