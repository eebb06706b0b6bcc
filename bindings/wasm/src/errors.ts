/** Every way a call can fail, by the name of the library's status without its SL_E_. */
export type ErrorCode =
    | "MISUSE" | "NOMEM" | "IO" | "NOT_FOUND" | "INVALID" | "LIMIT" | "BUSY" | "CLOSED" | "CANCELLED"
    | "UNSUPPORTED" | "CORRUPT" | "FULL" | "NETWORK" | "AUTH" | "DENIED" | "CONFLICT" | "INTERNAL" | "TOO_NEW";

const CODES: readonly ErrorCode[] = [
    "MISUSE", "NOMEM", "IO", "NOT_FOUND", "INVALID", "LIMIT", "BUSY", "CLOSED", "CANCELLED",
    "UNSUPPORTED", "CORRUPT", "FULL", "NETWORK", "AUTH", "DENIED", "CONFLICT", "INTERNAL", "TOO_NEW",
];

/** The status of the C library, a negative number, of a code. */
export function statusOf(code: ErrorCode): number {
    return -1 - CODES.indexOf(code);
}

export interface ErrorFacts {
    code: ErrorCode;
    message: string;
    field?: string;
    retryable?: boolean;
}

/** The one class of errors: `code` says what it was, `message` is one sentence for a person. */
export class CoreError extends Error {
    readonly code: ErrorCode;
    /** The field of a record or of an option that is at fault. */
    readonly field: string | undefined;
    /** The same call may succeed later. */
    readonly retryable: boolean;

    constructor(facts: ErrorFacts) {
        super(facts.message);
        this.name = "CoreError";
        this.code = facts.code;
        this.field = facts.field;
        this.retryable = facts.retryable ?? (facts.code === "NETWORK" || facts.code === "BUSY");
    }

    /** Of a status as the library reports it. */
    static ofStatus(status: number, message?: string, field?: string): CoreError {
        const code = CODES[-1 - status] ?? "INTERNAL";
        const facts = { code, message: message ?? `failed: ${code}` };
        return new CoreError(field === undefined ? facts : { ...facts, field });
    }
}

/** What travels between threads in place of an error. */
export function factsOf(error: unknown): ErrorFacts {
    if (error instanceof CoreError) {
        const { code, message, field, retryable } = error;
        return field === undefined ? { code, message, retryable } : { code, message, retryable, field };
    }
    return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
}
