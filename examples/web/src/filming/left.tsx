/* Films that were not sent, because the page went or something else was chosen: taken up again, or thrown away. */
import { useEffect, useRef, useState } from "react";
import { clock, day, t } from "../i18n";
import { Icon } from "../ui/icon";
import { Button, complain } from "../ui/parts";
import { Reel } from "./reel";

export function LeftFilms({ use }: { use(reel: Reel): void }) {
    const [reels, setReels] = useState<Reel[]>([]);
    const mine = useRef<Reel[]>([]);
    const less = () => setReels((mine.current = mine.current.slice(1)));
    useEffect(() => {
        let alive = true;
        Reel.left().then((found) => {
            if (alive) {
                setReels((mine.current = found));
            } else {
                found.forEach((one) => one.release());
            }
        }, complain);
        return () => {
            alive = false;
            mine.current.forEach((one) => one.release());
        };
    }, []);
    const reel = reels[0];
    if (reel === undefined) {
        return null;
    }
    return (
        <section className="recover" aria-label={t("filming.left.title")}>
            <Icon name="camera" />
            <p className="grow" role="status">{t("filming.left", { when: `${day(reel.begun)}, ${clock(reel.begun)}` })}</p>
            <Button look="primary" onClick={() => { less(); use(reel); }}>{t("filming.left.use")}</Button>
            <Button look="quiet" onClick={() => reel.drop().then(less, complain)}>{t("voice.discard")}</Button>
        </section>
    );
}
