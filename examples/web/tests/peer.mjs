/* The other one of a conversation: no browser, but the same core, in this process. */
import { openCore } from "@sideline/core";
import { PASSWORD, waitFor } from "./world.mjs";

export async function peer(url, name, role) {
    const core = await openCore({ dir: name, server: url });
    const { id } = await core.account.signUp({ email: `${name.toLowerCase()}@example.org`, password: PASSWORD, name, role, birth_date: "1990-01-31" });
    await core.sync.start();
    return { id, core, chat: core.chat };
}

/** Waits for somebody's invitation and accepts it: the conversation's space. */
export async function accept({ core }) {
    const asked = await waitFor("an invitation", async () => (await core.query({ from: "connection", where: { status: "requested" } }))[0]);
    await core.patch("connection", asked.id, { status: "accepted" });
    const known = await waitFor("the conversation", async () => (await core.query({ from: "connection", where: { thread_id: { ne: null } } }))[0]);
    await waitFor("both in it", async () => (await core.chat.people(`thread:${known.thread_id}`)).length === 2);
    return `thread:${known.thread_id}`;
}
