import type { Doc, Drawing } from "@sideline/core";
import { useEffect, useState } from "react";

/** What a document holds, now and after each change. */
export function useDrawing(doc: Doc | undefined, changed: () => void): Drawing | null {
    const [drawing, setDrawing] = useState<Drawing | null>(null);
    useEffect(() => {
        if (doc === undefined) {
            return undefined;
        }
        const read = () => {
            changed();
            doc.drawing().then(setDrawing, () => undefined);
        };
        doc.onchange = read;
        read();
        return () => {
            doc.onchange = null;
        };
    }, [doc]);
    return drawing;
}
