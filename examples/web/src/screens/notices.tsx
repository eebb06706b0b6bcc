/* The notification centre: what has happened, newest first, and the way to each. */
import type { Connection, Notification } from "@sideline/core";
import { useRows } from "../core";
import { ago, t } from "../i18n";
import { timeOf } from "../media";
import { leadsTo, markRead, sayNotice, useNotices } from "../notices";
import { follow, useTitle } from "../router";
import { Avatar, Button, Empty, Link, Tool, announce, attempt } from "../ui/parts";

export function Notices() {
    const notices = useNotices();
    const connections = useRows({ from: "connection" });
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
                    {notices?.map((one) => <Row key={one.id} one={one} connection={connections?.find(({ id }) => id === one.ref_id)} />)}
                </ul>
            </div>
            <p className="center"><Link to="/account" className="button button-quiet">{t("notice.settings")}</Link></p>
        </div>
    );
}

function Row({ one, connection }: { one: Notification; connection: Connection | undefined }) {
    const unread = one.read_ms === undefined;
    const said = sayNotice(one, connection);
    const read = () => attempt(() => markRead([one]));
    return (
        <li className={unread ? "notice notice-new" : "notice"}>
            <Link to={leadsTo(one, connection)} className="list-row grow" onClick={(event) => { read(); follow(event); }}>
                <Avatar name={one.title ?? ""} />
                <span className="grow">
                    <span className="notice-said"><bdi>{said}</bdi>{unread && <span className="unseen"> ({t("notice.new")})</span>}</span>
                    {one.body !== undefined && <span className="muted small clip notice-words"><bdi>{one.body}</bdi></span>}
                    <span className="muted small">{ago(one.sent_ms ?? timeOf(one.id))}</span>
                </span>
            </Link>
            {unread && <Tool icon="check" name={t("notice.read", { what: said })} onClick={read} />}
        </li>
    );
}
