/* Lines while they are drawn: told to those who look at the same film, and shown when another draws. Nothing is stored. */
import { type CoreEvent, type Doc, type Drawing, type Item, type LiveStroke, type Stroke, newId } from "@sideline/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { theCore, useEvents } from "../core";
import { toolOf } from "./tools";

const TELL_MS = 50;
const NUMBERS_MOST = 256; /* in one message */
const STAYS_MS = 3000; /* so long one is named after the last line */
const SAVED_MS = 10_000; /* a line waits so long for the drawing that it became */

/** One line of this user. Who cannot be told now sees the drawing when it is saved. */
export class Told {
    private readonly id = newId();
    private waiting: number[] = [];
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(private readonly space: string, item: Item) {
        const points = item.points[0]!.map(Math.round);
        this.tell({ stroke: this.id, do: "begin", tool: item.kind, at_us: item.in, style: item.style, points });
    }

    private tell(what: LiveStroke): void {
        theCore().tellStroke(this.space, what).catch(() => undefined);
    }

    move(x: number, y: number): void {
        this.waiting.push(Math.round(x), Math.round(y));
        this.timer ??= setTimeout(() => this.flush(), TELL_MS);
        if (this.waiting.length >= NUMBERS_MOST) {
            this.flush();
        }
    }

    private flush(): void {
        clearTimeout(this.timer);
        this.timer = undefined;
        if (this.waiting.length > 0) {
            this.tell({ stroke: this.id, do: "points", points: this.waiting });
            this.waiting = [];
        }
    }

    /** item: what it became. */
    end(item: string | null): void {
        this.flush();
        this.tell({ stroke: this.id, do: "end", ...(item === null ? {} : { item }) });
    }

    cancel(): void {
        clearTimeout(this.timer);
        this.tell({ stroke: this.id, do: "cancel" });
    }
}

type Heard = Extract<CoreEvent, { ev: "stroke" }>;

/** A line of another. */
interface Guest {
    item: Item;
    began: number;
    line: Stroke | null;
    /** Of a tool that is drawn from its first point to its last: what stands in the document now. */
    placed: string | null;
    timer?: ReturnType<typeof setTimeout>;
}

/** Lines of others in a document that stands alone, where what is drawn will be seen: at the same times of the film. */
class Guests {
    private readonly all = new Map<string, Guest>();
    private saved: ReadonlySet<string> = new Set();
    private readonly awaited = new Map<string, string>();
    private last: Promise<unknown> = Promise.resolve();
    private closed = false;

    constructor(private readonly doc: Doc, private readonly length: number, private readonly show: () => void) {}

    get busy(): boolean {
        return this.all.size > 0;
    }

    /** What another sends may be wrong: then it is not shown. */
    private queue(work: () => Promise<unknown>): void {
        this.last = this.last.then(() => this.closed || work()).catch(() => undefined);
    }

    heard(event: Heard): void {
        const guest = this.all.get(event.stroke);
        if (event.do === "begin" && guest === undefined) {
            this.begin(event);
        } else if (event.do === "points" && guest !== undefined) {
            this.add(guest, event.points);
        } else if (event.do === "cancel" || (event.do === "end" && (event.item === undefined || this.saved.has(event.item)))) {
            this.remove(event.stroke);
        } else if (event.do === "end" && guest !== undefined) {
            this.awaited.set(event.item!, event.stroke);
            guest.timer = setTimeout(() => this.remove(event.stroke), SAVED_MS);
        }
    }

    private begin(event: Heard & { do: "begin" }): void {
        const from = Math.round(event.at_us);
        const style = event.style ?? {};
        const item: Item = { kind: event.tool, points: [], style, in: from, out: Math.max(from + 1, Math.min(from + STAYS_MS * 1000, this.length)) };
        const { points: _, ...line } = item;
        const live = event.tool === "laser" || toolOf(event.tool).way === "stroke";
        const guest: Guest = { item, began: performance.now(), line: live ? this.doc.stroke(line) : null, placed: null };
        this.all.set(event.stroke, guest);
        this.add(guest, event.points ?? []);
    }

    private add(guest: Guest, points: number[]): void {
        const { item, line } = guest;
        const dt = performance.now() - guest.began;
        for (let i = 0; i + 1 < points.length; i += 2) {
            item.points.push([points[i]!, points[i + 1]!]);
            line?.points([points[i]!, points[i + 1]!, 0.5, dt]);
        }
        if (line === null && item.points.length > 1 && toolOf(item.kind).way === "drag") {
            this.queue(async () => {
                const old = guest.placed;
                guest.placed = await this.doc.add({ ...item, points: [item.points[0]!, item.points.at(-1)!] });
                if (old !== null) {
                    await this.doc.remove(old);
                }
                this.show();
            });
        } else {
            this.show();
        }
    }

    private remove(stroke: string): void {
        const guest = this.all.get(stroke);
        this.all.delete(stroke);
        clearTimeout(guest?.timer);
        this.queue(async () => {
            await guest?.line?.end(false);
            if (guest !== undefined && guest.placed !== null) {
                await this.doc.remove(guest.placed);
            }
            this.show();
        });
    }

    /** The drawings there are: what a line became takes its place. */
    have(saved: ReadonlySet<string>): void {
        this.saved = saved;
        for (const [item, stroke] of this.awaited) {
            if (saved.has(item)) {
                this.awaited.delete(item);
                this.remove(stroke);
            }
        }
    }

    close(): void {
        this.closed = true;
        this.all.forEach((guest) => clearTimeout(guest.timer));
        this.all.clear();
    }
}

/** Who draws on the film now, or did a moment ago, and at which moment of it. */
export interface Busy {
    user: string;
    at: number;
    /** The line is at its end. */
    over: boolean;
}

/** Shows in `doc` what others draw in the space while they do; `show` is called when it has changed. */
export function useGuests(space: string, doc: Doc | undefined, length: number, drawing: Drawing | null, show: () => void): { who: Busy | null; busy(): boolean } {
    const [who, setWho] = useState<Busy | null>(null);
    const guests = useMemo(() => (doc === undefined ? null : new Guests(doc, length, show)), [doc]);
    useEffect(() => () => guests?.close(), [guests]);
    useEffect(() => guests?.have(new Set(drawing?.items.map((one) => one.id))), [guests, drawing]);
    useEffect(() => {
        const timer = who?.over === true ? setTimeout(() => setWho(null), STAYS_MS) : undefined;
        return () => clearTimeout(timer);
    }, [who]);
    useEvents(useCallback((event: CoreEvent) => {
        if (event.ev === "stroke" && event.space === space) {
            guests?.heard(event);
            setWho((before) => (event.do === "begin" ? { user: event.user, at: event.at_us, over: false }
                : event.do === "points" ? before : before && { ...before, over: true }));
        }
    }, [guests, space]));
    return { who, busy: () => guests?.busy ?? false };
}
