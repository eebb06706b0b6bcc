/*
 * voice/ring.c - frames lie in a power-of-two array between two counters that only grow. A loss
 * is a note (place, length) in a second, small ring of the same kind; while that is full, sound
 * is lost until the reader frees a note, which lengthens the loss but never moves it.
 */
#include "voice/ring.h"

#include "base/mem.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum {
    NOTES = 64
};

typedef struct note {
    uint64_t at; /* the frame before which the loss lies */
    uint64_t frames;
} note;

struct sl_ring {
    float *pcm;
    uint64_t mask;
    uint64_t pending; /* the writer's: lost, not noted yet */
    uint64_t silence; /* the reader's: of the note being given out, what is left */
    uint64_t given;   /* the reader's: lost frames given out */
    note notes[NOTES];
    _Atomic uint64_t head; /* written by the writer */
    _Atomic uint64_t tail; /* written by the reader */
    _Atomic uint64_t note_head;
    _Atomic uint64_t note_tail;
    _Atomic uint64_t dropped;
};

sl_ring *sl_ring_new(uint32_t frames)
{
    uint64_t size = 1;
    while (size < frames) {
        size <<= 1;
    }
    sl_ring *r = sl_mem(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->pcm = sl_mem_array((size_t)size, sizeof *r->pcm);
    if (r->pcm == NULL) {
        sl_mem_free(r);
        return NULL;
    }
    r->mask = size - 1;
    return r;
}

void sl_ring_free(sl_ring *r)
{
    if (r != NULL) {
        sl_mem_free(r->pcm);
        sl_mem_free(r);
    }
}

static float clean(float v)
{
    if (!(v >= -1.0F)) { /* also NaN */
        return v < -1.0F ? -1.0F : 0.0F;
    }
    return v > 1.0F ? 1.0F : v;
}

static float mono(const sl_pcm *pcm, uint32_t i)
{
    float sum = 0.0F;
    size_t at = (size_t)i * pcm->channels;
    for (uint32_t c = 0; c < pcm->channels; c++) {
        sum +=
            pcm->floats != NULL ? clean(pcm->floats[at + c]) : (float)pcm->words[at + c] / 32768.0F;
    }
    return sum / (float)pcm->channels;
}

static float measured(float v, sl_meter *meter)
{
    float size = v < 0.0F ? -v : v;
    meter->peak = size > meter->peak ? size : meter->peak;
    meter->rms += v * v;
    return v;
}

static void measure_end(sl_meter *meter, uint32_t frames)
{
    meter->rms = frames > 0 ? sqrtf(meter->rms / (float)frames) : 0.0F;
}

/* Writes down what is pending; false when the reader has to free a note first. */
static bool note_pending(sl_ring *r, uint64_t at)
{
    if (r->pending == 0) {
        return true;
    }
    uint64_t head = atomic_load_explicit(&r->note_head, memory_order_relaxed);
    if (head - atomic_load_explicit(&r->note_tail, memory_order_acquire) == NOTES) {
        return false;
    }
    r->notes[head % NOTES] = (note){.at = at, .frames = r->pending};
    atomic_store_explicit(&r->note_head, head + 1, memory_order_release);
    r->pending = 0;
    return true;
}

void sl_ring_measure(const sl_pcm *pcm, sl_meter *meter)
{
    *meter = (sl_meter){0};
    for (uint32_t i = 0; i < pcm->frames; i++) {
        (void)measured(mono(pcm, i), meter);
    }
    measure_end(meter, pcm->frames);
}

void sl_ring_write(sl_ring *r, const sl_pcm *pcm, sl_meter *meter)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t room = r->mask + 1 - (head - atomic_load_explicit(&r->tail, memory_order_acquire));
    uint64_t fits = room < pcm->frames ? room : pcm->frames;
    if (fits > 0 && !note_pending(r, head)) {
        fits = 0;
    }
    *meter = (sl_meter){0};
    for (uint32_t i = 0; i < pcm->frames; i++) {
        float v = measured(mono(pcm, i), meter);
        if (i < fits) {
            r->pcm[(head + i) & r->mask] = v;
        }
    }
    measure_end(meter, pcm->frames);
    atomic_store_explicit(&r->head, head + fits, memory_order_release);
    if (fits < pcm->frames) {
        r->pending += pcm->frames - fits;
        atomic_fetch_add_explicit(&r->dropped, pcm->frames - fits, memory_order_release);
    }
}

/* Frames that may be read before the next loss, at most up to head; opens a loss that is due. */
static uint64_t until_loss(sl_ring *r, uint64_t tail, uint64_t head)
{
    uint64_t first = atomic_load_explicit(&r->note_tail, memory_order_relaxed);
    if (first == atomic_load_explicit(&r->note_head, memory_order_acquire)) {
        return head - tail;
    }
    note n = r->notes[first % NOTES];
    if (n.at > tail) {
        return n.at < head ? n.at - tail : head - tail;
    }
    r->silence = n.frames;
    atomic_store_explicit(&r->note_tail, first + 1, memory_order_release);
    return 0;
}

uint32_t sl_ring_read(sl_ring *r, float *dst, uint32_t max)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    uint32_t done = 0;
    while (done < max) {
        uint64_t n = max - done;
        if (r->silence > 0) {
            n = n < r->silence ? n : r->silence;
            memset(dst + done, 0, (size_t)n * sizeof *dst);
            r->silence -= n;
            r->given += n;
            done += (uint32_t)n;
            continue;
        }
        uint64_t left = until_loss(r, tail, head);
        if (left == 0 && r->silence == 0) {
            break;
        }
        n = n < left ? n : left;
        for (uint64_t i = 0; i < n; i++) {
            dst[done + i] = r->pcm[(tail + i) & r->mask];
        }
        tail += n;
        done += (uint32_t)n;
    }
    atomic_store_explicit(&r->tail, tail, memory_order_release);
    return done;
}

uint64_t sl_ring_tail(sl_ring *r)
{
    uint64_t lost = sl_ring_dropped(r);
    uint64_t rest = lost - r->given;
    r->given = lost;
    return rest;
}

uint64_t sl_ring_taken(const sl_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) + sl_ring_dropped(r);
}

uint64_t sl_ring_dropped(const sl_ring *r)
{
    return atomic_load_explicit(&r->dropped, memory_order_acquire);
}
