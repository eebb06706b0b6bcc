import { type ReactNode, useEffect, useState } from "react";
import { connectNow, usePresence, useRows, useStatus } from "./core";
import { t, useLanguage } from "./i18n";
import { useNews, useSpoken } from "./notices";
import { go, usePath } from "./router";
import { Account } from "./screens/account";
import { Chat } from "./screens/chat";
import { Compare } from "./screens/compare";
import { Dashboard } from "./screens/dashboard";
import { Home } from "./screens/home";
import { Messages } from "./screens/messages";
import { Notices } from "./screens/notices";
import { Organisation } from "./screens/organisation";
import { People } from "./screens/people";
import { Progress } from "./screens/progress";
import { Upload } from "./screens/upload";
import { Video } from "./screens/video";
import { Videos } from "./screens/videos";
import { Watch } from "./screens/watch";
import { useAside, usePull } from "./ui/gestures";
import { Icon, type IconName } from "./ui/icon";
import { Avatar, Button, Link, announce, attempt } from "./ui/parts";
import { useCounts } from "./unread";
import { Workspace } from "./workspace/workspace";

interface Place {
    path: string;
    icon: IconName;
    name: string;
    count?: number;
}

/** What a signed-in user sees. */
export function Inside({ coach, name }: { coach: boolean; name: string }) {
    const [first = "", id = "", other = ""] = usePath();
    const counts = useCounts();
    const news = useNews();
    usePresence();
    useSpoken(useLanguage());
    const asked = useRows({ from: "connection", where: { status: "requested", direction: "in" } })?.length;
    const invited = useRows(coach ? { from: "membership", where: { state: "invited" } } : null)?.length;
    useEffect(() => {
        if (first === "sign-in" || first === "sign-up") {
            go("/", true);
        }
    }, [first]);
    /* The stage of a film has the window to itself. */
    if (first === "review" && id !== "") {
        return <Workspace key={id} video={id} />;
    }
    if (first === "compare" && other !== "") {
        return <Compare key={id + other} left={id} right={other} />;
    }
    const places: Place[] = [
        { path: "/", icon: "home", name: t(coach ? "nav.dashboard" : "nav.home") },
        { path: "/videos", icon: "film", name: t("nav.videos") },
        { path: "/messages", icon: "chat", name: t("nav.messages"), count: counts?.badge ?? 0 },
        ...(coach ? [] : [{ path: "/progress", icon: "chart", name: t("nav.progress") } as Place]),
        { path: "/people", icon: "people", name: t(coach ? "nav.athletes" : "nav.coaches"), count: asked ?? 0 },
        ...(coach ? [{ path: "/organisation", icon: "flag", name: t("nav.organisation"), count: invited ?? 0 } as Place] : []),
    ];
    return (
        <div className="shell">
            <a className="skip" href="#main">{t("nav.skip")}</a>
            <nav className="side" aria-label={t("nav.label")}>
                <Link to="/" className="brand"><img src="/icon.svg" alt="" width={32} height={32} /><span>{t("app.name")}</span></Link>
                <ul>
                    {places.map((place) => <NavItem key={place.path} place={place} here={`/${first}` === place.path} />)}
                </ul>
                <Link to="/notices" className="side-bell" aria-current={first === "notices" ? "page" : undefined}>
                    <Icon name="bell" size={22} />
                    <span className="nav-name">{t("nav.notices")}</span>
                    <Badge n={news} />
                </Link>
                <Link to="/account" className="side-user" aria-current={first === "account" ? "page" : undefined}>
                    <Avatar name={name} size={36} />
                    <span className="grow clip"><bdi>{name}</bdi></span>
                    <span className="unseen">{t("nav.account")}</span>
                </Link>
            </nav>
            <Screens paths={places.map((place) => place.path)} here={`/${first}`} top={id === ""}>
                <SyncLine />
                <main id="main" tabIndex={-1}>{screen(coach, first, id, other)}</main>
            </Screens>
        </div>
    );
}

/** The screens of the navigation are drawn aside with a finger, and pulled down to look for news: what links and "Try now" do. */
function Screens({ paths, here, top, children }: { paths: string[]; here: string; top: boolean; children: ReactNode }) {
    const at = top ? paths.indexOf(here) : -1;
    const aside = useAside((way) => {
        const next = at < 0 ? undefined : paths[at + way];
        if (next !== undefined) {
            go(next);
        }
    });
    const pull = usePull(() => {
        if (at >= 0) {
            announce(t("sync.asked"));
            attempt(connectNow);
        }
    }, () => document.scrollingElement);
    const both = (name: "onTouchStart" | "onTouchEnd") => (event: React.TouchEvent) => {
        aside[name](event);
        pull[name](event);
    };
    return (
        <div className="shell-main" onTouchStart={both("onTouchStart")} onTouchEnd={both("onTouchEnd")} onTouchCancel={() => { aside.onTouchCancel(); pull.onTouchCancel(); }}>
            {children}
        </div>
    );
}

function NavItem({ place, here }: { place: Place; here: boolean }) {
    return (
        <li>
            <Link to={place.path} className="nav-item" aria-current={here ? "page" : undefined}>
                <Icon name={place.icon} size={22} />
                <span className="nav-name">{place.name}</span>
                <Badge n={place.count ?? 0} />
            </Link>
        </li>
    );
}

/** Up to 99: more does not fit, and nobody counts further. */
function Badge({ n }: { n: number }) {
    return n > 0 && <span className="badge"><span aria-hidden="true">{n > 99 ? t("nav.many") : n}</span><span className="unseen">{t("nav.new", { n })}</span></span>;
}

function screen(coach: boolean, first: string, id: string, other: string): ReactNode {
    switch (first) {
        case "videos": return <Videos />;
        case "video": return <Video key={id} id={id} />;
        case "upload": return <Upload key={id} sent={id === "" ? undefined : id} />;
        case "watch": return <Watch key={other} video={id} review={other} />;
        case "messages": return id === "" ? <Messages /> : <Chat key={id} id={id} />;
        case "people": return <People coach={coach} />;
        case "organisation": return <Organisation />;
        case "progress": return <Progress />;
        case "notices": return <Notices />;
        case "account": return <Account />;
        default: return coach ? <Dashboard /> : <Home />;
    }
}

const LASTS_MS = 2000;

/** Whether something has been so for a while. */
function useLasting(now: boolean): boolean {
    const [lasts, setLasts] = useState(false);
    useEffect(() => {
        const timer = now ? setTimeout(() => setLasts(true), LASTS_MS) : undefined;
        setLasts(false);
        return () => clearTimeout(timer);
    }, [now]);
    return now && lasts;
}

/**
 * What is not in step with the server, said as it is; nothing when all is. Nor of what is over in a moment, as each
 * change is: the line takes its place from the screen below, which would jump under the hand.
 */
function SyncLine() {
    const status = useStatus();
    const waits = status.waiting + status.uploads;
    const behind = useLasting(status.state !== "online" || waits > 0);
    if (status.reason === "mfa_required") {
        return (
            <div className="sync-line sync-line-warn" role="status">
                <Icon name="cloudOff" />
                <span className="grow">{t("sync.factor")}</span>
                <Link to="/account">{t("sync.factor.do")}</Link>
            </div>
        );
    }
    if (!behind) {
        return <div role="status" className="unseen">{t("sync.online")}</div>;
    }
    const offline = status.state === "offline" || status.reason !== undefined;
    const what = waits > 0 ? t("sync.waiting", { n: waits }) : t("sync.nothing");
    return (
        <div className={offline ? "sync-line sync-line-warn" : "sync-line"} role="status">
            <Icon name={offline ? "cloudOff" : "upload"} />
            <span className="grow">{offline ? `${t("sync.offline")} ${what}` : what}</span>
            {offline && <Button look="quiet" onClick={() => attempt(connectNow)}>{t("sync.now")}</Button>}
        </div>
    );
}
