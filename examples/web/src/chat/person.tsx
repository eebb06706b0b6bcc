/* What can be done about a person: keeping their messages away, and telling those who run the service. */
import type { ReportCreate } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { me, theCore } from "../core";
import { t } from "../i18n";
import { Button, Dialog, announce, attempt } from "../ui/parts";

const REASONS = ["spam", "abuse", "nudity", "violence", "danger", "fraud", "other"] as const;

export interface Person {
    user: string;
    name: string;
}

/** What is reported: a person, or one message of theirs. */
export interface Target extends Person {
    message?: { id: string; space: string; words: string };
}

export async function block({ user, name }: Person, on: boolean): Promise<void> {
    await theCore().chat.block(user, on);
    announce(t(on ? "block.done" : "block.undone", { name }));
}

/** Before it is done: what it does. */
export function BlockAsk({ person, onClose }: { person: Person; onClose(): void }) {
    const yes = () => {
        onClose();
        attempt(() => block(person, true));
    };
    return (
        <Dialog title={t("block.ask", { name: person.name })} onClose={onClose}>
            <p className="dialog-words">{t("block.what")}</p>
            <div className="row dialog-row">
                <Button look="danger" icon="block" data-first onClick={yes}>{t("block.do")}</Button>
                <Button onClick={onClose}>{t("block.not")}</Button>
            </div>
        </Dialog>
    );
}

export function Report({ target, onClose }: { target: Target; onClose(): void }) {
    const { user, name, message } = target;
    const [too, setToo] = useState(false);
    const submit = (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const detail = String(given.get("detail")).trim();
        const report: ReportCreate = {
            kind: message === undefined ? "user" : "message",
            target_id: message?.id ?? user,
            reason: given.get("reason") as ReportCreate["reason"],
            ...(message === undefined ? {} : { target_space: message.space }),
            ...(detail === "" ? {} : { detail }),
        };
        onClose();
        attempt(async () => {
            await theCore().create("report", `user:${me()}`, report);
            if (too) {
                await theCore().chat.block(user, true);
            }
            announce(t("report.done"));
        });
    };
    return (
        <Dialog title={t(message === undefined ? "report.person" : "report.message", { name })} onClose={onClose}>
            {message !== undefined && <p className="dialog-quote clip"><bdi>{message.words}</bdi></p>}
            <form className="stack report" onSubmit={submit}>
                <fieldset className="field">
                    <legend>{t("report.why")}</legend>
                    {REASONS.map((reason, i) => (
                        <label key={reason} className="check"><input type="radio" name="reason" value={reason} required data-first={i === 0 || undefined} /><span>{t(`report.${reason}`)}</span></label>
                    ))}
                </fieldset>
                <label className="field"><span>{t("report.detail")}</span><textarea name="detail" rows={3} maxLength={1000} /></label>
                <label className="check"><input type="checkbox" checked={too} onChange={(event) => setToo(event.target.checked)} /><span>{t("report.block", { name })}</span></label>
                <div className="row dialog-row"><Button look="primary" type="submit" icon="flag">{t("report.do")}</Button></div>
            </form>
        </Dialog>
    );
}
