/*
 * What is being filmed, kept piece by piece in the browser's private file system, so that a page that goes, by a reload or
 * a crash, takes its last two seconds at most. A reel is a folder named by its id and its type; whoever has it in their hands
 * holds a lock of that name. Where there are no such files, pieces are in memory, and go with the page.
 */
const FOLDER = "filming";

/** The folder of all reels; null where a page cannot keep files. */
async function folder(): Promise<FileSystemDirectoryHandle | null> {
    try {
        const root = await navigator.storage.getDirectory();
        return "createWritable" in FileSystemFileHandle.prototype ? await root.getDirectoryHandle(FOLDER, { create: true }) : null;
    } catch {
        return null;
    }
}

function hold(name: string): () => void {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    void navigator.locks?.request(`${FOLDER} ${name}`, () => held);
    return letGo;
}

export class Reel {
    private readonly memory: Blob[] = [];
    private count = 0;
    private last: Promise<void> = Promise.resolve();

    private constructor(
        private readonly name: string,
        private readonly all: FileSystemDirectoryHandle | null,
        private readonly letGo: () => void,
    ) {}

    static async begin(type: string): Promise<Reel> {
        const name = `${Date.now()} ${encodeURIComponent(type)}`;
        return new Reel(name, await folder(), hold(name));
    }

    /** Those that nobody has in their hands. The caller has them now. */
    static async left(): Promise<Reel[]> {
        const all = await folder();
        const held = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
        const found: Reel[] = [];
        for await (const name of all?.keys() ?? []) {
            if (!held.has(`${FOLDER} ${name}`)) {
                const reel = new Reel(name, all, hold(name));
                await ((await reel.size()) > 0 ? found.push(reel) : reel.drop());
            }
        }
        return found;
    }

    get type(): string {
        return decodeURIComponent(this.name.slice(this.name.indexOf(" ") + 1));
    }

    /** When it was begun, Unix time in milliseconds. */
    get begun(): number {
        return Number.parseInt(this.name, 10);
    }

    /** Resolves when the piece, and all before it, are kept; after one that could not be none is. */
    add(piece: Blob): Promise<void> {
        this.last = this.last.then(() => this.write(piece));
        return this.last;
    }

    private async write(piece: Blob): Promise<void> {
        if (this.all === null) {
            this.memory.push(piece);
            return;
        }
        const own = await this.all.getDirectoryHandle(this.name, { create: true });
        const file = await own.getFileHandle(String(this.count++).padStart(6, "0"), { create: true });
        const to = await file.createWritable();
        await to.write(piece);
        await to.close();
    }

    private async pieces(): Promise<Blob[]> {
        const found: [string, Blob][] = [];
        const own = await this.all?.getDirectoryHandle(this.name).catch(() => undefined);
        for await (const [name, file] of own?.entries() ?? []) {
            found.push([name, await (file as FileSystemFileHandle).getFile()]);
        }
        return [...this.memory, ...found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, piece]) => piece)];
    }

    private async size(): Promise<number> {
        return (await this.pieces()).reduce((sum, piece) => sum + piece.size, 0);
    }

    /** All of it, as one file. */
    async file(name: string): Promise<File> {
        await this.last.catch(() => undefined);
        const end = this.type.startsWith("video/mp4") ? "mp4" : "webm";
        return new File(await this.pieces(), `${name}.${end}`, { type: this.type.split(";")[0]!, lastModified: this.begun });
    }

    /** Leaves it to whoever comes. */
    release(): void {
        this.letGo();
    }

    async drop(): Promise<void> {
        await this.all?.removeEntry(this.name, { recursive: true }).catch(() => undefined);
        this.letGo();
    }
}
