/* The tools of the workspace: their keys, and what the core calls what they draw. */
import type { Style } from "@sideline/core";
import type { Key } from "../i18n";
import type { IconName } from "../ui/icon";

export type Way =
    | "select"
    /** A live line, from pen down to pen up. */
    | "stroke"
    /** From pen down to pen up, two points. */
    | "drag"
    /** Three points, one after the other. */
    | "three"
    | "text"
    | "erase";

export interface ToolFacts {
    id: string;
    icon: IconName;
    name: Key;
    key: string;
    way: Way;
    style?: Style;
}

export const TOOLS: readonly ToolFacts[] = [
    { id: "select", icon: "select", name: "tool.select", key: "v", way: "select" },
    { id: "pen", icon: "pen", name: "tool.pen", key: "p", way: "stroke" },
    { id: "highlighter", icon: "highlighter", name: "tool.highlighter", key: "h", way: "stroke" },
    { id: "line", icon: "line", name: "tool.line", key: "l", way: "drag" },
    { id: "arrow", icon: "arrow", name: "tool.arrow", key: "a", way: "drag" },
    { id: "curve", icon: "curve", name: "tool.curve", key: "c", way: "three" },
    { id: "rect", icon: "rect", name: "tool.rect", key: "r", way: "drag" },
    { id: "ellipse", icon: "ellipse", name: "tool.ellipse", key: "e", way: "drag" },
    { id: "angle", icon: "angle", name: "tool.angle", key: "g", way: "three" },
    { id: "ruler", icon: "ruler", name: "tool.ruler", key: "m", way: "drag" },
    { id: "spotlight", icon: "spotlight", name: "tool.spotlight", key: "f", way: "drag" },
    { id: "text", icon: "text", name: "tool.text", key: "t", way: "text" },
    { id: "eraser", icon: "eraser", name: "tool.eraser", key: "x", way: "erase" },
];

export function toolOf(id: string): ToolFacts {
    return TOOLS.find((tool) => tool.id === id) ?? TOOLS[0]!;
}

export const COLORS: readonly { value: string; name: Key }[] = [
    { value: "#FFD400", name: "color.yellow" },
    { value: "#FF4D4D", name: "color.red" },
    { value: "#00D68F", name: "color.green" },
    { value: "#3DA5FF", name: "color.blue" },
    { value: "#FF7AD9", name: "color.pink" },
    { value: "#FFFFFF", name: "color.white" },
];

/** Widths of lines, in units of the drawings. */
export const WIDTHS = { least: 60, most: 600, step: 30, usual: 180 } as const;

export function styleOf(tool: ToolFacts, color: string, width: number): Style {
    switch (tool.id) {
        case "highlighter": return { color, opacity: 0.4, width: width * 3 };
        case "text": return { color, opacity: 1, font_size: 700 + width * 3, box: true };
        case "arrow": return { color, opacity: 1, width, heads: 1 };
        default: return { color, opacity: 1, width };
    }
}
