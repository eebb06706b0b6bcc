/* The voice-over: hold to record and release to pause, or tap; level, picture of the sound, length. */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { moment, t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, attempt } from "../ui/parts";
import type { Take } from "./take";

const HOLD_MS = 250;

export function useTake(take: Take | null) {
    return useSyncExternalStore(
        (heard) => take?.on(heard) ?? (() => undefined),
        () => take?.state ?? null,
    );
}

export function usePhase(take: Take | null) {
    return useSyncExternalStore(
        (heard) => take?.on(heard) ?? (() => undefined),
        () => take?.state.phase ?? "idle",
    );
}

export function VoiceOver({ take, onPreview }: { take: Take | null; onPreview(): void }) {
    const state = useTake(take);
    const holding = useRef<{ timer: ReturnType<typeof setTimeout>; held: boolean } | null>(null);
    const phase = state?.phase ?? "idle";
    const command = (what: "tap" | "hold" | "release" | "doubleTap") => attempt(async () => take?.command(what));
    const down = () => {
        const hold = { held: false, timer: setTimeout(() => { hold.held = true; command("hold"); }, HOLD_MS) };
        holding.current = hold;
    };
    const up = () => {
        clearTimeout(holding.current?.timer);
        if (holding.current?.held === true) {
            command("release");
        }
    };
    const click = () => {
        const held = holding.current?.held === true;
        holding.current = null;
        if (!held) {
            command("tap");
        }
    };
    const recording = phase === "recording";
    return (
        <section className="panel-part voice" aria-labelledby="voice">
            <h2 id="voice">{t("voice.title")}</h2>
            <div className="voice-row">
                {phase !== "done" && (
                    <button type="button" className={recording ? "record record-on" : "record"} aria-pressed={recording} aria-keyshortcuts="N"
                        aria-label={t(recording ? "voice.pause" : phase === "paused" ? "voice.on" : "voice.record")} title={t("voice.how")}
                        onPointerDown={down} onPointerUp={up} onPointerCancel={up} onClick={click} onDoubleClick={() => command("doubleTap")}>
                        <Icon name={recording ? "pause" : "mic"} size={24} />
                    </button>
                )}
                <div className="grow">
                    <p className="voice-time number" dir="ltr" aria-live="off">{moment(state?.position ?? 0)}</p>
                    <p className="muted-dark small" role="status">{t(`voice.${phase}`)}</p>
                </div>
                <Level value={recording ? (state?.level ?? 0) : 0} />
            </div>
            <Wave peaks={state?.peaks ?? new Int8Array()} live={recording} />
            {phase === "idle" && <p className="muted-dark small">{t("voice.how")}</p>}
            {(phase === "recording" || phase === "paused") && (
                <div className="row row-tight">
                    <Button icon="stop" onClick={() => command("doubleTap")}>{t("voice.stop")}</Button>
                    <Button look="quiet" onClick={() => attempt(async () => take?.discard())}>{t("voice.discard")}</Button>
                </div>
            )}
            {phase === "done" && (
                <div className="row row-tight">
                    <Button icon="eye" onClick={onPreview}>{t("voice.preview")}</Button>
                    <Button look="quiet" onClick={() => attempt(async () => take?.discard())}>{t("voice.again")}</Button>
                </div>
            )}
        </section>
    );
}

function Level({ value }: { value: number }) {
    const db = value > 0 ? Math.max(0, 1 + Math.log10(value) / 2.5) : 0;
    return (
        <div className="level" role="meter" aria-label={t("voice.level")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(db * 100)}>
            <div style={{ blockSize: `${db * 100}%` }} />
        </div>
    );
}

/** Lowest and highest of the sound, the newest at the end while it is recorded. */
export function Wave({ peaks, live = false, at }: { peaks: Int8Array; live?: boolean; at?: number }) {
    const canvas = useRef<HTMLCanvasElement>(null);
    useEffect(() => {
        const to = canvas.current;
        const pen = to?.getContext("2d");
        if (!to || !pen) {
            return;
        }
        const { width, height } = to;
        const style = getComputedStyle(to);
        const pairs = peaks.length / 2;
        const bars = Math.floor(width / 6);
        const shown = live ? Math.min(pairs, bars * 2) : pairs;
        const per = Math.max(1, shown / bars);
        pen.clearRect(0, 0, width, height);
        for (let bar = 0; bar < bars && bar * per < shown; bar++) {
            let low = 0;
            let high = 0;
            for (let i = Math.floor(bar * per); i < Math.min(shown, Math.floor((bar + 1) * per)); i++) {
                const pair = pairs - shown + i;
                low = Math.min(low, peaks[2 * pair] ?? 0);
                high = Math.max(high, peaks[2 * pair + 1] ?? 0);
            }
            const tall = Math.max(3, (Math.max(high, -low) / 127) * height);
            pen.fillStyle = style.getPropertyValue(at !== undefined && bar / bars > at ? "--wave-rest" : "--wave");
            pen.beginPath();
            pen.roundRect(bar * 6, (height - tall) / 2, 3.5, tall, 2);
            pen.fill();
        }
    }, [peaks, live, at]);
    return <canvas ref={canvas} className="wave" width={600} height={72} aria-hidden="true" />;
}
