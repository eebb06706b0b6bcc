/* What is shown of a conversation: the newest of it, as much more as was asked for, or the place around one message. */
import type { ChatMessage, ChatPerson, EntityName, Query } from "@sideline/core";
import { useEffect, useState } from "react";
import { theCore, useAnswer } from "../core";

const PAGE = 100;

export interface Shown {
    messages: ChatMessage[];
    /** There are older ones: on this device, or only with the server. */
    older: "here" | "away" | null;
    /** What follows is not shown. */
    newer: boolean;
}

async function read(space: string, around: string | null, wanted: number): Promise<Shown> {
    const { chat } = theCore();
    const page = await chat.messages(space, around === null ? { limit: PAGE } : { around, limit: PAGE });
    let { messages, older } = page;
    while (older && messages.length < wanted) {
        const before = messages.find((one) => one.place !== undefined)?.place;
        if (before === undefined) {
            break;
        }
        const more = await chat.messages(space, { before, limit: PAGE });
        messages = [...more.messages, ...messages];
        older = more.older;
    }
    return { messages, older: older ? "here" : messages[0]?.gap === true ? "away" : null, newer: page.newer || page.gap_after };
}

export interface Conversation {
    shown: Shown | undefined;
    /** Shows older ones, which are loaded when they are not here. */
    older(): Promise<void>;
    /** Loads what is missing before a message. */
    fill(message: string): Promise<void>;
    /** Shows the place of a message; null: the newest. */
    jump(message: string | null): Promise<void>;
    /** Asks anew, after something that is no record has changed. */
    again(): void;
}

export function useConversation(space: string): Conversation {
    const [wanted, setWanted] = useState(PAGE);
    const [around, setAround] = useState<string | null>(null);
    const of: Query<EntityName>[] = (["message", "participant", "reaction", "pin"] as const).map((from) => ({ from, where: { space }, order: ["-id"] }) as Query<EntityName>);
    const { answer, again } = useAnswer(space, () => read(space, around, wanted), [...of, { from: "block" }], ["rejected"]);
    useEffect(again, [wanted, around]);
    const load = async (message?: string) => {
        await theCore().chat.load(space, "older", message === undefined ? {} : { message });
        again();
    };
    return {
        shown: answer,
        async older() {
            if (answer?.older === "away") {
                await load(answer.messages[0]!.id);
            }
            setWanted((before) => before + PAGE);
        },
        fill: load,
        async jump(message) {
            if (message !== null) {
                await theCore().chat.load(space, "around", { message });
            }
            setAround(message);
        },
        again,
    };
}

/** Who takes part, who is there and who types. */
export function usePeople(space: string): ChatPerson[] {
    return useAnswer(`people ${space}`, () => theCore().chat.people(space), [{ from: "participant", where: { space } }], ["typing", "presence"]).answer ?? [];
}
