/* Playing, steps, speed, zoom: the row of buttons under the frame. */
import type { ReactNode } from "react";
import { type Film, SPEEDS, useFilmState } from "../film";
import { moment, t } from "../i18n";
import { Tool } from "../ui/parts";
import { type ViewBox, WHOLE, isWhole, turned, zoomed } from "../view";
import { TURN } from "./keys";

export function Transport({ film, duration, view, onView, split, onSplit, children }: { film: Film | null; duration: number; view?: ViewBox; onView?(view: ViewBox): void; split?: boolean; onSplit?(): void; children?: ReactNode }) {
    const { time, playing, rate } = useFilmState(film);
    return (
        <div className="transport" role="toolbar" aria-label={t("film.controls")} dir="ltr">
            <Tool icon="frameBack" name={t("film.back")} keys="," onClick={() => film?.step(-1)} />
            <Tool icon={playing ? "pause" : "play"} name={t(playing ? "film.pause" : "film.play")} keys="Space" className="tool-main" onClick={() => film?.toggle()} />
            <Tool icon="frameForward" name={t("film.forward")} keys="." onClick={() => film?.step(1)} />
            <output className="timecode number" aria-label={t("film.time")}>{moment(time)}<span> / {moment(duration)}</span></output>
            <label className="speed">
                <span className="unseen">{t("film.speed")}</span>
                <select value={String(rate)} onChange={(event) => film !== null && (film.video.playbackRate = Number(event.target.value))}>
                    {SPEEDS.map((speed) => <option key={speed} value={String(speed)}>{`${speed}×`}</option>)}
                </select>
            </label>
            {children}
            {view !== undefined && onView !== undefined && (
                <span className="transport-view">
                    <Tool icon="zoomOut" name={t("view.out")} keys="-" disabled={view.scale === 1} onClick={() => onView(zoomed(view, 1 / 1.5))} />
                    <Tool icon="zoomIn" name={t("view.in")} keys="+" onClick={() => onView(zoomed(view, 1.5))} />
                    <Tool icon="turn" name={t("view.turn")} keys="W" onClick={() => onView(turned(view, (view.turn ?? 0) + TURN))} />
                    <Tool icon="fit" name={t("view.fit")} keys="0" disabled={isWhole(view)} onClick={() => onView(WHOLE)} />
                    <Tool icon="split" name={t("view.split")} keys="S" on={split ?? false} onClick={onSplit} />
                </span>
            )}
        </div>
    );
}
