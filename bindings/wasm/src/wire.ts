/* What the page and the core's thread say to each other. */
import type { ErrorFacts } from "./errors.js";

/** Page to core. */
export type ToCore =
    | { kind: "call"; n: number; method: string; args: unknown[] }
    /** No answer is wanted: points of a stroke, sound. */
    | { kind: "tell"; method: string; args: unknown[] }
    | { kind: "cancel"; n: number };

/** Core to page. */
export type ToPage =
    | { kind: "answer"; n: number; value: unknown }
    | { kind: "failed"; n: number; error: ErrorFacts }
    | { kind: "progress"; n: number; value: unknown }
    | { kind: "events"; events: unknown[] }
    /** A live query has a difference, a document has changed, an object has something to fetch. */
    | { kind: "ready"; of: number }
    /** Another thread serves from here on: what was open is gone. */
    | { kind: "moved" }
    | { kind: "broken"; error: ErrorFacts };

/** A thing that methods may be called on from one page; what it holds is let go when the page is gone. */
export interface Caller {
    say(message: ToPage, transfer?: Transferable[]): void;
}

/** An answer with memory that goes along with it. */
export class Answer {
    constructor(
        readonly value: unknown,
        readonly transfer: Transferable[],
    ) {}
}

/** An answer that comes by the event that ends this operation. */
export class Pending {
    constructor(
        readonly op: number,
        /** What becomes of the event's `res`. */
        readonly then: (res: unknown) => unknown = (res) => res,
    ) {}
}
