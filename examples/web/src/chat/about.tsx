/* What can be done with a conversation and the people in it. */
import type { ChatPerson, ChatThread } from "@sideline/core";
import { useRows } from "../core";
import { t } from "../i18n";
import { Button, Dialog, attempt } from "../ui/parts";
import { GroupPeople } from "./group";
import { BlockAsk, type Person, Report, type Target, block } from "./person";
import { nameOf } from "./words";

/** The window that is open over a conversation. */
export type Sheet = { do: "about" | "people" } | { do: "person" | "block"; person: Person } | { do: "report"; target: Target };

interface SheetsProps {
    sheet: Sheet | null;
    onSheet(sheet: Sheet | null): void;
    thread: ChatThread;
    people: ChatPerson[];
    muted: boolean;
    onMute(): void;
}

export function Sheets({ sheet, onSheet, thread, people, muted, onMute }: SheetsProps) {
    const close = () => onSheet(null);
    switch (sheet?.do) {
        case "people": return <GroupPeople thread={thread} people={people} onClose={close} onPerson={(person) => onSheet({ do: "person", person })} />;
        case "person": return <Dialog title={sheet.person.name} onClose={close}><div className="actions"><About person={sheet.person} onSheet={onSheet} /></div></Dialog>;
        case "block": return <BlockAsk person={sheet.person} onClose={close} />;
        case "report": return <Report target={sheet.target} onClose={close} />;
        case "about": break;
        default: return null;
    }
    const [other] = thread.people;
    const mute = () => {
        close();
        onMute();
    };
    return (
        <Dialog title={nameOf(thread)} onClose={close}>
            <div className="actions">
                <Button look="quiet" icon={muted ? "bell" : "bellOff"} data-first onClick={mute}>{t(muted ? "chat.unmute" : "chat.mute")}</Button>
                {thread.group && <Button look="quiet" icon="people" onClick={() => onSheet({ do: "people" })}>{t("group.people")}</Button>}
                {!thread.group && other !== undefined && <About person={{ user: other.user, name: other.name ?? t("chat.someone") }} onSheet={onSheet} />}
            </div>
        </Dialog>
    );
}

function About({ person, onSheet }: { person: Person; onSheet(sheet: Sheet | null): void }) {
    const blocked = (useRows({ from: "block", where: { user_id: person.user } })?.length ?? 0) > 0;
    const { name } = person;
    const free = () => {
        onSheet(null);
        attempt(() => block(person, false));
    };
    return (
        <>
            {blocked
                ? <Button look="quiet" icon="block" onClick={free}>{t("block.undo.name", { name })}</Button>
                : <Button look="danger" icon="block" onClick={() => onSheet({ do: "block", person })}>{t("block.name", { name })}</Button>}
            <Button look="danger" icon="flag" onClick={() => onSheet({ do: "report", target: person })}>{t("report.name", { name })}</Button>
        </>
    );
}
