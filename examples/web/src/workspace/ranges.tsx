/* Below the film: where one is, and from when to when each drawing is seen. */
import type { Doc, Drawing } from "@sideline/core";
import { type PointerEvent, useRef } from "react";
import type { Film } from "../film";
import { useFilmState } from "../film";
import { moment, t } from "../i18n";
import { attempt } from "../ui/parts";

const LANES = 4;
const LEAST_US = 50_000;

type Item = Drawing["items"][number];

/** Items in lanes, so that no two of one lane are seen at the same time where that can be. */
function lanesOf(items: Item[]): { item: Item; lane: number }[] {
    const ends: number[] = [];
    return [...items].sort((a, b) => a.in - b.in).map((item) => {
        const free = ends.findIndex((end) => end <= item.in);
        const lane = free >= 0 ? free : ends.length < LANES ? ends.length : ends.indexOf(Math.min(...ends));
        ends[lane] = item.out;
        return { item, lane };
    });
}

interface RangesProps {
    film: Film | null;
    duration: number;
    items: Item[];
    doc: Doc;
    selected: string | null;
    onSelect(id: string | null): void;
}

export function Ranges({ film, duration, items, doc, selected, onSelect }: RangesProps) {
    const { time } = useFilmState(film);
    const track = useRef<HTMLDivElement>(null);
    const at = (us: number) => `${(100 * us) / duration}%`;
    const timeAt = (event: PointerEvent) => {
        const box = track.current!.getBoundingClientRect();
        return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration;
    };
    const lanes = lanesOf(items);
    const rows = Math.max(1, ...lanes.map((one) => one.lane + 1));
    return (
        <div className="ranges" dir="ltr">
            <input className="scrub" type="range" min={0} max={duration} step={film?.frame ?? 33_333} value={Math.min(time, duration)}
                style={{ "--at": at(time) } as React.CSSProperties} aria-label={t("film.position")} aria-valuetext={moment(time)} onChange={(event) => film?.seek(Number(event.target.value))} />
            <div ref={track} className="track" style={{ blockSize: rows * 22 + 8 }}
                onPointerDown={(event) => event.target === event.currentTarget && (film?.seek(timeAt(event)), onSelect(null))}>
                {lanes.map(({ item, lane }) => (
                    <Range key={item.id} item={item} top={lane * 22 + 4} selected={item.id === selected} at={at} timeAt={timeAt}
                        onSelect={() => { onSelect(item.id); if (time < item.in || time >= item.out) film?.seek(item.in); }}
                        onChange={(range) => attempt(() => doc.patch(item.id, range))} />
                ))}
                <span className="playhead" style={{ left: at(time) }} />
            </div>
        </div>
    );
}

interface RangeProps {
    item: Item;
    top: number;
    selected: boolean;
    at(us: number): string;
    timeAt(event: PointerEvent): number;
    onSelect(): void;
    onChange(range: { in?: number; out?: number }): void;
}

function Range({ item, top, selected, at, timeAt, onSelect, onChange }: RangeProps) {
    const drag = (end: "in" | "out") => ({
        onPointerDown: (event: PointerEvent<HTMLSpanElement>) => {
            event.stopPropagation();
            event.currentTarget.setPointerCapture(event.pointerId);
        },
        onPointerUp: (event: PointerEvent<HTMLSpanElement>) => {
            const time = Math.round(timeAt(event));
            onChange(end === "in" ? { in: Math.min(time, item.out - LEAST_US) } : { out: Math.max(time, item.in + LEAST_US) });
        },
    });
    const name = t("range.name", { kind: item.kind, from: moment(item.in), to: moment(item.out) });
    return (
        <div className={selected ? "range range-on" : "range"} style={{ left: at(item.in), width: at(item.out - item.in), top, "--ink": item.style.color ?? "#fff" } as React.CSSProperties}>
            <button type="button" className="range-body" aria-label={name} title={name} aria-pressed={selected} onClick={onSelect} />
            {selected && <span className="grip grip-in" {...drag("in")} />}
            {selected && <span className="grip grip-out" {...drag("out")} />}
        </div>
    );
}
