/*
 * notice_fuzz - push notifications from bytes and, of what is JSON, messages with their mentions.
 *
 * What is taken is whole: ids are ids, texts are UTF-8, a message has a thread and a place.
 */
#include "base/error.h"
#include "base/utf8.h"
#include "chat/chat.h"
#include "chat/notice.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_notice(const sl_notice *n)
{
    SL_ASSERT(sl_uuid_ok(n->to) && (n->id[0] == 0 || sl_uuid_ok(n->id)));
    SL_ASSERT(n->user[0] == 0 || sl_uuid_ok(n->user));
    SL_ASSERT(n->space[0] == 0 || sl_space_ok(n->space));
    SL_ASSERT(sl_utf8_ok(n->title, strlen(n->title)) && sl_utf8_ok(n->body, strlen(n->body)));
    if (strcmp(n->kind, "message") == 0) {
        SL_ASSERT(sl_space_is(n->space, "thread") && n->place > 0 && n->id[0] != 0);
    }
}

/* What is a message stays one when it is read again. */
static void check_message(const sl_json *in)
{
    sl_json *fields = NULL;
    sl_json *again = NULL;
    if (sl_chat_message(in, &fields, NULL) == SL_OK) {
        SL_ASSERT(sl_chat_message(fields, &again, NULL) == SL_OK);
        SL_ASSERT(sl_json_equal(fields, again));
    }
    sl_json_free(fields);
    sl_json_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_notice notice;
    if (sl_notice_read((const char *)data, size, &notice, NULL) == SL_OK) {
        check_notice(&notice);
    }
    sl_json *j = sl_json_parse((const char *)data, size);
    if (j != NULL) {
        check_message(j);
    }
    sl_json_free(j);
    return 0;
}
