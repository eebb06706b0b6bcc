/*
 * Workload W of the drawing benchmarks under a live line: 200 strokes of 120 points with pressure, 40 arrows,
 * 20 ellipses, 20 labels. Drawn by the core, and by CanvasKit in the same page.
 */
const UNIT = 32768 / 1920;
const WIDTH = 1280; /* of the canvases; the frame is 1920 wide */
const SCALE = WIDTH / 1920;
const STYLE = { color: "#FF3B30", width: 170, opacity: 1 };
const TIMES = { in: 0, out: 1e6 };

let state = 42;
function random(max) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * max;
}

/** A hand's path in pixels of 1080p: it keeps its direction and changes it slowly. */
function path() {
    let [x, y, a, turn] = [random(1920), random(1080), random(6.28), 0];
    return Array.from({ length: 120 }, (_, i) => {
        turn = 0.9 * turn + random(0.06) - 0.03;
        a += turn + (x < 0 || y < 0 || x > 1920 || y > 1080 ? 0.2 : 0);
        x += 5.5 * Math.cos(a);
        y += 5.5 * Math.sin(a);
        return [x, y, (128 + 100 * Math.sin(i * 0.05 + a)) / 255];
    });
}

const strokes = Array.from({ length: 200 }, path);

async function workload(doc) {
    for (const points of strokes) {
        const stroke = doc.stroke({ kind: "pen", style: { ...STYLE, width: Math.round((6 + random(12)) * UNIT) }, ...TIMES });
        stroke.points(points.flatMap(([x, y, p], i) => [x * UNIT, y * UNIT, p, i * 8]));
        await stroke.end();
    }
    const place = () => [Math.round(random(30000)), Math.round(random(17000))];
    for (let i = 0; i < 80; i++) {
        const kind = i < 40 ? "arrow" : i < 60 ? "ellipse" : "text";
        await doc.add({ kind, points: kind === "text" ? [place()] : [place(), place()], style: { color: "#FFD400", width: 170 },
            ...(kind === "text" ? { text: "Elbow up" } : {}), ...TIMES });
    }
}

const { openCore } = await import("/dist/index.js");

window.prepare = async () => {
    const core = (window.core = await openCore({ dir: "draw", fonts: { "DejaVuSans-Bold": "/fonts/DejaVuSans-Bold.ttf" } }));
    window.doc = await core.newDoc(1920, 1080);
    await workload(window.doc);
    window.view = await window.doc.view(document.getElementById("ours").transferControlToOffscreen());
    await window.view.show(10);
};

/** Ends when what was sent is in the canvas: the thread does one thing after the other. */
const painted = () => window.view.show(10);

/** Draws with real input, from down to up; each event until its points are in the canvas, by the browser's clock. */
window.listen = () => {
    const took = (window.took = { down: [], move: [] });
    const canvas = document.getElementById("ours");
    let stroke = null;
    let began = 0;
    const at = (e) => [e.clientX * (32768 / WIDTH), e.clientY * (32768 / WIDTH), 0.5, e.timeStamp - began];
    const note = async (list, event) => {
        await painted();
        list.push(performance.now() - event.timeStamp);
    };
    canvas.addEventListener("pointerdown", (event) => {
        began = event.timeStamp;
        stroke = window.doc.stroke({ kind: "pen", style: { ...STYLE, color: "#00E5FF", width: 200 }, ...TIMES });
        stroke.points(at(event));
        void note(took.down, event);
    });
    canvas.addEventListener("pointerrawupdate", (event) => {
        if (stroke !== null) {
            stroke.points(event.getCoalescedEvents().flatMap(at));
            void note(took.move, event);
        }
    });
    canvas.addEventListener("pointerup", () => {
        void stroke.end(false);
        stroke = null;
    });
};

/* --- one more point, redrawn ------------------------------------------------------------------ */

const live = (n) => Array.from({ length: n }, (_, i) => [200 + i * 4, 540 + 240 * Math.sin(i / 20)]);

async function timed(list, draw) {
    const began = performance.now();
    await draw();
    list.push(performance.now() - began);
}

window.ours = async (n) => {
    const stroke = window.doc.stroke({ kind: "pen", style: { ...STYLE, color: "#00E5FF", width: 200 }, ...TIMES });
    const list = [];
    for (const [i, [x, y]] of live(n).entries()) {
        await timed(list, () => {
            stroke.points([x * UNIT, y * UNIT, 0.5, i * 8]);
            return painted();
        });
    }
    await stroke.end(false);
    await painted();
    return list;
};

window.prepareTheirs = async () => {
    const load = document.createElement("script");
    load.src = "/canvaskit/canvaskit.js";
    document.head.append(load);
    await new Promise((resolve, reject) => Object.assign(load, { onload: resolve, onerror: reject }));
    const kit = (window.kit = await window.CanvasKitInit({ locateFile: (file) => `/canvaskit/${file}` }));
    window.surface = kit.MakeSWCanvasSurface("theirs");
    const canvas = window.surface.getCanvas();
    canvas.clear(kit.TRANSPARENT);
    window.pen = new kit.Paint();
    window.pen.setStyle(kit.PaintStyle.Stroke);
    window.pen.setStrokeCap(kit.StrokeCap.Round);
    window.pen.setStrokeJoin(kit.StrokeJoin.Round);
    window.pen.setAntiAlias(true);
    window.pen.setStrokeWidth(12 * SCALE);
    window.pen.setColor(kit.Color(255, 59, 48));
    for (const points of strokes) {
        const line = kit.Path.MakeFromCmds(points.flatMap(([x, y], i) => [i === 0 ? kit.MOVE_VERB : kit.LINE_VERB, x * SCALE, y * SCALE]));
        canvas.drawPath(line, window.pen);
        line.delete();
    }
    window.surface.flush();
    window.below = window.surface.makeImageSnapshot();
};

/**
 * What lies below comes from a picture made before, and the line has one width, without pressure: less than the core
 * draws. `clipped`: nothing is drawn but what the last two points changed.
 */
window.theirs = async (n, clipped) => {
    const { kit, surface, below, pen } = window;
    const canvas = surface.getCanvas();
    pen.setColor(kit.Color(0, 229, 255));
    const list = [];
    const cmds = [];
    for (const [i, place] of live(n).entries()) {
        const [x, y] = place.map((v) => v * SCALE);
        await timed(list, () => {
            cmds.push(i === 0 ? kit.MOVE_VERB : kit.LINE_VERB, x, y);
            canvas.save();
            if (clipped) {
                const [px, py] = i === 0 ? [x, y] : cmds.slice(-5, -3);
                canvas.clipRect(kit.LTRBRect(Math.min(px, x) - 8, Math.min(py, y) - 8, Math.max(px, x) + 8, Math.max(py, y) + 8),
                    kit.ClipOp.Intersect, false);
            }
            canvas.clear(kit.TRANSPARENT);
            canvas.drawImage(below, 0, 0, null);
            const line = kit.Path.MakeFromCmds(cmds);
            canvas.drawPath(line, pen);
            line.delete();
            canvas.restore();
            surface.flush();
        });
    }
    return list;
};

window.ready = true;
