/* The WebAssembly file into memory, and a Library around it. */
import { CoreError } from "./errors.js";
import { Library, type Wasm } from "./library.js";
import load from "./sideline.js";

export type Fonts = { [family: string]: string | Uint8Array };

/** Compiles while it arrives, where the server says that it is WebAssembly. */
async function compile(url: string): Promise<WebAssembly.Module> {
    const response = await fetch(url);
    if (!response.ok) {
        throw new CoreError({ code: "NETWORK", message: `${url} cannot be loaded: ${response.status}` });
    }
    return response.headers.get("content-type")?.startsWith("application/wasm") === true
        ? WebAssembly.compileStreaming(response)
        : WebAssembly.compile(await response.arrayBuffer());
}

async function instantiate(
    module: Promise<WebAssembly.Module>,
    node?: { require: unknown; folder: string },
): Promise<Library> {
    let table: WebAssembly.Table;
    const wasm = await new Promise<Wasm>((resolve, reject) => {
        const instantiateWasm = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
            const made = async () => WebAssembly.instantiate(await module, imports);
            made().then((instance) => {
                table = instance.exports["__indirect_function_table"] as WebAssembly.Table;
                done(instance);
            }, reject);
            return {};
        };
        const locateFile = (file: string) => file; /* nothing is looked for */
        load(node?.require, node?.folder)({ instantiateWasm, locateFile }).then(resolve, reject);
    });
    return new Library(wasm, table!);
}

export async function loadFromUrl(url: string, fonts: Fonts): Promise<Library> {
    const [lib, files] = await Promise.all([
        instantiate(compile(url)),
        Promise.all(Object.entries(fonts).map(async ([family, at]): Promise<[string, Uint8Array]> => {
            if (at instanceof Uint8Array) {
                return [family, at];
            }
            const response = await fetch(at);
            return [family, response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array()];
        })),
    ]);
    return withFonts(lib, files);
}

export async function loadFromBytes(
    bytes: Uint8Array<ArrayBuffer>,
    node: { require: unknown; folder: string },
    fonts: { [family: string]: Uint8Array },
): Promise<Library> {
    return withFonts(await instantiate(WebAssembly.compile(bytes), node), Object.entries(fonts));
}

/** A family is one file. Without one, Cairo's own outlines serve, which know ASCII only. */
function withFonts(lib: Library, files: [string, Uint8Array][]): Library {
    lib.wasm.FS.mkdirTree("/fonts");
    for (const [family, bytes] of files) {
        if (bytes.length > 0) {
            lib.wasm.FS.writeFile(`/fonts/${family}.ttf`, bytes);
        }
    }
    return lib;
}
