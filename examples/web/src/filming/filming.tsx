/*
 * Filming in the app. The picture is touched to start, held to pause and touched twice to finish; buttons do the same.
 * A countdown lets one walk to where one is filmed.
 */
import { useEffect, useReducer, useRef, useState } from "react";
import { moment, t } from "../i18n";
import { useTouch } from "../ui/gestures";
import { Button, Select, Tool, announce, complain } from "../ui/parts";
import { Camera, cameras } from "./camera";
import type { Reel } from "./reel";

const WAITS = ["0", "3", "10"] as const;
const TICK_MS = 200;

function useCamera(onReel: (reel: Reel | undefined) => void): Camera | null {
    const [camera, setCamera] = useState<Camera | null>(null);
    const [, draw] = useReducer((n: number) => n + 1, 0);
    const done = useRef(onReel);
    done.current = onReel;
    useEffect(() => {
        const one: Camera = new Camera(draw, (why) => {
            complain(why);
            one.finish().then((reel) => done.current(reel), complain);
        });
        let alive = true;
        one.open().then(
            (sound) => {
                if (!alive) {
                    one.close();
                } else if (!sound) {
                    announce(t("filming.silent"));
                }
            },
            (error: unknown) => {
                if (alive) {
                    complain(error);
                    done.current(undefined);
                }
            },
        );
        setCamera(one);
        return () => {
            alive = false;
            one.close();
        };
    }, []);
    return camera;
}

/** What was filmed, and again and again while it is. */
function Length({ camera }: { camera: Camera }) {
    const [, tick] = useReducer((n: number) => n + 1, 0);
    useEffect(() => {
        const timer = setInterval(tick, TICK_MS);
        return () => clearInterval(timer);
    }, []);
    return <span className={camera.phase === "filming" ? "filming-length filming-on" : "filming-length"} role="timer" dir="ltr">{moment(camera.length * 1000, false)}</span>;
}

/** onReel: what was filmed; undefined when nothing was. */
export function Filming({ onReel }: { onReel(reel: Reel | undefined): void }) {
    const camera = useCamera(onReel);
    const [wait, setWait] = useState<string>("0");
    const [left, setLeft] = useState(0);
    const [more, setMore] = useState(false);
    const held = useRef(false);
    const begun = useRef(0);
    const phase = camera?.phase ?? "closed";
    useEffect(() => {
        if (phase !== "closed" && phase !== "ended") {
            announce(t(`filming.is.${phase}`));
        }
        if (phase === "ready") {
            cameras().then((all) => setMore(all.length > 1), complain);
        }
    }, [phase]);
    useEffect(() => {
        if (left === 0) {
            return undefined;
        }
        announce(String(left));
        const timer = setTimeout(() => {
            setLeft(left - 1);
            if (left === 1) {
                camera?.start().catch(complain);
            }
        }, 1000);
        return () => clearTimeout(timer);
    }, [left, camera]);
    const go = () => {
        if (phase === "ready" && left > 0) {
            setLeft(0);
        } else if (phase === "ready" && wait !== "0") {
            setLeft(Number(wait));
        } else if (phase === "ready") {
            camera?.start().catch(complain);
        } else {
            camera?.resume();
        }
    };
    const finish = () => void camera?.finish().then(onReel, complain);
    const touch = useTouch(
        () => {
            held.current = true;
            camera?.pause();
        },
        /* The second touch of the pair that started it finishes nothing. */
        () => camera !== null && begun.current + 1000 < performance.now() && camera.length > 0 && finish(),
    );
    const tap = () => {
        if (!held.current && phase !== "filming") {
            begun.current = phase === "ready" ? performance.now() : begun.current;
            go();
        }
        held.current = false;
    };
    return (
        <section className="card card-pad stack" aria-label={t("upload.film")}>
            <div className="filming" onClick={tap} {...touch}>
                <video aria-label={t("filming.picture")} muted autoPlay playsInline className={camera?.mirrored === true ? "filming-mirror" : undefined}
                    ref={(video) => { if (video !== null && video.srcObject !== (camera?.stream ?? null)) { video.srcObject = camera?.stream ?? null; } }} />
                {camera !== null && (phase === "filming" || phase === "paused") && <Length camera={camera} />}
                {left > 0 && <span className="filming-left" aria-hidden="true">{left}</span>}
            </div>
            <p className="muted small">{t("filming.how")}</p>
            <div className="row">
                {phase === "filming"
                    ? <Button look="primary" icon="pause" onClick={() => camera?.pause()}>{t("filming.pause")}</Button>
                    : <Button look="primary" icon={left > 0 ? "close" : "camera"} disabled={phase === "closed"} onClick={go}>{t(left > 0 ? "filming.stop.waiting" : phase === "paused" ? "filming.on" : "filming.start")}</Button>}
                {(phase === "filming" || phase === "paused") && <Button icon="stop" onClick={finish}>{t("filming.finish")}</Button>}
                {phase === "ready" && more && <Tool icon="turn" name={t("filming.turn")} onClick={() => void camera?.turn().catch(complain)} />}
                <Button look="quiet" onClick={() => onReel(undefined)}>{t("filming.back")}</Button>
            </div>
            {phase === "ready" && <Select label={t("filming.wait")} value={wait} onChange={setWait} options={WAITS.map((s): [string, string] => [s, t(`filming.wait.${s}`)])} />}
        </section>
    );
}
