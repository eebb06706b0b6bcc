/*
 * What goes wrong, and what is said meanwhile: one person in a browser, another as a core in this process, against a real
 * server.
 */
import { keepsNothing, noRoom, serverDies, twoTabs } from "./breaking.mjs";
import { clips, reviewed } from "./clips.mjs";
import { filming } from "./filming.mjs";
import { fingers, screens } from "./fingers.mjs";
import { letters } from "./letters.mjs";
import { film, losing } from "./losing.mjs";
import { blocking, naming, noticing, otherWay, waiting } from "./noticing.mjs";
import { organising } from "./organising.mjs";
import { pairing } from "./pairing.mjs";
import { providing, startProvider } from "./provider.mjs";
import { peer } from "./peer.mjs";
import { keeping, meeting, talking } from "./talking.mjs";
import { sending } from "./sending.mjs";
import { streaming } from "./streaming.mjs";
import { World } from "./world.mjs";

const [sidelined, app, clip, speech, shots] = process.argv.slice(2);
const provider = process.env.PEERS ? await startProvider(process.env.PEERS) : null;
const world = new World({ sidelined, app, clip, speech, shots, media: true, more: provider?.options });

await world.run("rough", async (step) => {
    const cleo = await peer(world.url, "Cleo", "coach");
    const anna = await world.person("Anna", "athlete", { hasTouch: true });
    let thread;
    let part;
    let bench;
    try {
        await step("two meet", async () => void (thread = await meeting(world, anna, cleo)));
        await step("they talk: answers, pins, signs, forwarding, words found", () => talking(world, anna, cleo, thread));
        await step("drafts stay, silence is silent, what is refused is sent again", () => keeping(world, anna, cleo, thread));
        await step("a part of a clip is cut out, held, and sent over reloads", async () => void (part = await sending(world, anna, cleo, clip)));
        await step("a film is made in the app, over a reload, with fingers, and sent", () => filming(world, anna, cleo));
        await step("a clip is held, renamed, shown to less and more people, and deleted", () => clips(world, anna, cleo));
        await step("what happens is told, and what one wants to be told of", () => noticing(world, anna, cleo));
        await step("coaches make an organisation, agree, leave, see their numbers", () => organising(world, cleo));
        await step("people are named", () => naming(world, anna, cleo, thread));
        await step("messages wait for their time", () => waiting(world, anna, cleo, thread));
        await step("somebody is blocked, a message reported", () => blocking(world, anna, cleo, thread));
        await step("and from right to left", () => otherWay(world, anna));
        await step("a film plays as the server has made it ready, and is kept", () => streaming(world, anna, cleo, thread, part));
        await step("a review shows two films in step", () => pairing(world, anna, clip));
        await step("a reload while drawing and speaking loses nothing", async () => void (bench = await losing(world, anna, clip)));
        await step("a review is renamed and deleted by its author", () => reviewed(world, anna, bench));
        await step("fingers draw, zoom and turn", async () => {
            await anna.page.goto(bench);
            await film(anna.page);
            await fingers(world, anna);
            await screens(world, anna);
        });
        await step("the server dies, and a page is loaded again meanwhile", () => serverDies(world, anna, cleo, thread));
        await step("two tabs, one closed", () => twoTabs(world, anna, cleo, thread));
        await step("no room in the store", () => noRoom(world, clip));
        await step("no private file system, no database", () => keepsNothing(world));
        await step("an address is confirmed, a forgotten password replaced", () => letters(world, anna));
        if (provider !== null) {
            await step("people sign in with another provider, cancel, and are refused", () => providing(world, provider));
        }
    } finally {
        await anna.twin?.close();
        await cleo.core.close();
        provider?.close();
    }
});
