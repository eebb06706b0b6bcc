/* Groups: a coach makes one, its people are seen and changed, one leaves it. */
import type { ChatPerson, ChatThread, Connection } from "@sideline/core";
import { type FormEvent, useState } from "react";
import { theCore, useRows } from "../core";
import { t } from "../i18n";
import { go } from "../router";
import { Avatar, Button, Dialog, Field, Tool, attempt } from "../ui/parts";
import type { Person } from "./person";

function useKnown(): Connection[] {
    return useRows({ from: "connection", where: { status: "accepted" } })?.filter((one) => one.peer_id !== undefined) ?? [];
}

export function NewGroup({ onClose }: { onClose(): void }) {
    const known = useKnown();
    const [title, setTitle] = useState("");
    const [chosen, setChosen] = useState<readonly string[]>([]);
    const make = (event: FormEvent) => {
        event.preventDefault();
        attempt(async () => {
            const thread = await theCore().chat.group(title.trim(), [...chosen]);
            onClose();
            go(`/messages/${thread.slice(7)}`);
        });
    };
    const turn = (id: string) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
    return (
        <Dialog title={t("group.new")} onClose={onClose}>
            <form className="stack" onSubmit={make}>
                <Field label={t("group.title")} required maxLength={100} value={title} onChange={(event) => setTitle(event.target.value)} autoComplete="off" />
                <fieldset className="field group-people">
                    <legend>{t("group.people")}</legend>
                    {known.map((one) => (
                        <label key={one.id} className="group-choice">
                            <input type="checkbox" checked={chosen.includes(one.peer_id!)} onChange={() => turn(one.peer_id!)} />
                            <bdi>{one.peer_name ?? one.peer_email}</bdi>
                        </label>
                    ))}
                </fieldset>
                <Button look="primary" type="submit" icon="people" disabled={title.trim() === ""}>{t("group.make")}</Button>
            </form>
        </Dialog>
    );
}

/** Who is in it; whoever leads renames it, lets in and removes. */
export function GroupPeople({ thread, people, onClose, onPerson }: { thread: ChatThread; people: ChatPerson[]; onClose(): void; onPerson(person: Person): void }) {
    const { chat } = theCore();
    const leads = people.some((one) => one.me && one.leads);
    const others = useKnown().filter((one) => !people.some((person) => person.user === one.peer_id));
    const [title, setTitle] = useState(thread.title ?? "");
    const change = (what: Parameters<typeof chat.editGroup>[1]) => attempt(() => chat.editGroup(thread.thread, what));
    const rename = (event: FormEvent) => {
        event.preventDefault();
        change({ title: title.trim() });
    };
    const leave = () => attempt(async () => {
        await chat.leave(thread.thread);
        onClose();
        go("/messages");
    });
    return (
        <Dialog title={t("group.people")} onClose={onClose}>
            {leads && (
                <form className="row nowrap group-rename" onSubmit={rename}>
                    <Field label={t("group.title")} required maxLength={100} value={title} onChange={(event) => setTitle(event.target.value)} autoComplete="off" />
                    <Button type="submit" disabled={title.trim() === "" || title.trim() === thread.title}>{t("group.rename")}</Button>
                </form>
            )}
            <ul className="list">
                {people.map((one) => (
                    <li key={one.user} className="list-row">
                        <Avatar name={one.name ?? t("dash.you")} size={36} />
                        <span className="grow"><bdi>{one.me ? t("dash.you") : one.name ?? t("chat.someone")}</bdi>{one.leads && <span className="muted small"> · {t("group.leads")}</span>}</span>
                        {leads && !one.me && <Button look="quiet" onClick={() => change({ remove: [one.user] })} aria-label={t("group.remove", { name: one.name ?? "" })}>{t("action.remove")}</Button>}
                        {!one.me && <Tool icon="more" name={t("person.actions", { name: one.name ?? t("chat.someone") })} onClick={() => onPerson({ user: one.user, name: one.name ?? t("chat.someone") })} />}
                    </li>
                ))}
                {leads && others.map((one) => (
                    <li key={one.id} className="list-row">
                        <Avatar name={one.peer_name ?? one.peer_email} size={36} />
                        <span className="grow muted"><bdi>{one.peer_name ?? one.peer_email}</bdi></span>
                        <Button look="quiet" icon="plus" onClick={() => change({ add: [one.peer_id!] })}>{t("group.add")}</Button>
                    </li>
                ))}
            </ul>
            <div className="actions"><Button look="danger" onClick={leave}>{t("group.leave")}</Button></div>
        </Dialog>
    );
}
