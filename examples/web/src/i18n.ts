/* Words of the app, from catalogues: src/messages. `{name}` takes a value, an object of plural forms a number `n`. */
import { useSyncExternalStore } from "react";
import en from "./messages/en.json";

export type Key = keyof typeof en & string;
type Entry = string | { readonly [form: string]: string };
type Catalogue = Record<Key, Entry>;
export type Values = { [name: string]: string | number };

export const LANGUAGES = { en: "English", ar: "العربية" } as const;
export type Language = keyof typeof LANGUAGES;
const RIGHT_TO_LEFT: readonly Language[] = ["ar"];

let catalogue: Catalogue = en;
let language: Language = "en";
const hearers = new Set<() => void>();

function chosen(): Language {
    const kept = localStorage.getItem("language") ?? navigator.language.slice(0, 2);
    return kept in LANGUAGES ? (kept as Language) : "en";
}

export async function setLanguage(next: Language = chosen()): Promise<void> {
    catalogue = next === "ar" ? ((await import("./messages/ar.json")).default as Catalogue) : en;
    language = next;
    document.documentElement.lang = next;
    document.documentElement.dir = RIGHT_TO_LEFT.includes(next) ? "rtl" : "ltr";
    localStorage.setItem("language", next);
    hearers.forEach((heard) => heard());
}

/** Draws the component anew when the language changes. */
export function useLanguage(): Language {
    return useSyncExternalStore(
        (heard) => {
            hearers.add(heard);
            return () => hearers.delete(heard);
        },
        () => language,
    );
}

export function t(key: Key, values: Values = {}): string {
    const entry = catalogue[key];
    const form = typeof entry === "string" ? entry : (entry[plural(Number(values.n))] ?? entry.other ?? key);
    return form.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = values[name];
        return typeof value === "number" ? number(value) : (value ?? "");
    });
}

/* Formats are made once for each language: making one costs more than a hundred uses. */
const made = new Map<string, unknown>();

function format<T>(name: string, make: (language: string) => T): T {
    const key = `${language} ${name}`;
    if (!made.has(key)) {
        made.set(key, make(language));
    }
    return made.get(key) as T;
}

function plural(n: number): string {
    return format("plural", (l) => new Intl.PluralRules(l)).select(n);
}

export function number(value: number, digits = 0): string {
    return format(`number ${digits}`, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(value);
}

export function clock(ms: number): string {
    return format("clock", (l) => new Intl.DateTimeFormat(l, { hour: "numeric", minute: "2-digit" })).format(ms);
}

export function date(ms: number): string {
    return format("date", (l) => new Intl.DateTimeFormat(l, { day: "numeric", month: "short", year: "numeric" })).format(ms);
}

/** Yesterday, today, tomorrow, or the date. */
export function day(ms: number, now = Date.now()): string {
    const days = Math.round((midnight(now) - midnight(ms)) / 86_400_000);
    if (Math.abs(days) > 1) {
        return date(ms);
    }
    return t(days === 0 ? "time.today" : days > 0 ? "time.yesterday" : "time.tomorrow");
}

export function midnight(ms: number): number {
    return new Date(ms).setHours(0, 0, 0, 0);
}

/** How long ago, in the largest unit that fits. */
export function ago(ms: number, now = Date.now()): string {
    const seconds = Math.max(0, (now - ms) / 1000);
    const relative = format("ago", (l) => new Intl.RelativeTimeFormat(l, { numeric: "auto", style: "short" }));
    for (const [unit, length] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
        if (seconds >= length) {
            return relative.format(-Math.floor(seconds / length), unit);
        }
    }
    return t("time.now");
}

/** A moment of a film: minutes, seconds, hundredths. Digits stay Latin and left to right, as on any deck. */
export function moment(us: number, hundredths = true): string {
    const seconds = Math.max(0, us) / 1e6;
    const whole = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
    return hundredths ? `${whole}.${String(Math.floor(Math.max(0, us) / 10_000) % 100).padStart(2, "0")}` : whole;
}

export function bytes(n: number): string {
    return n < 1e6 ? t("size.kb", { n: Math.ceil(n / 1000) }) : t("size.mb", { size: number(n / 1e6, 1) });
}
