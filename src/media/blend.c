/* media/blend.c - sixteen bits of fraction; chroma from the four pixels that share it. */
#include "media/blend.h"

#include <string.h>

typedef struct weights {
    int32_t y[3]; /* red, green, blue */
    int32_t u[3];
    int32_t v[3];
} weights;

/* round(65536 * k * 219 / 255) for luma, 224 / 255 for chroma. */
static const weights bt601 = {{16829, 33039, 6416}, {-9714, -19071, 28784}, {28784, -24103, -4681}};
static const weights bt709 = {{11966, 40254, 4064}, {-6596, -22189, 28784}, {28784, -26145, -2639}};

static uint32_t pixel(const sl_pixels *ink, int32_t x, int32_t y)
{
    uint32_t v = 0;
    memcpy(&v, ink->data + (ptrdiff_t)y * ink->stride + (ptrdiff_t)x * 4, sizeof v);
    return v;
}

static uint8_t mix(uint8_t old, int32_t alpha, int32_t offset, const int32_t k[3],
                   const int32_t rgb[3])
{
    int32_t colour = k[0] * rgb[0] + k[1] * rgb[1] + k[2] * rgb[2];
    int32_t kept = (old * (255 - alpha) + offset * alpha) * 257;
    int32_t v = (kept + colour + 32768) >> 16;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* The two by two pixels at (x, y), both even. */
static void blend_four(const sl_pixels *ink, int32_t x, int32_t y, const weights *w,
                       const sl_yuv *to)
{
    int32_t sum[3] = {0, 0, 0};
    int32_t alpha_sum = 0;
    int32_t count = 0;
    for (int32_t j = y; j < y + 2 && j < to->height && j < ink->height; j++) {
        for (int32_t i = x; i < x + 2 && i < to->width && i < ink->width; i++) {
            uint32_t argb = pixel(ink, i, j);
            int32_t alpha = (int32_t)(argb >> 24);
            int32_t rgb[3] = {(int32_t)(argb >> 16 & 255U), (int32_t)(argb >> 8 & 255U),
                              (int32_t)(argb & 255U)};
            count++;
            if (alpha == 0) {
                continue;
            }
            uint8_t *luma = to->plane[0] + (ptrdiff_t)j * to->stride[0] + i;
            *luma = mix(*luma, alpha, 16, w->y, rgb);
            alpha_sum += alpha;
            sum[0] += rgb[0];
            sum[1] += rgb[1];
            sum[2] += rgb[2];
        }
    }
    if (alpha_sum == 0) {
        return;
    }
    int32_t mean[3] = {(sum[0] + count / 2) / count, (sum[1] + count / 2) / count,
                       (sum[2] + count / 2) / count};
    int32_t alpha = (alpha_sum + count / 2) / count;
    uint8_t *u = to->plane[1] + (ptrdiff_t)(y / 2) * to->stride[1] + x / 2;
    uint8_t *v = to->plane[2] + (ptrdiff_t)(y / 2) * to->stride[2] + x / 2;
    *u = mix(*u, alpha, 128, w->u, mean);
    *v = mix(*v, alpha, 128, w->v, mean);
}

void sl_blend(const sl_pixels *ink, sl_box box, bool is_709, const sl_yuv *picture)
{
    int32_t width = ink->width < picture->width ? ink->width : picture->width;
    int32_t height = ink->height < picture->height ? ink->height : picture->height;
    int32_t x0 = box.x0 < 0 ? 0 : box.x0 & ~1;
    int32_t y0 = box.y0 < 0 ? 0 : box.y0 & ~1;
    int32_t x1 = box.x1 > width ? width : box.x1;
    int32_t y1 = box.y1 > height ? height : box.y1;
    const weights *w = is_709 ? &bt709 : &bt601;
    for (int32_t y = y0; y < y1; y += 2) {
        for (int32_t x = x0; x < x1; x += 2) {
            blend_four(ink, x, y, w, picture);
        }
    }
}
