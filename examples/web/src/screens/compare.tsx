/* Two clips side by side, in step from a mark in each: the impact, say. */
import type { Video } from "@sideline/core";
import { useEffect, useState } from "react";
import { useRecord } from "../core";
import { type Film, SPEEDS, useFilm, useFilmState } from "../film";
import { moment, t } from "../i18n";
import { useClip } from "../media";
import { go, useTitle } from "../router";
import { Button, Tool } from "../ui/parts";

export function Compare({ left: leftId, right: rightId }: { left: string; right: string }) {
    const left = useRecord("video", leftId);
    const right = useRecord("video", rightId);
    const [leftElement, setLeft] = useState<HTMLVideoElement | null>(null);
    const [rightElement, setRight] = useState<HTMLVideoElement | null>(null);
    const a = useFilm(leftElement, left?.duration_us);
    const b = useFilm(rightElement, right?.duration_us);
    const [marks, setMarks] = useState<[number, number]>([0, 0]);
    useTitle(`${t("compare.title")} · ${t("app.name")}`);
    useInStep(a, b, marks);
    const first = useFilmState(a);
    const mark = (side: 0 | 1, film: Film | null) => setMarks((now) => (side === 0 ? [film?.state.time ?? 0, now[1]] : [now[0], film?.state.time ?? 0]));
    const keys = (event: React.KeyboardEvent) => {
        const on = event.target;
        if (event.key === " " && !(on instanceof HTMLButtonElement || on instanceof HTMLSelectElement)) {
            event.preventDefault();
            a?.toggle();
        } else if (event.key === "," || event.key === ".") {
            a?.step(event.key === "," ? -1 : 1);
        } else if (event.key === "m") {
            mark(0, a);
        }
    };
    return (
        <div className="work compare" onKeyDown={keys}>
            <header className="work-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go("/videos")} />
                <h1 className="grow">{t("compare.title")}</h1>
                <Button look="quiet" disabled={marks[0] === 0 && marks[1] === 0} onClick={() => setMarks([0, 0])}>{t("compare.unmark")}</Button>
            </header>
            <main className="views views-split">
                {left !== undefined && <Side video={left} film={a} mark={marks[0]} onMark={() => mark(0, a)} setElement={setLeft} />}
                {right !== undefined && <Side video={right} film={b} mark={marks[1]} onMark={() => mark(1, b)} own setElement={setRight} />}
            </main>
            <div className="deck">
                <div className="transport" role="toolbar" aria-label={t("film.controls")} dir="ltr">
                    <Tool icon="frameBack" name={t("film.back")} keys="," onClick={() => a?.step(-1)} />
                    <Tool icon={first.playing ? "pause" : "play"} name={t(first.playing ? "film.pause" : "film.play")} keys="Space" className="tool-main" onClick={() => a?.toggle()} />
                    <Tool icon="frameForward" name={t("film.forward")} keys="." onClick={() => a?.step(1)} />
                    <output className="timecode number" aria-label={t("film.time")}>{moment(first.time)}</output>
                    <label className="speed">
                        <span className="unseen">{t("film.speed")}</span>
                        <select value={String(first.rate)} onChange={(event) => a !== null && (a.video.playbackRate = Number(event.target.value))}>
                            {SPEEDS.map((speed) => <option key={speed} value={String(speed)}>{`${speed}×`}</option>)}
                        </select>
                    </label>
                </div>
                <div className="ranges" dir="ltr">
                    <input className="scrub" type="range" min={0} max={left?.duration_us ?? 1} step={a?.frame ?? 33_333} value={first.time} aria-label={t("film.position")} aria-valuetext={moment(first.time)} onChange={(event) => a?.seek(Number(event.target.value))} />
                </div>
                <p className="muted-dark small deck-note">{t("compare.how")}</p>
            </div>
        </div>
    );
}

interface SideProps {
    video: Video;
    film: Film | null;
    mark: number;
    onMark(): void;
    /** Has a clock of its own while it is being marked. */
    own?: boolean;
    setElement(element: HTMLVideoElement | null): void;
}

export function Side({ video, film, mark, onMark, own = false, setElement }: SideProps) {
    const { url, problem } = useClip(video);
    const { time } = useFilmState(film);
    return (
        <div className="view">
            <p className="view-name clip"><bdi>{video.title}</bdi></p>
            <div className="stage stage-plain">
                <div className="frame" style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height } as React.CSSProperties}>
                    <video ref={setElement} src={url} muted playsInline preload="auto" aria-label={video.title} />
                </div>
                {url === undefined && <p className="stage-note" role="status">{problem ?? t("watch.fetching")}</p>}
            </div>
            <div className="side-foot" dir="ltr">
                {own && <input className="scrub grow" type="range" min={0} max={video.duration_us} step={film?.frame ?? 33_333} value={time} aria-label={t("compare.position", { title: video.title })} aria-valuetext={moment(time)}
                    onChange={(event) => film?.seek(Number(event.target.value))} />}
                <span className="timecode number">{moment(time)}</span>
                <Button icon="flag" onClick={onMark} aria-pressed={mark > 0}>{mark > 0 ? t("compare.marked", { at: moment(mark) }) : t("compare.mark")}</Button>
            </div>
        </div>
    );
}

/** The second follows the first: as far from its mark as the first is from its own. */
export function useInStep(a: Film | null, b: Film | null, marks: [number, number]): void {
    useEffect(() => {
        if (a === null || b === null) {
            return undefined;
        }
        const follow = () => {
            const at = a.state.time - marks[0] + marks[1];
            const inside = at >= 0 && at < b.duration;
            const runs = a.state.playing && inside;
            b.video.playbackRate = a.state.rate;
            if (runs && b.video.paused) {
                b.video.play().catch(() => undefined);
            } else if (!runs && !b.video.paused) {
                b.video.pause();
            }
            if (Math.abs(b.video.currentTime * 1e6 - at) > (runs ? 80_000 : 1000)) {
                b.seek(at);
            }
        };
        return a.on(follow);
    }, [a, b, marks]);
}
