/* Touches that mean something beyond a tap. Each of them is a second way to what a button or key does as well. */
import { type PointerEvent, type TouchEvent, useRef } from "react";

const LONG_MS = 500;
const TWICE_MS = 350;
const STILL_PX = 10;
const SWIPE_PX = 64;
const PULL_PX = 72;

/** Holding a finger still; touching twice. */
export function useTouch(held: () => void, twice: () => void) {
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const from = useRef({ x: 0, y: 0, at: 0, before: 0 });
    const stop = () => clearTimeout(timer.current);
    return {
        onPointerDown(event: PointerEvent) {
            if (event.pointerType === "touch") {
                from.current = { x: event.clientX, y: event.clientY, at: event.timeStamp, before: from.current.at };
                stop();
                timer.current = setTimeout(held, LONG_MS);
            }
        },
        onPointerMove(event: PointerEvent) {
            if (Math.hypot(event.clientX - from.current.x, event.clientY - from.current.y) > STILL_PX) {
                stop();
            }
        },
        onPointerUp(event: PointerEvent) {
            const { at, before } = from.current;
            stop();
            if (event.pointerType === "touch" && event.timeStamp - before < TWICE_MS) {
                from.current.at = 0;
                twice();
            } else if (event.timeStamp - at > TWICE_MS) {
                from.current.at = 0;
            }
        },
        onPointerCancel: stop,
        /* The browser's own menu of a long touch is in the way; that of a mouse is not. */
        onContextMenu(event: React.MouseEvent) {
            if ((event.nativeEvent as globalThis.PointerEvent).pointerType === "touch") {
                event.preventDefault();
            }
        },
    };
}

/** Drawing something towards the end of the line and letting go: it follows the finger as far as it counts. */
export function useSwipe(swiped: () => void) {
    const from = useRef<{ x: number; y: number; way: "none" | "along" | "across" }>({ x: 0, y: 0, way: "none" });
    const sign = () => (document.documentElement.dir === "rtl" ? -1 : 1);
    /** How far along the line the finger is; 0 when it went across it first, or with another one. */
    const along = (event: TouchEvent) => {
        const touch = event.changedTouches[0]!;
        const at = from.current;
        const [dx, dy] = [(touch.clientX - at.x) * sign(), Math.abs(touch.clientY - at.y)];
        if (at.way === "none" && Math.max(Math.abs(dx), dy) > STILL_PX) {
            at.way = Math.abs(dx) > dy ? "along" : "across";
        }
        return at.way === "along" ? Math.max(0, dx) : 0;
    };
    const back = (event: TouchEvent<HTMLElement>) => (event.currentTarget.style.transform = "");
    return {
        onTouchStart(event: TouchEvent) {
            const touch = event.touches[0]!;
            from.current = { x: touch.clientX, y: touch.clientY, way: event.touches.length === 1 ? "none" : "across" };
        },
        onTouchMove(event: TouchEvent<HTMLElement>) {
            event.currentTarget.style.transform = `translateX(${sign() * Math.min(SWIPE_PX + 8, along(event))}px)`;
        },
        onTouchEnd(event: TouchEvent<HTMLElement>) {
            back(event);
            if (along(event) >= SWIPE_PX) {
                swiped();
            }
        },
        onTouchCancel: back,
    };
}

/** Pulling down what stands at its top. */
export function usePull(pulled: () => void, scroller: () => Element | null) {
    const from = useRef<number | null>(null);
    return {
        onTouchStart(event: TouchEvent) {
            const top = (scroller()?.scrollTop ?? 0) <= 0;
            from.current = top && event.touches.length === 1 ? event.touches[0]!.clientY : null;
        },
        onTouchEnd(event: TouchEvent) {
            if (from.current !== null && event.changedTouches[0]!.clientY - from.current > PULL_PX) {
                pulled();
            }
            from.current = null;
        },
        onTouchCancel() {
            from.current = null;
        },
    };
}

/* What has a movement of its own along the line. */
const OWN_ASIDE = "input, select, textarea, [role=slider], [role=toolbar], dialog, video, .review-view, .bubble-row";

/** Drawing the whole screen aside: to the next one, or to the one before, as one reads. */
export function useAside(aside: (way: 1 | -1) => void) {
    const from = useRef<{ x: number; y: number } | null>(null);
    return {
        onTouchStart(event: TouchEvent) {
            const touch = event.touches[0]!;
            const own = event.target instanceof Element && event.target.closest(OWN_ASIDE) !== null;
            from.current = own || event.touches.length > 1 ? null : { x: touch.clientX, y: touch.clientY };
        },
        onTouchEnd(event: TouchEvent) {
            const touch = event.changedTouches[0]!;
            const at = from.current;
            from.current = null;
            const [dx, dy] = at === null ? [0, 0] : [touch.clientX - at.x, Math.abs(touch.clientY - at.y)];
            if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 2 * dy) {
                aside((dx < 0) === (document.documentElement.dir !== "rtl") ? 1 : -1);
            }
        },
        onTouchCancel() {
            from.current = null;
        },
    };
}
