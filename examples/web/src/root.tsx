/* The first screen is for signing in and needs little: the rest is loaded behind it. */
import { Suspense, lazy } from "react";
import { useSession } from "./core";
import { useLanguage } from "./i18n";
import { usePath } from "./router";
import { OUTSIDE, Sign } from "./screens/sign";
import { Announcer } from "./ui/parts";

export const loadInside = () => import("./app");

const Inside = lazy(async () => ({ default: (await loadInside()).Inside }));

export function App() {
    useLanguage();
    const session = useSession();
    const [first = ""] = usePath();
    return (
        <>
            {session?.user === undefined || first in OUTSIDE ? <Sign /> : (
                <Suspense>
                    <Inside coach={session.role === "coach"} name={session.name ?? ""} />
                </Suspense>
            )}
            <Announcer />
        </>
    );
}
