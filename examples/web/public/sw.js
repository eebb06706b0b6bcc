/*
 * Keeps the app itself, so that it opens without a network. Records, clips and voices are the core's, which has
 * its own store: nothing of the server's passes through here.
 */
const VERSION = "@VERSION@";
const FILES = "@FILES@";
const CACHE = `app-${VERSION}`;

self.addEventListener("install", (event) => {
    const fill = async () => {
        const cache = await caches.open(CACHE);
        /* Each is asked for anew: a kept answer of the browser's could be of another version. */
        await Promise.all(FILES.map(async (path) => {
            const answer = await fetch(path, { cache: "no-cache" });
            if (!answer.ok) {
                throw new Error(`${path}: ${answer.status}`);
            }
            await cache.put(path, answer);
        }));
        await self.skipWaiting();
    };
    event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
    const clean = async () => {
        for (const name of await caches.keys()) {
            if (name.startsWith("app-") && name !== CACHE) {
                await caches.delete(name);
            }
        }
        await self.clients.claim();
    };
    event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/api/")) {
        return;
    }
    const path = request.mode === "navigate" ? "/" : url.pathname;
    const answer = async () => {
        const cache = await caches.open(CACHE);
        return (await cache.match(path)) ?? fetch(request);
    };
    event.respondWith(answer());
});
