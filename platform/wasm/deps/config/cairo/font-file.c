/*
 * Cairo's "toy" fonts where there is no fontconfig: a family is looked for as one file in a folder,
 * "DejaVu Sans", bold, as DejaVuSans-Bold.ttf. The folder is $SIDELINE_FONTS, else /fonts, where a
 * page may write what it downloaded. A font that is not there is left to Cairo's own outlines, which
 * know ASCII only. Faces are few and stay for ever. Part of Cairo's library; one thread.
 */
#include "cairoint.h"

#include "cairo-ft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FACES_MAX = 8,
    PATH_SIZE = 512
};

cairo_status_t sl_font_file_face(cairo_toy_font_face_t *toy, cairo_font_face_t **out);

static FT_Library g_library;

static struct {
    char path[PATH_SIZE];
    cairo_font_face_t *face;
} g_faces[FACES_MAX];

static int g_count;

/* False when the family's name is no name of a file. */
static int font_path(const cairo_toy_font_face_t *toy, char *path)
{
    static const char *const styles[] = {"", "-Bold", "-Oblique", "-BoldOblique"};
    const char *folder = getenv("SIDELINE_FONTS");
    int n = snprintf(path, PATH_SIZE, "%s/", folder != NULL ? folder : "/fonts");
    size_t at = n < 0 ? PATH_SIZE : (size_t)n;
    for (const char *s = toy->family; *s != 0; s++) {
        if (*s == '/' || at + 32 > PATH_SIZE) {
            return 0;
        }
        if (*s != ' ') {
            path[at++] = *s;
        }
    }
    if (at + 32 > PATH_SIZE) {
        return 0;
    }
    int style = (toy->weight == CAIRO_FONT_WEIGHT_BOLD ? 1 : 0) |
                (toy->slant != CAIRO_FONT_SLANT_NORMAL ? 2 : 0);
    (void)snprintf(path + at, PATH_SIZE - at, "%s.ttf", styles[style]);
    return 1;
}

cairo_status_t sl_font_file_face(cairo_toy_font_face_t *toy, cairo_font_face_t **out)
{
    char path[PATH_SIZE];
    if (!font_path(toy, path)) {
        return (cairo_status_t)CAIRO_INT_STATUS_UNSUPPORTED;
    }
    for (int i = 0; i < g_count; i++) {
        if (strcmp(g_faces[i].path, path) == 0) {
            *out = cairo_font_face_reference(g_faces[i].face);
            return CAIRO_STATUS_SUCCESS;
        }
    }
    if (g_count == FACES_MAX || (g_library == NULL && FT_Init_FreeType(&g_library) != 0)) {
        return (cairo_status_t)CAIRO_INT_STATUS_UNSUPPORTED;
    }
    FT_Face ft = NULL;
    if (FT_New_Face(g_library, path, 0, &ft) != 0) {
        return (cairo_status_t)CAIRO_INT_STATUS_UNSUPPORTED;
    }
    cairo_font_face_t *face = cairo_ft_font_face_create_for_ft_face(ft, 0);
    cairo_status_t status = cairo_font_face_status(face);
    if (status != CAIRO_STATUS_SUCCESS) {
        cairo_font_face_destroy(face);
        (void)FT_Done_Face(ft);
        return status;
    }
    (void)strcpy(g_faces[g_count].path, path);
    g_faces[g_count++].face = face;
    *out = cairo_font_face_reference(face);
    return CAIRO_STATUS_SUCCESS;
}
