import { type FormEvent, useState } from "react";
import { t } from "../i18n";
import { Button, Dialog, Field } from "../ui/parts";

/** Asks for the words that are to be written on the frame. */
export function TextAsk({ onText, onClose }: { onText(text: string): void; onClose(): void }) {
    const [text, setText] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        onText(text.trim());
    };
    return (
        <Dialog title={t("tool.text")} onClose={onClose}>
            <form className="stack" onSubmit={submit}>
                <Field label={t("text.label")} value={text} onChange={(event) => setText(event.target.value)} required maxLength={200} />
                <div><Button look="primary" type="submit" disabled={text.trim() === ""}>{t("text.add")}</Button></div>
            </form>
        </Dialog>
    );
}
