/* What its owner can do with a clip, its author with a review: title, who sees it, its file, its end. */
import type { Connection, Review, Share, Video } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { theCore, useRows } from "../core";
import { t } from "../i18n";
import { type Receiver, shareWith, urlOf } from "../media";
import { Button, Dialog, Field, announce, attempt } from "./parts";

type Page = "all" | "title" | "people" | "delete";

/** onGone: it was deleted. */
export function VideoOptions({ video, onClose, onGone }: { video: Video; onClose(): void; onGone?(): void }) {
    const [page, setPage] = useState<Page>("all");
    switch (page) {
        case "title": return <Title entity="video" of={video} onClose={onClose} />;
        case "people": return <People video={video} onClose={onClose} />;
        case "delete": return <Delete sure={t("clip.delete.sure", { title: video.title })} run={() => theCore().delete("video", video.id)} onClose={onClose} onGone={onGone} />;
        default: break;
    }
    const save = () => {
        onClose();
        attempt(async () => {
            const link = document.createElement("a");
            link.href = await urlOf(video.blob, video.media_type);
            link.download = `${video.title}.${video.media_type === "video/webm" ? "webm" : "mp4"}`;
            link.click();
        });
    };
    return (
        <Dialog title={video.title} onClose={onClose}>
            <div className="actions">
                <Button look="quiet" icon="pen" data-first onClick={() => setPage("title")}>{t("clip.rename")}</Button>
                <Button look="quiet" icon="people" onClick={() => setPage("people")}>{t("clip.people")}</Button>
                <Button look="quiet" icon="film" onClick={save}>{t("clip.save")}</Button>
                <Button look="danger" icon="trash" onClick={() => setPage("delete")}>{t("clip.delete")}</Button>
            </div>
        </Dialog>
    );
}

/** onGone: it was deleted. */
export function ReviewOptions({ review, onClose, onGone }: { review: Review; onClose(): void; onGone(): void }) {
    const [page, setPage] = useState<Page>("all");
    if (page === "title") {
        return <Title entity="review" of={review} onClose={onClose} />;
    }
    const { id, voice_over_id: voice } = review;
    const run = () => theCore().apply([{ op: "delete", entity: "review", id }, ...(voice === undefined ? [] : [{ op: "delete" as const, entity: "voice_over" as const, id: voice }])]);
    return page === "delete" ? <Delete sure={t("review.delete.sure", { title: review.title })} run={run} onClose={onClose} onGone={onGone} /> : (
        <Dialog title={review.title} onClose={onClose}>
            <div className="actions">
                <Button look="quiet" icon="pen" data-first onClick={() => setPage("title")}>{t("clip.rename")}</Button>
                <Button look="danger" icon="trash" onClick={() => setPage("delete")}>{t("clip.delete")}</Button>
            </div>
        </Dialog>
    );
}

function Title({ entity, of, onClose }: { entity: "video" | "review"; of: Video | Review; onClose(): void }) {
    const submit = (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const title = String(new FormData(event.currentTarget).get("title")).trim();
        if (title !== "") {
            onClose();
            attempt(() => theCore().patch(entity, of.id, { title }));
        }
    };
    return (
        <Dialog title={t("clip.rename")} onClose={onClose}>
            <form className="stack" onSubmit={submit}>
                <Field label={t("upload.name")} name="title" defaultValue={of.title} required maxLength={200} />
                <div><Button look="primary" type="submit">{t("clip.rename.do")}</Button></div>
            </form>
        </Dialog>
    );
}

function People({ video, onClose }: { video: Video; onClose(): void }) {
    const people = useRows({ from: "connection", where: { status: "accepted" } }) as Connection[] | undefined;
    const shares = useRows({ from: "share", where: { space: video.space } }) as Share[] | undefined;
    return (
        <Dialog title={t("clip.people")} onClose={onClose}>
            {people?.length === 0 && <p className="note">{t("upload.alone")}</p>}
            <ul className="list">
                {people?.filter((one): one is Connection & Receiver => one.peer_id !== undefined && one.thread_id !== undefined).map((one) => {
                    const share = shares?.find((each) => each.user_id === one.peer_id);
                    const name = one.peer_name ?? one.peer_email;
                    const change = () => attempt(async () => {
                        await (share === undefined ? shareWith(video.space as `video:${string}`, video.id, one, video.title) : theCore().delete("share", share.id));
                        announce(t(share === undefined ? "clip.let" : "clip.out", { name }));
                    });
                    return (
                        <li key={one.id} className="list-row">
                            <span className="grow clip"><bdi>{name}</bdi></span>
                            <Button look={share === undefined ? "plain" : "danger"} aria-label={t(share === undefined ? "clip.let.do" : "group.remove", { name })} onClick={change}>
                                {t(share === undefined ? "clip.let.short" : "action.remove")}
                            </Button>
                        </li>
                    );
                })}
            </ul>
        </Dialog>
    );
}

interface DeleteProps {
    sure: string;
    run(): Promise<unknown>;
    onClose(): void;
    onGone: (() => void) | undefined;
}

function Delete({ sure, run, onClose, onGone }: DeleteProps) {
    const go = () => {
        onClose();
        onGone?.();
        attempt(async () => {
            await run();
            announce(t("clip.deleted"));
        });
    };
    return (
        <Dialog title={t("clip.delete")} onClose={onClose}>
            <p>{sure}</p>
            <div className="row">
                <Button look="danger" icon="trash" onClick={go}>{t("clip.delete.do")}</Button>
                <Button data-first onClick={onClose}>{t("action.keep")}</Button>
            </div>
        </Dialog>
    );
}
