/* The parts screens are made of. */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { t } from "../i18n";
import { follow } from "../router";
import { Icon, type IconName } from "./icon";

type ButtonProps = React.ButtonHTMLAttributes<HTMLButtonElement> & {
    look?: "primary" | "plain" | "quiet" | "danger";
    icon?: IconName;
    busy?: boolean;
};

export function Button({ look = "plain", icon, busy = false, children, ...rest }: ButtonProps) {
    return (
        <button type="button" {...rest} className={`button button-${look} ${rest.className ?? ""}`} aria-busy={busy || undefined} disabled={rest.disabled || busy}>
            {icon !== undefined && <Icon name={icon} />}
            <span>{children}</span>
        </button>
    );
}

/** A button that is only a sign: its name is read out, and shown when one rests on it. */
export function Tool(props: React.ButtonHTMLAttributes<HTMLButtonElement> & { icon: IconName; name: string; keys?: string; on?: boolean; turn?: boolean }) {
    const { icon, name, keys, on, turn = false, ...rest } = props;
    return (
        <button
            type="button"
            {...rest}
            className={`tool ${rest.className ?? ""}`}
            aria-label={name}
            aria-pressed={on}
            aria-keyshortcuts={keys}
            title={keys === undefined ? name : `${name} (${keys})`}
        >
            <Icon name={icon} turn={turn} />
        </button>
    );
}

export function Link({ to, className, children, ...rest }: { to: string; children: ReactNode } & React.AnchorHTMLAttributes<HTMLAnchorElement>) {
    return (
        <a href={to} className={className} onClick={follow} {...rest}>
            {children}
        </a>
    );
}

type FieldProps = React.InputHTMLAttributes<HTMLInputElement> & { "data-first"?: boolean; label: string; hint?: string; error?: string | undefined };

export function Field({ label, hint, error, ...rest }: FieldProps) {
    const id = useId();
    const told = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(Boolean).join(" ");
    return (
        <div className="field">
            <label htmlFor={id}>{label}</label>
            <input {...rest} id={id} aria-invalid={error !== undefined || undefined} aria-describedby={told || undefined} />
            {hint !== undefined && <p id={`${id}-hint`} className="hint">{hint}</p>}
            {error !== undefined && <p id={`${id}-error`} className="problem">{error}</p>}
        </div>
    );
}

export function Select({ label, value, options, onChange }: { label: string; value: string; options: [value: string, label: string][]; onChange(value: string): void }) {
    const id = useId();
    return (
        <div className="field">
            <label htmlFor={id}>{label}</label>
            <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
                {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
            </select>
        </div>
    );
}

/** The first letters of a name on one of six grounds, always the same for the same name. */
export function Avatar({ name, size = 40 }: { name: string; size?: number }) {
    const words = name.trim().split(/\s+/u);
    const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("");
    const ground = [...name].reduce((sum, char) => sum + (char.codePointAt(0) ?? 0), 0) % 6;
    return (
        <span className={`avatar avatar-${ground}`} style={{ width: size, height: size, fontSize: size * 0.38 }} aria-hidden="true">
            {letters.toUpperCase()}
        </span>
    );
}

export function Bar({ value, label }: { value: number; label: string }) {
    const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
    return (
        <div className="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
            <div style={{ inlineSize: `${percent}%` }} />
        </div>
    );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
    return (
        <div className="empty">
            <span className="empty-sign"><Icon name={icon} size={28} /></span>
            <p className="empty-title">{title}</p>
            {children}
        </div>
    );
}

/** A window over the page: Escape and the cross close it, the keyboard stays within. */
export function Dialog({ title, onClose, children }: { title: string; onClose(): void; children: ReactNode }) {
    const ref = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const dialog = ref.current;
        dialog?.showModal();
        /* The keyboard goes where writing is wanted, not to the cross. */
        (dialog?.querySelector<HTMLElement>("[data-first]") ?? dialog?.querySelector<HTMLElement>("form input"))?.focus();
        return () => dialog?.close();
    }, []);
    return (
        <dialog ref={ref} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
            <header className="dialog-head">
                <h2 id={id}>{title}</h2>
                <Tool icon="close" name={t("action.close")} onClick={onClose} />
            </header>
            {children}
        </dialog>
    );
}

/* ---- what is said by the way ---- */

let say: (text: string, wrong: boolean) => void = () => undefined;

/** Shown for some seconds, and read out. */
export function announce(text: string): void {
    say(text, false);
}

/** Of an error: its one sentence. */
export function complain(error: unknown): void {
    say(error instanceof Error ? error.message : String(error), true);
}

/** Runs something and tells of its failure. */
export function attempt(work: () => Promise<unknown>): void {
    work().catch(complain);
}

export function Announcer() {
    const [told, setTold] = useState<{ text: string; wrong: boolean; n: number } | null>(null);
    useEffect(() => {
        say = (text, wrong) => setTold((before) => ({ text, wrong, n: (before?.n ?? 0) + 1 }));
    }, []);
    useEffect(() => {
        const timer = told === null ? 0 : setTimeout(() => setTold(null), told.wrong ? 9000 : 4500);
        return () => clearTimeout(timer);
    }, [told]);
    return (
        <div className="announcer">
            <div role="status" aria-live="polite">{told?.wrong === false && <p key={told.n} className="toast">{told.text}</p>}</div>
            <div role="alert">{told?.wrong === true && <p key={told.n} className="toast toast-wrong">{told.text}</p>}</div>
        </div>
    );
}
