/* The core's thread in a browser that refuses OPFS, and with ?memory IndexedDB as well. */
Object.defineProperty(navigator.storage, "getDirectory", { value: () => Promise.reject(new DOMException("no", "SecurityError")) });
if (location.search === "?memory") {
    Object.defineProperty(self, "indexedDB", { value: { open() { throw new DOMException("no", "SecurityError"); } } });
}
/* What the page sends before the import is through would be lost. */
const early = [];
self.onmessage = (event) => early.push(event);
await import("/dist/worker.js");
early.forEach((event) => self.onmessage(event));
