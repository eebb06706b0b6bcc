/* voice/peaks.c - see the header. */
#include "voice/peaks.h"

static int8_t byte_of(float v)
{
    float w = v * 127.0F;
    return (int8_t)(w < 0.0F ? w - 0.5F : w + 0.5F);
}

static void halve(sl_peaks *k)
{
    for (uint32_t i = 0; i < SL_PEAKS_MAX / 2; i++) {
        const int8_t *a = k->pair[2 * i];
        const int8_t *b = k->pair[2 * i + 1];
        int8_t low = a[0] < b[0] ? a[0] : b[0];
        int8_t high = a[1] > b[1] ? a[1] : b[1];
        k->pair[i][0] = low;
        k->pair[i][1] = high;
    }
    k->count = SL_PEAKS_MAX / 2;
    k->shift++;
}

void sl_peaks_end(sl_peaks *k)
{
    if (k->fill == 0) {
        return;
    }
    k->pair[k->count][0] = byte_of(k->low);
    k->pair[k->count][1] = byte_of(k->high);
    k->count++;
    k->fill = 0;
    if (k->count == SL_PEAKS_MAX) {
        halve(k);
    }
}

void sl_peaks_add(sl_peaks *k, const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float v = pcm[i] > 1.0F ? 1.0F : pcm[i] < -1.0F ? -1.0F : pcm[i];
        if (k->fill == 0) {
            k->low = v;
            k->high = v;
        }
        k->low = v < k->low ? v : k->low;
        k->high = v > k->high ? v : k->high;
        k->fill++;
        if (k->fill == (uint64_t)SL_PEAKS_SPAN << k->shift) {
            sl_peaks_end(k);
        }
    }
}

void sl_peaks_cut(sl_peaks *k, int64_t frames)
{
    uint64_t span = (uint64_t)SL_PEAKS_SPAN << k->shift;
    uint32_t count = (uint32_t)((uint64_t)frames / span);
    if (count > k->count || (count == k->count && (uint64_t)frames % span >= k->fill)) {
        return;
    }
    if (count < k->count) { /* the pair that is cut is the last one begun */
        k->low = (float)k->pair[count][0] / 127.0F;
        k->high = (float)k->pair[count][1] / 127.0F;
        k->count = count;
    }
    k->fill = (uint64_t)frames % span;
}
