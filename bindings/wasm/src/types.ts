/* What the surface speaks of: queries, operations, events, drawings. */
import type { Creates, Entities, Json, Patches } from "./models.js";

export type EntityName = keyof Entities & string;
/** `kind:id`, such as `video:018f…`: what is shared and ordered as one. */
export type Space = string;

/** One value a field equals, or bounds that must all hold. */
export type Condition<V> =
    | V
    | null
    | {
          eq?: V | null;
          ne?: V | null;
          lt?: V;
          le?: V;
          gt?: V;
          ge?: V;
          in?: V[];
          /** Of text and enum fields only. */
          prefix?: string;
          /** A part of the text, ASCII letters in any case. */
          text?: string;
      };

export type Where<K extends EntityName> = {
    [F in Exclude<keyof Entities[K], "entity" | "pending">]?: Condition<NonNullable<Entities[K][F]>>;
} & { and?: Where<K>[]; or?: Where<K>[]; not?: Where<K> };

type FieldOf<K extends EntityName> = keyof Entities[K] & string;

export interface Query<K extends EntityName> {
    from: K;
    where?: Where<K>;
    /** Words that must all be in the record's searched text, the last one as a beginning. */
    search?: string;
    /** With a search: `snippet` of each record is the place found, hits in [ ]. */
    snippet?: boolean;
    /** At most 4 fields, `-` before one: the other way; then by id. */
    order?: (FieldOf<K> | `-${FieldOf<K>}`)[];
    /** Only records after this one: the last of the page before. */
    after?: Partial<Entities[K]> & { id: string };
    /** 1 to 10000; 1000 when absent. */
    limit?: number;
}

/** A live query's difference since the last one. */
export interface Diff<K extends EntityName> {
    upserts: Entities[K][];
    removed: string[];
    /** The ids of all that match now, in order. */
    order: string[];
}

/** One change of a batch. A space that does not exist yet is made by creating its root with `video:<id>` and the same id, or without a space. */
export type Op = {
    [K in EntityName]:
        | { op: "create"; entity: K; space?: Space; id?: string; fields: Creates[K] }
        | { op: "patch"; entity: K; id: string; fields: Patches[K] }
        | { op: "delete"; entity: K; id: string };
}[EntityName];

export interface Undone {
    changed: number;
    ids: { [old: string]: string };
    left: { entity: string; id: string; field?: string; why: string }[];
    undo: number;
    redo: number;
}

export interface Draft {
    draft: number;
    op: "create" | "patch" | "delete";
    entity: EntityName;
    space: Space;
    id: string;
    fields?: { [field: string]: Json };
    code: string;
    message: string;
    field?: string;
    needs?: number[];
}

/** What the core tells of its own accord. Unknown kinds are to be ignored. */
export type CoreEvent =
    | { ev: "sync"; state: "offline" | "connecting" | "online" }
    | { ev: "rejected"; entity: string; id: string; code: string; message: string; fields?: object; draft: number }
    | { ev: "upload_failed"; sha256: string; space: Space; code: string; message: string }
    | { ev: "transfer"; sha256: string; space?: Space; download: boolean; done: number; total?: number; why?: TransferTrouble }
    | { ev: "status" }
    | { ev: "integrity"; space: Space; healed: boolean }
    | { ev: "session"; state: "signed_in" | "signed_out" }
    | { ev: "typing"; space: Space; user: string; on: boolean }
    /** Somebody of this user's threads came, or went: `chat.presence`. */
    | { ev: "presence"; user: string; online: boolean }
    /** Somebody draws: `tellStroke`. So many points came before `from`; fewer than that, and some were missed. */
    | ({ ev: "stroke"; space: Space; user: string; from?: number } & LiveStroke);

/** A stroke while it is drawn. Points are x, y in units; `item`: the record that it became. */
export type LiveStroke =
    | { stroke: string; do: "begin"; tool: string; at_us: number; style?: Style; points?: number[] }
    | { stroke: string; do: "points"; points: number[] }
    | { stroke: string; do: "end"; item?: string }
    | { stroke: string; do: "cancel" };

/** Who has signed in. */
export interface SignedIn {
    id: string;
    email: string;
    name: string;
    role: "athlete" | "coach" | "admin";
}

export interface SessionFacts {
    device: string;
    server?: string;
    user?: string;
    email?: string;
    name?: string;
    role?: "athlete" | "coach" | "admin";
}

export interface SpaceStatus {
    space: Space;
    state: "up_to_date" | "waiting" | "behind" | "blocked";
    cursor: number;
    waiting: number;
    rejected: number;
    uploads: number;
    upload_bytes: number;
    as_of: number;
}

export interface SyncStatus {
    state: "offline" | "connecting" | "online";
    reason?: string;
    retry_ms?: number;
    waiting: number;
    sending: number;
    rejected: number;
    uploads: number;
    upload_bytes: number;
    spaces: SpaceStatus[];
}

export interface TransferStatus {
    sha256: string;
    space?: Space;
    download: boolean;
    done: number;
    total?: number;
    state: "running" | "waiting" | "paused" | "metered";
    /** It does not get on, and is tried again. */
    why?: TransferTrouble;
}

export type TransferTrouble = "unreachable" | "portal" | "throttled" | "auth" | "denied" | "not_found" | "damaged";

/** What `info` answers. Asking for "status" and "transfers" also turns on the events of that name. */
export interface Info {
    session: SessionFacts;
    status: SyncStatus;
    sync: { state: string; outbox: number; rejected: number; uploads: number; downloads: number; spaces: number };
    build: { version: string; [name: string]: Json };
    transfers: TransferStatus[];
    undo: { space: Space; undo: number; redo: number }[];
    recordings: { path: string; duration_us: number; note?: string }[];
}

export interface Style {
    color?: string;
    fill?: string;
    opacity?: number;
    width?: number;
    font_size?: number;
    dash?: "solid" | "dashes" | "dots";
    heads?: 0 | 1 | 2;
    move?: [number, number];
    scale?: number;
    layer?: string;
    [member: string]: Json | undefined;
}

/** How far a call that waits has come. */
export interface Progress {
    done: number;
    total?: number;
}

/** Of calls that wait. Aborting ends the call, which rejects with the signal's reason. */
export interface Waiting {
    signal?: AbortSignal;
    onProgress?: (progress: Progress) => void;
}

/** A drawing: coordinates in units of which the video's longer side has 32768; times in microseconds. */
export interface Item {
    id?: string;
    kind: string;
    points: [number, number][];
    pressure?: number[];
    tilt?: number[];
    dt?: number[];
    text?: string;
    blob?: string;
    style: Style;
    in: number;
    out: number;
    fade?: number;
    z?: string;
}

export type ItemPatch = Partial<Pick<Item, "in" | "out" | "fade" | "z">> & {
    style?: { [member: string]: Json | undefined };
};

export interface Drawing {
    width: number;
    height: number;
    items: (Item & { id: string })[];
}

/** x, y, width, height in pixels. */
export type Box = [x: number, y: number, width: number, height: number];
