/* The overlay onto pictures of 4:2:0, many enough that none is still near. */
#include "bench_render.h"

#include "base/mem.h"
#include "media/blend.h"
#include "render/canvas.h"

#include <stdio.h>
#include <string.h>

enum {
    PICTURES = 24
};

static sl_yuv new_picture(void)
{
    uint8_t *data = sl_mem((size_t)W * H * 3 / 2);
    must(data != NULL, "memory");
    memset(data, 99, (size_t)W * H * 3 / 2);
    return (sl_yuv){
        {data, data + (size_t)W * H, data + (size_t)W * H * 5 / 4}, {W, W / 2, W / 2}, W, H};
}

void bench_film(const char *name, const sl_drawing *d)
{
    static sl_yuv pictures[PICTURES];
    double laid[ROUNDS * PICTURES];
    double made[ROUNDS];
    double copied[ROUNDS * PICTURES];
    size_t n = sl_drawing_count(d);
    sl_shown *shown = sl_mem_array(n, sizeof *shown);
    sl_canvas *c = sl_canvas_new(W, H);
    sl_film *film = sl_film_new(W, H);
    uint8_t *copy = sl_mem((size_t)W * H * 3 / 2);
    sl_scene scene = {.frame_w = W, .frame_h = H, .t_us = 5};
    sl_box damage;
    must(shown != NULL && c != NULL && film != NULL && copy != NULL, "memory");
    for (size_t i = 0; i < n; i++) {
        shown[i] = (sl_shown){sl_drawing_at(d, i), -1};
    }
    for (int i = 0; i < PICTURES; i++) {
        pictures[i] = new_picture();
    }
    must(sl_canvas_show(c, &scene, shown, n, &damage, NULL) == SL_OK, "show");
    for (int round = 0; round < ROUNDS; round++) {
        double a = now_us();
        sl_film_take(film, sl_canvas_pixels(c), &damage, 1, true);
        made[round] = now_us() - a;
        for (int i = 0; i < PICTURES; i++) {
            a = now_us();
            sl_film_blend(film, &pictures[i]);
            double b = now_us();
            memcpy(copy, pictures[i].plane[0], (size_t)W * H * 3 / 2);
            laid[round * PICTURES + i] = b - a;
            copied[round * PICTURES + i] = now_us() - b;
        }
    }
    (void)printf(
        "%s onto a 4:2:0 picture: %.2f ms, of which best %.2f (a copy of the picture %.2f); all "
        "of the overlay made ready %.1f ms\n",
        name, part_of(laid, ROUNDS * PICTURES, 0.5) / 1000, best_of(laid, ROUNDS * PICTURES) / 1000,
        part_of(copied, ROUNDS * PICTURES, 0.5) / 1000, best_of(made, ROUNDS) / 1000);
    for (int i = 0; i < PICTURES; i++) {
        sl_mem_free(pictures[i].plane[0]);
    }
    sl_mem_free(copy);
    sl_film_free(film);
    sl_canvas_free(c);
    sl_mem_free(shown);
}
