/* The one core of the app, and how components read it. */
import { type Core, type CoreEvent, type Entities, type EntityName, type Info, type Query, type SessionFacts, type SyncStatus, type TransferStatus, openCore } from "@sideline/core";
import { useEffect, useState, useSyncExternalStore } from "react";

let core: Core;

export function theCore(): Core {
    return core;
}

const hearers = new Set<(event: CoreEvent) => void>();

export async function startCore(): Promise<void> {
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

let session: SessionFacts | null = null;
const sessionHearers = new Set<() => void>();

export async function refreshSession(): Promise<void> {
    const facts = await core.info("session");
    if (facts.user !== undefined && session?.user === undefined && navigator.onLine) {
        await core.sync.start();
    }
    session = facts;
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

/** The signed-in user's id. */
export function me(): string {
    return session?.user ?? "";
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

/* ---- what waits ---- */

const NOTHING: SyncStatus = { state: "offline", waiting: 0, sending: 0, rejected: 0, uploads: 0, upload_bytes: 0, spaces: [] };
const NO_TRANSFERS: TransferStatus[] = [];

/** What `info` says, asked anew after each of these events, one question at a time. */
function useInfo<W extends "status" | "transfers">(what: W, events: readonly CoreEvent["ev"][], before: Info[W]): Info[W] {
    const [answer, setAnswer] = useState(before);
    useEffect(() => {
        let alive = true;
        let asking = false;
        let again = false;
        const ask = () => {
            again = asking;
            if (!asking) {
                asking = true;
                core.info(what).then((now) => alive && setAnswer(now), () => undefined).finally(() => {
                    asking = false;
                    if (alive && again) {
                        ask();
                    }
                });
            }
        };
        const heard = (event: CoreEvent) => events.includes(event.ev) && ask();
        ask();
        hearers.add(heard);
        return () => {
            alive = false;
            hearers.delete(heard);
        };
    }, []);
    return answer;
}

/** Holds a file on its way, or lets it go on; who shows it hears of it at once. */
export async function holdTransfer(sha256: string, action: "pause" | "resume"): Promise<void> {
    await core.blobs.transfer(sha256, action);
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
