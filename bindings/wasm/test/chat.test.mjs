/* Conversations in Node: two people, each a core on files in memory, against a real sidelined. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CoreError, newId, openCore } from "../dist/node.js";
import { scratch, startSidelined, until } from "./helpers.mjs";

const PASSWORD = "correct horse battery staple";

let folder;
let sidelined;
let anna;
let carl;
let thread;

async function person(name, role) {
    const core = await openCore({ dir: name, server: `http://127.0.0.1:${sidelined.port}` });
    const { id } = await core.account.signUp({ email: `${name}@example.org`, password: PASSWORD, name, role, birth_date: "1990-01-31" });
    await core.sync.start();
    const heard = [];
    void (async () => {
        for await (const event of core.events()) {
            heard.push(event);
        }
    })();
    return { core, id, heard, chat: core.chat };
}

async function refused(code, promise) {
    await assert.rejects(promise, (error) => error instanceof CoreError && error.code === code, code);
}

const bodies = async (of, part) => (await of.chat.messages(thread, part)).messages.map((one) => one.body);
const found = (of, id) => of.chat.messages(thread).then(({ messages }) => messages.find((one) => one.id === id));

before(async () => {
    folder = scratch();
    sidelined = await startSidelined(folder.folder);
    [anna, carl] = await Promise.all([person("anna", "athlete"), person("carl", "coach")]);
    await anna.core.create("connection", `user:${anna.id}`, { peer_email: "carl@example.org" });
    const asked = await until("the request", async () => (await carl.core.query({ from: "connection" }))[0]);
    await carl.core.patch("connection", asked.id, { status: "accepted" });
    const known = await until("the thread", async () => (await carl.core.query({ from: "connection", where: { thread_id: { ne: null } } }))[0]);
    thread = `thread:${known.thread_id}`;
    await until("both are in it", async () => (await anna.chat.people(thread).catch(() => [])).length === 2);
});

after(async () => {
    await anna?.core.close();
    await carl?.core.close();
    await sidelined?.stop();
    folder?.remove();
});

test("a message goes from queued to read, and is counted as long as it is not", async () => {
    const id = await anna.chat.send(thread, { body: "Hello Carl", mentions: [{ user: carl.id, at: 6, len: 4 }] });
    const came = await until("the message", () => found(carl, id));
    assert.deepEqual([came.mine, came.state, came.author, came.unread, came.mentioned], [false, "received", "anna", true, true]);
    assert.deepEqual(await carl.chat.counts(), { unread: 1, mentions: 1, badge: 1, threads: 1, more: false });
    await until("it is delivered", async () => (await found(anna, id)).state === "delivered");
    await carl.chat.read(thread);
    await until("it is read", async () => (await found(anna, id)).state === "read");
    assert.equal((await carl.chat.counts()).unread, 0);
    const [row] = await anna.chat.threads();
    assert.deepEqual([row.thread, row.people, row.last.body, row.unread], [thread, [{ user: carl.id, name: "carl" }], "Hello Carl", 0]);
});

test("answers, signs, pins and edits are seen by the other, and a deleted message is gone", async () => {
    const [first] = (await anna.chat.messages(thread)).messages;
    const id = await carl.chat.send(thread, { body: "Good mroning", reply_to: first.id });
    await carl.chat.edit(id, { body: "Good morning" });
    await carl.chat.pin(first.id);
    await until("the answer", async () => (await found(anna, id))?.edited_ms !== undefined);
    await anna.chat.react(id, "👍");
    await until("the sign and the pin", async () => {
        const one = await found(carl, id);
        return one.reactions !== undefined && (await found(anna, first.id)).pinned;
    });
    const one = await found(carl, id);
    assert.equal(one.body, "Good morning");
    assert.equal(one.reply.body, "Hello Carl");
    assert.deepEqual(one.reactions, [{ emoji: "👍", count: 1, mine: false }]);
    await refused("DENIED", anna.chat.edit(id, { body: "no" }));
    await anna.chat.react(id, "👍", false);
    await carl.chat.pin(first.id, false);
    await carl.chat.delete(id);
    await until("nothing of it", async () => (await bodies(anna)).length === 1 && (await found(anna, first.id)).pinned === undefined);
});

test("pages, the place around a message, and words", async () => {
    const ids = [];
    for (let i = 0; i < 8; i++) {
        ids.push(await anna.chat.send(thread, { body: `throw number ${i}` }));
    }
    await anna.core.sync.settle();
    const newest = await anna.chat.messages(thread, { limit: 3 });
    assert.deepEqual(newest.messages.map((one) => one.body), [5, 6, 7].map((i) => `throw number ${i}`));
    assert.deepEqual([newest.older, newest.newer], [true, false]);
    const before = await bodies(anna, { limit: 2, before: newest.messages[0].place });
    assert.deepEqual(before, [3, 4].map((i) => `throw number ${i}`));
    assert.ok((await bodies(anna, { limit: 2, around: ids[1] })).includes("throw number 1"));
    await refused("INVALID", anna.chat.messages(thread, { limit: 0 }));
    const hits = await anna.chat.search("number 4", { thread });
    assert.deepEqual(hits.map((one) => [one.id, one.snippet]), [[ids[4], "throw [number] [4]"]]);
    assert.deepEqual(await anna.chat.search("nothing like it"), []);
    assert.deepEqual(await anna.chat.gaps(thread), []);
    assert.deepEqual(await anna.chat.load(thread, "older"), { loaded: 0, more: false });
});

test("a coach makes a group, and who leaves it keeps nothing of it", async () => {
    await refused("DENIED", anna.chat.group("Ours", [carl.id]));
    const group = await carl.chat.group("Throwers", [anna.id]);
    await carl.chat.send(group, { body: "Welcome" });
    const has = (of, body) => of.chat.messages(group).then(({ messages }) => messages.some((one) => one.body === body), () => false);
    await until("she is in it", () => has(anna, "Welcome"));
    const row = (await anna.chat.threads()).find((one) => one.thread === group);
    assert.deepEqual([row.title, row.group, row.people], ["Throwers", true, [{ user: carl.id, name: "carl" }]]);
    const [made] = (await anna.chat.messages(group)).messages;
    assert.deepEqual([made.kind, made.event, made.body], ["notice", "made", "Throwers"]);
    assert.deepEqual((await anna.chat.people(group)).filter((one) => one.leads).map((one) => one.user), [carl.id]);
    await refused("DENIED", anna.chat.editGroup(group, { title: "Mine" }));
    await carl.chat.editGroup(group, { title: "The throwers" });
    await until("its name", async () => (await anna.chat.threads()).some((one) => one.title === "The throwers"));
    await anna.chat.leave(group);
    await until("it is gone", async () => (await anna.chat.threads()).every((one) => one.thread !== group));
    await until("he is told", async () => (await carl.chat.messages(group)).messages.some((one) => one.event === "left" && one.author === "anna"));
    await refused("INVALID", carl.chat.leave(thread));
});

test("a message is repeated under a name of its own", async () => {
    const [first] = (await anna.chat.messages(thread)).messages;
    const id = await anna.chat.forward(first.id, thread);
    const repeated = await until("it is there", () => found(carl, id));
    assert.deepEqual([repeated.body, repeated.forward_of, repeated.mentions], ["Hello Carl", first.id, undefined]);
    await refused("NOT_FOUND", anna.chat.forward(newId(), thread));
});

test("what is begun is kept, and what is for later waits", async () => {
    assert.equal(await anna.chat.draft(thread), null);
    await anna.chat.setDraft(thread, { body: "I will" });
    assert.deepEqual(await anna.chat.draft(thread), { body: "I will" });
    assert.deepEqual((await anna.chat.threads())[0].draft, { body: "I will" });
    await anna.chat.setDraft(thread, null);
    assert.equal(await anna.chat.draft(thread), null);
    const then = Date.now() + 3_600_000;
    const later = await anna.chat.send(thread, { body: "later", send_ms: then });
    const never = await anna.chat.send(thread, { body: "never", send_ms: then });
    assert.deepEqual((await anna.chat.scheduled(thread)).map((one) => [one.id, one.thread, one.fields.body]),
        [[later, thread, "later"], [never, thread, "never"]]);
    await anna.chat.unschedule(never);
    await anna.chat.reschedule(later, { body: "now", send_ms: 0 });
    await until("it has come", async () => (await bodies(carl)).includes("now"));
    assert.deepEqual(await anna.chat.scheduled(), []);
});

test("who types and who is there is told, and forgotten when it ends", async () => {
    await anna.chat.presence(true);
    await until("she is there", async () => (await carl.chat.people(thread)).some((one) => one.user === anna.id && one.online));
    assert.ok(carl.heard.some((event) => event.ev === "presence" && event.user === anna.id && event.online));
    await anna.chat.typing(thread);
    await until("she types", async () => (await carl.chat.people(thread)).some((one) => one.user === anna.id && one.typing));
    assert.ok(carl.heard.some((event) => event.ev === "typing" && event.space === thread && event.on));
    await anna.chat.presence(false);
    await until("she is gone", async () => (await carl.chat.people(thread)).every((one) => one.me || !one.online));
});

test("a silent thread does not count for the icon, and a blocked one is not heard", async () => {
    await carl.chat.read(thread);
    await carl.chat.mute(thread, true);
    await anna.chat.send(thread, { body: "psst" });
    await until("it counts", async () => (await carl.chat.counts()).unread === 1);
    assert.equal((await carl.chat.counts()).badge, 0);
    assert.ok((await carl.chat.threads())[0].muted_until_ms > Date.now());
    await carl.chat.mute(thread, false);
    assert.equal((await carl.chat.counts()).badge, 1);
    await carl.chat.block(anna.id);
    assert.equal((await carl.chat.threads()).find((one) => one.thread === thread).blocked, true);
    assert.equal((await carl.chat.counts()).unread, 0);
    await carl.core.sync.settle();
    const id = await anna.chat.send(thread, { body: "do you hear me?" });
    const failed = await until("it is refused", async () => {
        const one = await found(anna, id);
        return one?.state === "failed" && one;
    });
    assert.equal(typeof failed.message, "string");
    await carl.chat.block(anna.id, false);
    await carl.core.sync.settle();
    await anna.chat.retry(id);
    await until("it is heard", async () => (await bodies(carl)).includes("do you hear me?"));
    await refused("NOT_FOUND", anna.chat.discard(id));
});

test("a push notification is told without a connection", async () => {
    await refused("INVALID", carl.chat.notice("no notice"));
    const told = { v: 1, to: carl.id, kind: "system", space: `user:${carl.id}`, id: newId(), title: "A word", body: "of ours" };
    const notice = await carl.chat.notice(JSON.stringify({ aps: {}, sideline: told }));
    assert.deepEqual([notice.show, notice.title, notice.body], [true, "A word", "of ours"]);
    assert.equal((await carl.chat.notice(JSON.stringify({ sideline: { ...told, to: newId() } }))).why, "other_user");
});

test("a stroke is seen while it is drawn, by who looks at the video", async () => {
    const id = newId();
    const video = `video:${id}`;
    const fields = { title: "Serve", media_type: "video/mp4", size: 3, duration_us: 5e6, width: 640, height: 480 };
    const blob = await anna.core.blobs.put(video, new Uint8Array([1, 2, 3]), { mediaType: "video/mp4" });
    await anna.core.create("video", video, { ...fields, blob }, id);
    await anna.core.create("share", video, { user_id: carl.id, role: "coach" });
    await until("his coach has it", () => carl.core.get("video", id));
    await anna.core.sync.focus(video);
    await carl.core.sync.focus(video);
    const tell = (stroke, what) => carl.core.tellStroke(video, { stroke, ...what });
    await refused("NOT_FOUND", tell(newId(), { do: "points", points: [1, 2] }));
    /* Whoever has only just begun to look at it misses some. */
    let drawn;
    const seen = (what) => anna.heard.find((event) => event.ev === "stroke" && event.do === what && event.stroke === drawn);
    const begin = await until("a stroke's beginning", async () => {
        if (drawn !== undefined) {
            await tell(drawn, { do: "cancel" });
        }
        drawn = newId();
        await tell(drawn, { do: "begin", tool: "pen", at_us: 1e6, points: [100, 200] });
        await carl.core.sync.settle();
        await anna.core.sync.settle();
        return seen("begin");
    });
    assert.deepEqual([begin.space, begin.user, begin.tool], [video, carl.id, "pen"]);
    await tell(drawn, { do: "end" });
    await until("its end", () => seen("end"));
});
