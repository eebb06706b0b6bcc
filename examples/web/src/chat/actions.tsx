/* What can be done with one message, and choosing where it is repeated. */
import type { ChatMessage } from "@sideline/core";
import { theCore } from "../core";
import { t } from "../i18n";
import { Button, Dialog, announce, attempt } from "../ui/parts";
import { useConversations } from "../unread";
import { nameOf, wordsOf } from "./words";

const SIGNS = ["👍", "🔥", "👏", "💪", "❤️"] as const;

interface ActionsProps {
    message: ChatMessage;
    onClose(): void;
    onReply(): void;
    onEdit(): void;
    onForward(): void;
    onReport(): void;
}

export function Actions({ message, onClose, onReply, onEdit, onForward, onReport }: ActionsProps) {
    const { chat } = theCore();
    const there = message.place !== undefined;
    const pinned = message.pinned === true;
    const run = (work: () => Promise<unknown>) => () => {
        onClose();
        attempt(work);
    };
    const then = (next: () => void) => () => {
        onClose();
        next();
    };
    const given = (sign: string) => message.reactions?.some((one) => one.mine && one.emoji === sign) ?? false;
    return (
        <Dialog title={t("chat.message")} onClose={onClose}>
            <p className="dialog-quote clip"><bdi>{wordsOf(message)}</bdi></p>
            {there && (
                <div className="signs" role="group" aria-label={t("chat.react.any")}>
                    {SIGNS.map((sign) => <button key={sign} type="button" className="reaction" aria-pressed={given(sign)} aria-label={t("chat.react", { sign })} onClick={run(() => chat.react(message.id, sign, !given(sign)))}>{sign}</button>)}
                </div>
            )}
            <div className="actions">
                {there && <Button look="quiet" icon="reply" data-first onClick={then(onReply)}>{t("chat.reply")}</Button>}
                {there && <Button look="quiet" icon="share" onClick={then(onForward)}>{t("chat.forward")}</Button>}
                {there && <Button look="quiet" icon="pin" onClick={run(() => chat.pin(message.id, !pinned))}>{t(pinned ? "chat.unpin" : "chat.pin")}</Button>}
                {message.body !== undefined && <Button look="quiet" icon="copy" onClick={run(async () => { await navigator.clipboard.writeText(message.body ?? ""); announce(t("chat.copied")); })}>{t("chat.copy")}</Button>}
                {message.mine && message.kind === "text" && <Button look="quiet" icon="pen" onClick={then(onEdit)}>{t("chat.edit")}</Button>}
                {!message.mine && <Button look="danger" icon="flag" onClick={then(onReport)}>{t("report.title")}</Button>}
                {message.mine && <Button look="danger" icon="trash" onClick={run(() => chat.delete(message.id))}>{t("chat.delete")}</Button>}
            </div>
        </Dialog>
    );
}

export function Forward({ message, onClose }: { message: ChatMessage; onClose(): void }) {
    const conversations = useConversations();
    const send = (thread: string, name: string) => {
        onClose();
        attempt(async () => {
            await theCore().chat.forward(message.id, thread);
            announce(t("chat.forward.done", { name }));
        });
    };
    return (
        <Dialog title={t("chat.forward.to")} onClose={onClose}>
            <p className="dialog-quote clip"><bdi>{wordsOf(message)}</bdi></p>
            <div className="actions">
                {conversations?.map((one) => {
                    const { thread } = one;
                    const name = nameOf(one);
                    return <Button key={thread} look="quiet" icon="chat" onClick={() => send(thread, name)}><bdi>{name}</bdi></Button>;
                })}
            </div>
        </Dialog>
    );
}
