/* What comes back from outside: the links of mails, whose ticket is behind the #, and another provider's answer. */
import { type FormEvent, useEffect, useState } from "react";
import { refreshSession, whenCore } from "../core";
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
}

const ASKED = "oidc";

/** A way in by another provider, where the server has one. */
export function Provider() {
    const [question, setQuestion] = useState<Question>();
    useEffect(() => {
        const redirect_uri = `${location.origin}/oidc`;
        whenCore().then((core) => core.account.do<Question>({ do: "oidc", redirect_uri })).then(setQuestion, () => undefined); /* most have none */
    }, []);
    if (question === undefined) {
        return null;
    }
    const leave = () => {
        sessionStorage.setItem(ASKED, JSON.stringify(question));
        location.assign(question.url);
    };
    return <Button onClick={leave}>{t("oidc.with", { name: new URL(question.issuer).host })}</Button>;
}

/** The provider has sent the user back. */
export function Returned() {
    const [problem, setProblem] = useState<string>();
    useTitle(`${t("sign.in")} · ${t("app.name")}`);
    useEffect(() => {
        const kept = JSON.parse(sessionStorage.getItem(ASKED) ?? "{}") as Question;
        sessionStorage.removeItem(ASKED);
        const enter = async () => {
            await (await whenCore()).account.oidc({ ...kept, redirect: location.href });
            await refreshSession();
            go("/", true);
        };
        enter().catch((error: unknown) => setProblem(words(error)));
    }, []);
    return (
        <div className="stack">
            <h1>{t("sign.in")}</h1>
            {problem === undefined ? <p role="status">{t("oidc.waits")}</p> : <p className="problem" role="alert">{problem}</p>}
            <p className="sign-other"><Link to="/sign-in">{t("sign.in")}</Link></p>
        </div>
    );
}
