/* What an athlete sees first: the newest review, the conversations, the way to send a clip. */
import { useRecord, useRows, useSession } from "../core";
import { ago, t } from "../i18n";
import { timeOf } from "../media";
import { useTitle } from "../router";
import { ConversationRow, Thumb, VideoCard } from "../ui/cards";
import { Icon } from "../ui/icon";
import { Empty, Link } from "../ui/parts";
import { useConversations } from "../unread";

export function Home() {
    const name = useSession()?.name ?? "";
    const videos = useRows({ from: "video", order: ["-id"], limit: 6 });
    const reviews = useRows({ from: "review", order: ["-id"] });
    const conversations = useConversations();
    const coaches = useRows({ from: "connection", where: { status: "accepted" } });
    useTitle(`${t("nav.home")} · ${t("app.name")}`);
    return (
        <div className="page stack">
            <header className="row page-head">
                <h1 className="grow">{t("home.hello", { name: name.split(" ")[0] ?? "" })}</h1>
                <Link to="/upload" className="button button-primary"><Icon name="upload" />{t("upload.title")}</Link>
            </header>
            {coaches?.length === 0 && (
                <section className="card card-pad row start-card">
                    <span className="empty-sign"><Icon name="people" size={26} /></span>
                    <div className="grow"><p className="list-title">{t("home.coach.first")}</p><p className="muted">{t("home.coach.first.more")}</p></div>
                    <Link to="/people" className="button button-plain">{t("home.coach.find")}</Link>
                </section>
            )}
            {reviews?.[0] !== undefined && <LatestReview id={reviews[0].id} video={reviews[0].space.slice(6)} />}
            <div className="columns">
                <section aria-labelledby="mine" className="stack">
                    <div className="row"><h2 id="mine" className="grow">{t("home.videos")}</h2><Link to="/videos">{t("home.all")}</Link></div>
                    {videos?.length === 0
                        ? <div className="card"><Empty icon="film" title={t("home.videos.none")}><p>{t("home.videos.none.more")}</p></Empty></div>
                        : <div className="video-grid">{videos?.map((video) => <VideoCard key={video.id} video={video} reviews={reviews?.filter((one) => one.space === video.space) ?? []} />)}</div>}
                </section>
                <section className="card" aria-labelledby="talk">
                    <div className="card-head"><h2 id="talk">{t("nav.messages")}</h2></div>
                    {conversations?.length === 0 && <p className="card-body muted">{t("messages.none.athlete")}</p>}
                    <ul className="list">{conversations?.slice(0, 5).map((one) => <ConversationRow key={one.thread} one={one} />)}</ul>
                </section>
            </div>
        </div>
    );
}

function LatestReview({ id, video: videoId }: { id: string; video: string }) {
    const review = useRecord("review", id);
    const video = useRecord("video", videoId);
    const author = useRows({ from: "connection" })?.find((one) => one.peer_id === review?.author_id);
    if (review === undefined || video === undefined) {
        return null;
    }
    return (
        <Link to={`/watch/${video.id}/${review.id}`} className="latest">
            <Thumb video={video} eager />
            <span className="latest-text">
                <span className="latest-over">{t("home.latest")}</span>
                <span className="latest-title clip"><bdi>{review.title}</bdi></span>
                <span className="latest-by clip">{author?.peer_name !== undefined && <><bdi>{author.peer_name}</bdi> · </>}{ago(timeOf(review.id))}</span>
                <span className="button button-primary"><Icon name="play" size={16} />{t("home.watch")}</span>
            </span>
        </Link>
    );
}
