import { t } from "../i18n";
import { Button } from "../ui/parts";

/** When the core does not open: what it says, and another try. */
export function Broken({ error }: { error: unknown }) {
    return (
        <main className="sign">
            <div className="sign-card card stack" role="alert">
                <h1>{t("broken.title")}</h1>
                <p>{error instanceof Error ? error.message : String(error)}</p>
                <Button look="primary" onClick={() => location.reload()}>{t("broken.again")}</Button>
            </div>
        </main>
    );
}
