/* Coaches and athletes who know each other: asking, answering. */
import type { Connection } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { me, theCore, useRows } from "../core";
import { t } from "../i18n";
import { useTitle } from "../router";
import { Avatar, Button, Empty, Field, Link, announce, attempt } from "../ui/parts";

export function People({ coach }: { coach: boolean }) {
    const all = useRows({ from: "connection", order: ["-id"] });
    const title = t(coach ? "nav.athletes" : "nav.coaches");
    useTitle(`${title} · ${t("app.name")}`);
    const asked = all?.filter((one) => one.status === "requested" && one.direction === "in") ?? [];
    const rest = all?.filter((one) => !asked.includes(one) && one.status !== "declined") ?? [];
    return (
        <div className="page page-narrow stack">
            <h1>{title}</h1>
            <Invite coach={coach} />
            {asked.length > 0 && (
                <section className="card" aria-labelledby="asked">
                    <div className="card-head"><h2 id="asked">{t("people.asked")}</h2></div>
                    <ul className="list">{asked.map((one) => <Asked key={one.id} one={one} />)}</ul>
                </section>
            )}
            <section className="card" aria-labelledby="known">
                <div className="card-head"><h2 id="known">{t("people.known")}</h2></div>
                {all !== undefined && rest.length === 0 && <Empty icon="people" title={t("people.none")}><p>{t(coach ? "people.none.coach" : "people.none.athlete")}</p></Empty>}
                <ul className="list">{rest.map((one) => <Known key={one.id} one={one} />)}</ul>
            </section>
        </div>
    );
}

function Invite({ coach }: { coach: boolean }) {
    const [email, setEmail] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            await theCore().create("connection", `user:${me()}`, { peer_email: email.trim().toLowerCase() });
            announce(t("people.sent", { email }));
            setEmail("");
        });
    };
    return (
        <form className="card invite" onSubmit={submit}>
            <Field label={t(coach ? "people.invite.athlete" : "people.invite.coach")} type="email" required value={email} onChange={(event) => setEmail(event.target.value)} autoComplete="off" />
            <Button look="primary" type="submit" icon="plus">{t("people.invite")}</Button>
        </form>
    );
}

function Asked({ one }: { one: Connection }) {
    const answer = (status: "accepted" | "declined") => attempt(() => theCore().patch("connection", one.id, { status }));
    return (
        <li className="list-row">
            <Avatar name={one.peer_name ?? one.peer_email} />
            <div className="grow">
                <p className="list-title clip"><bdi>{one.peer_name ?? one.peer_email}</bdi></p>
                <p className="muted small clip">{one.peer_email}</p>
            </div>
            <Button look="primary" onClick={() => answer("accepted")}>{t("people.accept")}</Button>
            <Button onClick={() => answer("declined")}>{t("people.decline")}</Button>
        </li>
    );
}

function Known({ one }: { one: Connection }) {
    return (
        <li className="list-row">
            <Avatar name={one.peer_name ?? one.peer_email} />
            <div className="grow">
                <p className="list-title clip"><bdi>{one.peer_name ?? one.peer_email}</bdi></p>
                <p className="muted small clip">{one.peer_email}</p>
            </div>
            {one.thread_id !== undefined
                ? <Link to={`/messages/${one.thread_id}`} className="button button-plain">{t("people.message")}</Link>
                : <span className="tag">{t(one.pending ? "people.unsent" : "people.requested")}</span>}
        </li>
    );
}
