/*
 * JavaScript functions as the library calls them, by their places in its table. One small module makes them
 * callable, all at once: a module for each, as Emscripten's addFunction compiles it, takes a noticeable part of
 * a cold start.
 */

/** Result and parameters, a letter each: v nothing, i 32 bits, j 64 bits as a BigInt. */
export type Entry = [signature: string, fn: (...args: never[]) => unknown];

const TYPES: { [letter: string]: number } = { i: 0x7f, j: 0x7e };
const FUNCTION = 0x60;
const SECTION = { types: 1, imports: 2, exports: 7 };

/** Unsigned LEB128. */
function leb(n: number): number[] {
    return n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)];
}

function list(parts: number[][]): number[] {
    return [...leb(parts.length), ...parts.flat()];
}

function name(i: number): number[] {
    const text = Array.from(String(i), (digit) => digit.charCodeAt(0));
    return [...leb(text.length), ...text];
}

function section(id: number, parts: number[][]): number[] {
    const body = list(parts);
    return [id, ...leb(body.length), ...body];
}

function typeOf([result, ...parameters]: string): number[] {
    const types = (letters: string[]) => list(letters.map((letter) => [TYPES[letter]!]));
    return [FUNCTION, ...types(parameters), ...types(result === "v" ? [] : [result!])];
}

/** A module that imports each function, as e.0, e.1 …, and exports it under the same number. */
function moduleOf(signatures: string[]): Uint8Array<ArrayBuffer> {
    return new Uint8Array([
        0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
        ...section(SECTION.types, signatures.map(typeOf)),
        ...section(SECTION.imports, signatures.map((_, i) => [1, 0x65, ...name(i), 0, ...leb(i)])),
        ...section(SECTION.exports, signatures.map((_, i) => [...name(i), 0, ...leb(i)])),
    ]);
}

/** Their places in the table, where they stay. */
export function install(table: WebAssembly.Table, entries: Entry[]): number[] {
    const module = new WebAssembly.Module(moduleOf(entries.map(([signature]) => signature)));
    const e = Object.fromEntries(entries.map(([, fn], i) => [i, fn])) as WebAssembly.ModuleImports;
    const { exports } = new WebAssembly.Instance(module, { e });
    const first = table.grow(entries.length);
    return entries.map((_, i) => {
        table.set(first + i, exports[i]);
        return first + i;
    });
}
