import type { Doc, Drawing } from "@sideline/core";
import { t } from "../i18n";
import { Button, Dialog, attempt } from "../ui/parts";
import type { Take } from "./take";

/** Asks before the drawings of this clip, and the voice, are taken away. One undo brings the drawings back. */
export function Discard({ doc, take, drawing, onClose }: { doc: Doc; take: Take | null; drawing: Drawing | null; onClose(): void }) {
    const items = drawing?.items ?? [];
    const discard = () => attempt(async () => {
        onClose();
        await take?.discard();
        await doc.group(`discard ${Date.now()}`);
        for (const item of items) {
            await doc.remove(item.id);
        }
        await doc.group(null);
    });
    return (
        <Dialog title={t("discard.title")} onClose={onClose}>
            <div className="stack">
                <p>{t("discard.what", { n: items.length })}</p>
                <div className="row">
                    <Button look="danger" icon="trash" onClick={discard}>{t("action.discard")}</Button>
                    <Button onClick={onClose}>{t("action.keep")}</Button>
                </div>
            </div>
        </Dialog>
    );
}
