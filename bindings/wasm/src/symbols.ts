/* `using` wants these two, which older browsers lack. */
for (const name of ["dispose", "asyncDispose"] as const) {
    if (Symbol[name] === undefined) {
        Object.defineProperty(Symbol, name, { value: Symbol(name) });
    }
}
export {};
