/* The conversations and what of them is new to the user, by the marks that the core keeps. */
import type { ChatCounts, ChatThread, EntityName, Query } from "@sideline/core";
import { useAnswer, theCore } from "./core";

/* Whatever says that a list of conversations may have changed. */
const OF: Query<EntityName>[] = [
    { from: "thread" },
    { from: "participant" },
    { from: "message", order: ["-id"], limit: 200 },
    { from: "thread_setting" },
    { from: "block" },
];

/** The conversations, the one where something happened last first. */
export function useConversations(): ChatThread[] | undefined {
    return useAnswer("threads", () => theCore().chat.threads(), OF, ["rejected"]).answer;
}

export function useCounts(): ChatCounts | undefined {
    return useAnswer("counts", () => theCore().chat.counts(), OF).answer;
}
