/*
 * media/tone.h - pictures of high dynamic range or wide gamut to ordinary ones: BT.2020 as HLG, PQ
 * or plain, in YUV 4:2:0 of 10 bits, to BT.709 of 8 bits, both of the limited range. In this folder.
 *
 * As a viewer of a BT.2100 display of 1,000 cd/m2 in the dark sees it, then on an ordinary one:
 *   light    HLG: inverse OETF, OOTF with a system gamma of 1.2 (BT.2100); PQ: its EOTF; plain:
 *            BT.1886;
 *   tone     BT.2390's EETF on the largest of R, G and B, from the picture's peak to 203 cd/m2, the
 *            reference white of BT.2408, which is the ordinary white here: light under 92 cd/m2 (of
 *            1,000) stays as it is, reference white becomes 91 % of the signal, highlights share the
 *            rest. Colours keep the ratios of their parts;
 *   gamut    the matrix of BT.2087 in light; what lies outside BT.709 is drawn towards the grey of its
 *            own luminance until it does not: hue and lightness stay, strength gives way;
 *   signal   BT.1886's inverse (2.4), the matrix of BT.709.
 * Curves are tables made from the formulas, the rest is computed for the four pixels that share a Cb
 * and a Cr at once, whose new Cb and Cr are those of their mean. Greys are within 1 of 255 of the
 * formulas, and so are 98 of 100 colours; the others lie where BT.709 ends and its signal is steepest.
 * What a Dolby Vision stream says beside its base is not read.
 */
#ifndef SL_MEDIA_TONE_H
#define SL_MEDIA_TONE_H

#include <libavutil/frame.h>
#include <stdbool.h>

typedef enum sl_light {
    SL_LIGHT_PLAIN = 0, /* ordinary: nothing to be done */
    SL_LIGHT_WIDE,      /* BT.2020, of ordinary brightness */
    SL_LIGHT_HLG,       /* also the base of Dolby Vision 8.4 */
    SL_LIGHT_PQ
} sl_light;

/* What its tags say. */
sl_light sl_tone_light(enum AVColorTransferCharacteristic transfer, enum AVColorPrimaries primaries,
                       enum AVColorSpace space);
sl_light sl_tone_light_of(const AVFrame *f);
/* cd/m2 that a picture reaches: 1,000, or for PQ the next of 1,000, 2,000, 4,000 and 10,000 that
 * its content light level, else its mastering display, has. */
int32_t sl_tone_peak(const AVFrame *f, sl_light light);

/* The formulas: Y' 0 to 1, Cb and Cr -0.5 to 0.5, of BT.2020 to those of BT.709. */
void sl_tone_exact(sl_light light, int32_t peak, const double from[3], double to[3]);

typedef struct sl_tone sl_tone;
/* NULL: out of memory. */
sl_tone *sl_tone_new(sl_light light, int32_t peak);
void sl_tone_free(sl_tone *t);
bool sl_tone_is(const sl_tone *t, sl_light light, int32_t peak);
/* AV_PIX_FMT_YUV420P10 to AV_PIX_FMT_YUV420P of the same size. */
void sl_tone_apply(const sl_tone *t, const AVFrame *from, AVFrame *to);

#endif
