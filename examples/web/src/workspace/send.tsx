/* Saving the review and sending it: durable here at once, there as soon as there is a network. */
import { type Connection, type Drawing, type Video, newId } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { theCore, useRows, useStatus } from "../core";
import { t } from "../i18n";
import { go } from "../router";
import { Button, Dialog, Field, announce, complain } from "../ui/parts";
import { type Finished, type Pair, type Take, pairEvent, timelineOf } from "./take";

/** Without a voice: the film once through, drawings as their ranges say, which stands for itself for its length. */
function silent(video: Video, drawing: Drawing | null, pair: Pair | null): Pick<Finished, "duration_us" | "events"> {
    const events: Finished["events"] = [{ t: 0, do: "seek", to: 0 }, { t: 0, do: "play", rate: 1 }];
    if (pair !== null) {
        events.push({ t: 0, ...pairEvent(pair) });
    }
    for (const item of drawing?.items ?? []) {
        events.push({ t: item.in, do: "draw", item: item.id });
        if (item.out < video.duration_us) {
            events.push({ t: item.out, do: "hide", item: item.id });
        }
    }
    return { duration_us: video.duration_us, events };
}

async function save(video: Video, take: Finished | null, drawing: Drawing | null, pair: Pair | null, title: string): Promise<string> {
    const core = theCore();
    const what = take ?? silent(video, drawing, pair);
    using timeline = await timelineOf(video.duration_us, what);
    const blob = await core.blobs.put(video.space, await timeline.encode(), { mediaType: "application/vnd.sideline.timeline" });
    const voice = take === null ? undefined : newId();
    const review = newId();
    await core.apply([
        ...(take === null ? [] : [{ op: "create", entity: "voice_over", space: video.space, id: voice, fields: { blob: take.blob, duration_us: take.duration_us, peaks: take.peaks } } as const]),
        { op: "create", entity: "review", space: video.space, id: review, fields: { title, timeline: blob, duration_us: Math.round(what.duration_us), ...(voice === undefined ? {} : { voice_over_id: voice }) } },
    ] as Parameters<typeof core.apply>[0]);
    return review;
}

export function Send({ video, take, drawing, pair, owner, onClose }: { video: Video; take: Take | null; drawing: Drawing | null; pair: Pair | null; owner: Connection | undefined; onClose(): void }) {
    const [busy, setBusy] = useState(false);
    const online = useStatus().state === "online";
    const people = useRows({ from: "connection", where: { status: "accepted" } });
    const to = owner ?? people?.[0];
    const submit = async (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const title = String(given.get("title")).trim();
        const note = String(given.get("note")).trim();
        setBusy(true);
        try {
            await take?.finish();
            const review = await save(video, take?.finished ?? null, drawing, pair, title);
            if (to?.thread_id !== undefined) {
                await theCore().chat.send(`thread:${to.thread_id}`, { kind: "review", body: note || title, ref_space: video.space, ref_id: review });
            }
            take?.sent();
            announce(t(online ? "send.sent" : "send.kept"));
            go("/");
        } catch (error) {
            setBusy(false);
            complain(error);
        }
    };
    return (
        <Dialog title={t("send.title")} onClose={onClose}>
            <form className="stack" onSubmit={(event) => void submit(event)}>
                <Field label={t("send.name")} name="title" required maxLength={200} defaultValue={t("send.name.usual", { title: video.title }).slice(0, 200)} />
                <Field label={t("send.note")} name="note" maxLength={2000} data-first />
                <p className="note">
                    {to?.peer_name === undefined ? t("send.nobody") : t("send.to", { name: to.peer_name })}{" "}
                    {t(take?.state.phase === "idle" || take === null ? "send.silent" : "send.voice")} {!online && t("send.offline")}
                </p>
                <div className="row">
                    <Button look="primary" icon="send" type="submit" busy={busy}>{t("send.title")}</Button>
                    <Button onClick={onClose}>{t("action.back")}</Button>
                </div>
            </form>
        </Dialog>
    );
}
