/* The video analysis workspace: draw on the film, talk over it, look at it, send it. */
import type { Connection, Doc, Drawing, Video } from "@sideline/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { me, theCore, useRecord, useRows } from "../core";
import { type Film, useFilm, useFilmState } from "../film";
import { t } from "../i18n";
import { useClip } from "../media";
import type { Shower } from "../overlay";
import { go, useTitle } from "../router";
import { Button, Tool, attempt, complain } from "../ui/parts";
import { type ViewBox, WHOLE, seenOf } from "../view";
import { Discard } from "./discard";
import { Drawer, type Place } from "./drawer";
import { GuestNote } from "./guest_note";
import { Help } from "./help";
import { restoreInk } from "./kept";
import { useKeys } from "./keys";
import { useGuests } from "./live";
import { Inks, Items } from "./panel";
import { Preview } from "./preview";
import { Ranges } from "./ranges";
import { Recover } from "./recover";
import { ChooseSecond, Second } from "./second";
import { Send } from "./send";
import { Stage } from "./stage";
import { type Pair, Take } from "./take";
import { TextAsk } from "./text_ask";
import { TOOLS, WIDTHS, toolOf } from "./tools";
import { Transport } from "./transport";
import { useDrawing } from "./use_drawing";
import { VoiceOver, usePhase } from "./voice";

export function Workspace({ video: id }: { video: string }) {
    const video = useRecord("video", id);
    const [docs, setDocs] = useState<{ doc: Doc; scratch: Doc }>();
    useTitle(`${video?.title ?? ""} · ${t("app.name")}`);
    const { width, height } = video ?? { width: 0, height: 0 };
    useEffect(() => {
        let opened: { doc: Doc; scratch: Doc } | undefined;
        let alive = true;
        const close = () => {
            opened?.doc.close();
            opened?.scratch.close();
        };
        if (width > 0) {
            attempt(async () => {
                const [doc, scratch] = await Promise.all([theCore().doc(`video:${id}`), theCore().newDoc(width, height)]);
                opened = { doc, scratch };
                await restoreInk(`video:${id}`, doc).catch(complain);
                if (alive) {
                    setDocs(opened);
                } else {
                    close();
                }
            });
        }
        return () => {
            alive = false;
            close();
        };
    }, [id, width, height]);
    if (video === undefined || docs === undefined) {
        return <main className="work work-wait" role="status">{t("watch.fetching")}</main>;
    }
    return <Bench video={video} doc={docs.doc} scratch={docs.scratch} />;
}

type Window = "help" | "preview" | "send" | "discard" | null;

function Bench({ video, doc, scratch }: { video: Video; doc: Doc; scratch: Doc }) {
    const { url, problem } = useClip(video);
    const [element, setElement] = useState<HTMLVideoElement | null>(null);
    const film = useFilm(element, video.duration_us);
    const [tool, setTool] = useState("pen");
    const [color, setColor] = useState("#FFD400");
    const [width, setWidth] = useState<number>(WIDTHS.usual);
    const [view, setView] = useState<ViewBox>(WHOLE);
    const [split, setSplit] = useState(false);
    const [selected, setSelected] = useState<string | null>(null);
    const [asked, setAsked] = useState<Place | null>(null);
    const [open, setOpen] = useState<Window>(null);
    const [second, setSecond] = useState<Video | null>(null);
    const [pair, setPair] = useState<Pair | null>(null);
    const showers = useRef<{ main: Shower | null; scratch: Shower | null }>({ main: null, scratch: null });
    const filmRef = useRef<Film | null>(null);
    filmRef.current = film;
    const time = () => filmRef.current?.state.time ?? 0;
    const drawing = useDrawing(doc, () => showers.current.main?.show(time()));
    const drawingRef = useRef<Drawing | null>(null);
    drawingRef.current = drawing;
    const guests = useGuests(video.space, scratch, video.duration_us, drawing, () => showers.current.scratch?.show(time()));
    const take = useCurrentTake(film, video.space, drawingRef);
    const takeRef = useRef(take);
    takeRef.current = take;
    const selectedRef = useRef(selected);
    selectedRef.current = selected;
    const phase = usePhase(take);

    const drawer = useMemo(() => new Drawer({
        space: video.space,
        doc,
        scratch,
        duration: video.duration_us,
        time,
        showScratch: () => showers.current.scratch?.show(time()),
        began: () => takeRef.current?.noteBegan(),
        drawn: (id) => takeRef.current?.noteDrawn(id),
        changed: () => showers.current.main?.show(time()),
        select: setSelected,
        selected: () => selectedRef.current,
        askText: setAsked,
    }), [doc, scratch, video.duration_us]);
    drawer.tool = toolOf(tool);
    drawer.color = color;
    drawer.width = width;

    /* The frames go past without the bench being drawn anew for each. */
    useEffect(() => film?.on(() => {
        showers.current.main?.show(film.state.time);
        if (guests.busy()) {
            showers.current.scratch?.show(film.state.time);
        }
    }), [film, scratch]);
    useEffect(() => take?.noteItems(), [take, drawing]);
    useEffect(() => take?.notePair(pair), [take, pair]);
    useEffect(() => {
        const keep = () => drawer.save();
        addEventListener("pagehide", keep);
        return () => removeEventListener("pagehide", keep);
    }, [drawer]);
    useEffect(() => {
        drawer.cancel();
        if (tool !== "select") {
            setSelected(null); /* colours chosen from here on are for what is drawn next */
        }
    }, [drawer, tool]);

    const chooseColor = (next: string) => {
        setColor(next);
        if (selected !== null) {
            attempt(() => doc.patch(selected, { style: { color: next } }));
        }
    };
    const chooseWidth = (next: number) => {
        setWidth(next);
        if (selected !== null) {
            attempt(() => doc.patch(selected, { style: { width: next } }));
        }
    };
    const look = (next: ViewBox) => {
        setView(next);
        take?.noteView(seenOf(next, video));
    };
    const remove = (id: string) => {
        setSelected(null);
        attempt(() => doc.remove(id));
    };
    const undo = () => attempt(() => theCore().undo(video.space));
    const redo = () => attempt(() => theCore().redo(video.space));
    const range = (end: "in" | "out") => {
        const item = drawing?.items.find((one) => one.id === selected);
        if (item !== undefined) {
            attempt(() => doc.patch(item.id, end === "in" ? { in: Math.min(time(), item.out - 50_000) } : { out: Math.max(time(), item.in + 50_000) }));
        }
    };
    useKeys({
        film, view, onView: look, setTool, chooseColor, undo, redo, range,
        remove: () => selected !== null && remove(selected),
        split: () => setSplit((on) => !on),
        voice: (stop) => attempt(async () => (stop ? take?.finish() : take?.command("tap"))),
        escape: () => { drawer.cancel(); setSelected(null); },
        help: () => setOpen("help"),
        send: () => setOpen("send"),
        blocked: open !== null || asked !== null,
    });

    const owner = useRows({ from: "connection" })?.find((one: Connection) => one.peer_id === video.owner_id);
    return (
        <div className="work" onMouseDown={keepKeys}>
            <header className="work-head">
                <Tool icon="back" turn name={t("action.back")} onClick={() => go(`/video/${video.id}`)} />
                <div className="grow">
                    <h1 className="clip"><bdi>{video.title}</bdi></h1>
                    <p className="muted-dark small clip"><bdi>{video.owner_id === me() ? t("dash.you") : owner?.peer_name}</bdi></p>
                </div>
                <Tool icon="undo" turn name={t("action.undo")} keys="Control+Z" onClick={undo} />
                <Tool icon="redo" turn name={t("action.redo")} keys="Control+Shift+Z" onClick={redo} />
                <Tool icon="help" name={t("key.title")} keys="?" onClick={() => setOpen("help")} />
                <Button look="quiet" className="work-discard" onClick={() => setOpen("discard")}>{t("action.discard")}</Button>
                <Button icon="eye" className="work-preview" disabled={phase !== "done"} onClick={() => setOpen("preview")}>{t("voice.preview")}</Button>
                <Button look="primary" icon="send" onClick={() => setOpen("send")}>{t("send.title")}</Button>
            </header>
            <div className="rail" role="toolbar" aria-label={t("tool.label")} aria-orientation="vertical">
                {TOOLS.map((one) => <Tool key={one.id} icon={one.icon} name={t(one.name)} keys={one.key.toUpperCase()} on={tool === one.id} onClick={() => setTool(one.id)} />)}
            </div>
            <main className={split || second !== null ? "views views-split" : "views"}>
                {split && second === null && <Original url={url} film={film} video={video} />}
                <div className="view">
                    {split && <p className="view-name">{t("view.annotated")}</p>}
                    <Stage video={video} url={url} doc={doc} scratch={scratch} drawer={drawer} view={view} onView={look} videoRef={setElement}
                        onShower={(made) => { showers.current.main = made; made.show(time()); }} onScratch={(made) => { showers.current.scratch = made; made.show(0); }}
                        onToggle={() => film?.toggle()} />
                    {url === undefined && <p className="stage-note" role="status">{problem ?? t("watch.fetching")}</p>}
                    <GuestNote who={guests.who} film={film} />
                </div>
                {second !== null && <Second key={second.id} video={second} first={film} onPair={setPair} />}
            </main>
            <div className="deck">
                <Recover take={take} space={video.space} />
                <Transport film={film} duration={video.duration_us} view={view} onView={look} split={split} onSplit={() => setSplit(!split)}>
                    <ChooseSecond video={video} chosen={second?.id} onChoose={(next) => { setSecond(next); setPair(null); }} />
                </Transport>
                <Ranges film={film} duration={video.duration_us} items={drawing?.items ?? []} doc={doc} selected={selected} onSelect={setSelected} />
            </div>
            <aside className="panel" aria-label={t("panel.label")}>
                <Inks color={color} width={width} onColor={chooseColor} onWidth={chooseWidth} />
                <VoiceOver take={take} onPreview={() => setOpen("preview")} />
                <Items doc={doc} drawing={drawing} selected={selected} onSelect={setSelected} onRemove={remove} time={time} />
            </aside>
            {asked !== null && <TextAsk onClose={() => setAsked(null)} onText={(text) => { setAsked(null); drawer.text(asked, text); }} />}
            {open === "help" && <Help onClose={() => setOpen(null)} />}
            {open === "preview" && take?.finished != null && drawing !== null && <Preview video={video} take={take.finished} drawing={drawing} onClose={() => setOpen(null)} />}
            {open === "send" && <Send video={video} take={take} drawing={drawing} pair={pair} owner={owner} onClose={() => setOpen(null)} />}
            {open === "discard" && <Discard doc={doc} take={take} drawing={drawing} onClose={() => setOpen(null)} />}
        </div>
    );
}

/** A button that is clicked does not take the keyboard: Space stays play and pause. */
function keepKeys(event: React.MouseEvent): void {
    if (event.target instanceof Element && event.target.closest("button") !== null) {
        event.preventDefault();
    }
}

function useCurrentTake(film: Film | null, space: string, drawing: React.RefObject<Drawing | null>): Take | null {
    const [take, setTake] = useState<Take | null>(null);
    useEffect(() => {
        if (film === null) {
            return undefined;
        }
        const made = new Take(film, space, () => drawing.current);
        setTake(made);
        return () => {
            made.close();
            setTake(null);
        };
    }, [film, space]);
    return take;
}

/** The film without drawings, in step with the other. */
function Original({ url, film, video }: { url: string | undefined; film: Film | null; video: Video }) {
    const ref = useRef<HTMLVideoElement>(null);
    const { time, playing, rate } = useFilmState(film);
    useEffect(() => {
        const own = ref.current;
        if (own === null) {
            return;
        }
        own.playbackRate = rate;
        if (playing && own.paused) {
            own.play().catch(() => undefined);
        } else if (!playing && !own.paused) {
            own.pause();
        }
        if (Math.abs(own.currentTime * 1e6 - time) > (playing ? 100_000 : 1000)) {
            own.currentTime = time / 1e6;
        }
    }, [time, playing, rate, url]);
    return (
        <div className="view">
            <p className="view-name">{t("view.original")}</p>
            <div className="stage stage-plain">
                <div className="frame" style={{ aspectRatio: `${video.width} / ${video.height}`, "--shape": video.width / video.height } as React.CSSProperties}>
                    <video ref={ref} src={url} muted playsInline preload="auto" aria-label={t("view.original")} />
                </div>
            </div>
        </div>
    );
}
