import { t } from "../i18n";
import type { Clip, Quality as Kind } from "../media";

/** What of a film is played, when it comes from the server. */
export function Quality({ clip }: { clip: Clip }) {
    if (clip.rungs.length === 0) {
        return null;
    }
    return (
        <label className="speed">
            <span className="unseen">{t("film.quality")}</span>
            <select value={clip.quality} onChange={(event) => clip.choose(event.target.value as Kind)}>
                <option value="auto">{t("film.quality.auto")}</option>
                {clip.rungs.map(({ lines }) => <option key={lines} value={String(lines)}>{t("film.quality.lines", { lines })}</option>)}
                <option value="original">{t("film.quality.original")}</option>
            </select>
        </label>
    );
}
