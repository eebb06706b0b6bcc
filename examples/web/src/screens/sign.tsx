/* Signing up, signing in, with the second factor when the account has one. */
import { CoreError } from "@sideline/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { refreshSession, startElsewhere, theCore, whenCore } from "../core";
import { LANGUAGES, type Language as Tongue, setLanguage, t, useLanguage } from "../i18n";
import { go, usePath, useTitle } from "../router";
import { Button, Field, Link, Select } from "../ui/parts";
import { Forgot, Provider, Reset, Returned, Verify } from "./letters";

interface Asked {
    email: string;
    password: string;
    name: string;
    role: "athlete" | "coach";
    birth: string;
    code: string;
}

async function enter(up: boolean, asked: Asked): Promise<void> {
    const { email, password, name, role, birth, code } = asked;
    await whenCore();
    try {
        if (up) {
            await theCore().account.signUp({ email, password, name, role, birth_date: birth });
        } else {
            await theCore().account.signIn({ email, password, ...(code === "" ? {} : { code }) });
        }
    } catch (error) {
        if (!(error instanceof CoreError && error.code === "CONFLICT" && (await theCore().info("session")).user === undefined && !up)) {
            throw error;
        }
        /* This browser keeps another user's data: that stays, and the new one gets a folder of its own. */
        await startElsewhere();
        await theCore().account.signIn({ email, password, ...(code === "" ? {} : { code }) });
    }
    await refreshSession();
    go("/", true);
}

/** The screens on which nobody needs to be signed in. */
export const OUTSIDE: { [first: string]: () => ReactNode } = {
    forgot: () => <Forgot />,
    reset: () => <Reset />,
    verify: () => <Verify />,
    oidc: () => <Returned />,
};

export function Sign() {
    useLanguage();
    const [first = ""] = usePath();
    const up = first === "sign-up";
    return (
        <div className="sign">
            <section className="sign-word">
                <div className="brand"><img src="/icon.svg" alt="" width={40} height={40} /><span>{t("app.name")}</span></div>
                <p className="sign-claim">{t("sign.claim")}</p>
                <p>{t("sign.claim.more")}</p>
            </section>
            <main className="sign-card card">
                {OUTSIDE[first]?.() ?? <Form key={up ? "up" : "in"} up={up} />}
                <Language />
            </main>
        </div>
    );
}

function Form({ up }: { up: boolean }) {
    const [busy, setBusy] = useState(false);
    const [factor, setFactor] = useState(false);
    const [problem, setProblem] = useState<{ message: string; field?: string | undefined }>();
    useTitle(`${t(up ? "sign.up" : "sign.in")} · ${t("app.name")}`);
    const submit = async (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const text = (name: string) => String(given.get(name) ?? "");
        const role = text("role") === "coach" ? "coach" : "athlete";
        setBusy(true);
        setProblem(undefined);
        try {
            await enter(up, { email: text("email").trim(), password: text("password"), name: text("name").trim(), role, birth: text("birth"), code: text("code").trim() });
        } catch (error) {
            const needsCode = !up && error instanceof CoreError && error.code === "DENIED" && error.field === "code" && !factor;
            setFactor(factor || needsCode);
            setProblem(needsCode ? undefined : { message: error instanceof Error ? error.message : String(error), field: error instanceof CoreError ? error.field : undefined });
        } finally {
            setBusy(false);
        }
    };
    const of = (field: string) => (problem?.field === field ? problem.message : undefined);
    const general = problem !== undefined && !["email", "password", "name", "birth_date"].includes(problem.field ?? "") ? problem.message : undefined;
    return (
        <form className="stack" onSubmit={(event) => void submit(event)}>
            <h1>{t(up ? "sign.up.title" : "sign.in.title")}</h1>
            {up && <Field label={t("sign.name")} name="name" autoComplete="name" required maxLength={100} error={of("name")} />}
            <Field label={t("sign.email")} name="email" type="email" autoComplete="email" required error={of("email")} />
            <Field label={t("sign.password")} name="password" type="password" required minLength={up ? 12 : 1} hint={up ? t("sign.password.hint") : undefined}
                autoComplete={up ? "new-password" : "current-password"} error={of("password")} />
            {up && <Birth error={of("birth_date")} />}
            {up && <Role />}
            {factor && <Field label={t("sign.code")} name="code" inputMode="numeric" autoComplete="one-time-code" required autoFocus hint={t("sign.code.hint")} />}
            {general !== undefined && <p className="problem" role="alert">{general}</p>}
            <Button look="primary" type="submit" busy={busy}>{t(up ? "sign.up" : "sign.in")}</Button>
            <Provider />
            {!up && <p className="sign-other"><Link to="/forgot">{t("forgot.title")}</Link></p>}
            <p className="sign-other">
                {t(up ? "sign.have" : "sign.none")} <Link to={up ? "/sign-in" : "/sign-up"}>{t(up ? "sign.in" : "sign.up")}</Link>
            </p>
        </form>
    );
}

function Birth({ error }: { error: string | undefined }) {
    return <Field label={t("sign.birth")} name="birth" type="date" autoComplete="bday" required hint={t("sign.birth.hint")} error={error} />;
}

function Role() {
    return (
        <fieldset className="choice">
            <legend>{t("sign.role")}</legend>
            <label><input type="radio" name="role" value="athlete" defaultChecked />{t("sign.role.athlete")}</label>
            <label><input type="radio" name="role" value="coach" />{t("sign.role.coach")}</label>
        </fieldset>
    );
}

export function Language() {
    const language = useLanguage();
    return (
        <Select label={t("account.language")} value={language} options={Object.entries(LANGUAGES)} onChange={(next) => void setLanguage(next as Tongue)} />
    );
}
