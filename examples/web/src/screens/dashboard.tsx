/* What a coach sees first: what waits for a review, what has happened, who is there. */
import type { Connection, Message, Review, Video } from "@sideline/core";
import { me, useRows, useSession } from "../core";
import { ago, t } from "../i18n";
import { timeOf } from "../media";
import { useTitle } from "../router";
import { ConversationRow, Thumb } from "../ui/cards";
import { Icon, type IconName } from "../ui/icon";
import { Avatar, Empty, Link } from "../ui/parts";
import { useConversations, useCounts } from "../unread";

const WEEK = 7 * 86_400_000;

export function Dashboard() {
    const name = useSession()?.name ?? "";
    const videos = useRows({ from: "video", order: ["-id"] });
    const reviews = useRows({ from: "review", order: ["-id"] });
    const people = useRows({ from: "connection", where: { status: "accepted" } });
    const conversations = useConversations();
    useTitle(`${t("nav.dashboard")} · ${t("app.name")}`);
    const own = reviews?.filter((one) => one.author_id === undefined || one.author_id === me()) ?? [];
    const pending = videos?.filter((video) => video.owner_id !== me() && !own.some((one) => one.space === video.space)) ?? [];
    const unread = useCounts()?.unread ?? 0;
    const lately = own.filter((one) => timeOf(one.id) > Date.now() - WEEK).length;
    return (
        <div className="page stack">
            <header className="row page-head">
                <div className="grow"><h1>{t("nav.dashboard")}</h1><p className="muted">{t("home.hello", { name: name.split(" ")[0] ?? "" })}</p></div>
                <Link to="/upload" className="button button-plain"><Icon name="upload" />{t("dash.upload")}</Link>
                {pending.at(-1) !== undefined && <Link to={`/review/${pending.at(-1)!.id}`} className="button button-primary"><Icon name="pen" />{t("dash.next")}</Link>}
            </header>
            <dl className="facts">
                <Fact name={t("dash.pending")} value={pending.length} strong />
                <Fact name={t("dash.students")} value={people?.length ?? 0} />
                <Fact name={t("dash.unread")} value={unread} />
                <Fact name={t("dash.week")} value={lately} />
            </dl>
            <div className="columns">
                <section className="card" aria-labelledby="pending">
                    <div className="card-head"><h2 id="pending">{t("dash.pending")}</h2>{pending.length > 0 && <span className="tag tag-new">{t("dash.new", { n: pending.length })}</span>}</div>
                    {videos !== undefined && pending.length === 0 && <Empty icon="check" title={t("dash.none")}><p>{t("dash.none.more")}</p></Empty>}
                    <ul className="list">{[...pending].reverse().map((video) => <Pending key={video.id} video={video} owner={people?.find((one) => one.peer_id === video.owner_id)} />)}</ul>
                </section>
                <div className="stack">
                    <Activity videos={videos ?? []} reviews={own} people={people ?? []} />
                    <section className="card" aria-labelledby="talk">
                        <div className="card-head"><h2 id="talk">{t("nav.messages")}</h2><Link to="/messages">{t("home.all")}</Link></div>
                        {conversations?.length === 0 && <p className="card-body muted">{t("messages.none.coach")}</p>}
                        <ul className="list">{conversations?.slice(0, 4).map((one) => <ConversationRow key={one.thread} one={one} />)}</ul>
                    </section>
                </div>
            </div>
        </div>
    );
}

function Fact({ name, value, strong = false }: { name: string; value: number; strong?: boolean }) {
    return (
        <div className={strong ? "fact fact-strong" : "fact"}>
            <dt>{name}</dt>
            <dd className="number">{t("number", { n: value })}</dd>
        </div>
    );
}

function Pending({ video, owner }: { video: Video; owner: Connection | undefined }) {
    return (
        <li>
            <Link to={`/review/${video.id}`} className="list-row pending-row">
                <Thumb video={video} />
                <span className="grow">
                    <span className="list-title clip block"><bdi>{video.title}</bdi></span>
                    <span className="muted small block clip">{owner?.peer_name !== undefined && <><bdi>{owner.peer_name}</bdi> · </>}{ago(timeOf(video.id))}</span>
                </span>
                <span className="button button-plain pending-go">{t("dash.review")}</span>
            </Link>
        </li>
    );
}

interface Happened {
    id: string;
    at: number;
    who: string;
    what: string;
    icon: IconName;
    to: string;
}

function Activity({ videos, reviews, people }: { videos: Video[]; reviews: Review[]; people: Connection[] }) {
    const messages = useRows({ from: "message", order: ["-id"], limit: 30 }) ?? [];
    const nameOf = (id: string | undefined) => people.find((one) => one.peer_id === id)?.peer_name;
    const sent = (one: Message): Happened[] => {
        const who = nameOf(one.author_id);
        return who === undefined || one.kind !== "text" ? [] : [{ id: one.id, at: timeOf(one.id), who, what: t("dash.did.message"), icon: "chat", to: `/messages/${one.space.slice(7)}` }];
    };
    const happened: Happened[] = [
        ...videos.flatMap((one): Happened[] => {
            const who = nameOf(one.owner_id);
            return who === undefined ? [] : [{ id: one.id, at: timeOf(one.id), who, what: t("dash.did.video", { title: one.title }), icon: "film", to: `/video/${one.id}` }];
        }),
        ...reviews.map((one): Happened => ({ id: one.id, at: timeOf(one.id), who: t("dash.you"), what: t("dash.did.review", { title: one.title }), icon: "pen", to: `/watch/${one.space.slice(6)}/${one.id}` })),
        ...messages.flatMap(sent),
    ].sort((a, b) => b.at - a.at).slice(0, 6);
    return (
        <section className="card" aria-labelledby="activity">
            <div className="card-head"><h2 id="activity">{t("dash.activity")}</h2></div>
            {happened.length === 0 && <p className="card-body muted">{t("dash.activity.none")}</p>}
            <ul className="list">
                {happened.map((one) => (
                    <li key={one.id}>
                        <Link to={one.to} className="list-row">
                            <Avatar name={one.who} size={32} />
                            <span className="grow"><span className="clip block"><bdi className="list-title">{one.who}</bdi> {one.what}</span></span>
                            <span className="muted small">{ago(one.at)}</span>
                        </Link>
                    </li>
                ))}
            </ul>
        </section>
    );
}
