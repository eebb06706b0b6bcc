/* The surface: one core, its records, its session, its sync. */
import "./symbols.js";
import { Chat } from "./chat.js";
import { type Connection, Stream } from "./connection.js";
import { Doc } from "./doc.js";
import { LiveQuery, rowsOf } from "./live.js";
import type { Creates, Entities, Json, Patches } from "./models.js";
import type {
    CoreEvent, Diff, Draft, EntityName, Info, LiveStroke, Op, Query, SignedIn, Space, Undone, Waiting, Where,
} from "./types.js";
import { type PutOptions, putBlob } from "./upload.js";
import { Recorder, type RecorderOptions, Timeline, Voice } from "./voice.js";

const TRANSFER = { pause: 1, resume: 2, cancel: 3 } as const;

const net = new FinalizationRegistry<Connection>((connection) => {
    if (!connection.closed) {
        console.warn("sideline: a core was never closed; it is now");
        void connection.close();
    }
});

/** Signing in and out, and what concerns the account. */
export class Account {
    /** @internal */
    constructor(private readonly connection: Connection) {}

    /** Makes an account and signs in. */
    signUp(
        account: { email: string; password: string; name: string; role: "athlete" | "coach"; birth_date: string },
        waiting?: Waiting,
    ): Promise<SignedIn> {
        return this.connection.call("signup", [account], waiting);
    }

    /** `code`: of the authenticator, or a recovery code; DENIED says that one is needed. */
    signIn(account: { email: string; password: string; code?: string }, waiting?: Waiting): Promise<SignedIn> {
        return this.connection.call("login", [account], waiting);
    }

    /**
     * Signing in with another provider, with what `do({ do: "oidc" })` gave and the address that came back. DENIED with the
     * field "code": the account has an authenticator; with "birth_date": it is new. `oidc({ code })` or
     * `oidc({ birth_date })` goes on.
     */
    oidc(answer: { [fact: string]: Json }, waiting?: Waiting): Promise<SignedIn> {
        return this.connection.call("oidc", [answer], waiting);
    }

    /** Forgets the session's tokens. Data stays until the same user signs in again. */
    signOut(): Promise<void> {
        return this.connection.call("logout", []);
    }

    /** Something about the account, at the server: "totp", "devices", "reset_mail" … (core.h has the list). */
    do<T = { [fact: string]: Json }>(request: { do: string; [fact: string]: Json }, waiting?: Waiting): Promise<T> {
        return this.connection.call("account", [request], waiting);
    }
}

/** Being in step with the server. */
export class Sync {
    private wanted = false;

    /** @internal */
    constructor(private readonly connection: Connection) {
        /* The tab that serves now has opened the folder anew. */
        connection.onMoved(() => this.wanted && !connection.closed && void this.start().catch(() => undefined));
    }

    /** Connects and stays connected, when another tab takes over too. */
    start(): Promise<void> {
        this.wanted = true;
        return this.connection.call("sync", [1]);
    }

    /** Goes offline. */
    stop(): Promise<void> {
        this.wanted = false;
        return this.connection.call("sync", [2]);
    }

    /** Ends when everything of here is with the server and everything of there is here. */
    async settle(waiting?: Waiting): Promise<void> {
        await this.connection.call("settle", [], waiting);
    }

    /** Ends when the changes of this record that wait now are part of what the server sends to everybody. */
    async accepted(entity: EntityName, id: string, waiting?: Waiting): Promise<void> {
        await this.connection.call("sync_wait", [entity, id], waiting);
    }

    /** This space is on the screen: what is new in it comes first. */
    focus(space: Space): Promise<void> {
        return this.connection.call("focus", [space]);
    }

    /** A network on which bytes cost: blobs larger than the limit wait. */
    network(kind: "free" | "metered", limitBytes = 0): Promise<void> {
        return this.connection.call("network", [kind === "metered" ? 1 : 0, limitBytes]);
    }
}

/** Blobs: clips, voices, pictures, named by the SHA-256 of their bytes. */
export class Blobs {
    /** @internal */
    constructor(private readonly connection: Connection) {}

    /**
     * Stores a File, Blob or bytes as a blob of a space and queues its upload: its name. It is read and
     * hashed slice by slice, never whole in memory. With `draft`, a name of your choice for this file, what
     * was read before a reload is not read again. Progress counts bytes stored; the upload itself is told
     * by "transfer" events once info("transfers") was asked.
     */
    put(space: Space, source: Blob | Uint8Array<ArrayBuffer>, options: PutOptions = {}): Promise<string> {
        return putBlob(this.connection, space, source, options);
    }

    /** What is here; NOT_FOUND when it must be fetched first. */
    get(sha256: string): Promise<Uint8Array<ArrayBuffer>> {
        return this.connection.call("blob_get", [sha256]);
    }

    /** Ends when the blob is here and verified. */
    fetch(sha256: string, waiting?: Waiting): Promise<{ sha256: string; size: number }> {
        return this.connection.call("blob_fetch", [sha256], waiting);
    }

    /** Its transfers, up and down. */
    async transfer(sha256: string, action: keyof typeof TRANSFER): Promise<void> {
        await this.connection.call("transfer", [sha256, TRANSFER[action]]);
    }
}

/** Operations that the server refused: kept until they are sent again or thrown away. */
export class Drafts {
    /** @internal */
    constructor(private readonly connection: Connection) {}

    list(space: Space | null = null, after = 0): Promise<Draft[]> {
        return this.connection.call("drafts", [space, after]);
    }

    /** Sends it again, some of its fields replaced: the id of the record. */
    async send(draft: number, fields: { [field: string]: Json } = {}): Promise<string> {
        return (await this.connection.call<{ id: string }>("draft_send", [draft, fields])).id;
    }

    discard(draft: number): Promise<void> {
        return this.connection.call("draft_discard", [draft]);
    }
}

/** One data folder and its signed-in user. Close it, or declare it with `await using`. */
export class Core implements AsyncDisposable {
    readonly account: Account;
    readonly sync: Sync;
    readonly blobs: Blobs;
    readonly chat: Chat;
    readonly drafts: Drafts;

    /** @internal */
    constructor(
        private readonly connection: Connection,
        /** Where data is kept: only "memory" is gone with the page. */
        readonly storage: "opfs" | "indexeddb" | "memory",
    ) {
        this.account = new Account(connection);
        this.sync = new Sync(connection);
        this.blobs = new Blobs(connection);
        this.chat = new Chat(connection);
        this.drafts = new Drafts(connection);
        net.register(this, connection, this);
        const { asked } = this;
        connection.onMoved(() => connection.closed || asked.forEach((what) => void connection.call("info", [what]).catch(() => undefined)));
    }

    /* --- records -------------------------------------------------------------------------- */

    /** undefined when absent or deleted. */
    get<K extends EntityName>(entity: K, id: string): Promise<Entities[K] | undefined> {
        return this.connection.call("get", [entity, id]);
    }

    query<K extends EntityName>(query: Query<K>): Promise<Entities[K][]> {
        return this.connection.call("query", [query]);
    }

    async count<K extends EntityName>(query: { from: K; where?: Where<K>; search?: string }): Promise<number> {
        const [row] = await this.connection.call<{ count: number }[]>("query", [{ ...query, count: true }]);
        return row!.count;
    }

    /** One atomic batch, durable when it returns and sent when there is a connection. Batches of one group, one after
     * the other, are undone together. */
    apply(ops: Op[], options: { group?: string } = {}): Promise<{ ids: string[] }> {
        return this.connection.call("apply", [ops, options.group]);
    }

    /** apply() of one creation: the new id. */
    async create<K extends EntityName>(entity: K, space: Space, fields: Creates[K], id?: string): Promise<string> {
        const op = { op: "create", entity, space, fields, ...(id === undefined ? {} : { id }) } as Op;
        return (await this.apply([op])).ids[0]!;
    }

    async patch<K extends EntityName>(entity: K, id: string, fields: Patches[K]): Promise<void> {
        await this.apply([{ op: "patch", entity, id, fields } as Op]);
    }

    async delete(entity: EntityName, id: string): Promise<void> {
        await this.apply([{ op: "delete", entity, id } as Op]);
    }

    /** Undoes the newest step of a space that was made here. NOT_FOUND: there is none. */
    undo(space: Space): Promise<Undone> {
        return this.connection.call("undo", [space]);
    }

    redo(space: Space): Promise<Undone> {
        return this.connection.call("redo", [space]);
    }

    /** The differences of a live query, the first one being all there is. Leaving the loop ends it. */
    watch<K extends EntityName>(query: Query<K>, o: { signal?: AbortSignal } = {}): AsyncIterableIterator<Diff<K>> {
        return new LiveQuery(this.connection, query, o.signal);
    }

    /** The whole answer of a live query, now and after each change, in order. */
    live<K extends EntityName>(
        query: Query<K>,
        o: { signal?: AbortSignal } = {},
    ): AsyncIterableIterator<Entities[K][]> {
        return rowsOf(new LiveQuery(this.connection, query, o.signal));
    }

    /* --- the core itself ------------------------------------------------------------------ */

    events(o: { signal?: AbortSignal } = {}): AsyncIterableIterator<CoreEvent> {
        let off: () => void = () => undefined;
        const stream = new Stream<CoreEvent>(() => off(), o.signal);
        if (o.signal?.aborted !== true) {
            off = this.connection.onEvents((events) => events.forEach((event) => stream.push(event as CoreEvent)));
            this.closing.add(stream);
        }
        return stream;
    }

    private readonly closing = new Set<Stream<CoreEvent>>();
    /** What info() was asked for: asking turns events on, of the core that serves. */
    private readonly asked = new Set<keyof Info>();

    info<W extends keyof Info>(what: W): Promise<Info[W]> {
        this.asked.add(what);
        return this.connection.call("info", [what]);
    }

    /** Whether the signed-in user may do something, by what this device knows. */
    can(
        question:
            | { do: "read" | "watch" | "create" | "patch" | "delete"; entity: EntityName; id?: string; space?: Space }
            | { feature: string },
    ): Promise<{ allow: boolean; standing: string; relation?: string; limits: { [name: string]: number } }> {
        return this.connection.call("can", [question]);
    }

    /** Wraps the key of a sealed folder anew. */
    rekey(key: Uint8Array): Promise<void> {
        return this.connection.call("rekey", [key]);
    }

    /* --- drawing and speaking ------------------------------------------------------------- */

    /** The drawings of a video that is here: "video:<id>". */
    async doc(space: Space): Promise<Doc> {
        return new Doc(this.connection, await this.connection.call("doc_open", [space]), space);
    }

    /** Drawings that stand alone, on a frame of so many pixels. */
    async newDoc(width: number, height: number): Promise<Doc> {
        return new Doc(this.connection, await this.connection.call("doc_new", [width, height]), null);
    }

    /**
     * A stroke of this user while it is drawn, for those who look at the video now: they get "stroke" events. Nothing
     * of it is stored. Its id is yours, `newId()`; up to 8 at a time. NOT_FOUND: points of one that did not begin.
     */
    tellStroke(video: Space, told: LiveStroke): Promise<void> {
        return this.connection.call("stroke_live", [video, told]);
    }

    async recorder(options: RecorderOptions): Promise<Recorder> {
        const number = await this.connection.call<number>("recorder_new", [options]);
        return new Recorder(this.connection, number, options.rate, options.channels);
    }

    /** A voice to be played: the name of a blob that is here, or its bytes. */
    async voice(source: string | Uint8Array<ArrayBuffer>): Promise<Voice> {
        const method = typeof source === "string" ? "voice_of" : "voice_open";
        const number = await this.connection.call<number>(method, [source]);
        const { duration } = await this.connection.call<{ duration: number }>("voice_facts", [number]);
        return new Voice(this.connection, number, duration);
    }

    /** What a crash, or a page that went, left of recordings: info("recordings") lists them. */
    recording(path: string): Promise<Uint8Array<ArrayBuffer>> {
        return this.connection.call("recording_read", [path]);
    }

    /** For good; until then it is offered. */
    removeRecording(path: string): Promise<void> {
        return this.connection.call("recording_remove", [path]);
    }

    /** A new timeline over a clip of this length in microseconds, or one from its bytes. */
    async timeline(source: number | Uint8Array<ArrayBuffer>): Promise<Timeline> {
        const method = typeof source === "number" ? "timeline_new" : "timeline_decode";
        return new Timeline(this.connection, await this.connection.call(method, [source]));
    }

    /* --- the end -------------------------------------------------------------------------- */

    /** What was done is durable already; calls that still wait reject with CLOSED. */
    async close(): Promise<void> {
        net.unregister(this);
        this.closing.forEach((stream) => stream.finish());
        await this.connection.close();
    }

    [Symbol.asyncDispose](): Promise<void> {
        return this.close();
    }
}
