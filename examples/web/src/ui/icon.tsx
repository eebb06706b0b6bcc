/* The icons, lines on a ground of 24. They never speak: the button around them does. */
const PATHS = {
    home: "M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z",
    film: "M4 5h16v14H4zM4 9h4M4 15h4M16 9h4M16 15h4M8 5v14M16 5v14",
    chat: "M4 5h16v11H10l-5 4v-4H4z",
    people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2.1.8 3.5 2.8 3.5 5.5",
    chart: "M4 20V4M4 20h16M8 16l4-5 3 3 5-7",
    gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M5.6 18.4l2.2-2.2M16.2 7.8l2.2-2.2",
    upload: "M12 16V4M7 9l5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
    play: "M7 4.5v15l12-7.5z",
    pause: "M8 5v14M16 5v14",
    back: "M14 5l-7 7 7 7",
    forward: "M10 5l7 7-7 7",
    frameBack: "M17 6l-7 6 7 6zM7 6v12",
    frameForward: "M7 6l7 6-7 6zM17 6v12",
    plus: "M12 5v14M5 12h14",
    close: "M6 6l12 12M18 6L6 18",
    check: "M5 12.5l4.5 4.5L19 7.5",
    checks: "M2 12.5l4 4 8.5-9M11 15.5l1.5 1L21 7.5",
    clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
    cloudOff: "M7 18h10M4.5 15.5A4 4 0 0 1 7 8.5M9 6a5.5 5.5 0 0 1 8.7 4A4 4 0 0 1 20 16M4 4l16 16",
    select: "M6 4l12 7-5.5 1.5L10 18z",
    pen: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    highlighter: "M9 15l-2-2L15 4l4 4-9 8zM7 13l-2 5 4-1M4 21h16",
    line: "M5 19L19 5",
    arrow: "M5 19L19 5M10 5h9v9",
    curve: "M4 18C6 8 12 6 20 6M15 3l5 3-4 4",
    rect: "M4 6h16v12H4z",
    ellipse: "M12 18c5 0 9-2.7 9-6s-4-6-9-6-9 2.7-9 6 4 6 9 6z",
    angle: "M19 5L5 19h15M10 14a7 7 0 0 1 2.5 5",
    ruler: "M3 16L16 3l5 5L8 21zM7 12l2 2M10 9l3 3M13 6l2 2",
    text: "M5 6V4h14v2M12 4v16M9 20h6",
    spotlight: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
    figure: "M12 6.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 7v7M7 10l5-2 5 2M12 14l-4 7M12 14l4 7",
    eraser: "M9 20l-5-5L14 5l6 6-9 9zM9 10l6 6M9 20h11",
    trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
    undo: "M9 5L4 10l5 5M4 10h10a6 6 0 0 1 0 12h-2",
    redo: "M15 5l5 5-5 5M20 10H10a6 6 0 0 0 0 12h2",
    mic: "M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
    stop: "M6 6h12v12H6z",
    eye: "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
    send: "M4 12l16-8-5 16-3-6z",
    turn: "M19.5 13a7.5 7.5 0 1 1-2.2-6.3L20 9.5M20 4v5.5h-5.5",
    split: "M4 5h16v14H4zM12 5v14",
    zoomIn: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5M11 8v6M8 11h6",
    zoomOut: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5M8 11h6",
    fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
    help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .9-1 1.7M12 17h0",
    camera: "M3 7h11v10H3zM14 11l7-4v10l-7-4",
    flag: "M5 21V4M5 5h13l-3 4 3 4H5",
    leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
    share: "M14 6l6 5-6 5M20 11h-9c-4 0-7 2-7 7",
    more: "M4 12a1 1 0 1 0 2 0 1 1 0 0 0-2 0zM11 12a1 1 0 1 0 2 0 1 1 0 0 0-2 0zM18 12a1 1 0 1 0 2 0 1 1 0 0 0-2 0z",
    pin: "M9 4h6l-1 6 3 4H7l3-4zM12 14v7",
    copy: "M9 9h11v11H9zM15 5V4H4v11h1",
    search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
    bell: "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
    bellOff: "M6 17V11a6 6 0 0 1 9-5.2M18 11v6M4 19h13M10 21h4M4 4l16 16",
    block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.6 5.6l12.8 12.8",
    reply: "M10 6L4 11l6 5M4 11h9c4 0 7 2 7 7",
} as const;

export type IconName = keyof typeof PATHS;
const FILLED: readonly IconName[] = ["play", "stop", "more"];

export function Icon({ name, size = 20, turn = false }: { name: IconName; size?: number; turn?: boolean }) {
    return (
        <svg
            className={turn ? "icon icon-turn" : "icon"}
            width={size}
            height={size}
            viewBox="0 0 24 24"
            fill={FILLED.includes(name) ? "currentColor" : "none"}
            stroke="currentColor"
            strokeWidth="1.75"
            strokeLinecap="round"
            strokeLinejoin="round"
            aria-hidden="true"
            focusable="false"
        >
            <path d={PATHS[name]} />
        </svg>
    );
}
