#include "service/fold.h"

#include <stdint.h>
#include <string.h>

/* The letters without their accents, from a first code point on; a point: another letter, or none. */
static const char LATIN[] = /* U+00C0 to U+024F */
    "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllll."
    ".llnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "................................oo.............uu..............."
    ".............aaiioouuuuuuuuuu.aaaa....ggkkoooo..j...gg..nnaa...."
    "aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
    "................";
static const char LATIN_MORE[] = /* U+1E00 to U+1EFF */
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

enum {
    LATIN_AT = 0xC0,
    LATIN_MORE_AT = 0x1E00,
    NOTHING = 0, /* it is passed over */
    BREAK = 1    /* it ends a word */
};

/* Pairs: a letter and what stands for it. */
static const uint16_t OTHERS[][2] =
    {
        {0x386, 0x3B1}, {0x388, 0x3B5}, {0x389, 0x3B7}, {0x38A, 0x3B9}, {0x38C, 0x3BF},
        {0x38E, 0x3C5}, {0x38F, 0x3C9}, {0x3AC, 0x3B1}, {0x3AD, 0x3B5}, {0x3AE, 0x3B7},
        {0x3AF, 0x3B9}, {0x3C2, 0x3C3}, {0x3CC, 0x3BF}, {0x3CD, 0x3C5}, {0x3CE, 0x3C9},
        {0x401, 0x435}, {0x451, 0x435},                                /* Cyrillic io */
        {0x622, 0x627}, {0x623, 0x627}, {0x625, 0x627}, {0x649, 0x64A} /* Arabic alef, yeh */
};

static bool within(uint32_t c, uint32_t from, uint32_t to)
{
    return c >= from && c <= to;
}

/* Marks that are written over or under letters, and what joins them. */
static bool is_mark(uint32_t c)
{
    return within(c, 0x300, 0x36F) || within(c, 0x64B, 0x65F) || c == 0x640 || c == 0x670 ||
           within(c, 0x200C, 0x200F) || within(c, 0xFE00, 0xFE0F);
}

static bool is_break(uint32_t c)
{
    return within(c, 0x80, 0xBF) || c == 0xD7 || c == 0xF7 || within(c, 0x2000, 0x206F) ||
           within(c, 0x3000, 0x303F) || c == 0x60C || c == 0x61B || c == 0x61F || c == 0x66B ||
           c == 0x6D4 || within(c, 0xFF00, 0xFF0F);
}

/* Signs of scripts that write without spaces: each is a word. */
static bool is_alone(uint32_t c)
{
    return within(c, 0x3040, 0x30FF) || within(c, 0x3400, 0x9FFF) || within(c, 0x20000, 0x3FFFF);
}

static uint32_t fold_ascii(uint32_t c)
{
    bool word = within(c, '0', '9') || within(c, 'a', 'z');
    return within(c, 'A', 'Z') ? c + ('a' - 'A') : word ? c : (uint32_t)BREAK;
}

static uint32_t fold(uint32_t c)
{
    char plain = within(c, LATIN_AT, LATIN_AT + sizeof LATIN - 2) ? LATIN[c - LATIN_AT]
                 : within(c, LATIN_MORE_AT, LATIN_MORE_AT + sizeof LATIN_MORE - 2)
                     ? LATIN_MORE[c - LATIN_MORE_AT]
                     : '.';
    if (c < 0x80) {
        return fold_ascii(c);
    }
    if (is_mark(c) || is_break(c)) {
        return is_mark(c) ? (uint32_t)NOTHING : (uint32_t)BREAK;
    }
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        if (OTHERS[i][0] == c) {
            return OTHERS[i][1];
        }
    }
    return plain != '.'                                                         ? (uint32_t)plain
           : (within(c, 0x391, 0x3A9) && c != 0x3A2) || within(c, 0x410, 0x42F) ? c + 32
           : within(c, 0x400, 0x40F)                                            ? c + 80
                                                                                : c;
}

/* The next code point of valid UTF-8. */
static uint32_t next(const uint8_t **p, const uint8_t *end)
{
    uint32_t c = *(*p)++;
    unsigned more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    c &= more > 0 ? 0x3FU >> more : 0xFFU;
    for (; more > 0 && *p < end; more--) {
        c = c << 6 | (*(*p)++ & 0x3FU);
    }
    return c;
}

static void put(sl_buf *out, uint32_t c)
{
    if (c < 0x80) {
        sl_buf_u8(out, (uint8_t)c);
        return;
    }
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    sl_buf_u8(out, (uint8_t)(lead[more] | c >> 6 * more));
    while (more-- > 0) {
        sl_buf_u8(out, (uint8_t)(0x80 | (c >> 6 * more & 0x3F)));
    }
}

void sl_sv_fold(sl_buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    const uint8_t *end = p + strlen(text);
    bool in_word = false;
    while (p < end) {
        uint32_t c = next(&p, end);
        uint32_t plain = fold(c);
        bool alone = is_alone(c);
        if (plain != NOTHING && plain != BREAK) {
            sl_buf_str(out, in_word && !alone ? "" : " ");
            put(out, plain);
            sl_buf_str(out, c == 0xDF ? "s" : ""); /* sharp s is two */
        }
        in_word = (in_word && plain == NOTHING) || (plain > BREAK && !alone);
    }
}

bool sl_sv_fold_has(const char *folded, const char *words)
{
    char word[SL_SV_FOLD_MAX];
    for (const char *p = words; *p != 0;) {
        size_t n = 1 + strcspn(p + 1, " ");
        if (n >= sizeof word) {
            return false;
        }
        memcpy(word, p, n);
        word[n] = 0;
        if (strstr(folded, word) == NULL) {
            return false;
        }
        p += n;
    }
    return true;
}
