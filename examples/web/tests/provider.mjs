/*
 * Signing in with another provider: npm's oidc-provider, an independent OpenID Connect server, on a port of its own. Its
 * pages are walked through as a person does.
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PASSWORD } from "./world.mjs";

/** The port is known before the server that trusts it starts, and its address before the provider does. */
export async function startProvider(peers) {
    const { default: Provider } = await import(createRequire(join(peers, "package.json")).resolve("oidc-provider"));
    let answer = (_, response) => response.writeHead(503).end();
    const http = createServer((request, response) => answer(request, response));
    await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${http.address().port}`;
    return {
        issuer,
        options: ["--oidc-issuer", issuer, "--oidc-client", "sideline"],
        /** Lets people be sent back to this address. */
        open(url) {
            const provider = new Provider(issuer, {
                clients: [{ client_id: "sideline", token_endpoint_auth_method: "none", redirect_uris: [`${url}/oidc`], grant_types: ["authorization_code"], response_types: ["code"] }],
                pkce: { required: () => true },
                claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
                conformIdTokenClaims: false,
                findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: id !== "mallory", name: `The ${id}` }) }),
            });
            answer = provider.callback();
        },
        close() {
            http.close();
            http.closeAllConnections();
        },
    };
}

async function press(world, page, issuer) {
    await page.goto(`${world.url}/sign-in`);
    await page.getByRole("button", { name: `Sign in with ${new URL(issuer).host}` }).click();
}

/** From the button to the provider's first page. */
async function leave(world, page, issuer) {
    await press(world, page, issuer);
    await page.locator("input[name=login]").waitFor();
}

/** The provider's two pages. */
async function agree(page, login) {
    await page.locator("input[name=login]").fill(login);
    await page.locator("input[name=password]").fill("any");
    await page.locator("button[type=submit]").click();
    await page.getByRole("button", { name: "Continue" }).click();
}

const isIn = (page) => page.getByRole("navigation", { name: "Main" }).waitFor();

async function isRefused(page, words) {
    await page.getByRole("alert").getByText(words).waitFor();
    if (new URL(page.url()).search !== "") {
        throw new Error(`the address still says ${page.url()}`);
    }
    await page.getByRole("link", { name: "Back to sign-in" }).waitFor();
}

async function walking(world, issuer) {
    const { page, context } = await world.person("Peter", "athlete");
    await leave(world, page, issuer);
    await page.getByRole("link", { name: "Cancel" }).click();
    await isRefused(page, `You have not signed in with ${new URL(issuer).host}.`);
    await world.axe(page, "provider, cancelled");
    await world.shot(page, "provider-cancelled", [320, 1024]);
    await page.getByRole("link", { name: "Back to sign-in" }).click();
    await page.getByRole("button", { name: /^Sign in with / }).waitFor();
    await world.axe(page, "sign in, with a provider");
    await world.shot(page, "provider-button", [320, 1024]);
    /* An answer whose state is another one is none. */
    const asked = page.waitForRequest((request) => request.url().startsWith(issuer));
    await leave(world, page, issuer);
    await page.goto((await asked).url().replace(/state=[^&]+/, "state=another"));
    await agree(page, "peter");
    await isRefused(page, "This is no answer to a sign-in that was begun here.");
    /* The provider knows the user by now, but not when they were born. */
    await press(world, page, issuer);
    await page.getByLabel("Date of birth").waitFor();
    await world.axe(page, "provider, date of birth");
    await page.getByLabel("Date of birth").fill("1990-01-31");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await isIn(page);
    await page.reload();
    await isIn(page);
    await page.locator(".side-user", { hasText: "The peter" }).waitFor();
    await context.close();
}

/** An address that has an account already leads into it; one that the provider has not verified to none. */
async function linking(world, issuer) {
    const whoever = { email: "lena@example.org", password: PASSWORD, device: "018b0000-0000-7000-8000-000000000001" };
    const asks = async (what, more) => (await fetch(`${world.url}/api/v1/auth/${what}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...whoever, ...more }) })).status;
    const made = await asks("signup", { name: "lena", role: "coach", birth_date: "1990-01-31" });
    if (made !== 201) {
        throw new Error(`signing up answers ${made}`);
    }
    const { page, context } = await world.person("Lena at the provider", "coach");
    await leave(world, page, issuer);
    await agree(page, "mallory");
    await isRefused(page, "the provider has not verified the e-mail address");
    await context.clearCookies();
    await leave(world, page, issuer);
    await agree(page, "lena");
    await isIn(page);
    await page.locator(".side-user", { hasText: "lena" }).waitFor();
    await page.getByRole("heading", { name: "Pending reviews" }).waitFor();
    /* Whoever made the account had not proved the address: their password does not serve any more. */
    if ((await asks("login")) !== 401) {
        throw new Error("the password of whoever made the account still serves");
    }
    /* Another one at the same browser gets a folder of their own, and the first finds theirs again. */
    await page.goto(`${world.url}/account`);
    await page.getByRole("button", { name: "Sign out" }).last().click();
    await page.getByRole("button", { name: /^Sign in with / }).waitFor();
    await context.clearCookies();
    await leave(world, page, issuer);
    await agree(page, "peter");
    await isIn(page);
    await page.locator(".side-user", { hasText: "The peter" }).waitFor();
    await context.close();
}

export async function providing(world, { issuer, open }) {
    open(world.url);
    await walking(world, issuer);
    await linking(world, issuer);
}
