import { useState } from "react";
import { NewGroup } from "../chat/group";
import { useSession } from "../core";
import { t } from "../i18n";
import { useTitle } from "../router";
import { ConversationRow } from "../ui/cards";
import { Button, Empty, Link } from "../ui/parts";
import { useConversations } from "../unread";

export function Messages() {
    const conversations = useConversations();
    const coach = useSession()?.role === "coach";
    const [making, setMaking] = useState(false);
    useTitle(`${t("nav.messages")} · ${t("app.name")}`);
    return (
        <div className="page page-narrow stack">
            <div className="row">
                <h1 className="grow">{t("nav.messages")}</h1>
                {coach && conversations !== undefined && conversations.length > 0 && <Button icon="people" onClick={() => setMaking(true)}>{t("group.new")}</Button>}
            </div>
            <div className="card">
                {conversations?.length === 0 && (
                    <Empty icon="chat" title={t("messages.none")}>
                        <p>{t(coach ? "messages.none.coach" : "messages.none.athlete")}</p>
                        <Link to="/people" className="button button-plain">{t("people.invite")}</Link>
                    </Empty>
                )}
                <ul className="list">{conversations?.map((one) => <ConversationRow key={one.thread} one={one} />)}</ul>
            </div>
            {making && <NewGroup onClose={() => setMaking(false)} />}
        </div>
    );
}
