/* One clip: itself with its drawings, the reviews of it, what was remarked. */
import type { Doc, Video as VideoRecord } from "@sideline/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { me, theCore, useRecord, useRows, useSession } from "../core";
import { useFilm } from "../film";
import { ago, moment, t } from "../i18n";
import { timeOf, useClip, useStill } from "../media";
import { Overlay, type Shower } from "../overlay";
import { go, useTitle } from "../router";
import { VideoState } from "../ui/cards";
import { Icon } from "../ui/icon";
import { VideoOptions } from "../ui/options";
import { Button, Empty, Link, Tool, attempt } from "../ui/parts";
import { Quality } from "../ui/quality";
import { GuestNote } from "../workspace/guest_note";
import { useGuests } from "../workspace/live";
import { Ranges } from "../workspace/ranges";
import { Transport } from "../workspace/transport";
import { useDrawing } from "../workspace/use_drawing";

export function Video({ id }: { id: string }) {
    const video = useRecord("video", id);
    const reviews = useRows({ from: "review", where: { space: `video:${id}` }, order: ["-id"] });
    const coach = useSession()?.role === "coach";
    const people = useRows({ from: "connection" });
    const [options, setOptions] = useState(false);
    useTitle(`${video?.title ?? ""} · ${t("app.name")}`);
    if (video === undefined) {
        return <div className="page"><Empty icon="film" title={t("video.absent")} /></div>;
    }
    const nameOf = (user: string | undefined) => (user === me() ? t("dash.you") : people?.find((one) => one.peer_id === user)?.peer_name);
    return (
        <div className="page watch">
            <header className="row page-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go("/videos")} />
                <div className="grow">
                    <h1 className="clip"><bdi>{video.title}</bdi></h1>
                    <p className="muted row row-tight"><bdi>{nameOf(video.owner_id)}</bdi><span>{ago(timeOf(video.id))}</span><VideoState video={video} reviews={reviews ?? []} /></p>
                </div>
                {video.owner_id === me() && <Tool icon="more" name={t("clip.options")} onClick={() => setOptions(true)} />}
                {(coach || video.owner_id === me()) && <Link to={`/review/${id}`} className="button button-primary"><Icon name="pen" />{t(coach ? "dash.review" : "video.draw")}</Link>}
            </header>
            {options && <VideoOptions video={video} onClose={() => setOptions(false)} onGone={() => go("/videos")} />}
            <Player video={video} />
            <section className="card" aria-labelledby="reviews">
                <div className="card-head"><h2 id="reviews">{t("video.reviews")}</h2></div>
                {reviews?.length === 0 && <p className="card-body muted">{t("video.reviews.none")}</p>}
                <ul className="list">
                    {reviews?.map((one) => (
                        <li key={one.id}>
                            <Link to={`/watch/${id}/${one.id}`} className="list-row">
                                <span className="play-sign"><Icon name="play" size={16} /></span>
                                <span className="grow"><span className="list-title clip block"><bdi>{one.title}</bdi></span><span className="muted small"><bdi>{nameOf(one.author_id)}</bdi> · {ago(timeOf(one.id))}</span></span>
                                <span className="muted number" dir="ltr">{moment(one.duration_us, false)}</span>
                            </Link>
                        </li>
                    ))}
                </ul>
            </section>
        </div>
    );
}

function Player({ video }: { video: VideoRecord }) {
    const clip = useClip(video);
    const { url, problem } = clip;
    const still = useStill(video);
    const [element, setElement] = useState<HTMLVideoElement | null>(null);
    const film = useFilm(element, video.duration_us);
    const [doc, setDoc] = useState<Doc>();
    const shower = useRef<Shower | null>(null);
    const [others, setOthers] = useState<Doc>(); /* what others draw now, and is not saved yet */
    const above = useRef<Shower | null>(null);
    useEffect(() => {
        let opened: Doc[] = [];
        let alive = true;
        const core = theCore();
        Promise.all([core.doc(video.space), core.newDoc(video.width, video.height)]).then((made) => {
            opened = made;
            if (alive) {
                setDoc(made[0]);
                setOthers(made[1]);
            } else {
                made.forEach((one) => one.close());
            }
        }, console.error);
        return () => {
            alive = false;
            opened.forEach((one) => one.close());
        };
    }, [video.space]);
    const drawing = useDrawing(doc, () => shower.current?.show(film?.state.time ?? 0));
    const now = useRef(0);
    const guests = useGuests(video.space, others, video.duration_us, drawing, () => above.current?.show(now.current));
    useEffect(() => film?.on(() => {
        now.current = film.state.time;
        shower.current?.show(now.current);
        if (guests.busy()) {
            above.current?.show(now.current);
        }
    }), [film, others]);
    const keys = (event: React.KeyboardEvent) => {
        const on = event.target;
        if (event.key === " " && !(on instanceof HTMLButtonElement || on instanceof HTMLSelectElement)) {
            event.preventDefault();
            film?.toggle();
        } else if (event.key === "," || event.key === ".") {
            film?.step(event.key === "," ? -1 : 1);
        }
    };
    return (
        <div className="review-view" onKeyDown={keys} role="group" aria-label={t("stage.film")}>
            <div className="review-stage" onClick={() => film?.toggle()}>
                <div className="frame" dir="ltr" style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height } as React.CSSProperties}>
                    <video ref={setElement} src={url} poster={still} playsInline preload="auto" aria-label={t("stage.film")} />
                    {doc !== undefined && <Overlay doc={doc} video={video} onShower={(made) => { shower.current = made; made.show(film?.state.time ?? 0); }} />}
                    {others !== undefined && <Overlay doc={others} video={video} onShower={(made) => { above.current = made; made.show(now.current); }} />}
                </div>
                {url === undefined && <p className="stage-note" role="status">{problem ?? t("watch.fetching")}</p>}
                <GuestNote who={guests.who} film={film} />
            </div>
            <Transport film={film} duration={video.duration_us}><Quality clip={clip} /></Transport>
            {doc !== undefined && <Ranges film={film} duration={video.duration_us} items={drawing?.items ?? []} doc={doc} selected={null} onSelect={(id) => { const item = drawing?.items.find((one) => one.id === id); if (item !== undefined) film?.seek(item.in); }} />}
            <Remarks video={video} time={() => film?.state.time ?? 0} seek={(at) => film?.seek(at)} />
        </div>
    );
}

function Remarks({ video, time, seek }: { video: VideoRecord; time(): number; seek(at: number): void }) {
    const remarks = useRows({ from: "comment", where: { space: video.space }, order: ["at_us"] });
    const people = useRows({ from: "connection" });
    const [text, setText] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            await theCore().create("comment", video.space, { body: text.trim(), at_us: Math.round(time()) });
            setText("");
        });
    };
    return (
        <section className="remarks" aria-label={t("video.remarks")}>
            <ul>
                {remarks?.map((one) => (
                    <li key={one.id} className="remark">
                        <button type="button" className="moment number" dir="ltr" onClick={() => seek(one.at_us ?? 0)}>{moment(one.at_us ?? 0, false)}</button>
                        <p><bdi className="remark-who">{one.author_id === me() || one.author_id === undefined ? t("dash.you") : people?.find((other) => other.peer_id === one.author_id)?.peer_name}</bdi> <bdi>{one.body}</bdi></p>
                    </li>
                ))}
            </ul>
            <form className="composer composer-dark" onSubmit={submit}>
                <input aria-label={t("video.remark")} placeholder={t("video.remark")} value={text} onChange={(event) => setText(event.target.value)} required maxLength={2000} />
                <Button type="submit" disabled={text.trim() === ""}>{t("video.remark.add")}</Button>
            </form>
        </section>
    );
}
