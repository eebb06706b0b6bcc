/* Clips and conversations as they stand in lists. */
import type { ChatThread, Review, Video } from "@sideline/core";
import { nameOf, wordsOf } from "../chat/words";
import { useRef, useState } from "react";
import { me, useTransfers } from "../core";
import { ago, moment, t } from "../i18n";
import { timeOf, useStill } from "../media";
import { useTouch } from "./gestures";
import { Icon } from "./icon";
import { Avatar, Link } from "./parts";
import { VideoOptions } from "./options";

export function Thumb({ video, eager = false }: { video: Video; eager?: boolean }) {
    const url = useStill(video);
    return (
        <span className="thumb">
            {url === undefined ? <Icon name="film" size={28} /> : <img src={url} alt="" loading={eager ? "eager" : "lazy"} />}
            <span className="thumb-time number">{moment(video.duration_us, false)}</span>
        </span>
    );
}

/** Where a clip is: on its way, with the server, reviewed. */
export function VideoState({ video, reviews }: { video: Video; reviews: Review[] }) {
    const transfer = useTransfers().find((one) => one.sha256 === video.blob && !one.download);
    if (video.status === "failed") {
        return <span className="tag tag-bad">{t("video.failed")}</span>;
    }
    if (transfer !== undefined) {
        const done = Math.floor((100 * transfer.done) / (transfer.total ?? video.size));
        return <span className="tag tag-warn">{t(transfer.state === "paused" ? "video.paused" : "video.sending", { n: done })}</span>;
    }
    if (video.pending) {
        return <span className="tag tag-warn">{t("video.waits")}</span>;
    }
    if (reviews.length > 0) {
        return <span className="tag tag-good"><Icon name="check" size={14} />{t("video.reviewed")}</span>;
    }
    if (video.owner_id !== me()) {
        return <span className="tag tag-new">{t("video.pending")}</span>;
    }
    return <span className="tag">{t(video.status === "processing" ? "video.processing" : "video.sent")}</span>;
}

/** One's own is held to see what can be done with it. */
export function VideoCard({ video, reviews, owner }: { video: Video; reviews: Review[]; owner?: string | undefined }) {
    const [open, setOpen] = useState(false);
    const held = useRef(false);
    const own = video.owner_id === me();
    const touch = useTouch(() => {
        held.current = own;
        setOpen(own);
    }, () => undefined);
    return (
        <>
            <Link to={`/video/${video.id}`} className="video-card" {...touch} onClickCapture={(event) => held.current && event.preventDefault()} onTouchStart={() => (held.current = false)}>
                <Thumb video={video} />
                <span className="video-card-text">
                    <span className="list-title clip"><bdi>{video.title}</bdi></span>
                    <span className="muted small clip">{owner !== undefined && <><bdi>{owner}</bdi> · </>}{ago(timeOf(video.id))}</span>
                    <VideoState video={video} reviews={reviews} />
                </span>
            </Link>
            {open && <VideoOptions video={video} onClose={() => setOpen(false)} />}
        </>
    );
}

export function ConversationRow({ one }: { one: ChatThread }) {
    const name = nameOf(one);
    const { last, unread } = one;
    const draft = (one.draft as { body?: string } | undefined)?.body;
    return (
        <li>
            <Link to={`/messages/${one.thread.slice(7)}`} className="list-row">
                <Avatar name={name} />
                <span className="grow">
                    <span className="row row-tight nowrap">
                        <span className="list-title grow clip"><bdi>{name}</bdi></span>
                        {one.muted_until_ms !== undefined && <span className="muted"><Icon name="bellOff" size={16} /><span className="unseen">{t("chat.muted")}</span></span>}
                        {last !== undefined && <span className="muted small">{ago(last.sent_ms ?? timeOf(last.id))}</span>}
                    </span>
                    <span className="row row-tight nowrap">
                        {(one.failed ?? 0) > 0
                            ? <span className="grow clip problem">{t("chat.failed.n", { n: one.failed ?? 0 })}</span>
                            : draft !== undefined
                                ? <span className="grow clip"><span className="draft">{t("chat.draft")}</span> <bdi>{draft}</bdi></span>
                                : <span className={unread > 0 ? "grow clip" : "grow clip muted"}>{last === undefined ? t("chat.empty") : <bdi>{last.kind === "review" ? t("chat.review", { title: last.body ?? "" }) : wordsOf(last)}</bdi>}</span>}
                        {one.mentions > 0 && <span className="badge badge-mention"><span aria-hidden="true">{t("mention.badge", { n: one.mentions })}</span><span className="unseen">{t("mention.n", { n: one.mentions })}</span></span>}
                        {unread > 0 && <span className="badge"><span aria-hidden="true">{unread}</span><span className="unseen">{t("nav.new", { n: unread })}</span></span>}
                    </span>
                </span>
            </Link>
        </li>
    );
}
