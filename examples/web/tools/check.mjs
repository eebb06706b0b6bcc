/*
 * Fails on words outside the catalogues, on keys that are missing, unused or different between them, on placeholders
 * that differ, and on files of more than 400 lines.
 */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const src = join(root, "src");
const faults = [];

function filesOf(dir) {
    return readdirSync(dir).flatMap((name) => {
        const path = join(dir, name);
        return statSync(path).isDirectory() ? filesOf(path) : [path];
    });
}

const files = filesOf(src).filter((path) => /\.(tsx?|css)$/.test(path)).concat(filesOf(join(root, "tests")));
const catalogues = Object.fromEntries(["en", "ar"].map((name) => [name, JSON.parse(readFileSync(join(src, "messages", `${name}.json`), "utf8"))]));
const used = new Set();

/* Letters between tags, or in an attribute that is read out. */
const BETWEEN = />([^<>{}()=;]*\p{L}{2,}[^<>{}()=;]*)<\//gu;
const ATTRIBUTE = /\b(?:aria-label|title|placeholder|alt|label|name|hint)="([^"]*\p{L}[^"]*)"/gu;
const FORM_NAMES = /^(name|email|password|code|role|title|note|target|unit|ticket|reason|detail|birth)$/;

for (const path of files) {
    const text = readFileSync(path, "utf8");
    const place = relative(root, path);
    const lines = text.split("\n").length - 1;
    if (lines > 400) {
        faults.push(`${place}: ${lines} lines, at most 400`);
    }
    for (const key of Object.keys(catalogues.en)) {
        if (text.includes(`"${key}"`)) {
            used.add(key);
        }
    }
    for (const [, start] of text.matchAll(/t\(`([a-z.]+)\$\{/g)) {
        Object.keys(catalogues.en).filter((key) => key.startsWith(start)).forEach((key) => used.add(key));
    }
    if (place.endsWith(".tsx")) {
        const shown = text.replace(/<Icon [^>]*\/>/g, "");
        for (const [, words] of shown.matchAll(BETWEEN)) {
            faults.push(`${place}: "${words.trim()}" is not from the catalogue`);
        }
        for (const [whole, words] of shown.matchAll(ATTRIBUTE)) {
            if (!(whole.startsWith("name=") && FORM_NAMES.test(words))) {
                faults.push(`${place}: ${whole} is not from the catalogue`);
            }
        }
    }
}

const forms = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry));
const places = (entry) => [...new Set(forms(entry).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort().join();
const number = { en: ["one", "other"], ar: ["zero", "one", "two", "few", "many", "other"] };

for (const key of Object.keys(catalogues.en)) {
    if (!used.has(key)) {
        faults.push(`${key}: nobody says it`);
    }
    for (const [language, all] of Object.entries(catalogues)) {
        const entry = all[key];
        if (entry === undefined) {
            faults.push(`${language}: ${key} is missing`);
        } else if (typeof entry !== typeof catalogues.en[key]) {
            faults.push(`${language}: ${key} is plural in one language only`);
        } else if (places(entry) !== places(catalogues.en[key])) {
            faults.push(`${language}: ${key} has other values than in English`);
        } else if (typeof entry === "object" && !number[language].every((form) => form in entry)) {
            faults.push(`${language}: ${key} lacks a plural form of ${number[language].join(", ")}`);
        }
    }
}
for (const key of Object.keys(catalogues.ar)) {
    if (!(key in catalogues.en)) {
        faults.push(`ar: ${key} is not in English`);
    }
}

faults.forEach((fault) => console.error(fault));
console.log(`app: ${files.length} files, ${Object.keys(catalogues.en).length} messages in ${Object.keys(catalogues).length} languages`);
process.exit(faults.length > 0 ? 1 : 0);
