/* The one core of the app, and how components read it. */
import { type Core, type CoreEvent, type Entities, type EntityName, type Info, type Query, type SessionFacts, type SyncStatus, type TransferStatus, openCore } from "@sideline/core";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";

let core: Core;
let begun: () => void;
/** Until startCore() has been called; then what that one gives. */
let starting: Promise<void> = new Promise<void>((resolve) => (begun = resolve)).then(() => starting);

export function theCore(): Core {
    return core;
}

/** For who may be there before it: the screen where one signs in. */
export async function whenCore(): Promise<Core> {
    await starting;
    return core;
}

/** Somebody was signed in when this browser was here last. */
export function wasSignedIn(): boolean {
    return localStorage.getItem("signed-in") !== null;
}

const hearers = new Set<(event: CoreEvent) => void>();

export function startCore(): Promise<void> {
    starting = start();
    begun();
    return starting;
}

async function start(): Promise<void> {
    core = await openCore({ dir: localStorage.getItem("folder") ?? "sideline", server: location.origin, fonts: { "DejaVuSans-Bold": "/assets/DejaVuSans-Bold.ttf" } });
    void hear(core);
    await refreshSession();
}

/** A folder of its own for another user of this browser: the first one's data stays. */
export async function startElsewhere(): Promise<void> {
    localStorage.setItem("folder", `sideline-${Date.now().toString(36)}`);
    await core.close();
    session = null;
    await startCore();
}

async function hear(of: Core): Promise<void> {
    for await (const event of of.events()) {
        if (event.ev === "session") {
            void refreshSession();
        }
        hearers.forEach((heard) => heard(event));
    }
}

export function useEvents(heard: (event: CoreEvent) => void): void {
    useEffect(() => {
        hearers.add(heard);
        return () => void hearers.delete(heard);
    }, [heard]);
}

/* ---- who is signed in ---- */

let session: SessionFacts | null = null; /* of who is signed in */
const sessionHearers = new Set<() => void>();

export async function refreshSession(): Promise<void> {
    const facts = await core.info("session");
    if (facts.user !== undefined && session?.user === undefined && navigator.onLine) {
        await holdAgain();
        await core.sync.start();
    }
    session = facts.user === undefined ? null : facts;
    if (session === null) {
        localStorage.removeItem("signed-in");
    } else {
        localStorage.setItem("signed-in", "yes");
    }
    sessionHearers.forEach((heard) => heard());
}

export function useSession(): SessionFacts | null {
    return useSyncExternalStore(
        (heard) => {
            sessionHearers.add(heard);
            return () => void sessionHearers.delete(heard);
        },
        () => session,
    );
}

/* The browser knows at once of a network that went or came; the core alone would find out by trying. */
addEventListener("offline", () => void core?.sync.stop().catch(() => undefined));
addEventListener("online", () => session?.user !== undefined && void core.sync.start().catch(() => undefined));

/** Tries at once what would be tried after a while. */
export async function connectNow(): Promise<void> {
    await core.sync.stop();
    await core.sync.start();
}

/** The signed-in user's id. */
export function me(): string {
    return session?.user ?? "";
}

/** Tells the people of the user's conversations that the app is looked at, as long as it is. */
export function usePresence(): void {
    useEffect(() => {
        const tell = () => void core.chat.presence(document.visibilityState === "visible").catch(() => undefined);
        tell();
        document.addEventListener("visibilitychange", tell);
        return () => document.removeEventListener("visibilitychange", tell);
    }, []);
}

/* ---- records ---- */

/** What a live query finds, in order; undefined until it has answered. Null asks for nothing. */
export function useRows<K extends EntityName>(query: Query<K> | null): Entities[K][] | undefined {
    const key = JSON.stringify(query);
    const [found, setFound] = useState<{ key: string; rows: Entities[K][] }>();
    useEffect(() => {
        const asked = JSON.parse(key) as Query<K> | null;
        const end = new AbortController();
        const read = async (wanted: Query<K>) => {
            for await (const rows of core.live(wanted, { signal: end.signal })) {
                setFound({ key, rows });
            }
        };
        if (asked !== null) {
            read(asked).catch((error: unknown) => end.signal.aborted || console.error(error));
        }
        return () => end.abort();
    }, [key]);
    return found?.key === key ? found.rows : undefined;
}

export function useRecord<K extends EntityName>(entity: K, id: string | undefined): Entities[K] | undefined {
    return useRows(id === undefined ? null : ({ from: entity, where: { id } } as Query<K>))?.[0];
}

/* ---- questions ---- */

/**
 * What a question gives, asked anew after changes of these records and after these events, one at a time. The key
 * names it: another one is another question.
 */
export function useAnswer<T>(key: string, ask: () => Promise<T>, of: readonly Query<EntityName>[], events: readonly CoreEvent["ev"][] = []): { answer: T | undefined; again(): void } {
    const [found, setFound] = useState<{ key: string; answer: T }>();
    const newest = useRef(ask);
    newest.current = ask;
    const turn = useRef<() => void>(() => undefined);
    useEffect(() => {
        const end = new AbortController();
        let asking = false;
        let dirty = false;
        const run = () => {
            dirty = asking;
            if (!asking && !end.signal.aborted) {
                asking = true;
                newest.current().then((answer) => end.signal.aborted || setFound({ key, answer }), () => undefined).finally(() => {
                    asking = false;
                    if (dirty) {
                        run();
                    }
                });
            }
        };
        const follow = async (query: Query<EntityName>) => {
            for await (const _ of core.watch(query, { signal: end.signal })) {
                run();
            }
        };
        const heard = (event: CoreEvent) => events.includes(event.ev) && run();
        turn.current = run;
        run();
        of.forEach((query) => follow(query).catch((error: unknown) => end.signal.aborted || console.error(error)));
        hearers.add(heard);
        return () => {
            end.abort();
            hearers.delete(heard);
        };
    }, [key]);
    const again = useCallback(() => turn.current(), []);
    return { answer: found?.key === key ? found.answer : undefined, again };
}

/* ---- what waits ---- */

const NOTHING: SyncStatus = { state: "offline", waiting: 0, sending: 0, rejected: 0, uploads: 0, upload_bytes: 0, spaces: [] };
const NO_TRANSFERS: TransferStatus[] = [];

/** What `info` says, asked anew after each of these events. */
function useInfo<W extends "status" | "transfers">(what: W, events: readonly CoreEvent["ev"][], before: Info[W]): Info[W] {
    return useAnswer(what, () => core.info(what), [], events).answer ?? before;
}

/* The core holds a file back until it is closed; the user, until they let it go on. */
const HELD = "held";

function heldTransfers(): string[] {
    return JSON.parse(localStorage.getItem(HELD) ?? "[]") as string[];
}

async function holdAgain(): Promise<void> {
    const still: string[] = [];
    for (const sha256 of heldTransfers()) {
        await core.blobs.transfer(sha256, "pause").then(() => still.push(sha256), () => undefined);
    }
    localStorage.setItem(HELD, JSON.stringify(still));
}

/** Holds a file on its way, or lets it go on, over a reload too; who shows it hears of it at once. */
export async function holdTransfer(sha256: string, action: "pause" | "resume"): Promise<void> {
    await core.blobs.transfer(sha256, action);
    const others = heldTransfers().filter((one) => one !== sha256);
    localStorage.setItem(HELD, JSON.stringify(action === "pause" ? [...others, sha256] : others));
    hearers.forEach((heard) => heard({ ev: "status" }));
}

/** How far this device and the server agree. */
export function useStatus(): SyncStatus {
    return useInfo("status", ["status", "sync"], NOTHING);
}

/** Files on their way, up and down. */
export function useTransfers(): TransferStatus[] {
    return useInfo("transfers", ["transfer", "status", "sync"], NO_TRANSFERS);
}
