/* The WebAssembly file into memory, and a Library around it. */
import { CoreError } from "./errors.js";
import { Library, type Wasm } from "./library.js";
import load from "./sideline.js";

export type Fonts = { [family: string]: string | Uint8Array };

type Instantiate = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => object;

/** Compiles while it arrives, where the server says that it is WebAssembly. */
function streaming(url: string, failed: (error: unknown) => void): Instantiate {
    const instantiate = async (imports: WebAssembly.Imports) => {
        const response = await fetch(url);
        if (!response.ok) {
            throw new CoreError({ code: "NETWORK", message: `${url} cannot be loaded: ${response.status}` });
        }
        return response.headers.get("content-type")?.startsWith("application/wasm") === true
            ? WebAssembly.instantiateStreaming(response, imports)
            : WebAssembly.instantiate(await response.arrayBuffer(), imports);
    };
    return (imports, done) => {
        instantiate(imports).then(({ instance }) => done(instance), failed);
        return {};
    };
}

export async function loadFromUrl(url: string, fonts: Fonts): Promise<Library> {
    const [wasm, files] = await Promise.all([
        new Promise<Wasm>((resolve, reject) => {
            load()({ instantiateWasm: streaming(url, reject), locateFile: () => url }).then(resolve, reject);
        }),
        Promise.all(Object.entries(fonts).map(async ([family, at]): Promise<[string, Uint8Array]> => {
            if (at instanceof Uint8Array) {
                return [family, at];
            }
            const response = await fetch(at);
            return [family, response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array()];
        })),
    ]);
    return withFonts(wasm, files);
}

export async function loadFromBytes(
    bytes: Uint8Array,
    node: { require: unknown; folder: string },
    fonts: { [family: string]: Uint8Array },
): Promise<Library> {
    const wasm = await load(node.require, node.folder)({ wasmBinary: bytes });
    return withFonts(wasm, Object.entries(fonts));
}

/** A family is one file. Without one, Cairo's own outlines serve, which know ASCII only. */
function withFonts(wasm: Wasm, files: [string, Uint8Array][]): Library {
    wasm.FS.mkdirTree("/fonts");
    for (const [family, bytes] of files) {
        if (bytes.length > 0) {
            wasm.FS.writeFile(`/fonts/${family}.ttf`, bytes);
        }
    }
    return new Library(wasm);
}
