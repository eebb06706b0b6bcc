#include "wav.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MAX = 512 << 20,
    RIFF_LEN = 12,
    CHUNK_LEN = 8,
    FMT_LEN = 16,
    FORMAT_PCM = 1,
    FORMAT_EXTENSIBLE = 0xFFFE,
    BITS = 16
};

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

/* Reads the chunk headers up to the samples. */
static const char *find_samples(FILE *f, wav *out, uint32_t *bytes)
{
    uint8_t head[RIFF_LEN];
    if (fread(head, 1, RIFF_LEN, f) != RIFF_LEN || memcmp(head, "RIFF", 4) != 0 ||
        memcmp(head + 8, "WAVE", 4) != 0) {
        return "is not a WAV file";
    }
    bool known = false;
    while (fread(head, 1, CHUNK_LEN, f) == CHUNK_LEN) {
        uint32_t n = le32(head + 4);
        if (memcmp(head, "data", 4) == 0) {
            *bytes = n;
            return known ? NULL : "has no format before its sound";
        }
        uint8_t fmt[FMT_LEN];
        uint32_t read = 0;
        if (memcmp(head, "fmt ", 4) == 0 && n >= FMT_LEN) {
            if (fread(fmt, 1, FMT_LEN, f) != FMT_LEN) {
                return "is cut off";
            }
            read = FMT_LEN;
            out->channels = le16(fmt + 2);
            out->rate = le32(fmt + 4);
            uint32_t tag = le16(fmt);
            known = true;
            if ((tag != FORMAT_PCM && tag != FORMAT_EXTENSIBLE) || le16(fmt + 14) != BITS ||
                out->channels < 1 || out->channels > 2 || out->rate < 1) {
                return "is not 16-bit PCM with one or two channels";
            }
        }
        /* Chunks have even lengths. */
        long skip = (long)(n - read) + (long)(n & 1U);
        if (n > BYTES_MAX || fseek(f, skip, SEEK_CUR) != 0) {
            return "is damaged";
        }
    }
    return "has no sound in it";
}

static const char *read_samples(FILE *f, wav *out, uint32_t bytes)
{
    if (bytes > BYTES_MAX) {
        return "is too large";
    }
    uint32_t frame_len = out->channels * (BITS / 8);
    uint8_t *raw = malloc((size_t)bytes + 1);
    if (raw == NULL) {
        return "does not fit into memory";
    }
    size_t got = fread(raw, 1, bytes, f);
    if (got != bytes || bytes < frame_len) {
        free(raw);
        return got != bytes ? "is cut off" : "has no sound in it";
    }
    out->frames = bytes / frame_len;
    size_t n = (size_t)out->frames * out->channels;
    out->samples = malloc(n * sizeof *out->samples);
    if (out->samples != NULL) {
        for (size_t i = 0; i < n; i++) {
            uint32_t v = le16(raw + 2 * i);
            out->samples[i] = (int16_t)(v < 0x8000 ? (int32_t)v : (int32_t)v - 0x10000);
        }
    }
    free(raw);
    return out->samples != NULL ? NULL : "does not fit into memory";
}

const char *wav_read(const char *path, wav *out)
{
    memset(out, 0, sizeof *out);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return "cannot be opened";
    }
    uint32_t bytes = 0;
    const char *fault = find_samples(f, out, &bytes);
    if (fault == NULL) {
        fault = read_samples(f, out, bytes);
    }
    (void)fclose(f);
    return fault;
}

void wav_free(wav *w)
{
    free(w->samples);
    w->samples = NULL;
}

static void put_le(text *out, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(v >> (8 * i) & 0xff);
        text_put(out, &byte, 1);
    }
}

void wav_head(text *out, uint32_t rate, uint32_t n)
{
    text_put(out, "RIFF", 4);
    put_le(out, n + 36, 4);
    text_put(out, "WAVEfmt ", 8);
    put_le(out, FMT_LEN, 4);
    put_le(out, FORMAT_PCM, 2);
    put_le(out, 1, 2);
    put_le(out, rate, 4);
    put_le(out, rate * BITS / 8, 4);
    put_le(out, BITS / 8, 2);
    put_le(out, BITS, 2);
    text_put(out, "data", 4);
    put_le(out, n, 4);
}
