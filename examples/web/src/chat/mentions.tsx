/* Naming people in a text: `@` and the beginning of a name, picked from who takes part; shown in the text as such. */
import type { ChatPerson, Mention } from "@sideline/core";
import { type ReactNode, useEffect, useId } from "react";
import { me } from "../core";
import { t } from "../i18n";
import { Avatar } from "../ui/parts";

const BEGUN = /(^|\s)@([^\s@][^@\n]{0,30}|)$/u;

/** What is begun before the caret: where its `@` stands and the name so far; null: nothing. */
export function begunAt(text: string, caret: number): { at: number; name: string } | null {
    const found = BEGUN.exec(text.slice(0, caret));
    return found === null ? null : { at: found.index + found[1]!.length, name: found[2]! };
}

/** Who may be meant: the beginning of a name, or of a word of it. */
export function meant(people: ChatPerson[], begun: string): ChatPerson[] {
    const wanted = begun.toLocaleLowerCase();
    return people.filter(({ me: self, name }) => {
        const lower = name?.toLocaleLowerCase() ?? "";
        return self !== true && lower !== "" && (lower.startsWith(wanted) || lower.split(/\s+/u).some((word) => word.startsWith(wanted)));
    });
}

/** Whom a text names: everyone of these whose whole name stands behind an `@`; the longest name that fits. */
export function mentionsIn(text: string, people: ChatPerson[]): Mention[] {
    const others = people.filter((one) => one.me !== true && one.name !== undefined).sort((a, b) => b.name!.length - a.name!.length);
    const found: Mention[] = [];
    for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
        const who = others.find(({ name }) => text.startsWith(name!, at + 1) && !/^[\p{L}\p{N}]/u.test(text.slice(at + 1 + name!.length)));
        if (who !== undefined && (at === 0 || /\s/u.test(text[at - 1]!))) {
            const len = who.name!.length + 1;
            found.push({ user: who.user, at, len });
            at += len - 1;
        }
    }
    return found;
}

/** A text with the names in it set off; one's own more than others. */
export function Named({ body, mentions = [] }: { body: string; mentions?: Mention[] | undefined }) {
    const parts: ReactNode[] = [];
    let from = 0;
    for (const { user, at, len } of mentions) {
        parts.push(body.slice(from, at), <span key={at} className={user === me() ? "mention mention-me" : "mention"}><bdi>{body.slice(at, at + len)}</bdi></span>);
        from = at + len;
    }
    return <>{parts}{body.slice(from)}</>;
}

interface PickerProps {
    id: string;
    found: ChatPerson[];
    active: number;
    onPick(person: ChatPerson): void;
}

export const optionId = (id: string, user: string) => `${id}-${user}`;

/** The list over the line that is written; the keyboard stays in the line. */
export function Picker({ id, found, active, onPick }: PickerProps) {
    const told = useId();
    useEffect(() => {
        document.getElementById(optionId(id, found[active]?.user ?? ""))?.scrollIntoView({ block: "nearest" });
    }, [active, found]);
    return (
        <>
            <p id={told} className="unseen" role="status">{t("mention.found", { n: found.length })}</p>
            <ul id={id} className="mention-list card" role="listbox" aria-label={t("mention.list")}>
                {found.map((one, i) => (
                    <li key={one.user} id={optionId(id, one.user)} role="option" aria-selected={i === active} onPointerDown={(event) => { event.preventDefault(); onPick(one); }}>
                        <Avatar name={one.name ?? ""} size={32} />
                        <span className="clip"><bdi>{one.name}</bdi></span>
                    </li>
                ))}
            </ul>
        </>
    );
}
