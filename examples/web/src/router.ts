/* Addresses: the browser's own history, and what of the path means what. */
import { useEffect, useSyncExternalStore } from "react";

const hearers = new Set<() => void>();
const tell = () => hearers.forEach((heard) => heard());
addEventListener("popstate", tell);

export function go(path: string, replace = false): void {
    if (path !== location.pathname) {
        history[replace ? "replaceState" : "pushState"](null, "", path);
        scrollTo(0, 0);
        tell();
    }
}

/** The words of the path: `/chat/42` is ["chat", "42"]. */
export function usePath(): string[] {
    const path = useSyncExternalStore(
        (heard) => {
            hearers.add(heard);
            return () => hearers.delete(heard);
        },
        () => location.pathname,
    );
    return path.split("/").filter((word) => word !== "").map(decodeURIComponent);
}

/** For the click of an anchor: within the app without loading it again; with a modifier as the browser does it. */
export function follow(event: React.MouseEvent<HTMLAnchorElement>): void {
    if (event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)) {
        event.preventDefault();
        go(new URL(event.currentTarget.href).pathname);
    }
}

export function useTitle(title: string): void {
    useEffect(() => {
        document.title = title;
    }, [title]);
}
