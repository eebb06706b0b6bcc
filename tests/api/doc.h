/* api/doc.h - documents for the tests beside it. */
#ifndef TESTS_API_DOC_H
#define TESTS_API_DOC_H

#include "sideline/record.h"
#include "sideline/render.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

#define LINE "{\"kind\":\"line\",\"points\":[[0,0],[1000,1000]],\"in\":0,\"out\":100}"

static inline sl_doc *new_doc(void)
{
    sl_doc *doc = NULL;
    ck_assert_int_eq(sl_doc_new(1920, 1080, &doc, NULL), SL_OK);
    return doc;
}

static inline void take_text(sl_bytes *bytes, char *out, size_t size)
{
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_lt(sl_bytes_len(bytes), size);
    memcpy(out, sl_bytes_data(bytes), sl_bytes_len(bytes) + 1);
    sl_bytes_release(bytes);
}

static inline void add(sl_doc *doc, const char *item, char id[64])
{
    sl_bytes *bytes = NULL;
    sl_error *err = NULL;
    sl_status s = sl_doc_add(doc, item, strlen(item), &bytes, &err);
    ck_assert_msg(s == SL_OK, "%s", sl_error_message(err));
    take_text(bytes, id, 64);
}

static inline sl_status patch(sl_doc *doc, const char *id, const char *json)
{
    return sl_doc_patch(doc, id, json, strlen(json), NULL);
}

static inline void doc_text(sl_doc *doc, char *out, size_t size)
{
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_doc_json(doc, &bytes, NULL), SL_OK);
    take_text(bytes, out, size);
}

#define VIDEO "0190b6a0-0000-7000-8000-000000000001"
#define SHA   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A core on a fresh folder, signed in to nobody, with the record of one video. */
static inline sl_core *open_core(char *dir)
{
    static const char ops[] =
        "[{\"op\":\"create\",\"entity\":\"video\",\"space\":\"video:" VIDEO "\",\"id\":\"" VIDEO
        "\",\"fields\":{\"title\":\"Throw\",\"blob\":\"" SHA
        "\",\"media_type\":\"video/mp4\",\"size\":5,\"duration_us\":10000000,\"width\":720,"
        "\"height\":576}}]";
    sl_config config = {.struct_size = sizeof config, .flags = SL_CORE_STEPPED, .dir = dir};
    sl_core *core = NULL;
    sl_error *err = NULL;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sl_status s = sl_core_open(&config, &core, &err);
    ck_assert_msg(s == SL_OK, "%s", sl_error_message(err));
    s = sl_apply(core, ops, sizeof ops - 1, NULL, &err);
    ck_assert_msg(s == SL_OK, "%s", sl_error_message(err));
    return core;
}

static inline void remove_folder(const char *dir)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

#endif
