/*
 * service/fold.h - text as it is searched: small letters without accents, a space before each word.
 *
 * Latin, Greek, Cyrillic and Arabic letters lose case and marks; the signs of Chinese and Japanese, which are
 * written without spaces, are words by themselves. Others stay as they are.
 */
#ifndef SL_SERVICE_FOLD_H
#define SL_SERVICE_FOLD_H

#include "base/buf.h"

#include <stdbool.h>

enum {
    SL_SV_FOLD_MAX = 1024 /* bytes of one word that is looked for */
};

/* Appends. The text is valid UTF-8. */
void sl_sv_fold(sl_buf *out, const char *text);
/* Whether each of these folded words begins a word of a folded text. */
bool sl_sv_fold_has(const char *folded, const char *words);

#endif
