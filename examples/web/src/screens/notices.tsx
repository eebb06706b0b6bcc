/* The notification centre: what has happened, newest first, and the way to each. */
import type { Connection, Membership, Notification } from "@sideline/core";
import { useState } from "react";
import { useRows } from "../core";
import { ago, t } from "../i18n";
import { timeOf } from "../media";
import { leadsTo, markRead, sayNotice, useNotices } from "../notices";
import { follow, useTitle } from "../router";
import { Avatar, Button, Empty, Link, Tool, announce, attempt } from "../ui/parts";

const PAGE = 50;

/** What they speak of says its words itself, as they are now. */
function useWords(shown: Notification[]): (one: Notification) => string | undefined {
    const ids = (kind: Notification["kind"]) => ({ id: { in: shown.filter((one) => one.kind === kind).map((one) => one.ref_id ?? "") } });
    const comments = useRows({ from: "comment", where: ids("comment") });
    const reviews = useRows({ from: "review", where: ids("review") });
    const videos = useRows({ from: "video", where: ids("review") });
    return ({ ref_id }) => comments?.find((one) => one.id === ref_id)?.body ?? [...(reviews ?? []), ...(videos ?? [])].find((one) => one.id === ref_id)?.title;
}

export function Notices() {
    const notices = useNotices();
    const [n, setN] = useState(PAGE);
    const shown = notices?.slice(0, n) ?? [];
    const wordsOf = useWords(shown);
    const connections = useRows({ from: "connection" });
    const memberships = useRows({ from: "membership" });
    const aboutOf = (id: string | undefined) => [...(connections ?? []), ...(memberships ?? [])].find((one) => one.id === id);
    const unread = notices?.filter((one) => one.read_ms === undefined).length ?? 0;
    useTitle(`${t("nav.notices")} · ${t("app.name")}`);
    const all = () => attempt(async () => {
        await markRead(notices ?? []);
        announce(t("notice.all.done"));
    });
    return (
        <div className="page page-narrow stack">
            <div className="row page-head">
                <h1 className="grow">{t("nav.notices")}</h1>
                {unread > 0 && <Button icon="checks" onClick={all}>{t("notice.all")}</Button>}
            </div>
            <div className="card">
                {notices?.length === 0 && <Empty icon="bell" title={t("notice.none")}><p>{t("notice.none.more")}</p></Empty>}
                <ul className="list">
                    {shown.map((one) => <Row key={one.id} one={one} words={wordsOf(one)} about={aboutOf(one.ref_id)} />)}
                </ul>
                {notices !== undefined && notices.length > n && <p className="center"><Button look="quiet" onClick={() => setN(n + PAGE)}>{t("notice.older")}</Button></p>}
            </div>
            <p className="center"><Link to="/account" className="button button-quiet">{t("notice.settings")}</Link></p>
        </div>
    );
}

function Row({ one, words, about }: { one: Notification; words: string | undefined; about: Connection | Membership | undefined }) {
    const unread = one.read_ms === undefined;
    const said = sayNotice(one, about);
    const read = () => attempt(() => markRead([one]));
    return (
        <li className={unread ? "notice notice-new" : "notice"}>
            <Link to={leadsTo(one, about)} className="list-row grow" onClick={(event) => { read(); follow(event); }}>
                <Avatar name={one.title ?? ""} />
                <span className="grow">
                    <span className="notice-said"><bdi>{said}</bdi>{unread && <span className="unseen"> ({t("notice.new")})</span>}</span>
                    {words !== undefined && <span className="muted small clip notice-words"><bdi>{words}</bdi></span>}
                    <span className="muted small">{ago(one.sent_ms ?? timeOf(one.id))}</span>
                </span>
            </Link>
            {unread && <Tool icon="check" name={t("notice.read", { what: said })} onClick={read} />}
        </li>
    );
}
