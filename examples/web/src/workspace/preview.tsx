import type { Drawing, Video } from "@sideline/core";
import { useEffect, useState } from "react";
import { t } from "../i18n";
import { ReviewPlayer } from "../player";
import { ReviewView } from "../screens/review_view";
import { Dialog, attempt } from "../ui/parts";
import { peaksOf } from "./peaks";
import { type Finished, timelineOf } from "./take";

/** The review as it will be seen, before it is sent. */
export function Preview({ video, take, drawing, onClose }: { video: Video; take: Finished; drawing: Drawing; onClose(): void }) {
    const [player, setPlayer] = useState<ReviewPlayer>();
    useEffect(() => {
        let opened: ReviewPlayer | undefined;
        let alive = true;
        attempt(async () => {
            const timeline = await timelineOf(video.duration_us, take);
            opened = await ReviewPlayer.open({ timeline, voice: take.blob, drawing, size: video, duration: take.duration_us });
            if (alive) {
                setPlayer(opened);
            } else {
                opened.close();
            }
        });
        return () => {
            alive = false;
            opened?.close();
        };
    }, [take]);
    return (
        <Dialog title={t("voice.preview")} onClose={onClose}>
            {player !== undefined && <ReviewView player={player} video={video} peaks={peaksOf(take.peaks)} />}
        </Dialog>
    );
}
