/* Beside the frame: colour and width, what is drawn, what it measures. */
import type { Doc, Drawing } from "@sideline/core";
import { useEffect, useState } from "react";
import { moment, number, t } from "../i18n";
import { Button, Tool, attempt } from "../ui/parts";
import { COLORS, TOOLS, WIDTHS } from "./tools";

type Item = Drawing["items"][number];

export function Inks({ color, width, onColor, onWidth }: { color: string; width: number; onColor(color: string): void; onWidth(width: number): void }) {
    return (
        <div className="inks">
            <div role="radiogroup" aria-label={t("panel.color")} className="swatches">
                {COLORS.map((one, i) => (
                    <button key={one.value} type="button" role="radio" aria-checked={one.value === color} aria-label={t(one.name)} aria-keyshortcuts={String(i + 1)}
                        title={`${t(one.name)} (${i + 1})`} className="swatch" style={{ "--ink": one.value } as React.CSSProperties} onClick={() => onColor(one.value)} />
                ))}
            </div>
            <label className="width">
                <span>{t("panel.width")}</span>
                <input type="range" min={WIDTHS.least} max={WIDTHS.most} step={WIDTHS.step} value={width} style={{ "--at": `${(100 * (width - WIDTHS.least)) / (WIDTHS.most - WIDTHS.least)}%` } as React.CSSProperties} onChange={(event) => onWidth(Number(event.target.value))} />
                <span className="width-dot" style={{ inlineSize: width / 24 + 2, blockSize: width / 24 + 2, background: color }} />
            </label>
        </div>
    );
}

/** Rows of the core's CSV: id,kind,t,quantity,value,unit. */
function useMeasures(doc: Doc, drawing: Drawing | null): Map<string, string> {
    const [found, setFound] = useState(new Map<string, string>());
    useEffect(() => {
        let alive = true;
        doc.csv().then((csv) => {
            const all = new Map<string, string>();
            for (const line of csv.split(/\r?\n/).slice(1)) {
                const [id, , , quantity, value, unit] = line.split(",");
                if (id !== undefined && value !== undefined && value !== "" && !all.has(id) && (quantity === "angle" || quantity === "length")) {
                    const digits = quantity === "angle" ? 1 : 0;
                    all.set(id, unit === "deg" || quantity === "angle" ? `${number(Number(value), digits)}°` : `${number(Number(value), digits)} ${unit ?? ""}`.trim());
                }
            }
            if (alive) {
                setFound(all);
            }
        }, () => undefined);
        return () => {
            alive = false;
        };
    }, [doc, drawing]);
    return found;
}

export function Items({ doc, drawing, selected, onSelect, onRemove, time }: { doc: Doc; drawing: Drawing | null; selected: string | null; onSelect(id: string): void; onRemove(id: string): void; time(): number }) {
    const measures = useMeasures(doc, drawing);
    const items = [...(drawing?.items ?? [])].sort((a, b) => a.in - b.in);
    const chosen = items.find((one) => one.id === selected);
    return (
        <section className="panel-part" aria-labelledby="drawings">
            <h2 id="drawings">{t("panel.drawings")} <span className="muted-dark number">{number(items.length)}</span></h2>
            {items.length === 0 && <p className="muted-dark">{t("panel.drawings.none")}</p>}
            <ul className="items">
                {items.map((item) => (
                    <li key={item.id}>
                        <button type="button" className="item" aria-pressed={item.id === selected} onClick={() => onSelect(item.id)}>
                            <span className="item-ink" style={{ background: item.style.color ?? "#fff" }} />
                            <span className="grow clip">{nameOf(item)}</span>
                            {measures.has(item.id) && <span className="measure number" dir="ltr">{measures.get(item.id)}</span>}
                            <span className="muted-dark number" dir="ltr">{moment(item.in, false)}</span>
                        </button>
                    </li>
                ))}
            </ul>
            {chosen !== undefined && (
                <div className="chosen" role="group" aria-label={nameOf(chosen)}>
                    <Button onClick={() => attempt(() => doc.patch(chosen.id, { in: Math.min(Math.round(time()), chosen.out - 50_000) }))}>{t("range.in")}</Button>
                    <Button onClick={() => attempt(() => doc.patch(chosen.id, { out: Math.max(Math.round(time()), chosen.in + 50_000) }))}>{t("range.out")}</Button>
                    <Tool icon="trash" name={t("action.remove")} keys="Delete" onClick={() => onRemove(chosen.id)} />
                </div>
            )}
        </section>
    );
}

function nameOf(item: Item): string {
    if (item.text !== undefined && item.text !== "") {
        return item.text;
    }
    const tool = TOOLS.find((one) => one.id === item.kind);
    return tool === undefined ? item.kind : t(tool.name);
}
