let last = 0;

/** A new id (UUIDv7, RFC 9562): later ones sort behind earlier ones of this page. */
export function newId(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    last = Math.max(last + 1, Date.now() * 4096); /* ms, and a count within one in 12 bits */
    const ms = Math.floor(last / 4096);
    const count = last % 4096;
    for (let i = 0; i < 6; i++) {
        bytes[i] = Math.floor(ms / 2 ** (40 - 8 * i)) % 256;
    }
    bytes[6] = 0x70 | (count >> 8);
    bytes[7] = count & 0xff;
    bytes[8] = 0x80 | (bytes[8]! & 0x3f);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
