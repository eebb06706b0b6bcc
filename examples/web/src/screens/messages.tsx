import { useSession } from "../core";
import { t } from "../i18n";
import { useTitle } from "../router";
import { ConversationRow } from "../ui/cards";
import { Empty, Link } from "../ui/parts";
import { useConversations } from "../unread";

export function Messages() {
    const conversations = useConversations();
    const coach = useSession()?.role === "coach";
    useTitle(`${t("nav.messages")} · ${t("app.name")}`);
    return (
        <div className="page page-narrow stack">
            <h1>{t("nav.messages")}</h1>
            <div className="card">
                {conversations?.length === 0 && (
                    <Empty icon="chat" title={t("messages.none")}>
                        <p>{t(coach ? "messages.none.coach" : "messages.none.athlete")}</p>
                        <Link to="/people" className="button button-plain">{t("people.invite")}</Link>
                    </Empty>
                )}
                <ul className="list">{conversations?.map((one) => <ConversationRow key={one.thread} one={one} />)}</ul>
            </div>
        </div>
    );
}
