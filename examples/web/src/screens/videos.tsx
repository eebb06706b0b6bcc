import { useState } from "react";
import { me, useRows, useSession } from "../core";
import { t } from "../i18n";
import { go, useTitle } from "../router";
import { VideoCard } from "../ui/cards";
import { Icon } from "../ui/icon";
import { Button, Empty, Link } from "../ui/parts";

/** All clips of the user and those shared with them; two of them can be laid side by side. */
export function Videos() {
    const coach = useSession()?.role === "coach";
    const [search, setSearch] = useState("");
    const [picked, setPicked] = useState<string[] | null>(null);
    const videos = useRows({ from: "video", ...(search.trim() === "" ? { order: ["-id"] as const } : { search }) } as Parameters<typeof useRows<"video">>[0]);
    const reviews = useRows({ from: "review" });
    const people = useRows({ from: "connection" });
    useTitle(`${t("nav.videos")} · ${t("app.name")}`);
    const pick = (id: string) => {
        const now = picked?.includes(id) ? picked.filter((one) => one !== id) : [...(picked ?? []), id];
        if (now.length === 2) {
            go(`/compare/${now[0]}/${now[1]}`);
        } else {
            setPicked(now);
        }
    };
    return (
        <div className="page stack">
            <header className="row page-head">
                <h1 className="grow">{t("nav.videos")}</h1>
                <Button icon="split" aria-pressed={picked !== null} onClick={() => setPicked(picked === null ? [] : null)}>{t("compare.title")}</Button>
                <Link to="/upload" className="button button-primary"><Icon name="upload" />{t(coach ? "dash.upload" : "upload.title")}</Link>
            </header>
            <input type="search" value={search} onChange={(event) => setSearch(event.target.value)} placeholder={t("videos.search")} aria-label={t("videos.search")} />
            {picked !== null && <p className="note" role="status">{t("compare.pick", { n: 2 - picked.length })}</p>}
            {videos?.length === 0 && <div className="card"><Empty icon="film" title={t(search === "" ? "home.videos.none" : "videos.nothing")} /></div>}
            <div className="video-grid">
                {videos?.map((video) => (
                    <div key={video.id} className="video-pick">
                        <VideoCard video={video} reviews={reviews?.filter((one) => one.space === video.space) ?? []}
                            owner={video.owner_id === me() ? undefined : people?.find((one) => one.peer_id === video.owner_id)?.peer_name} />
                        {picked !== null && (
                            <Button look={picked.includes(video.id) ? "primary" : "plain"} aria-pressed={picked.includes(video.id)} onClick={() => pick(video.id)}>
                                {t("compare.this", { title: video.title })}
                            </Button>
                        )}
                    </div>
                ))}
            </div>
        </div>
    );
}
