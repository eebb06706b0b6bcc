/*
 * media/splice.h - which stretches of an export are the clip's own pictures, and so can be copied
 * without being decoded. Inside this folder.
 *
 * A stretch is whole groups of pictures: it begins with a picture that can be shown with nothing
 * before it and ends before another. Both kinds lie in one track: the parameter sets of clip and
 * encoder have different numbers and stand side by side in its description (H.264, 7.4.1.2.1).
 */
#ifndef SL_MEDIA_SPLICE_H
#define SL_MEDIA_SPLICE_H

#include "base/buf.h"
#include "base/error.h"
#include "media/source.h"

#include <libavcodec/avcodec.h>
#include <stdbool.h>

/* A picture of the clip as its packet. */
typedef struct sl_splice_packet {
    int64_t pts;   /* of the container */
    int32_t shown; /* its number in the order of showing */
    bool key;
} sl_splice_packet;

typedef struct sl_splice_group {
    int32_t first; /* packet, and picture as shown */
    int32_t n;
} sl_splice_group;

typedef struct sl_splice {
    AVCodecParameters *parameters;
    AVRational time_base;
    int64_t start;             /* pts of picture 0 */
    int32_t delay;             /* pictures by which decoding runs ahead */
    sl_splice_packet *packets; /* in decoding order */
    sl_splice_group *groups;
    int32_t packets_n;
    int32_t groups_n;
    int32_t set_id; /* a number that its parameter sets do not have */
} sl_splice;

/* Learns the clip's packets. *fits false: nothing of it can be copied at this size and rate. */
sl_status sl_splice_learn(const sl_source *source, int32_t width, int32_t height, AVRational rate,
                          sl_splice *out, bool *fits, sl_error **err);
void sl_splice_free(sl_splice *s);
/* The group that begins with this picture, or NULL. */
const sl_splice_group *sl_splice_group_at(const sl_splice *s, int32_t shown);

/* A number that no parameter set of an avcC has; -1: none, or no avcC. */
int sl_splice_free_number(const uint8_t *avcc, size_t n);
/* The description of a track with the clip's and an encoder's parameter sets: an avcC. `encoded` is
 * what encoders give, with start codes. False: they do not go together. */
bool sl_splice_describe(const AVCodecParameters *clip, const uint8_t *encoded, size_t n,
                        sl_buf *out);
/* An encoder's packet, with start codes, as units with lengths of four bytes. Appends. */
void sl_splice_lengths(const uint8_t *p, size_t n, sl_buf *out);
/* True for a packet with lengths whose first picture needs nothing before it. */
bool sl_splice_is_idr(const uint8_t *p, size_t n, int length_size);

#endif
