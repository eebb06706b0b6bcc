/* An athlete's own progress: goals, what was logged towards them, clips and reviews over the weeks. */
import type { Goal, ProgressEntry } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { me, theCore, useRows } from "../core";
import { date, number, t } from "../i18n";
import { timeOf } from "../media";
import { useTitle } from "../router";
import { Bar, Button, Dialog, Empty, Field, attempt } from "../ui/parts";

const WEEK = 7 * 86_400_000;
const WEEKS = 8;

export function Progress() {
    const goals = useRows({ from: "goal", order: ["-id"] });
    const entries = useRows({ from: "progress_entry", order: ["-at_ms"], limit: 500 });
    const [adding, setAdding] = useState(false);
    useTitle(`${t("nav.progress")} · ${t("app.name")}`);
    return (
        <div className="page stack">
            <header className="row page-head"><h1 className="grow">{t("nav.progress")}</h1><Button look="primary" icon="plus" onClick={() => setAdding(true)}>{t("goal.new")}</Button></header>
            <Weeks />
            {goals?.length === 0 && <div className="card"><Empty icon="flag" title={t("goal.none")}><p>{t("goal.none.more")}</p></Empty></div>}
            <div className="goals">{goals?.map((goal) => <GoalCard key={goal.id} goal={goal} entries={entries?.filter((one) => one.goal_id === goal.id) ?? []} />)}</div>
            {adding && <NewGoal onClose={() => setAdding(false)} />}
        </div>
    );
}

/** Clips sent and reviews got, week by week, as bars and as a table for who hears it. */
function Weeks() {
    const videos = useRows({ from: "video" }) ?? [];
    const reviews = useRows({ from: "review" }) ?? [];
    const end = Date.now();
    const count = (all: { id: string }[], week: number) => all.filter((one) => Math.floor((end - timeOf(one.id)) / WEEK) === week).length;
    const weeks = Array.from({ length: WEEKS }, (_, i) => WEEKS - 1 - i).map((week) => ({ week, videos: count(videos, week), reviews: count(reviews, week) }));
    const most = Math.max(1, ...weeks.map((one) => Math.max(one.videos, one.reviews)));
    return (
        <section className="card" aria-labelledby="weeks">
            <div className="card-head"><h2 id="weeks">{t("progress.weeks")}</h2><span className="legend"><i className="ink-1" />{t("progress.videos")}</span><span className="legend"><i className="ink-2" />{t("progress.reviews")}</span></div>
            <table className="weeks">
                <thead className="unseen"><tr><th>{t("progress.week")}</th><th>{t("progress.videos")}</th><th>{t("progress.reviews")}</th></tr></thead>
                <tbody>
                    {weeks.map((one) => (
                        <tr key={one.week}>
                            <th scope="row" className="small muted">{date(end - one.week * WEEK).replace(/,? ?\d{4}/u, "")}</th>
                            <td><span className="pillar ink-1" style={{ blockSize: `${(100 * one.videos) / most}%` }} /><span className="unseen">{number(one.videos)}</span></td>
                            <td><span className="pillar ink-2" style={{ blockSize: `${(100 * one.reviews) / most}%` }} /><span className="unseen">{number(one.reviews)}</span></td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </section>
    );
}

function GoalCard({ goal, entries }: { goal: Goal; entries: ProgressEntry[] }) {
    const target = goal.target ?? 0;
    const done = goal.done ?? 0;
    const [amount, setAmount] = useState("1");
    const log = (event: FormEvent) => {
        event.preventDefault();
        const value = Math.round(Number(amount));
        attempt(async () => {
            const reached = target > 0 && done + value >= target;
            await theCore().apply([
                { op: "create", entity: "progress_entry", space: `user:${me()}`, fields: { kind: "workout", goal_id: goal.id, at_ms: Date.now(), value, ...(goal.unit === undefined ? {} : { unit: goal.unit }) } },
                { op: "patch", entity: "goal", id: goal.id, fields: { done: value, ...(reached ? { status: "reached" as const } : {}) } },
            ]);
        });
    };
    return (
        <section className="card card-pad stack" aria-label={goal.title}>
            <div className="row row-tight"><h2 className="grow clip"><bdi>{goal.title}</bdi></h2>{goal.status === "reached" && <span className="tag tag-good">{t("goal.reached")}</span>}</div>
            <p><strong className="goal-number number">{number(done)}</strong> <span className="muted">{target > 0 && t("goal.of", { n: target })} <bdi>{goal.unit}</bdi></span></p>
            {target > 0 && <Bar value={done / target} label={goal.title} />}
            <form className="row row-tight nowrap" onSubmit={log}>
                <input className="goal-input" type="number" min={1} max={100000} step={1} required value={amount} onChange={(event) => setAmount(event.target.value)} aria-label={t("goal.amount", { title: goal.title })} />
                <Button type="submit">{t("goal.log")}</Button>
            </form>
            {entries[0] !== undefined && <p className="muted small">{t("goal.last", { n: entries[0].value ?? 0, date: date(entries[0].at_ms) })}</p>}
        </section>
    );
}

function NewGoal({ onClose }: { onClose(): void }) {
    const submit = (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const text = (name: string) => String(given.get(name)).trim();
        attempt(async () => {
            await theCore().create("goal", `user:${me()}`, { title: text("title"), target: Number(text("target")), status: "active", ...(text("unit") === "" ? {} : { unit: text("unit") }) });
            onClose();
        });
    };
    return (
        <Dialog title={t("goal.new")} onClose={onClose}>
            <form className="stack" onSubmit={submit}>
                <Field label={t("goal.title")} name="title" required maxLength={200} />
                <Field label={t("goal.target")} name="target" type="number" min={1} max={1000000} step={1} required defaultValue={10} />
                <Field label={t("goal.unit")} name="unit" maxLength={32} />
                <div><Button look="primary" type="submit">{t("goal.add")}</Button></div>
            </form>
        </Dialog>
    );
}
