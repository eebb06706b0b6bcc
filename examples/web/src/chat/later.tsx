/* Messages that wait for a time: choosing it, and what waits in a conversation. */
import type { ScheduledMessage } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { theCore, useAnswer } from "../core";
import { clock, day, t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, Dialog, Field, announce, attempt } from "../ui/parts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** As a field for a date and a time has it: of the place where one is. */
function fieldOf(ms: number): string {
    return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

/** Eight in the morning, so many days on. */
function morning(now: number, days: number): number {
    const at = new Date(now);
    return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days, 8).getTime();
}

export const whenOf = (ms: number) => t("later.when", { day: day(ms), clock: clock(ms) });

/** When a message is to go: some usual times, or one's own. */
export function When({ title, onChoose, onClose }: { title: string; onChoose(ms: number): void; onClose(): void }) {
    const [now] = useState(Date.now);
    const [own, setOwn] = useState(fieldOf(now + HOUR_MS));
    const choose = (ms: number) => {
        onClose();
        onChoose(ms);
    };
    const submit = (event: FormEvent) => {
        event.preventDefault();
        choose(new Date(own).getTime());
    };
    const usual = [now + HOUR_MS, now + 3 * HOUR_MS, morning(now, 1)];
    return (
        <Dialog title={title} onClose={onClose}>
            <div className="actions">
                {usual.map((ms, i) => <Button key={ms} look="quiet" icon="clock" data-first={i === 0 || undefined} onClick={() => choose(ms)}>{whenOf(ms)}</Button>)}
            </div>
            <form className="row later-own" onSubmit={submit}>
                <Field label={t("later.own")} type="datetime-local" required min={fieldOf(now + MINUTE_MS)} value={own} onChange={(event) => setOwn(event.target.value)} />
                <Button look="primary" type="submit">{t("later.choose")}</Button>
            </form>
        </Dialog>
    );
}

/** What waits in a conversation, for a line over the one that is written; nothing when nothing does. */
export function Waiting({ space, turn }: { space: `thread:${string}`; turn: number }) {
    const [open, setOpen] = useState(false);
    const [moving, setMoving] = useState<ScheduledMessage | null>(null);
    const { answer, again } = useAnswer(`later ${space} ${turn}`, () => theCore().chat.scheduled(space), [{ from: "message", where: { space }, order: ["-id"], limit: 20 }], ["sync"]);
    const { chat } = theCore();
    const change = (work: () => Promise<void>, done: string) => attempt(async () => {
        await work();
        again();
        announce(done);
    });
    const n = answer?.length ?? 0;
    if (n === 0) {
        return null;
    }
    return (
        <>
            <button type="button" className="later-line" onClick={() => setOpen(true)}><Icon name="clock" size={16} /><span className="grow">{t("later.waits", { n })}</span><span className="later-see">{t("later.see")}</span></button>
            {open && moving === null && (
                <Dialog title={t("later.title")} onClose={() => setOpen(false)}>
                    <ul className="list">
                        {answer!.map((one) => (
                            <li key={one.id} className="later">
                                <p className="bubble-text"><bdi>{one.fields.body}</bdi></p>
                                <p className="muted small">{whenOf(one.send_ms)}</p>
                                {one.message !== undefined && <p className="problem">{one.message}</p>}
                                <div className="row row-tight">
                                    <Button onClick={() => change(() => chat.reschedule(one.id, { send_ms: 0 }), t("later.sent"))}>{t("later.now")}</Button>
                                    <Button onClick={() => setMoving(one)}>{t("later.move")}</Button>
                                    <Button look="danger" onClick={() => change(() => chat.unschedule(one.id), t("later.dropped"))}>{t("later.drop")}</Button>
                                </div>
                            </li>
                        ))}
                    </ul>
                </Dialog>
            )}
            {moving !== null && <When title={t("later.move")} onClose={() => setMoving(null)} onChoose={(send_ms) => change(() => chat.reschedule(moving.id, { send_ms }), t("later.done", { when: whenOf(send_ms) }))} />}
        </>
    );
}
