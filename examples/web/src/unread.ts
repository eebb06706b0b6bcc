/* What of each conversation is new to the user, by the marks that the core keeps. */
import type { Message, Participant } from "@sideline/core";
import { me, useRows } from "./core";

export interface Conversation {
    id: string;
    space: string;
    /** Who else is in it. */
    peer: Participant | undefined;
    own: Participant | undefined;
    last: Message | undefined;
    unread: number;
}

/** The conversations, the one with the newest message first. */
export function useConversations(): Conversation[] | undefined {
    const threads = useRows({ from: "thread" });
    const participants = useRows({ from: "participant" });
    const messages = useRows({ from: "message", order: ["-id"], limit: 1000 });
    if (threads === undefined || participants === undefined || messages === undefined) {
        return undefined;
    }
    const user = me();
    return threads
        .map((thread) => {
            const inside = participants.filter((one) => one.space === thread.space);
            const own = inside.find((one) => one.user_id === user);
            const said = messages.filter((one) => one.space === thread.space);
            const read = own?.read ?? 0;
            return {
                id: thread.id,
                space: thread.space,
                peer: inside.find((one) => one.user_id !== user),
                own,
                last: said[0],
                unread: said.filter((one) => one.author_id !== user && (one.place ?? 0) > read && one.place !== undefined).length,
            };
        })
        .sort((a, b) => (b.last?.id ?? b.id).localeCompare(a.last?.id ?? a.id));
}

export function useUnread(): { total: number } {
    const conversations = useConversations();
    return { total: conversations?.reduce((sum, one) => sum + one.unread, 0) ?? 0 };
}
