/* tests/golden.h - texts that people have read line by line, in tests/golden. SL_GOLDEN_WRITE=1 writes them anew. */
#ifndef SL_TESTS_GOLDEN_H
#define SL_TESTS_GOLDEN_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SL_GOLDEN_MAX = 1 << 20
};

static inline bool sl_golden_has_line(const char *text, const char *line, size_t n)
{
    for (const char *p = text; *p != 0;) {
        size_t len = strcspn(p, "\n");
        if (len == n && strncmp(p, line, n) == 0) {
            return true;
        }
        p += len + (p[len] != 0);
    }
    return false;
}

/* Prints the lines of `text` that `other` does not have; how many there are. */
static inline size_t sl_golden_tell(const char *mark, const char *text, const char *other)
{
    size_t count = 0;
    for (const char *p = text; *p != 0;) {
        size_t n = strcspn(p, "\n");
        if (!sl_golden_has_line(other, p, n)) {
            (void)printf("%s %.*s\n", mark, (int)n, p);
            count++;
        }
        p += n + (p[n] != 0);
    }
    return count;
}

/* Fails, with the lines that differ, unless the file is this text. */
static inline void sl_golden_check(const char *path, const char *text)
{
    static char was[SL_GOLDEN_MAX];
    const bool anew = getenv("SL_GOLDEN_WRITE") != NULL;
    FILE *f = fopen(path, anew ? "wb" : "rb");
    ck_assert_msg(f != NULL, "%s is missing", path);
    if (anew) {
        ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
        ck_assert_int_eq(fclose(f), 0);
        return;
    }
    size_t n = fread(was, 1, sizeof was - 1, f);
    was[n] = 0;
    (void)fclose(f);
    if (strcmp(was, text) != 0) {
        size_t lines = sl_golden_tell("-", was, text) + sl_golden_tell("+", text, was);
        ck_abort_msg("%s: %zu lines differ, or their order", path, lines);
    }
}

#endif
