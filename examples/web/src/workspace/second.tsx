/* A second film beside the one that is reviewed: the same athlete's, in step from a mark in each. */
import type { Video } from "@sideline/core";
import { useEffect, useState } from "react";
import { useRows } from "../core";
import { type Film, useFilm } from "../film";
import { t } from "../i18n";
import { Side, useInStep } from "../screens/compare";
import type { Pair } from "./take";

/** Which film to lay beside; nothing to choose from when the athlete has sent only one. */
export function ChooseSecond({ video, chosen, onChoose }: { video: Video; chosen: string | undefined; onChoose(video: Video | null): void }) {
    const others = useRows({ from: "video", where: { owner_id: video.owner_id ?? "" }, order: ["-id"] })?.filter((one) => one.id !== video.id) ?? [];
    if (others.length === 0) {
        return null;
    }
    return (
        <label className="speed">
            <span className="unseen">{t("pair.choose")}</span>
            <select value={chosen ?? ""} onChange={(event) => onChoose(others.find((one) => one.id === event.target.value) ?? null)}>
                <option value="">{t("pair.none")}</option>
                {others.map((one) => <option key={one.id} value={one.id}>{one.title}</option>)}
            </select>
        </label>
    );
}

/** It moves with the first; its own slider finds the moment that is marked. */
export function Second({ video, first, onPair }: { video: Video; first: Film | null; onPair(pair: Pair): void }) {
    const [element, setElement] = useState<HTMLVideoElement | null>(null);
    const film = useFilm(element, video.duration_us);
    const [mark, setMark] = useState<[number, number]>([0, 0]);
    useInStep(first, film, mark);
    useEffect(() => onPair({ video: video.id, length: video.duration_us, mark }), [video.id, mark]);
    return <Side video={video} film={film} mark={mark[1]} onMark={() => setMark([first?.state.time ?? 0, film?.state.time ?? 0])} own setElement={setElement} />;
}
