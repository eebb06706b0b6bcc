/* Sending a clip: chosen or filmed, with a title, to a coach; then on its way, which can be held. */
import type { TransferStatus } from "@sideline/core";
import { type DragEvent, type FormEvent, useEffect, useRef, useState } from "react";
import { holdTransfer, useRecord, useRows, useSession, useStatus, useTransfers } from "../core";
import { bytes, clock, date, moment, t } from "../i18n";
import { cut, cuttable } from "../cut/cut";
import { type Range, Trim } from "../cut/trim";
import { canFilm } from "../filming/camera";
import { Filming } from "../filming/filming";
import { LeftFilms } from "../filming/left";
import type { Reel } from "../filming/reel";
import { type Facts, look, store, titleOf } from "../media";
import { go, useTitle } from "../router";
import { Icon } from "../ui/icon";
import { Bar, Button, Field, Link, Select, attempt, complain } from "../ui/parts";

interface Chosen {
    file: File;
    facts: Facts;
    url: string;
    /** A part of it can be cut out. */
    cuttable: boolean;
    /** It was filmed here, and is kept there until it is stored. */
    reel: Reel | undefined;
}

/** sent: the clip that is on its way, which the address names, so that a reload shows it again. */
export function Upload({ sent }: { sent: string | undefined }) {
    const [chosen, setChosen] = useState<Chosen>();
    const [filming, setFilming] = useState(false);
    useTitle(`${t("upload.title")} · ${t("app.name")}`);
    useEffect(() => () => {
        URL.revokeObjectURL(chosen?.url ?? "");
        chosen?.reel?.release();
    }, [chosen]);
    const choose = async (file: File | undefined, reel?: Reel) => {
        if (file !== undefined) {
            const [facts, can] = await Promise.all([look(file), cuttable(file)]);
            setChosen({ file, facts, url: URL.createObjectURL(file), cuttable: can, reel });
        }
    };
    const take = (reel: Reel | undefined) => {
        setFilming(false);
        if (reel !== undefined) {
            const name = t("filming.name", { when: `${date(reel.begun)} ${clock(reel.begun)}` });
            reel.file(name).then((file) => choose(file, reel)).catch((error: unknown) => {
                reel.release(); /* it stays where films are left */
                complain(error);
            });
        }
    };
    return (
        <div className="page page-narrow stack">
            <h1>{t("upload.title")}</h1>
            {sent !== undefined && <OnTheWay id={sent} />}
            {sent === undefined && chosen === undefined && filming && <Filming onReel={take} />}
            {sent === undefined && chosen === undefined && !filming && <LeftFilms use={take} />}
            {sent === undefined && chosen === undefined && !filming && <Choose choose={(file) => attempt(() => choose(file))} film={() => setFilming(true)} />}
            {sent === undefined && chosen !== undefined && <Describe chosen={chosen} onOther={() => setChosen(undefined)} />}
        </div>
    );
}

/* Where there are fingers there is a camera's own program, which films in slow motion. */
const touched = matchMedia("(any-pointer: coarse)").matches;

function Choose({ choose, film }: { choose(file: File | undefined): void; film(): void }) {
    const [over, setOver] = useState(false);
    const picker = useRef<HTMLInputElement>(null);
    const camera = useRef<HTMLInputElement>(null);
    const drop = (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        choose(event.dataTransfer.files[0]);
    };
    return (
        <div className={over ? "drop drop-over" : "drop"} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
            <span className="empty-sign"><Icon name="upload" size={28} /></span>
            <p className="empty-title">{t("upload.drop")}</p>
            <p className="muted">{t("upload.offline")}</p>
            <div className="row">
                <Button look="primary" icon="film" onClick={() => picker.current?.click()}>{t("upload.choose")}</Button>
                {canFilm() && <Button icon="camera" onClick={film}>{t("upload.film")}</Button>}
                {(touched || !canFilm()) && <Button icon="camera" onClick={() => camera.current?.click()}>{t("upload.camera")}</Button>}
            </div>
            <input ref={picker} className="unseen" tabIndex={-1} aria-label={t("upload.choose")} type="file" accept="video/*" onChange={(event) => choose(event.target.files?.[0])} />
            <input ref={camera} className="unseen" tabIndex={-1} aria-label={t("upload.camera")} type="file" accept="video/*" capture="environment" onChange={(event) => choose(event.target.files?.[0])} />
        </div>
    );
}

/** What is sent of a chosen file: all of it, or the part between its marks. */
async function partOf({ file, facts }: Chosen, [from, to]: Range): Promise<{ file: File; facts: Facts }> {
    if (from === 0 && to === facts.duration_us) {
        return { file, facts };
    }
    const part = await cut(file, from, to);
    return { file: part, facts: await look(part) };
}

function Describe({ chosen, onOther }: { chosen: Chosen; onOther(): void }) {
    const people = useRows({ from: "connection", where: { status: "accepted" } });
    const coachSelf = useSession()?.role === "coach";
    const [to, setTo] = useState<string>();
    const [part, setPart] = useState<number>();
    const [range, setRange] = useState<Range>([0, chosen.facts.duration_us]);
    const film = useRef<HTMLVideoElement>(null);
    const coach = people?.find((one) => one.id === (to ?? people[0]?.id));
    const submit = (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        setPart(0);
        const { peer_id, peer_role, thread_id } = coach ?? {};
        const share = peer_id !== undefined && thread_id !== undefined && to !== "" ? { peer_id, peer_role, thread_id } : null;
        const about = { title: String(given.get("title")).trim(), note: String(given.get("note")).trim(), to: share };
        partOf(chosen, range).then((one) => store(one.file, one.facts, about, setPart)).then(async (id) => {
            await chosen.reel?.drop();
            go(`/upload/${id}`);
        }).catch((error: unknown) => {
            setPart(undefined);
            complain(error);
        });
    };
    return (
        <form className="card card-pad stack" onSubmit={submit}>
            <video ref={film} className="upload-preview" src={chosen.url} controls muted playsInline aria-label={t("upload.preview")} />
            {chosen.cuttable ? <Trim film={film} duration={chosen.facts.duration_us} range={range} onRange={setRange} /> : <p className="note">{t("trim.cannot")}</p>}
            <p className="row small muted number">
                <span>{moment(chosen.facts.duration_us)}</span><span dir="ltr">{chosen.facts.width} × {chosen.facts.height}</span><span>{bytes(chosen.file.size)}</span>
                <Button look="quiet" onClick={onOther}>{t("upload.other")}</Button>
            </p>
            <Field label={t("upload.name")} name="title" defaultValue={titleOf(chosen.file)} required maxLength={200} />
            {people !== undefined && people.length > 0
                ? <Select label={t(coachSelf ? "upload.to.athlete" : "upload.to")} value={to ?? people[0]!.id} onChange={setTo}
                    options={[...people.map((one): [string, string] => [one.id, one.peer_name ?? one.peer_email]), ["", t("upload.to.nobody")]]} />
                : <p className="note">{t("upload.alone")} <Link to="/people">{t("home.coach.find")}</Link></p>}
            <Field label={t("upload.note")} name="note" maxLength={2000} />
            {part !== undefined && <div className="stack"><p className="small muted">{t("upload.storing")}</p><Bar value={part} label={t("upload.storing")} /></div>}
            <div><Button look="primary" type="submit" icon="upload" busy={part !== undefined}>{t("upload.send")}</Button></div>
        </form>
    );
}

function OnTheWay({ id }: { id: string }) {
    const video = useRecord("video", id);
    const offline = useStatus().state !== "online";
    const transfer = useTransfers().find((one) => one.sha256 === video?.blob);
    if (video === undefined) {
        return null;
    }
    return (
        <section className="card card-pad stack" aria-live="polite">
            <div className="row">
                <span className="empty-sign"><Icon name={transfer === undefined && !offline ? "check" : "upload"} size={26} /></span>
                <div className="grow">
                    <p className="empty-title clip"><bdi>{video?.title}</bdi></p>
                    <p className="muted">{t(offline ? "upload.kept" : transfer === undefined ? "upload.done" : transfer.state === "paused" ? "upload.held" : "upload.going")}</p>
                </div>
            </div>
            {transfer !== undefined && <Going transfer={transfer} size={video?.size ?? 1} />}
            <div className="row">
                <Link to={`/video/${id}`} className="button button-plain">{t("upload.look")}</Link>
                <Link to="/upload" className="button button-quiet">{t("upload.more")}</Link>
            </div>
        </section>
    );
}

function Going({ transfer, size }: { transfer: TransferStatus; size: number }) {
    const total = transfer.total ?? size;
    const paused = transfer.state === "paused";
    return (
        <>
            <Bar value={transfer.done / total} label={t("upload.going")} />
            <div className="row">
                <p className="grow small muted number">{t("upload.of", { done: bytes(transfer.done), total: bytes(total) })}</p>
                <Button icon={paused ? "play" : "pause"} onClick={() => attempt(() => holdTransfer(transfer.sha256, paused ? "resume" : "pause"))}>
                    {t(paused ? "upload.resume" : "upload.pause")}
                </Button>
            </div>
        </>
    );
}
