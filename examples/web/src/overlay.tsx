/* Drawings over a film: a canvas that the core's thread draws. */
import type { Doc, View } from "@sideline/core";
import { useEffect, useRef } from "react";

const LONGEST = 1600; /* pixels of the canvas's longer side: the screen does the rest */

/** The frame in units of the drawings, whose longer side is 32768. */
export function unitsOf(video: { width: number; height: number }): { width: number; height: number } {
    const scale = 32768 / Math.max(video.width, video.height);
    return { width: Math.round(video.width * scale), height: Math.round(video.height * scale) };
}

/** Shows moments one after the other; what comes while one is drawn waits, and only the last of it. */
export class Shower {
    private view: View | null = null;
    private wanted: number | null = null;
    private busy = false;

    async open(doc: Doc, canvas: OffscreenCanvas): Promise<void> {
        this.view = await doc.view(canvas);
        this.next();
    }

    show(time: number): void {
        this.wanted = time;
        this.next();
    }

    private next(): void {
        if (this.busy || this.view === null || this.view.closed || this.wanted === null) {
            return;
        }
        const time = this.wanted;
        this.wanted = null;
        this.busy = true;
        this.view.show(time).catch(() => undefined).finally(() => {
            this.busy = false;
            this.next();
        });
    }

    close(): void {
        this.view?.close();
        this.view = null;
    }
}

/** `onShower` gets what shows the document in this canvas. One canvas serves one document: give a key. */
export function Overlay({ doc, video, onShower }: { doc: Doc; video: { width: number; height: number }; onShower(shower: Shower): void }) {
    const holder = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const scale = Math.min(1, LONGEST / Math.max(video.width, video.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.max(1, Math.round(video.width * scale));
        canvas.height = Math.max(1, Math.round(video.height * scale));
        holder.current?.replaceChildren(canvas);
        const shower = new Shower();
        shower.open(doc, canvas.transferControlToOffscreen()).catch(console.error);
        onShower(shower);
        return () => shower.close();
    }, [doc]);
    return <div ref={holder} className="overlay" aria-hidden="true" />;
}
