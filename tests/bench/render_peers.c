/* What others need for the same, in Node: the strokes go there in a file, the times come back. */
#include "bench_render.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void write_strokes(FILE *f, const sl_outline *outlines, const sl_drawing *d)
{
    (void)fprintf(f, "{\"width\":%d,\"height\":%d,\"outlines\":[", (int)W, (int)H);
    for (int i = 0; i < STROKES; i++) {
        (void)fputs(i > 0 ? ",[" : "[", f);
        for (size_t k = 0; k < 2 * outlines[i].n; k++) {
            (void)fprintf(f, k > 0 ? ",%.3f" : "%.3f", outlines[i].xy[k]);
        }
        (void)fputs("]", f);
    }
    (void)fputs("],\"strokes\":[", f);
    for (int i = 0; i < STROKES; i++) {
        const sl_item *item = sl_drawing_at(d, (size_t)i);
        double unit = W / (double)SL_UNITS;
        (void)fprintf(f, "%s{\"size\":%.3f,\"points\":[", i > 0 ? "," : "",
                      item->style.width * unit);
        for (uint32_t k = 0; k < item->geo.n; k++) {
            (void)fprintf(f, "%s[%.3f,%.3f,%.3f]", k > 0 ? "," : "", item->geo.points[k].x * unit,
                          item->geo.points[k].y * unit, item->geo.pressure[k] / 255.0);
        }
        (void)fputs("]}", f);
    }
    (void)fputs("]}", f);
}

void bench_peers(const peers *p, const sl_outline *outlines, const sl_drawing *d, ours took)
{
    char path[] = "/tmp/bench_render.XXXXXX";
    char command[1200];
    double skia = 0;
    double anew = 0;
    double freehand = 0;
    if (p->dir == NULL || p->scripts == NULL) {
        (void)printf("Skia and perfect-freehand: not measured\n");
        return;
    }
    int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    must(f != NULL, "a file for the peers");
    write_strokes(f, outlines, d);
    must(fclose(f) == 0, "a file for the peers");
    (void)snprintf(command, sizeof command, "node '%s/draw.mjs' '%s' '%s'", p->scripts, path,
                   p->dir);
    FILE *node = popen(command, "r");
    bool ok = node != NULL && fscanf(node, "%lf %lf %lf", &skia, &anew, &freehand) == 3;
    ok = node != NULL && pclose(node) == 0 && ok;
    (void)unlink(path);
    if (!ok) {
        (void)printf("Skia and perfect-freehand: not measured\n");
        return;
    }
    (void)printf(
        "200 strokes, filled: Skia %.1f ms with its paths made before, %.1f with them; ours "
        "%.1f x and %.1f x faster\n",
        skia, anew, skia * 1000 / took.fills, anew * 1000 / took.fills);
    (void)printf("outlines of 200 x 120 points: perfect-freehand %.2f ms, ours %.1f x faster\n",
                 freehand, freehand * 1000 / took.outlines);
}
