/* A review being played: film, drawings and voice in step, with the controls under them. */
import type { Video } from "@sideline/core";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useRecord } from "../core";
import { moment, t } from "../i18n";
import { useClip, useStill } from "../media";
import { Overlay } from "../overlay";
import type { ReviewPlayer } from "../player";
import { Tool } from "../ui/parts";
import { Quality } from "../ui/quality";
import { transformOf, viewOf } from "../view";
import { Wave } from "../workspace/voice";

export function ReviewView({ player, video, peaks }: { player: ReviewPlayer; video: Video; peaks: Int8Array | null }) {
    const clip = useClip(video);
    const { url, problem } = clip;
    const still = useStill(video);
    const [element, setElement] = useState<HTMLVideoElement | null>(null);
    const state = useSyncExternalStore((heard) => player.on(heard), () => player.state);
    useEffect(() => {
        if (element === null || url === undefined) {
            return undefined;
        }
        player.video = element;
        const ready = () => void player.follow(player.state.time);
        element.addEventListener("loadeddata", ready);
        return () => element.removeEventListener("loadeddata", ready);
    }, [element, url, player]);
    const keys = (event: React.KeyboardEvent) => {
        const by = { ArrowLeft: -2e6, ArrowRight: 2e6, ",": -1e5, ".": 1e5 }[event.key];
        if (event.key === " " && !(event.target instanceof HTMLButtonElement)) {
            event.preventDefault();
            player.toggle();
        } else if (by !== undefined && !(event.target instanceof HTMLInputElement)) {
            event.preventDefault();
            player.seek(player.now() + by);
        }
    };
    return (
        <div className="review-view" onKeyDown={keys} role="group" aria-label={t("watch.player")}>
            <div className={state.second === null ? "review-stage" : "review-stage review-pair"}>
                <div className="frame" dir="ltr" style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height, transform: transformOf(viewOf(state.view, video)) } as React.CSSProperties}>
                    <video ref={setElement} src={url} poster={still} muted playsInline preload="auto" aria-label={t("stage.film")} />
                    <Overlay doc={player.doc} video={video} onShower={(shower) => { player.shower = shower; void player.follow(player.state.time); }} />
                </div>
                {url === undefined && <p className="stage-note" role="status">{problem ?? t("watch.fetching")}</p>}
                {state.second !== null && <SecondFilm key={state.second} id={state.second} player={player} />}
                {!state.playing && url !== undefined && <button type="button" className="big-play" aria-label={t("film.play")} onClick={() => player.play()}><span /></button>}
            </div>
            <div className="transport" dir="ltr">
                <Tool icon={state.playing ? "pause" : "play"} name={t(state.playing ? "film.pause" : "film.play")} className="tool-main" onClick={() => player.toggle()} />
                <div className="wave-scrub">
                    {peaks !== null && <Wave peaks={peaks} at={state.time / player.duration} />}
                    <input type="range" min={0} max={player.duration} step={10_000} value={state.time} aria-label={t("film.position")} aria-valuetext={moment(state.time, false)}
                        onChange={(event) => player.seek(Number(event.target.value))} />
                </div>
                <output className="timecode number" aria-label={t("film.time")}>{moment(state.time, false)}<span> / {moment(player.duration, false)}</span></output>
                <Quality clip={clip} />
            </div>
        </div>
    );
}

/** The film beside the first, which has no clock of its own. */
function SecondFilm({ id, player }: { id: string; player: ReviewPlayer }) {
    const video = useRecord("video", id);
    const { url, problem } = useClip(video);
    const take = (element: HTMLVideoElement | null) => {
        player.second = element;
    };
    if (video === undefined) {
        return <p className="stage-note">{t("video.absent")}</p>;
    }
    return (
        <div className="frame" style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height } as React.CSSProperties}>
            <video ref={take} src={url} muted playsInline preload="auto" aria-label={video.title} onLoadedData={() => void player.follow(player.state.time)} />
            {url === undefined && <p className="stage-note" role="status">{problem ?? t("watch.fetching")}</p>}
        </div>
    );
}
