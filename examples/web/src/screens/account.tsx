/* The account: second factor, devices, language, leaving. */
import { type FormEvent, useEffect, useState } from "react";
import { refreshSession, theCore, useSession, useStatus } from "../core";
import { ago, t } from "../i18n";
import { go, useTitle } from "../router";
import { Avatar, Button, Field, announce, attempt } from "../ui/parts";
import { Language } from "./sign";
import { Blocked, Wishes } from "./wishes";

export function Account() {
    const session = useSession();
    useTitle(`${t("nav.account")} · ${t("app.name")}`);
    const leave = () => attempt(async () => {
        await theCore().account.signOut();
        await refreshSession();
        go("/sign-in", true);
    });
    return (
        <div className="page page-narrow stack">
            <h1>{t("nav.account")}</h1>
            <section className="card list-row account-head">
                <Avatar name={session?.name ?? ""} size={56} />
                <div className="grow">
                    <p className="list-title clip"><bdi>{session?.name}</bdi></p>
                    <p className="muted clip">{session?.email}</p>
                </div>
                <span className="tag">{t(session?.role === "coach" ? "sign.role.coach" : "sign.role.athlete")}</span>
            </section>
            <section className="card card-pad"><Language /></section>
            <Wishes />
            <Blocked />
            <Factor />
            <Address />
            <Devices />
            <Storage />
            <Button look="danger" icon="leave" onClick={leave}>{t("account.leave")}</Button>
        </div>
    );
}

function Factor() {
    const needed = useStatus().reason === "mfa_required";
    const [made, setMade] = useState<{ secret: string; uri: string }>();
    const [codes, setCodes] = useState<string[]>();
    const begin = () => attempt(async () => setMade(await theCore().account.do({ do: "totp" })));
    const confirm = (event: FormEvent<HTMLFormElement>) => {
        event.preventDefault();
        const code = String(new FormData(event.currentTarget).get("code")).trim();
        attempt(async () => {
            const answer = await theCore().account.do<{ recovery_codes: string[] }>({ do: "totp_confirm", code });
            setCodes(answer.recovery_codes);
            setMade(undefined);
            announce(t("factor.on"));
            await theCore().sync.start();
        });
    };
    return (
        <section className="card card-pad stack" aria-labelledby="factor">
            <h2 id="factor">{t("factor.title")}</h2>
            <p className="muted">{t(needed ? "factor.needed" : "factor.why")}</p>
            {made === undefined && codes === undefined && <div><Button look={needed ? "primary" : "plain"} onClick={begin}>{t("factor.begin")}</Button></div>}
            {made !== undefined && (
                <form className="stack" onSubmit={confirm}>
                    <p>{t("factor.secret")} <a href={made.uri}>{t("factor.open")}</a></p>
                    <code className="secret" tabIndex={0}>{made.secret.replace(/(.{4})/g, "$1 ")}</code>
                    <Field label={t("sign.code")} name="code" inputMode="numeric" autoComplete="one-time-code" required />
                    <div><Button look="primary" type="submit">{t("factor.confirm")}</Button></div>
                </form>
            )}
            {codes !== undefined && (
                <div className="stack">
                    <p>{t("factor.codes")}</p>
                    <ul className="codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
                </div>
            )}
        </section>
    );
}

/** Proving one's address again. */
function Address() {
    const send = () => attempt(async () => {
        await theCore().account.do({ do: "verify_mail" });
        announce(t("verify.sent"));
    });
    return (
        <section className="card card-pad row">
            <p className="grow muted">{t("verify.why")}</p>
            <Button onClick={send}>{t("verify.send")}</Button>
        </section>
    );
}

interface Device {
    device: string;
    name?: string;
    platform?: string;
    seen_ms: number;
    this: boolean;
}

function Devices() {
    const [devices, setDevices] = useState<Device[]>();
    const online = useStatus().state === "online";
    const ask = async () => setDevices((await theCore().account.do<{ devices: Device[] }>({ do: "devices" })).devices);
    useEffect(() => {
        if (online) {
            ask().catch(() => undefined);
        }
    }, [online]);
    const end = (device: string) => attempt(async () => {
        await theCore().account.do({ do: "device_end", device });
        await ask();
    });
    return (
        <section className="card" aria-labelledby="devices">
            <div className="card-head"><h2 id="devices">{t("account.devices")}</h2></div>
            {devices === undefined && <p className="card-body muted">{t("account.devices.offline")}</p>}
            <ul className="list">
                {devices?.map((one) => (
                    <li key={one.device} className="list-row">
                        <div className="grow">
                            <p className="list-title">{one.name ?? t("account.device")}</p>
                            <p className="muted small">{ago(one.seen_ms)}</p>
                        </div>
                        {one.this ? <span className="tag tag-good">{t("account.device.this")}</span> : <Button onClick={() => end(one.device)}>{t("account.device.end")}</Button>}
                    </li>
                ))}
            </ul>
        </section>
    );
}

/** Where this browser keeps the data, as it is. */
function Storage() {
    const { storage } = theCore();
    return <p className={storage === "memory" ? "tag tag-warn" : "muted small"}>{t(storage === "memory" ? "account.memory" : "account.kept")}</p>;
}
