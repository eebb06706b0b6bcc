import { copyFileSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { type Plugin, defineConfig } from "vite";

const TEXT = /\.(html|js|css|json|svg|wasm|webmanifest)$/;

function filesOf(dir: string): string[] {
    return readdirSync(dir).flatMap((name) => {
        const path = join(dir, name);
        return statSync(path).isDirectory() ? filesOf(path) : [path];
    });
}

/** Texts in drawings want the letters that the native renderer has: this machine's own, when it has them. */
const FONTS = ["/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"];

/** Tells the service worker what to keep, and lays a compressed copy beside each file for the server. */
function offline(): Plugin {
    let out = "";
    return {
        name: "offline",
        apply: "build",
        configResolved: (config) => void (out = config.build.outDir),
        writeBundle() {
            for (const font of FONTS.filter(existsSync)) {
                copyFileSync(font, join(out, "assets", basename(font)));
            }
        },
        closeBundle() {
            const files = filesOf(out)
                .filter((path) => !/\.(br|map)$|sw\.js$/.test(path))
                .map((path) => path.slice(out.length).replaceAll("\\", "/"));
            const worker = join(out, "sw.js");
            const version = files.map((path) => `${path}:${statSync(join(out, path)).size}`).join(" ");
            let hash = 0;
            for (const char of version) {
                hash = (hash * 31 + char.charCodeAt(0)) | 0;
            }
            const list = JSON.stringify(files.filter((path) => path !== "/index.html").concat("/"));
            const text = readFileSync(worker, "utf8")
                .replace('"@VERSION@"', JSON.stringify((hash >>> 0).toString(36)))
                .replace('"@FILES@"', list);
            writeFileSync(worker, text);
            const options = { params: { [constants.BROTLI_PARAM_QUALITY]: process.env.SIDELINE_FAST ? 4 : 11 } };
            for (const path of filesOf(out).filter((name) => TEXT.test(name))) {
                writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path), options));
            }
        },
    };
}

export default defineConfig({
    plugins: [offline()],
    worker: { format: "es" },
    optimizeDeps: { exclude: ["@sideline/core"] },
    build: { target: "es2022", outDir: process.env.SIDELINE_WEB_OUT ?? "dist", emptyOutDir: true, assetsInlineLimit: 0 },
    server: { proxy: { "/api": { target: "http://127.0.0.1:7420", ws: true } } },
});
