/* What a pen on the frame does, by the tool: places are in units of the drawings. */
import { type Doc, type Item, type Stroke, newId } from "@sideline/core";
import { complain } from "../ui/parts";
import { type Named, addOnce, dropInk, keepInk } from "./kept";
import { Told } from "./live";
import { type ToolFacts, styleOf, toolOf } from "./tools";

const STAYS_US = 3_000_000; /* a new drawing is seen for so long, unless it is given another range */
const KEEP_MS = 250; /* so often a line is kept for when the page goes */
const NEAR = 450; /* units within which a pen meets a drawing */

export interface Place {
    x: number;
    y: number;
    pressure: number;
    /** Of pens that tell it: degrees from upright. */
    tilt?: number | undefined;
    /** Shift is held: straight, at right angles. */
    straight: boolean;
}

export interface DrawerHost {
    space: string;
    doc: Doc;
    /** Stands alone: what is being drawn and not yet kept. */
    scratch: Doc;
    duration: number;
    time(): number;
    /** The scratch has changed. */
    showScratch(): void;
    began(): void;
    /** It is a drawing, whatever becomes of the page; the core has it a moment later. */
    drawn(id: string): void;
    /** The document has changed. */
    changed(): void;
    select(id: string | null): void;
    askText(at: Place): void;
    selected(): string | null;
}

export class Drawer {
    tool: ToolFacts = toolOf("pen");
    color = "#FFD400";
    width = 180;
    private stroke: Stroke | null = null;
    private strokeBegan = 0;
    private points: [number, number][] = [];
    private erased: [number, number][] = [];
    private dragged: { id: string; handle: number | null; x: number; y: number } | null = null;
    private last: Promise<unknown> = Promise.resolve();

    constructor(private readonly host: DrawerHost) {}

    /** What the core is asked goes in order. */
    private queue(work: () => Promise<unknown>): void {
        this.last = this.last.then(work).catch(complain);
    }

    private range(): { in: number; out: number } {
        const { duration } = this.host;
        const from = Math.round(Math.min(this.host.time(), Math.max(0, duration - 100_000)));
        return { in: from, out: Math.max(from + 1, Math.min(from + STAYS_US, duration)) };
    }

    private item(points: [number, number][]): Named {
        return { id: newId(), kind: this.tool.id, points, style: styleOf(this.tool, this.color, this.width), ...this.range() };
    }

    /** Hands a drawing over to the core. */
    private hand(item: Named, over: () => Promise<unknown> = () => addOnce(this.host.doc, item)): void {
        const { told } = this;
        this.told = null;
        keepInk(this.host.space, item);
        this.host.drawn(item.id);
        this.queue(async () => {
            await over();
            dropInk(this.host.space, item.id);
            told?.end(item.id);
            this.host.changed();
        });
    }

    /** True between two taps of a tool that wants three. */
    get unfinished(): boolean {
        return this.points.length > 0;
    }

    /** A line is being drawn. */
    get stroking(): boolean {
        return this.stroke !== null;
    }

    down(at: Place): void {
        switch (this.tool.way) {
            case "stroke":
                this.host.began();
                this.begin(at);
                break;
            case "drag":
                this.host.began();
                this.points = [[at.x, at.y], [at.x, at.y]];
                this.tell(this.item(this.points));
                break;
            case "three":
                if (this.points.length === 0) {
                    this.host.began();
                    this.points = [[at.x, at.y], [at.x, at.y]];
                }
                break;
            case "text":
                this.host.askText(at);
                break;
            case "erase":
                this.erased = [[at.x, at.y]];
                break;
            case "select":
                this.queue(() => this.pick(at));
                break;
        }
    }

    move(at: Place): void {
        if (this.stroke !== null) {
            this.add(at);
        } else if (this.points.length > 0) {
            const from = this.points.at(-2)!;
            const to: [number, number] = at.straight ? straightened(from, at) : [at.x, at.y];
            this.points[this.points.length - 1] = to;
            this.told?.move(...to);
            this.preview();
        } else if (this.erased.length > 0) {
            this.erased.push([at.x, at.y]);
        } else if (this.dragged !== null) {
            this.drag(at);
        }
    }

    up(at: Place): void {
        const { stroke, line } = this;
        if (stroke !== null && line !== null) {
            this.stroke = this.line = null;
            this.hand(line, () => stroke.end().catch(() => addOnce(this.host.doc, line)));
        } else if (this.erased.length > 0) {
            const path = this.erased.length > 1 ? this.erased : [...this.erased, [at.x + 1, at.y] as [number, number]];
            this.erased = [];
            this.queue(() => this.host.doc.erase(path.slice(-256), { radius: Math.max(this.width, 200), tUs: this.host.time() }));
        } else if (this.dragged !== null) {
            this.dragged = null;
            this.queue(() => this.host.doc.group(null));
        } else if (this.points.length > 0) {
            this.place(at);
        }
    }

    /* ---- a line, point by point ---- */

    /** The same for when the page goes before the pen is lifted. */
    private line: (Named & { pressure: number[]; dt: number[] }) | null = null;
    private keptAt = 0;

    /** The same for those who look on. */
    private told: Told | null = null;

    private tell(item: Item): void {
        this.told?.cancel();
        this.told = new Told(this.host.space, item);
    }

    private begin(at: Place): void {
        const { points: first, ...item } = this.item([[at.x, at.y]]);
        this.stroke = this.host.doc.stroke(item);
        this.strokeBegan = this.keptAt = performance.now();
        this.line = { ...item, points: [], pressure: [], dt: [] };
        this.tell({ ...item, points: first });
        this.add(at);
    }

    private add(at: Place): void {
        const { line } = this;
        const now = performance.now();
        const dt = line?.points.length === 0 ? 0 : now - this.strokeBegan;
        this.stroke?.points([at.x, at.y, at.pressure, dt], at.tilt);
        if (dt > 0) {
            this.told?.move(at.x, at.y);
        }
        if (line !== null) {
            line.points.push([Math.round(at.x), Math.round(at.y)]);
            line.pressure.push(Math.round(at.pressure * 255));
            line.dt.push(Math.round(dt));
            if (now - this.keptAt > KEEP_MS) {
                this.keptAt = now;
                this.save();
            }
        }
    }

    /** Also called when the page goes. */
    save(): void {
        if (this.line !== null) {
            keepInk(this.host.space, this.line);
        }
    }

    /** Takes back what is being drawn. */
    cancel(): void {
        const { stroke, line } = this;
        this.stroke = this.line = null;
        this.points = [];
        this.erased = [];
        this.dragged = null;
        this.told?.cancel();
        this.told = null;
        if (stroke !== null && line !== null) {
            dropInk(this.host.space, line.id);
            this.queue(async () => {
                await stroke.end(false);
                this.host.changed();
            });
        }
        this.clear();
    }

    text(at: Place, text: string): void {
        this.host.began();
        this.hand(rounded({ ...this.item([[at.x, at.y]]), text }));
    }

    private place(at: Place): void {
        const [first, second] = this.points as [[number, number], [number, number]];
        const far = Math.hypot(this.points.at(-1)![0] - this.points.at(-2)![0], this.points.at(-1)![1] - this.points.at(-2)![1]) > 150;
        if (this.tool.way === "three" && this.points.length < 3) {
            if (far) {
                this.points = [first, second, [at.x, at.y]];
            }
            return;
        }
        const { points } = this;
        this.points = [];
        if (far) {
            this.hand(rounded(this.item(points)));
        } else {
            this.told?.cancel();
            this.told = null;
        }
        this.clear();
    }

    /* ---- what is being drawn ---- */

    private shown: string | null = null;

    private preview(): void {
        const points = [...this.points];
        this.queue(async () => {
            if (this.points.length === 0) {
                return;
            }
            const old = this.shown;
            const item = { ...rounded(this.item(points)), in: 0, out: 36_000_000_000 };
            if (this.tool.way === "three" && points.length === 2 && this.tool.id === "curve") {
                item.kind = "line";
            }
            this.shown = await this.host.scratch.add(item);
            if (old !== null) {
                await this.host.scratch.remove(old);
            }
            this.host.showScratch();
        });
    }

    private clear(): void {
        this.queue(async () => {
            if (this.shown !== null) {
                await this.host.scratch.remove(this.shown);
                this.shown = null;
                this.host.showScratch();
            }
        });
    }

    /* ---- choosing and moving ---- */

    private async pick(at: Place): Promise<void> {
        const { doc } = this.host;
        const time = this.host.time();
        const before = this.host.selected();
        if (before !== null) {
            const handles = await doc.handles(before, time).catch(() => []);
            const handle = handles.findIndex(([x, y]) => Math.hypot(x - at.x, y - at.y) < NEAR * 1.3);
            if (handle >= 0) {
                await doc.group(`drag ${Date.now()}`);
                this.dragged = { id: before, handle, x: at.x, y: at.y };
                return;
            }
        }
        const id = await doc.hit(at.x, at.y, NEAR, time);
        this.host.select(id);
        if (id !== null) {
            await doc.group(`move ${Date.now()}`);
            this.dragged = { id, handle: null, x: at.x, y: at.y };
        }
    }

    private dragging = false;

    private drag(at: Place): void {
        const { dragged } = this;
        if (dragged === null || this.dragging) {
            return;
        }
        this.dragging = true;
        this.queue(async () => {
            this.dragging = false;
            if (dragged.handle !== null) {
                await this.host.doc.drag(dragged.id, this.host.time(), dragged.handle, at.x, at.y);
            } else {
                await this.host.doc.move(dragged.id, at.x - dragged.x, at.y - dragged.y);
                dragged.x = Math.round(at.x);
                dragged.y = Math.round(at.y);
            }
        });
    }
}

function rounded(item: Named): Named {
    return { ...item, points: item.points.map(([x, y]) => [Math.round(x), Math.round(y)]) };
}

/** The place at the nearest multiple of 45 degrees. */
function straightened([x, y]: [number, number], to: Place): [number, number] {
    const length = Math.hypot(to.x - x, to.y - y);
    const turn = (Math.round(Math.atan2(to.y - y, to.x - x) / (Math.PI / 4)) * Math.PI) / 4;
    return [x + length * Math.cos(turn), y + length * Math.sin(turn)];
}
