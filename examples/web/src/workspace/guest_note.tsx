import { useRows } from "../core";
import type { Film } from "../film";
import { useFilmState } from "../film";
import { moment, t } from "../i18n";
import { Button } from "../ui/parts";
import type { Busy } from "./live";

const SEEN_US = 3_000_000;

/** Says over the film who draws on it now, and leads to the moment when that is another. */
export function GuestNote({ who, film }: { who: Busy | null; film: Film | null }) {
    const people = useRows({ from: "connection" });
    const { time } = useFilmState(film);
    const name = people?.find((one) => one.peer_id === who?.user)?.peer_name ?? t("live.somebody");
    const elsewhere = who !== null && (time < who.at || time >= who.at + SEEN_US);
    return (
        <div className="guest-note" role="status">
            {who !== null && <p><bdi>{t("live.draws", { name, at: moment(who.at) })}</bdi></p>}
            {who !== null && elsewhere && <Button onClick={(event) => { event.stopPropagation(); film?.seek(who.at); }}>{t("live.go")}</Button>}
        </div>
    );
}
