/* The set: rows made from their number. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS = 17,
    POINT_BYTES = 3, /* dx, dy, ms since the one before */
    HEAD_BYTES = 9,
    RECORD_JSON_MAX = 700
};

#define EPOCH_MS UINT64_C(1735689600000)

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, unsigned n)
{
    return (unsigned)(mix(state) >> 33) % n;
}

/* The nth id that one start of a core makes: behind a random beginning they count up. */
static void uuid(uint8_t raw[16], char text[37], uint64_t ms, uint64_t start, uint64_t nth)
{
    uint64_t a = mix(&start);
    uint64_t b = mix(&start) + nth;
    for (int i = 0; i < 6; i++) {
        raw[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    for (int i = 0; i < 8; i++) {
        raw[8 + i] = (uint8_t)(b >> (56 - 8 * i));
    }
    raw[6] = (uint8_t)(0x70 | (a & 0x0f));
    raw[7] = (uint8_t)(a >> 8);
    raw[8] = (uint8_t)(0x80 | (raw[8] & 0x3f));
    char *p = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }
        (void)snprintf(p, 3, "%02x", raw[i]);
        p += 2;
    }
}

void bench_video_of(unsigned video, char out[37])
{
    uint8_t raw[16];
    uuid(raw, out, EPOCH_MS - 1000000 + video * 1000, UINT64_C(0x7669646f) + video, 0);
}

static void base64(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i + 2 < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        for (int k = 0; k < 4; k++) {
            *out++ = digits[v >> (18 - 6 * k) & 63];
        }
    }
    *out = '\0';
}

static uint8_t zigzag(int v)
{
    return (uint8_t)(v < 0 ? -2 * v - 1 : 2 * v);
}

/* A stroke of a steady hand: where it begins, then small steps whose direction changes slowly. */
static void geometry(char *out, uint64_t *state)
{
    uint8_t raw[HEAD_BYTES + POINTS * POINT_BYTES] = {1, POINTS};
    int dx = (int)below(state, 61) - 30;
    int dy = (int)below(state, 61) - 30;
    for (size_t i = 2; i < HEAD_BYTES - 2; i++) {
        raw[i] = (uint8_t)below(state, 256);
    }
    for (size_t i = HEAD_BYTES; i < sizeof raw; i += POINT_BYTES) {
        dx += (int)below(state, 9) - 4;
        dy += (int)below(state, 9) - 4;
        raw[i] = zigzag(dx);
        raw[i + 1] = zigzag(dy);
        raw[i + 2] = (uint8_t)(16 + (below(state, 8) == 0));
    }
    base64(raw, sizeof raw, out);
}

void bench_row_of(size_t i, bench_row *out)
{
    static const char *const kinds[] = {"pen", "pen", "pen", "arrow", "line", "rect", "ellipse"};
    static const char *const colors[] = {"#FFCC00", "#FF3B30", "#34C759", "#007AFF", "#FFFFFF"};
    static const unsigned widths[] = {200, 400, 600, 800};
    uint64_t state = i * UINT64_C(0x2545f4914f6cdd1d) + 1;
    unsigned video = (unsigned)(i % BENCH_VIDEOS);
    uuid(out->raw_id, out->id, EPOCH_MS + i * 3 + below(&state, 3), video + 1, i / BENCH_VIDEOS);
    bench_video_of(video, out->video);
    (void)snprintf(out->kind, sizeof out->kind, "%s", kinds[below(&state, 7)]);
    geometry(out->geometry, &state);
    (void)snprintf(out->style, sizeof out->style, "{\"color\":\"%s\",\"opacity\":1,\"width\":%u}",
                   colors[below(&state, 5)], widths[below(&state, 4)]);
    (void)snprintf(out->z, sizeof out->z, "a%03u", (unsigned)(i / BENCH_VIDEOS % 1000));
    out->t_in = (int64_t)below(&state, 60000) * 1000;
    out->t_out = out->t_in + 2000000 + (int64_t)below(&state, 30) * 100000;
}

unsigned bench_read_of(size_t i)
{
    uint64_t state = i + 77;
    return below(&state, BENCH_VIDEOS);
}

static uint32_t spread(size_t i)
{
    uint32_t h = (uint32_t)i * 0x45d9f3bU;
    h = (h ^ h >> 16) * 0x45d9f3bU;
    return h ^ h >> 16;
}

size_t bench_edit_of(size_t i)
{
    size_t stride = g_bench.rows / BENCH_EDITS;
    size_t each = BENCH_EDITS / BENCH_VIDEOS;
    size_t place = i % each * stride + spread(i) % stride; /* among the video's */
    return place * BENCH_VIDEOS + i / each;
}

size_t bench_scattered_edit_of(size_t i)
{
    size_t stride = g_bench.rows / BENCH_EDITS;
    return i * stride + spread(i) % stride;
}

int64_t bench_edit_time(size_t i, unsigned round)
{
    return INT64_C(70000000) + (int64_t)(spread(i + 1000003 * round) % 600) * 100000;
}

char *bench_creates(size_t first, size_t *len)
{
    char *text = malloc(BENCH_BATCH * RECORD_JSON_MAX);
    size_t n = 0;
    if (text == NULL) {
        bench_die("out of memory");
    }
    for (size_t i = first; i < first + BENCH_BATCH; i++) {
        bench_row r;
        bench_row_of(i, &r);
        n += (size_t)snprintf(
            text + n, RECORD_JSON_MAX,
            "%s{\"op\":\"create\",\"entity\":\"annotation\",\"space\":\"video:%s\",\"id\":\"%s\","
            "\"fields\":{\"kind\":\"%s\",\"geometry\":\"%s\",\"style\":%s,\"z\":\"%s\","
            "\"t_in\":%lld,\"t_out\":%lld}}",
            i == first ? "[" : ",", r.video, r.id, r.kind, r.geometry, r.style, r.z,
            (long long)r.t_in, (long long)r.t_out);
    }
    text[n++] = ']';
    *len = n;
    return text;
}

void bench_write_set(const char *path, size_t rows)
{
    FILE *f = fopen(path, "w");
    for (size_t i = 0; f != NULL && i < rows; i++) {
        bench_row r;
        bench_row_of(i, &r);
        (void)fprintf(f,
                      "{\"id\":\"%s\",\"video_id\":\"%s\",\"kind\":\"%s\",\"geometry\":\"%s\","
                      "\"style\":%s,\"z\":\"%s\",\"t_in\":%lld,\"t_out\":%lld}\n",
                      r.id, r.video, r.kind, r.geometry, r.style, r.z, (long long)r.t_in,
                      (long long)r.t_out);
    }
    if (f == NULL || fclose(f) != 0) {
        bench_die("%s cannot be written", path);
    }
}
