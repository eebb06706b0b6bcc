/* What each key does, shown by `?`. */
import { type Key, t } from "../i18n";
import { Dialog } from "../ui/parts";
import { TOOLS } from "./tools";

const KEYS: readonly [keys: string, name: Key][] = [
    ["Space", "key.play"], [", .", "key.step"], ["← →", "key.second"], ["[ ]", "key.speed"], ["+ - 0", "key.zoom"], ["Q W", "key.turn"], ["S", "view.split"],
    ["1 … 6", "key.color"], ["I O", "key.range"], ["Delete", "action.remove"], ["Ctrl+Z", "action.undo"], ["Ctrl+Shift+Z", "action.redo"],
    ["N", "key.voice"], ["Shift+N", "voice.stop"], ["Esc", "key.escape"], ["Ctrl+Enter", "send.title"], ["?", "key.help"],
];

export function Help({ onClose }: { onClose(): void }) {
    return (
        <Dialog title={t("key.title")} onClose={onClose}>
            <div className="keys">
                <div>
                    <h3>{t("key.tools")}</h3>
                    <dl>{TOOLS.map((tool) => <Row key={tool.id} keys={tool.key.toUpperCase()} name={t(tool.name)} />)}</dl>
                </div>
                <div>
                    <h3>{t("key.rest")}</h3>
                    <dl>{KEYS.map(([keys, name]) => <Row key={keys} keys={keys} name={t(name)} />)}</dl>
                </div>
            </div>
            <p className="muted small">{t("stage.help")}</p>
        </Dialog>
    );
}

function Row({ keys, name }: { keys: string; name: string }) {
    return <div><dt><kbd dir="ltr">{keys}</kbd></dt><dd>{name}</dd></div>;
}
