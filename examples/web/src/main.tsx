import "../../tokens/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/shell.css";
import "./style/screens.css";
import "./style/watch.css";
import "./style/chat.css";
import "./style/workspace.css";
import "./style/panel.css";
import "./style/notices.css";
import "./style/filming.css";
import { createRoot } from "react-dom/client";
import { startCore, wasSignedIn } from "./core";
import { setLanguage } from "./i18n";
import { App, loadInside } from "./root";
import { Broken } from "./screens/broken";

const root = createRoot(document.getElementById("root")!);

/** The next picture is on the screen. In a page that nobody sees none comes. */
function painted(): Promise<void> {
    return new Promise((resolve) => {
        requestAnimationFrame(() => setTimeout(resolve));
        setTimeout(resolve, 200);
    });
}

async function start(): Promise<void> {
    await setLanguage();
    try {
        if (wasSignedIn()) {
            await Promise.all([startCore(), loadInside()]);
            root.render(<App />);
        } else {
            root.render(<App />); /* who is nobody yet can begin to write who they are */
            await painted();
            addEventListener("input", () => void loadInside(), { once: true }); /* and will soon want the rest */
            await startCore();
        }
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
