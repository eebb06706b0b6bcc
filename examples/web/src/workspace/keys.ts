/* The keyboard of the workspace. */
import { useEffect, useRef } from "react";
import type { Film } from "../film";
import { type ViewBox, WHOLE, turned, zoomed } from "../view";
import { COLORS, TOOLS } from "./tools";

/** Degrees of one key. */
export const TURN = 15;

export interface KeyHost {
    film: Film | null;
    view: ViewBox;
    onView(view: ViewBox): void;
    setTool(id: string): void;
    chooseColor(color: string): void;
    undo(): void;
    redo(): void;
    range(end: "in" | "out"): void;
    remove(): void;
    split(): void;
    voice(stop: boolean): void;
    escape(): void;
    help(): void;
    send(): void;
    /** A window is open, which has the keyboard. */
    blocked: boolean;
}

function writes(target: EventTarget | null): boolean {
    return target instanceof HTMLElement && target.closest("input:not([type=range]), textarea, select, dialog") !== null;
}

function command(event: KeyboardEvent, host: KeyHost): boolean {
    const { film } = host;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
        if (key === "z") {
            (event.shiftKey ? host.redo : host.undo)();
        } else if (key === "enter") {
            host.send();
        } else {
            return false;
        }
        return true;
    }
    const pressesButton = event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement;
    const simple: { [key: string]: () => void } = {
        ",": () => film?.step(-1),
        ".": () => film?.step(1),
        "[": () => film?.speed(-1),
        "]": () => film?.speed(1),
        "+": () => host.onView(zoomed(host.view, 1.5)),
        "=": () => host.onView(zoomed(host.view, 1.5)),
        "-": () => host.onView(zoomed(host.view, 1 / 1.5)),
        "0": () => host.onView(WHOLE),
        q: () => host.onView(turned(host.view, (host.view.turn ?? 0) - TURN)),
        w: () => host.onView(turned(host.view, (host.view.turn ?? 0) + TURN)),
        "?": host.help,
        s: host.split,
        i: () => host.range("in"),
        o: () => host.range("out"),
        n: () => host.voice(event.shiftKey),
        delete: host.remove,
        backspace: host.remove,
        escape: host.escape,
    };
    if (!(event.target instanceof HTMLInputElement)) {
        simple.arrowleft = () => film?.seek(film.state.time - 1e6);
        simple.arrowright = () => film?.seek(film.state.time + 1e6);
    }
    if (!pressesButton) {
        simple[" "] = () => film?.toggle();
    }
    const color = COLORS[Number(key) - 1];
    const tool = TOOLS.find((one) => one.key === key);
    const work = simple[key] ?? (color !== undefined ? () => host.chooseColor(color.value) : tool !== undefined ? () => host.setTool(tool.id) : undefined);
    work?.();
    return work !== undefined;
}

export function useKeys(host: KeyHost): void {
    const current = useRef(host);
    current.current = host;
    useEffect(() => {
        const heard = (event: KeyboardEvent) => {
            if (!event.defaultPrevented && !current.current.blocked && !event.altKey && !writes(event.target) && command(event, current.current)) {
                event.preventDefault();
            }
        };
        addEventListener("keydown", heard);
        return () => removeEventListener("keydown", heard);
    }, []);
}
