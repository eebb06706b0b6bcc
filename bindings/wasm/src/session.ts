/* One page's side of a core: what it holds, and the shapes that calls have. */
import { CoreError } from "./errors.js";
import type { Library, Room } from "./library.js";
import { Pending } from "./wire.js";

/** Something of the library that a page holds by number. */
export interface Held {
    kind: string;
    at: number;
    /** What it stands on, and is closed before. */
    on?: number;
    close(): void;
}

/** Counts what the core is stepped for: calls, news of the network, deadlines. */
export const turns = { now: 0 };

/** One page's side of a core. */
export interface Session {
    lib: Library;
    core: number;
    kind: string;
    objects: Map<number, Held>;
    ready(of: number): void;
    onRows(sub: number, ready: () => void): void;
    offRows(sub: number): void;
}

export type Method = (s: Session, ...args: any[]) => unknown;

let lastNumber = 0;

/** Numbers of live queries are the library's; these are of all other things, and never meet them. */
export function hold<T extends Held>(s: Session, held: T): number {
    lastNumber -= 1;
    s.objects.set(lastNumber, held);
    return lastNumber;
}

export function held<T extends Held>(s: Session, number: number, kind: T["kind"]): T {
    const object = s.objects.get(number);
    if (object === undefined || object.kind !== kind) {
        throw new CoreError({ code: "CLOSED", message: `the ${kind} is closed` });
    }
    return object as T;
}

/** Closes it, and before it what stands on it. */
export function letGo(s: Session, number: number): void {
    for (const [other, object] of s.objects) {
        if (object.on === number) {
            letGo(s, other);
        }
    }
    const object = s.objects.get(number);
    s.objects.delete(number);
    object?.close();
}

/** A call whose last argument before the error is an sl_bytes**: the bytes' JSON. */
export function json(s: Session, name: string, args: (room: Room) => (number | bigint)[]): unknown {
    const text = s.lib.with((room) => {
        const slot = room.slot();
        s.lib.call(name, ...args(room), slot);
        return s.lib.takeText(room.word(slot));
    });
    return text === null ? null : JSON.parse(text);
}

/** A call that starts an operation. */
export function operation(s: Session, name: string, args: (room: Room) => (number | bigint)[]): Pending {
    return s.lib.with((room) => {
        const slot = room.slot(2);
        s.lib.call(name, ...args(room), slot);
        return new Pending(room.id(slot));
    });
}

export function plain(s: Session, name: string, args: (room: Room) => (number | bigint)[]): void {
    s.lib.with((room) => s.lib.call(name, ...args(room)));
}
