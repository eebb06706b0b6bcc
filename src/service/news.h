/* service/news.h - what people are told of, and whom: for what is kept of it (news.c) and for pushes (notify.c). */
#ifndef SL_SERVICE_NEWS_H
#define SL_SERVICE_NEWS_H

#include "chat/notice.h"
#include "service/effect.h"

enum {
    SL_SV_NEWS_TEXT = 240, /* bytes of a text: what providers of pushes take is 4 KiB in all */
    SL_SV_NEWS_KEPT = 500  /* notifications of a user, the newest */
};

/* What has happened, as a sentence of words.c says it. */
typedef enum sl_sv_event {
    SL_SV_SAID,      /* a message */
    SL_SV_ASKED,     /* to connect */
    SL_SV_ACCEPTED,  /* what one asked for */
    SL_SV_INVITED,   /* into an organisation */
    SL_SV_SHARED,    /* a video */
    SL_SV_REVIEWED,  /* one */
    SL_SV_COMMENTED, /* on one */
    SL_SV_EVENTS
} sl_sv_event;

typedef struct sl_sv_news {
    sl_sv_event event;
    const char *kind; /* the topic, of notification and notification_setting */
    const sl_sv_item *item;
    sl_sv_id author;      /* "": the owner of the video, until sl_sv_news_to */
    sl_sv_space to_space; /* those who hold this */
    const char
        *to; /* "": all of them, "owner", "part": the owner, and who has reviewed or commented */
    const char *ref_space; /* what it speaks of */
    const char *ref_id;
    const char *text; /* the author's words; borrowed from the record */
    int64_t now_ms;
} sl_sv_news;

/* Whether somebody is told of this record, which is about to be saved or has been. */
bool sl_sv_news_of(const sl_sv_item *item, int64_t now_ms, sl_sv_news *out);
/* rows: the users who are told, in order; not the author. Freed also after a failure. */
sl_status sl_sv_news_to(sl_service *s, sl_sv_news *n, sl_sv_rows *rows, sl_error **err);
/* *yes: the user wants to be told of the topic, by a push or in the app, and by the author. */
sl_status sl_sv_news_wanted(sl_service *s, const sl_sv_news *n, const char *user, bool push,
                            bool *yes, sl_error **err);
/* The words themselves, for a push: the author's, or the title of the video that was shared. Cut at a character. */
sl_status sl_sv_news_text(sl_service *s, const sl_sv_news *n, char out[SL_SV_NEWS_TEXT + 1],
                          sl_error **err);
/* At the end of a transaction, before its records are saved: the notifications that they cause are among them,
 * and those are gone that speak of what is. */
sl_status sl_sv_news_keep(sl_sv_tx *tx, sl_error **err);
/* Cut at a character. */
void sl_sv_copy_cut(char *to, size_t room, const char *from);

/* ---- words.c ---- */

/* The language of a tag of BCP 47 that there are words in; others: English. */
size_t sl_sv_language(const char *tag);
/* The line over a notification: who, and what they did. group: the name of that of a message, "" none. */
void sl_sv_say_title(char *out, size_t room, size_t language, sl_sv_event event, const char *who,
                     const char *group);
/* What stands for a message of this kind without words; "" when nothing does. */
const char *sl_sv_say_kind(size_t language, const char *kind);

#endif
