/* Organisations: coaches of one club or school. Nobody is put into one: who is asked agrees, or does not. */
import { type Member, type Membership, newId } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { me, theCore, useAnswer, useRows, useStatus } from "../core";
import { t } from "../i18n";
import { useTitle } from "../router";
import { Avatar, Button, Dialog, Empty, Field, announce, attempt } from "../ui/parts";

/** What a member did in the last 30 days, as the server counts it for admins. */
interface Numbers {
    id: string;
    athletes: number;
    messages: number;
    conversations: number;
    reviews: number;
}

export function Organisation() {
    const all = useRows({ from: "membership", order: ["id"] });
    useTitle(`${t("nav.organisation")} · ${t("app.name")}`);
    const asked = all?.filter((one) => one.state === "invited") ?? [];
    const active = all?.filter((one) => one.state === "active") ?? [];
    return (
        <div className="page page-narrow stack">
            <h1>{t("nav.organisation")}</h1>
            {asked.map((one) => <Asked key={one.id} one={one} />)}
            {active.map((one) => <One key={one.id} mine={one} />)}
            {all?.length === 0 && <div className="card"><Empty icon="people" title={t("org.none")}><p>{t("org.none.more")}</p></Empty></div>}
            <Make />
        </div>
    );
}

function Make() {
    const [name, setName] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            const id = newId();
            await theCore().create("organisation", `organisation:${id}`, { name: name.trim() }, id);
            setName("");
        });
    };
    return (
        <form className="card invite" onSubmit={submit}>
            <Field label={t("org.make.name")} required maxLength={100} pattern=".*\S.*" value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" />
            <Button look="primary" type="submit" icon="plus">{t("org.make")}</Button>
        </form>
    );
}

function Asked({ one }: { one: Membership }) {
    const name = one.name ?? "";
    const accept = () => attempt(async () => {
        await theCore().patch("membership", one.id, { state: "active" });
        announce(t("org.joined", { name }));
    });
    const decline = () => attempt(() => theCore().delete("membership", one.id));
    return (
        <section className="card card-pad stack" aria-labelledby={`asked-${one.id}`}>
            <h2 id={`asked-${one.id}`}><bdi>{t("org.asked", { by: one.by_name ?? t("chat.someone"), name })}</bdi></h2>
            <p className="muted">{t("org.asked.means")}</p>
            <div className="row">
                <Button look="primary" onClick={accept}>{t("people.accept")}</Button>
                <Button onClick={decline}>{t("people.decline")}</Button>
            </div>
        </section>
    );
}

/** For admins, with a connection; asked anew when who is in it changes. */
function useNumbers(id: string, admin: boolean): Numbers[] | undefined {
    const online = useStatus().state === "online" && admin;
    const ask = async () => (online ? (await theCore().account.do<{ members: Numbers[] }>({ do: "organisation", organisation: id })).members : []);
    return useAnswer(`numbers ${id} ${online}`, ask, [{ from: "member", where: { space: `organisation:${id}` } }]).answer;
}

function One({ mine }: { mine: Membership }) {
    const id = mine.organisation_id ?? "";
    const space = `organisation:${id}`;
    const admin = mine.role === "admin";
    const members = useRows({ from: "member", where: { space }, order: ["id"] });
    const numbers = useNumbers(id, admin);
    const [ending, setEnding] = useState<"leave" | "close">();
    const alone = members?.some((one) => one.role === "admin" && one.state === "active" && one.user_id !== me()) === false;
    return (
        <section className="card" aria-labelledby={`org-${id}`}>
            <div className="card-head">
                <h2 id={`org-${id}`}><bdi>{mine.name}</bdi></h2>
                <span className="tag">{t(admin ? "org.admin" : "org.coach")}</span>
            </div>
            <ul className="list">
                {members?.map((one) => <Row key={one.id} one={one} admin={admin} numbers={numbers?.find((each) => each.id === one.id)} last={alone} />)}
            </ul>
            <div className="card-pad stack">
                {admin && <Invite space={space} />}
                {admin && <p className="hint">{t("org.sees")}</p>}
                <div className="row">
                    {!(admin && alone) && <Button icon="leave" onClick={() => setEnding("leave")}>{t("org.leave")}</Button>}
                    {admin && <Button look="danger" icon="trash" onClick={() => setEnding("close")}>{t("org.close")}</Button>}
                </div>
                {admin && alone && <p className="hint">{t("org.last")}</p>}
            </div>
            {ending !== undefined && <End mine={mine} close={ending === "close"} onClose={() => setEnding(undefined)} />}
        </section>
    );
}

function Invite({ space }: { space: string }) {
    const [email, setEmail] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            await theCore().create("member", space, { email: email.trim().toLowerCase() });
            announce(t("people.sent", { email }));
            setEmail("");
        });
    };
    return (
        <form className="invite" onSubmit={submit}>
            <Field label={t("people.invite.coach")} type="email" required value={email} onChange={(event) => setEmail(event.target.value)} autoComplete="off" />
            <Button look="primary" type="submit" icon="plus">{t("people.invite")}</Button>
        </form>
    );
}

function Row({ one, admin, numbers, last }: { one: Member; admin: boolean; numbers: Numbers | undefined; last: boolean }) {
    const name = one.name ?? one.email ?? t("chat.someone");
    const own = one.user_id === me();
    const active = one.state === "active";
    const rank = one.role === "admin" ? "coach" : "admin";
    const turn = () => attempt(() => theCore().patch("member", one.id, { role: rank }));
    const remove = () => attempt(async () => {
        await theCore().delete("member", one.id);
        announce(t("org.removed", { name }));
    });
    return (
        <li className="list-row member">
            <Avatar name={name} />
            <div className="grow">
                <p className="list-title clip"><bdi>{name}</bdi></p>
                {numbers !== undefined && <p className="muted small">{t("org.numbers", { athletes: numbers.athletes, messages: numbers.messages, reviews: numbers.reviews })}</p>}
            </div>
            <span className="tag">{t(!active ? "people.requested" : one.role === "admin" ? "org.admin" : "org.coach")}</span>
            {admin && active && !(own && last) && <Button aria-label={t(rank === "admin" ? "org.up.of" : "org.down.of", { name })} onClick={turn}>{t(rank === "admin" ? "org.up" : "org.down")}</Button>}
            {admin && !own && <Button look="danger" aria-label={t("group.remove", { name })} onClick={remove}>{t("action.remove")}</Button>}
        </li>
    );
}

function End({ mine, close, onClose }: { mine: Membership; close: boolean; onClose(): void }) {
    const run = () => {
        onClose();
        attempt(async () => {
            await (close ? theCore().delete("organisation", mine.organisation_id ?? "") : theCore().delete("membership", mine.id));
            announce(t(close ? "org.closed" : "org.left", { name: mine.name ?? "" }));
        });
    };
    return (
        <Dialog title={t(close ? "org.close" : "org.leave")} onClose={onClose}>
            <p>{t(close ? "org.close.sure" : "org.leave.sure", { name: mine.name ?? "" })}</p>
            <div className="row">
                <Button look="danger" onClick={run}>{t(close ? "org.close" : "org.leave")}</Button>
                <Button data-first onClick={onClose}>{t("action.keep")}</Button>
            </div>
        </Dialog>
    );
}
