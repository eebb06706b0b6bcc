/* Mails of the server, which without a mail server are files: an address is confirmed, a forgotten password replaced. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "./world.mjs";

/** The ticket of a mail to somebody, by the words before it. */
function ticketOf(world, email, words) {
    const box = join(world.work, "data", "outbox");
    return waitFor(`a mail: ${words}`, () => {
        for (const name of readdirSync(box)) {
            const text = readFileSync(join(box, name), "utf8").replaceAll("\r", "");
            if (text.includes(email) && text.includes(words)) {
                return text.slice(text.indexOf(words) + words.length).trim().split(/\s/)[0];
            }
        }
        return undefined;
    });
}

export async function letters(world, anna) {
    const { page, context } = await world.person("Anna", "athlete");
    await page.goto(`${world.url}/verify#${await ticketOf(world, anna.email, "that this address is yours, give Sideline this:")}`);
    await page.getByRole("button", { name: "This address is mine" }).click();
    await page.getByText("your address is confirmed").waitFor();
    await page.goto(`${world.url}/sign-in`);
    await world.axe(page, "sign in");
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await page.getByLabel("E-mail").fill(anna.email);
    await world.axe(page, "forgot");
    await world.shot(page, "forgot", [320, 1024]);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText("a mail is on its way").waitFor();
    await page.goto(`${world.url}/reset#${await ticketOf(world, anna.email, "To set a new password, give Sideline this:")}`);
    await page.getByLabel("New password").fill("a horse of another colour");
    await world.axe(page, "new password");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByLabel("E-mail").fill(anna.email);
    await page.getByLabel("Password").fill("a horse of another colour");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
    await context.close();
}
