/* Coaches of one organisation: one is asked and agrees, leaves, makes another, and sees what its coaches do. */
import { waitFor } from "./world.mjs";

/** In the browser an Olga; at the other end a core. */
export async function organising(world, cleo) {
    const olga = await world.person("Olga", "coach");
    const { page } = olga;
    await world.signUp(olga);
    const held = async (query) => (await cleo.core.query(query))[0];
    const { ids: [id] } = await cleo.core.apply([{ op: "create", entity: "organisation", fields: { name: "North club" } }]);
    await cleo.core.create("member", `organisation:${id}`, { email: olga.email });
    await page.getByRole("link", { name: /^Organisation/ }).click();
    await page.getByRole("heading", { name: "Cleo invites you to North club" }).waitFor();
    await world.axe(page, "organisation, asked");
    await page.getByRole("button", { name: "Accept" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".member", { hasText: "Cleo" }).getByText("Admin", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.getByText("No organisation yet").waitFor();
    await page.getByLabel("Name of a new organisation").fill("South club");
    await page.keyboard.press("Enter");
    await page.getByText("You are the only admin").waitFor();
    await page.getByLabel("A coach’s e-mail").fill("cleo@example.org");
    await page.keyboard.press("Enter");
    const asked = await waitFor("the invitation", () => held({ from: "membership", where: { state: "invited" } }));
    await cleo.core.patch("membership", asked.id, { state: "active" });
    const row = page.locator(".member", { hasText: "Cleo" });
    await row.getByText(/Athletes: [1-9]\d* · messages: [1-9]/).waitFor();
    await world.axe(page, "organisation");
    await world.shot(page, "organisation", [320, 1024]);
    await row.getByRole("button", { name: "Make admin: Cleo" }).click();
    await waitFor("another admin", async () => (await held({ from: "membership", where: { id: asked.id } }))?.role === "admin");
    await row.getByRole("button", { name: "Remove Cleo" }).click();
    await row.waitFor({ state: "detached" });
    await waitFor("the end of it", async () => (await held({ from: "organisation", where: { name: "South club" } })) === undefined);
    await olga.context.close();
}
