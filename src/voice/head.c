/* voice/head.c - see the header. */
#include "voice/head.h"

#include <opus.h>

enum {
    HEAD_LEN = 19
};

void sl_head_put(sl_buf *out, const sl_head *head)
{
    sl_buf_str(out, "OpusHead");
    sl_buf_u8(out, 1); /* version */
    sl_buf_u8(out, head->channels);
    sl_buf_u16le(out, head->skip);
    sl_buf_u32le(out, head->rate);
    sl_buf_u16le(out, (uint16_t)head->gain);
    sl_buf_u8(out, 0); /* mapping family: mono or stereo */
}

bool sl_head_is(const uint8_t *p, size_t n)
{
    return n >= HEAD_LEN && memcmp(p, "OpusHead", 8) == 0;
}

bool sl_head_read(const uint8_t *p, size_t n, sl_head *head)
{
    if (!sl_head_is(p, n) || (p[8] & 0xf0) != 0 || p[9] < 1 || p[9] > 2 || p[18] != 0) {
        return false;
    }
    sl_rd rd = {.p = p + 10, .left = 8, .bad = false};
    head->channels = p[9];
    head->skip = sl_rd_u16le(&rd);
    head->rate = sl_rd_u32le(&rd);
    uint16_t q = sl_rd_u16le(&rd);
    head->gain = (int16_t)(q < 0x8000 ? q : (int32_t)q - 0x10000);
    return true;
}

void sl_head_tags(sl_buf *out)
{
    static const char encoder[] = "ENCODER=Sideline";
    const char *vendor = opus_get_version_string();
    sl_buf_str(out, "OpusTags");
    sl_buf_u32le(out, (uint32_t)strlen(vendor));
    sl_buf_str(out, vendor);
    sl_buf_u32le(out, 1); /* comments */
    sl_buf_u32le(out, sizeof encoder - 1);
    sl_buf_str(out, encoder);
}

bool sl_head_is_tags(const uint8_t *p, size_t n)
{
    return n >= 8 && memcmp(p, "OpusTags", 8) == 0;
}
