/* Choosing the part of a film that is sent: two marks on its length, set by hand, by keys, or where the film stands. */
import { type RefObject, useEffect } from "react";
import { moment, t } from "../i18n";
import { Button } from "../ui/parts";

/** From and to, microseconds of the film. */
export type Range = [from: number, to: number];

const LEAST_US = 200_000;
const STEP_US = 40_000;

interface TrimProps {
    film: RefObject<HTMLVideoElement | null>;
    duration: number;
    range: Range;
    onRange(range: Range): void;
}

export function Trim({ film, duration, range, onRange }: TrimProps) {
    const [from, to] = range;
    const least = Math.min(LEAST_US, duration);
    const show = (at: number) => {
        if (film.current !== null) {
            film.current.pause();
            film.current.currentTime = at / 1e6;
        }
    };
    const start = (at: number) => {
        const next = Math.max(0, Math.min(at, to - least));
        onRange([next, to]);
        show(next);
    };
    const end = (at: number) => {
        const next = Math.min(duration, Math.max(at, from + least));
        onRange([from, next]);
        show(next - 1000);
    };
    /* Playing stops where the part ends. */
    useEffect(() => {
        const video = film.current;
        const stop = () => video !== null && to < duration && video.currentTime * 1e6 >= to && video.pause();
        video?.addEventListener("timeupdate", stop);
        return () => video?.removeEventListener("timeupdate", stop);
    }, [film, to, duration]);
    const here = () => Math.round((film.current?.currentTime ?? 0) * 1e6);
    const share = (at: number) => `${(100 * at) / duration}%`;
    return (
        <fieldset className="trim">
            <legend>{t("trim.title")}</legend>
            <div className="trim-length" dir="ltr" style={{ "--from": share(from), "--to": share(to) } as React.CSSProperties}>
                <input type="range" min={0} max={duration} step={STEP_US} value={from} aria-label={t("trim.from")} aria-valuetext={moment(from)} onChange={(event) => start(Number(event.target.value))} />
                <input type="range" min={0} max={duration} step={STEP_US} value={to} aria-label={t("trim.to")} aria-valuetext={moment(to)} onChange={(event) => end(Number(event.target.value) > duration - STEP_US ? duration : Number(event.target.value))} />
            </div>
            <div className="row">
                <Button onClick={() => start(here())}>{t("trim.from.here")}</Button>
                <Button onClick={() => end(here())}>{t("trim.to.here")}</Button>
                <p className="grow small muted number" dir="ltr" aria-live="polite">{`${moment(from)} – ${moment(to)}`}</p>
                {(from > 0 || to < duration) && <Button look="quiet" onClick={() => onRange([0, duration])}>{t("trim.whole")}</Button>}
            </div>
        </fieldset>
    );
}
