/* A voice-over that was interrupted, by a reload or a crash, or was never sent: taken up again, or thrown away. */
import { useEffect, useState } from "react";
import { moment, t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, complain } from "../ui/parts";
import { type Left, discardLeft, leftTakes } from "./kept";
import type { Take } from "./take";
import { usePhase } from "./voice";

export function Recover({ take, space }: { take: Take | null; space: string }) {
    const [left, setLeft] = useState<Left[]>([]);
    const [busy, setBusy] = useState(false);
    const phase = usePhase(take);
    useEffect(() => {
        let alive = true;
        if (phase === "idle") {
            leftTakes(space).then((found) => alive && setLeft(found), complain);
        }
        return () => {
            alive = false;
        };
    }, [space, phase, busy]);
    const one = left[0];
    if (one === undefined || take === null || phase !== "idle") {
        return null;
    }
    const work = (doing: () => Promise<void>) => {
        setBusy(true);
        doing().then(() => setLeft(left.slice(1)), complain).finally(() => setBusy(false));
    };
    return (
        <section className="recover" aria-label={t("recover.title")}>
            <Icon name="mic" />
            <p className="grow" role="status">{t(one.path === undefined ? "recover.unsent" : "recover.what", { length: moment(one.duration_us, false) })}</p>
            <Button look="primary" busy={busy} onClick={() => work(() => take.recover(one))}>{t("recover.title")}</Button>
            <Button look="quiet" disabled={busy} onClick={() => work(() => discardLeft(one))}>{t("voice.discard")}</Button>
        </section>
    );
}
