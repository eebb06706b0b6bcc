/* The frame: film below, drawings over it, pens and fingers above. Zoom and pan move all of it. */
import type { Doc, Video } from "@sideline/core";
import { type PointerEvent, type Ref, useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { Overlay, type Shower, unitsOf } from "../overlay";
import { type ViewBox, transformOf, within, zoomed } from "../view";
import type { Drawer, Place } from "./drawer";
import { useFingers } from "./fingers";

const EARLY = "onpointerrawupdate" in window;

interface StageProps {
    video: Video;
    url: string | undefined;
    doc: Doc;
    scratch: Doc;
    drawer: Drawer;
    view: ViewBox;
    onView(view: ViewBox): void;
    videoRef: Ref<HTMLVideoElement>;
    onShower(shower: Shower): void;
    onScratch(shower: Shower): void;
    onToggle(): void;
}

type PenFacts = Pick<globalThis.PointerEvent, "pressure" | "pointerType" | "tiltX" | "tiltY">;

/** From upright, of the angles in the planes of x and y; a pen that tells none says 0 and 0 (Pointer Events, 10.1). */
function tiltOf({ tiltX = 0, tiltY = 0 }: Partial<PenFacts>): number | undefined {
    const slope = (degrees: number) => Math.tan((Math.min(Math.abs(degrees), 89.9) * Math.PI) / 180);
    const tilt = (Math.atan(Math.hypot(slope(tiltX), slope(tiltY))) * 180) / Math.PI;
    return tilt > 0 ? tilt : undefined;
}

export function Stage(props: StageProps) {
    const { video, url, doc, scratch, drawer, view, onView } = props;
    const frame = useRef<HTMLDivElement>(null);
    const fingers = useFingers(frame, view, onView, drawer);
    const [cursor, setCursor] = useState<{ x: number; y: number; down: boolean } | null>(null);
    const units = unitsOf(video);

    const placeOf = (event: { clientX: number; clientY: number; shiftKey: boolean } & Partial<PenFacts>): Place => {
        const [x, y] = within(view, video.width / video.height, frame.current!.getBoundingClientRect(), event.clientX, event.clientY);
        return {
            x: x * units.width,
            y: y * units.height,
            pressure: event.pointerType === "pen" ? (event.pressure ?? 0.5) : 0.5,
            tilt: event.pointerType === "pen" ? tiltOf(event) : undefined,
            straight: event.shiftKey,
        };
    };

    const down = (event: PointerEvent<HTMLDivElement>) => {
        if (event.button !== 0 && event.pointerType === "mouse") {
            return;
        }
        event.currentTarget.setPointerCapture(event.pointerId);
        if (fingers.down(event)) {
            drawer.down(placeOf(event));
        }
    };
    const draw = (event: globalThis.PointerEvent) => {
        for (const one of event.getCoalescedEvents?.() ?? [event]) {
            drawer.move(placeOf(one));
        }
    };
    /* A pen's line gets its points as they come, where the browser tells them before the next frame. */
    const early = (event: { pointerType: string }) => EARLY && event.pointerType !== "touch" && drawer.stroking;
    const move = (event: PointerEvent<HTMLDivElement>) => {
        if (fingers.move(event) && !early(event)) {
            draw(event.nativeEvent);
        }
    };
    const heard = useRef((_: globalThis.PointerEvent) => {});
    heard.current = (event) => {
        if (early(event)) {
            draw(event);
        }
    };
    useEffect(() => {
        const element = frame.current!.parentElement!;
        const listen = (event: Event) => heard.current(event as globalThis.PointerEvent);
        element.addEventListener("pointerrawupdate", listen);
        return () => element.removeEventListener("pointerrawupdate", listen);
    }, []);
    const up = (event: PointerEvent<HTMLDivElement>) => {
        if (fingers.up(event)) {
            drawer.up(placeOf(event));
        }
    };

    /* Without a pointer: arrows move a cross, Enter puts the pen down and lifts it. */
    const keys = (event: React.KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const step = event.shiftKey ? 200 : 800;
        const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
        const at = cursor ?? { x: units.width / 2, y: units.height / 2, down: false };
        const place = (to: { x: number; y: number }): Place => ({ ...to, pressure: 0.5, straight: false });
        if (by !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            const next = { x: clamp(at.x + by[0]!, units.width), y: clamp(at.y + by[1]!, units.height), down: at.down };
            setCursor(next);
            if (at.down || drawer.unfinished) {
                drawer.move(place(next));
            }
        } else if (event.key === "Enter") {
            event.preventDefault();
            event.stopPropagation();
            if (at.down) {
                drawer.up(place(at));
            } else {
                drawer.down(place(at));
            }
            setCursor({ ...at, down: !at.down && drawer.tool.way !== "text" });
        }
    };

    return (
        <div
            className={`stage stage-${drawer.tool.way}`}
            role="application"
            aria-label={t("stage.label")}
            aria-describedby="stage-help"
            tabIndex={0}
            onKeyDown={keys}
            onBlur={() => setCursor(null)}
            onPointerDown={down}
            onPointerMove={move}
            onPointerUp={up}
            onPointerCancel={(event) => { fingers.up(event); drawer.cancel(); }}
            onDoubleClick={() => drawer.tool.way === "select" && props.onToggle()}
            onWheel={(event) => {
                if (event.ctrlKey || event.metaKey) {
                    onView(zoomed(view, Math.exp(-event.deltaY / 300)));
                } else if (view.scale > 1) {
                    const { offsetWidth, offsetHeight } = frame.current!;
                    onView({ ...view, x: view.x - event.deltaX / offsetWidth, y: view.y - event.deltaY / offsetHeight });
                }
            }}
        >
            <p id="stage-help" className="unseen">{t("stage.help")}</p>
            <div
                ref={frame}
                className="frame"
                dir="ltr"
                style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height, transform: transformOf(view) } as React.CSSProperties}
            >
                <video ref={props.videoRef} src={url} playsInline preload="auto" aria-label={t("stage.film")} />
                <Overlay doc={doc} video={video} onShower={props.onShower} />
                <Overlay doc={scratch} video={video} onShower={props.onScratch} />
                {cursor !== null && <span className={cursor.down ? "cross cross-down" : "cross"} style={{ left: `${(100 * cursor.x) / units.width}%`, top: `${(100 * cursor.y) / units.height}%` }} />}
            </div>
        </div>
    );
}

function clamp(value: number, most: number): number {
    return Math.min(Math.max(0, value), most);
}
