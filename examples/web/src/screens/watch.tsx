/* An athlete watches what the coach drew and said, and answers. */
import type { Drawing, Review, Video } from "@sideline/core";
import { type FormEvent, useEffect, useState } from "react";
import { me, theCore, useRecord, useRows } from "../core";
import { ago, t } from "../i18n";
import { timeOf, urlOf } from "../media";
import { ReviewPlayer } from "../player";
import { go, useTitle } from "../router";
import { Icon } from "../ui/icon";
import { ReviewOptions } from "../ui/options";
import { Button, Link, Tool, announce, attempt } from "../ui/parts";
import { peaksOf } from "../workspace/peaks";
import { ReviewView } from "./review_view";

async function bytesOf(sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    await urlOf(sha256, "application/octet-stream"); /* fetches it when it is not here */
    return theCore().blobs.get(sha256);
}

export function Watch({ video: videoId, review: reviewId }: { video: string; review: string }) {
    const video = useRecord("video", videoId);
    const review = useRecord("review", reviewId);
    const voice = useRecord("voice_over", review?.voice_over_id);
    const author = useRows({ from: "connection" })?.find((one) => one.peer_id === review?.author_id);
    const [player, setPlayer] = useState<ReviewPlayer>();
    const [problem, setProblem] = useState<string>();
    const [options, setOptions] = useState(false);
    useTitle(`${review?.title ?? t("watch.title")} · ${t("app.name")}`);
    const ready = video !== undefined && review !== undefined && (review.voice_over_id === undefined || voice !== undefined);
    useEffect(() => {
        if (!ready) {
            return undefined;
        }
        let alive = true;
        let opened: ReviewPlayer | undefined;
        open(video, review, voice?.blob ?? null).then((made) => {
            opened = made;
            if (alive) {
                setPlayer(made);
            } else {
                made.close();
            }
        }, (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
        return () => {
            alive = false;
            opened?.close();
        };
    }, [ready, review?.timeline]);
    return (
        <div className="page watch">
            <header className="row page-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go(`/video/${videoId}`)} />
                <div className="grow">
                    <h1 className="clip"><bdi>{review?.title ?? t("watch.title")}</bdi></h1>
                    {review !== undefined && <p className="muted clip">{author?.peer_name !== undefined && <><bdi>{author.peer_name}</bdi> · </>}{ago(timeOf(review.id))}</p>}
                </div>
                {review?.author_id === me() && <Tool icon="more" name={t("review.options")} onClick={() => setOptions(true)} />}
                <Link to={`/video/${videoId}`} className="button button-plain"><Icon name="film" />{t("watch.original")}</Link>
            </header>
            {options && review !== undefined && <ReviewOptions review={review} onClose={() => setOptions(false)} onGone={() => go(`/video/${videoId}`)} />}
            {problem !== undefined && <p className="note" role="alert">{problem}</p>}
            {player !== undefined && video !== undefined
                ? <ReviewView player={player} video={video} peaks={peaksOf(voice?.peaks)} />
                : <div className="review-view review-wait" role="status">{t("watch.fetching")}</div>}
            {review !== undefined && <Answer review={review} thread={author?.thread_id} />}
        </div>
    );
}

async function open(video: Video, review: Review, voice: string | null): Promise<ReviewPlayer> {
    const core = theCore();
    const bytes = await bytesOf(review.timeline);
    if (voice !== null) {
        await bytesOf(voice);
    }
    const doc = await core.doc(video.space);
    let drawing: Drawing;
    try {
        drawing = await doc.drawing();
    } finally {
        doc.close();
    }
    const timeline = await core.timeline(bytes);
    return ReviewPlayer.open({ timeline, voice, drawing, size: video, duration: Math.max(1, review.duration_us) });
}

function Answer({ review, thread }: { review: Review; thread: string | undefined }) {
    const [text, setText] = useState("");
    if (thread === undefined || review.author_id === me()) {
        return null;
    }
    const submit = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            await theCore().chat.send(`thread:${thread}`, { body: text.trim() });
            setText("");
            announce(t("watch.answered"));
        });
    };
    return (
        <form className="card composer answer" onSubmit={submit}>
            <input aria-label={t("watch.answer")} placeholder={t("watch.answer")} value={text} onChange={(event) => setText(event.target.value)} required maxLength={4000} />
            <Button look="primary" icon="send" type="submit" disabled={text.trim() === ""}>{t("chat.send")}</Button>
            <Link to={`/messages/${thread}`} className="button button-quiet">{t("watch.chat")}</Link>
        </form>
    );
}
