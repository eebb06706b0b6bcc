/* Notifications: what the user is told, in which words, where it leads, and what of it is new. */
import type { Connection, Membership, Notification, NotificationSetting } from "@sideline/core";
import { useEffect } from "react";
import { me, theCore, useRows } from "./core";
import { type Language, t } from "./i18n";

/** As many as the server keeps. */
const KEPT = 500;

/** What can be switched off. Messages are not in the list: their conversations count them. */
export const TOPICS = ["message", "review", "comment", "connection"] as const;
export type Topic = (typeof TOPICS)[number];

export function useNotices(): Notification[] | undefined {
    return useRows({ from: "notification", order: ["-sent_ms"], limit: KEPT });
}

/** How many are unread. */
export function useNews(): number {
    return useRows({ from: "notification", where: { read_ms: null }, limit: KEPT })?.length ?? 0;
}

export async function markRead(notices: Notification[]): Promise<void> {
    const now = Date.now();
    const unread = notices.filter((one) => one.read_ms === undefined);
    if (unread.length > 0) {
        await theCore().apply(unread.map(({ id }) => ({ op: "patch", entity: "notification", id, fields: { read_ms: now } })));
    }
}

/** What has happened, the name of who did it in front or behind as the language has it. */
export function sayNotice(one: Notification, about: Connection | Membership | undefined): string {
    const name = one.title ?? t("chat.someone");
    switch (one.kind) {
        case "connection": return t(about?.entity === "membership" ? "notice.invited" : about?.direction === "in" ? "notice.asked" : "notice.accepted", { name });
        case "review": return t(isShare(one) ? "notice.shared" : "notice.reviewed", { name });
        case "comment": return t("notice.commented", { name });
        default: return name;
    }
}

/** A video that was shared; else its review. */
function isShare({ ref_space, ref_id }: Notification): boolean {
    return ref_space === `video:${ref_id}`;
}

/** The screen with what it is about. */
export function leadsTo(one: Notification, about: Connection | Membership | undefined): string {
    const video = one.ref_space?.startsWith("video:") ? one.ref_space.slice(6) : "";
    switch (one.kind) {
        case "connection": return about?.entity === "membership" ? "/organisation" : about?.thread_id === undefined ? "/people" : `/messages/${about.thread_id}`;
        case "review": return isShare(one) ? `/video/${video}` : `/watch/${video}/${one.ref_id}`;
        case "comment": return `/video/${video}`;
        default: return "/";
    }
}

/** What is pushed to the user's other devices is in the language that was last chosen here. */
export function useSpoken(language: Language): void {
    useEffect(() => {
        const tell = async () => {
            const core = theCore();
            await core.sync.settle(); /* the profile may still be on its way */
            const [profile] = await core.query({ from: "profile", order: ["-id"], limit: 1 });
            if (profile === undefined) {
                await core.create("profile", `user:${me()}`, { locale: language });
            } else if (profile.locale !== language) {
                await core.patch("profile", profile.id, { locale: language });
            }
        };
        tell().catch(() => undefined); /* without a connection: the next time */
    }, [language]);
}

/* ---- what the user wants ---- */

export type Wishes = Partial<Pick<NotificationSetting, "push" | "in_app" | "quiet_from_min" | "quiet_to_min">>;

/** Of several settings of a topic the one with the greatest id holds. */
export function useWishes(): ((topic: Topic) => NotificationSetting | undefined) | undefined {
    const all = useRows({ from: "notification_setting", order: ["-id"] });
    return all === undefined ? undefined : (topic) => all.find((one) => one.topic === topic);
}

/** Changes what is wanted of these topics, all at once. */
export async function wish(now: (topic: Topic) => NotificationSetting | undefined, topics: readonly Topic[], wishes: { [W in keyof Wishes]: Wishes[W] | null }): Promise<void> {
    const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== null));
    await theCore().apply(topics.map((topic) => {
        const held = now(topic);
        return held === undefined
            ? { op: "create" as const, entity: "notification_setting" as const, space: `user:${me()}` as const, fields: { topic, ...given } }
            : { op: "patch" as const, entity: "notification_setting" as const, id: held.id, fields: wishes };
    }));
}
