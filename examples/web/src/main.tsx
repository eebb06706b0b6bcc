import "../../tokens/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/shell.css";
import "./style/screens.css";
import "./style/watch.css";
import "./style/chat.css";
import "./style/workspace.css";
import "./style/panel.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { startCore } from "./core";
import { setLanguage } from "./i18n";
import { Broken } from "./screens/broken";

const root = createRoot(document.getElementById("root")!);

async function start(): Promise<void> {
    await setLanguage();
    try {
        await startCore();
        root.render(<App />);
    } catch (error) {
        console.error(error);
        root.render(<Broken error={error} />);
    }
    if (import.meta.env.PROD && "serviceWorker" in navigator) {
        await navigator.serviceWorker.register("/sw.js");
    }
    await navigator.storage?.persist?.();
}

start().catch(console.error);
