/* What comes back from outside: the links of mails, whose ticket is behind the #, and another provider's answer. */
import { CoreError } from "@sideline/core";
import { type FormEvent, useEffect, useState } from "react";
import { refreshSession, startElsewhere, whenCore } from "../core";
import { t } from "../i18n";
import { go, useTitle } from "../router";
import { Button, Field, Link, announce } from "../ui/parts";

const words = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A form that asks the server for something, and says what came of it. */
function useAsking(ask: (given: FormData) => Promise<void>) {
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState<string>();
    const submit = async (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        setBusy(true);
        setProblem(undefined);
        try {
            await ask(new FormData(event.currentTarget));
        } catch (error) {
            setProblem(words(error));
        } finally {
            setBusy(false);
        }
    };
    return { busy, problem, submit: (event: FormEvent<HTMLFormElement>) => void submit(event) };
}

/** Asks for a mail by which a new password can be set. */
export function Forgot() {
    const [sent, setSent] = useState(false);
    useTitle(`${t("forgot.title")} · ${t("app.name")}`);
    const { busy, problem, submit } = useAsking(async (given) => {
        await (await whenCore()).account.do({ do: "reset_mail", email: String(given.get("email")).trim() });
        setSent(true);
    });
    return (
        <form className="stack" onSubmit={submit}>
            <h1>{t("forgot.title")}</h1>
            {sent ? <p className="note" role="status">{t("forgot.sent")}</p> : (
                <>
                    <p className="muted">{t("forgot.how")}</p>
                    <Field label={t("sign.email")} name="email" type="email" autoComplete="email" required />
                    {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
                    <Button look="primary" type="submit" busy={busy}>{t("forgot.send")}</Button>
                </>
            )}
            <p className="sign-other"><Link to="/sign-in">{t("sign.in")}</Link></p>
        </form>
    );
}

/** The ticket of the link that was followed, or that is pasted. */
function ticketOf(given: FormData): string {
    return location.hash.slice(1) || String(given.get("ticket") ?? "").trim();
}

/** A new password, by the ticket of a mail. */
export function Reset() {
    useTitle(`${t("reset.title")} · ${t("app.name")}`);
    const { busy, problem, submit } = useAsking(async (given) => {
        await (await whenCore()).account.do({ do: "reset", token: ticketOf(given), password: String(given.get("password")) });
        announce(t("reset.done"));
        go("/sign-in", true);
    });
    return (
        <form className="stack" onSubmit={submit}>
            <h1>{t("reset.title")}</h1>
            {location.hash === "" && <Field label={t("letter.ticket")} name="ticket" required autoComplete="off" />}
            <Field label={t("reset.password")} name="password" type="password" required minLength={12} hint={t("sign.password.hint")} autoComplete="new-password" />
            {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
            <Button look="primary" type="submit" busy={busy}>{t("reset.set")}</Button>
            <p className="sign-other"><Link to="/forgot">{t("reset.again")}</Link></p>
        </form>
    );
}

/** Proves an address by the ticket of a mail. */
export function Verify() {
    const [done, setDone] = useState(false);
    useTitle(`${t("verify.title")} · ${t("app.name")}`);
    const { busy, problem, submit } = useAsking(async (given) => {
        await (await whenCore()).account.do({ do: "verify", token: ticketOf(given) });
        setDone(true);
    });
    return (
        <form className="stack" onSubmit={submit}>
            <h1>{t("verify.title")}</h1>
            {done ? <p className="note" role="status">{t("verify.done")}</p> : (
                <>
                    {location.hash === "" && <Field label={t("letter.ticket")} name="ticket" required autoComplete="off" />}
                    {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
                    <Button look="primary" type="submit" busy={busy}>{t("verify.do")}</Button>
                </>
            )}
            <p className="sign-other"><Link to="/">{t("verify.on")}</Link></p>
        </form>
    );
}

/* ---- another provider ---- */

interface Question {
    [fact: string]: string;
    url: string;
    issuer: string;
    state: string;
}

const ASKED = "oidc";
const AGAIN_MS = 2000;

async function question(): Promise<Question> {
    return (await whenCore()).account.do<Question>({ do: "oidc", redirect_uri: `${location.origin}/oidc` });
}

/** To the provider's page; what was asked is kept until the answer comes back to this tab. */
function leave(asked: Question): void {
    sessionStorage.setItem(ASKED, JSON.stringify(asked));
    location.assign(asked.url);
}

const nameOf = ({ issuer }: Question) => new URL(issuer).host;

/** A way in by another provider, where the server has one. */
export function Provider() {
    const [asked, setAsked] = useState<Question>();
    const [tries, setTries] = useState(0);
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        question().then(setAsked, (error: unknown) => {
            /* Most servers have none; one that does not answer now may later. */
            if (error instanceof CoreError && error.code === "NETWORK") {
                timer = setTimeout(() => setTries(tries + 1), AGAIN_MS * 2 ** Math.min(tries, 5));
            }
        });
        return () => clearTimeout(timer);
    }, [tries]);
    return asked === undefined ? null : <Button onClick={() => leave(asked)}>{t("oidc.with", { name: nameOf(asked) })}</Button>;
}

/** Taken once: an answer serves once, too. */
function takeAsked(): Question | null {
    const kept = sessionStorage.getItem(ASKED);
    sessionStorage.removeItem(ASKED);
    return kept === null ? null : (JSON.parse(kept) as Question);
}

/** Signs in with what the provider said, or what was missing then. False: it goes on elsewhere. */
async function enter(said: { [fact: string]: string }): Promise<boolean> {
    const core = await whenCore();
    try {
        await core.account.oidc(said);
    } catch (error) {
        if (!(error instanceof CoreError && error.code === "CONFLICT")) {
            throw error;
        }
        /* This browser keeps another user's data. That stays; the answer is used up, so the provider is asked again. */
        await startElsewhere();
        leave(await question());
        return false;
    }
    await refreshSession();
    return true;
}

type Lacking = "code" | "birth_date";

/** What the provider cannot say; undefined: nothing of that kind. */
function lackingIn(error: unknown): Lacking | undefined {
    const field = error instanceof CoreError && error.code === "DENIED" ? error.field : undefined;
    return field === "code" || field === "birth_date" ? field : undefined;
}

/** Asks for what was missing, one thing and then perhaps the other. */
function Step({ first }: { first: Lacking }) {
    const [lacking, setLacking] = useState(first);
    const { busy, problem, submit } = useAsking(async (given) => {
        try {
            if (await enter({ [lacking]: String(given.get(lacking)).trim() })) {
                go("/", true);
            }
        } catch (error) {
            const next = lackingIn(error);
            if (next === undefined || next === lacking) {
                throw error;
            }
            setLacking(next);
        }
    });
    return (
        <form className="stack" onSubmit={submit} key={lacking}>
            {lacking === "code"
                ? <Field label={t("sign.code")} name={lacking} inputMode="numeric" autoComplete="one-time-code" required autoFocus hint={t("sign.code.hint")} />
                : <Field label={t("sign.birth")} name={lacking} type="date" autoComplete="bday" required hint={t("sign.birth.hint")} />}
            {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
            <Button look="primary" type="submit" busy={busy}>{t("sign.in")}</Button>
        </form>
    );
}

/** The provider has sent the user back. */
export function Returned() {
    const [problem, setProblem] = useState<string>();
    const [lacking, setLacking] = useState<Lacking>();
    useTitle(`${t("sign.in")} · ${t("app.name")}`);
    useEffect(() => {
        const { href, search } = location;
        const answer = new URLSearchParams(search);
        const asked = takeAsked();
        history.replaceState(null, "", "/oidc"); /* the code is not for history and pictures of the screen */
        if (asked === null || answer.get("state") !== asked.state) {
            setProblem(t("oidc.strange"));
        } else if (answer.has("error")) {
            setProblem(t(answer.get("error") === "access_denied" ? "oidc.cancelled" : "oidc.refused", { name: nameOf(asked) }));
        } else {
            enter({ ...asked, redirect: href }).then((done) => done && go("/", true), (error: unknown) => {
                const lacks = lackingIn(error);
                setLacking(lacks);
                setProblem(lacks === undefined ? words(error) : undefined);
            });
        }
    }, []);
    return (
        <div className="stack">
            <h1>{t("sign.in")}</h1>
            {lacking !== undefined ? <Step first={lacking} /> : problem === undefined ? <p role="status">{t("oidc.waits")}</p> : <p className="problem" role="alert">{problem}</p>}
            <p className="sign-other"><Link to="/sign-in">{t("oidc.again")}</Link></p>
        </div>
    );
}
