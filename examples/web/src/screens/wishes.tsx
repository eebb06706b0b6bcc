/* Settings of what one is told and when, and whom one has blocked: parts of the account. */
import { useEffect, useState } from "react";
import { theCore, useRows } from "../core";
import { t } from "../i18n";
import { TOPICS, type Topic, useWishes, wish } from "../notices";
import { Avatar, Button, announce, attempt, complain } from "../ui/parts";

/* Ten at night to seven, until something else is chosen. */
const NIGHT = { quiet_from_min: 22 * 60, quiet_to_min: 7 * 60 };

/* As the field for a time has it, in every language. */
const clockOf = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const minutes = (value: string) => Number(value.slice(0, 2)) * 60 + Number(value.slice(3, 5));

export function Wishes() {
    const held = useWishes();
    if (held === undefined) {
        return null;
    }
    const change = (topics: readonly Topic[], wishes: Parameters<typeof wish>[2]) => wish(held, topics, wishes);
    const one = held("message");
    const quiet = one?.quiet_from_min !== undefined && one.quiet_to_min !== undefined;
    return (
        <section className="card card-pad stack" aria-labelledby="wishes">
            <h2 id="wishes">{t("nav.notices")}</h2>
            {TOPICS.map((topic) => (
                <fieldset key={topic} className="wish">
                    <legend>{t(`wish.${topic}`)}</legend>
                    {topic !== "message" && <Check label={t("wish.app")} on={held(topic)?.in_app !== false} onChange={(on) => change([topic], { in_app: on })} />}
                    <Check label={t("wish.push")} on={held(topic)?.push !== false} onChange={(on) => change([topic], { push: on })} />
                </fieldset>
            ))}
            <fieldset className="wish">
                <legend>{t("wish.quiet")}</legend>
                <Check label={t("wish.quiet.do")} on={quiet} onChange={(on) => change(TOPICS, on ? NIGHT : { quiet_from_min: null, quiet_to_min: null })} />
                {quiet && (
                    <>
                        <Hour label={t("wish.quiet.from")} at={one.quiet_from_min!} onChange={(at) => change(TOPICS, { quiet_from_min: at, quiet_to_min: one.quiet_to_min! })} />
                        <Hour label={t("wish.quiet.to")} at={one.quiet_to_min!} onChange={(at) => change(TOPICS, { quiet_from_min: one.quiet_from_min!, quiet_to_min: at })} />
                    </>
                )}
            </fieldset>
            <p className="muted small">{t("wish.quiet.more")}</p>
        </section>
    );
}

/** Shows at once what was chosen, and what holds again when it could not be kept. */
function Check({ label, on, onChange }: { label: string; on: boolean; onChange(on: boolean): Promise<void> }) {
    const [shown, setShown] = useState(on);
    useEffect(() => setShown(on), [on]);
    const turn = (next: boolean) => {
        setShown(next);
        onChange(next).catch((error: unknown) => {
            setShown(on);
            complain(error);
        });
    };
    return <label className="check"><input type="checkbox" checked={shown} onChange={(event) => turn(event.target.checked)} /><span>{label}</span></label>;
}

/** Kept once it is a whole time: a field that is being written may be empty. */
function Hour({ label, at, onChange }: { label: string; at: number; onChange(at: number): Promise<void> }) {
    const [text, setText] = useState(clockOf(at));
    const set = (next: string) => {
        setText(next);
        if (next !== "") {
            attempt(() => onChange(minutes(next)));
        }
    };
    return <label className="hour"><span>{label}</span><input type="time" value={text} onChange={(event) => set(event.target.value)} onBlur={() => setText(clockOf(at))} /></label>;
}

/** Whom one has blocked; nothing when there is nobody. */
export function Blocked() {
    const blocks = useRows({ from: "block", order: ["-id"] });
    const known = useRows({ from: "connection" });
    const met = useRows({ from: "participant" });
    const nameOf = (user: string) => known?.find((one) => one.peer_id === user)?.peer_name ?? met?.find((one) => one.user_id === user)?.name ?? t("chat.someone");
    const users = [...new Set(blocks?.map((one) => one.user_id))];
    const free = (user: string, name: string) => attempt(async () => {
        await theCore().chat.block(user, false);
        announce(t("block.undone", { name }));
    });
    return users.length === 0 ? null : (
        <section className="card" aria-labelledby="blocked">
            <div className="card-head"><h2 id="blocked">{t("block.title")}</h2></div>
            <ul className="list">
                {users.map((user) => (
                    <li key={user} className="list-row">
                        <Avatar name={nameOf(user)} />
                        <span className="grow clip"><bdi>{nameOf(user)}</bdi></span>
                        <Button onClick={() => free(user, nameOf(user))} aria-label={t("block.undo.name", { name: nameOf(user) })}>{t("block.undo")}</Button>
                    </li>
                ))}
            </ul>
        </section>
    );
}
