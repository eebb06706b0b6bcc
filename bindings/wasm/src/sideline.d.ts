import type { Wasm } from "./library.js";

/** Emscripten's loader, made an ES module by build.mjs. `require` and `folder` are for Node only. */
export default function load(require?: unknown, folder?: string): (options: object) => Promise<Wasm>;
