/* service/words.c - the sentences of push notifications, in the languages that the app has. */
#include "service/news.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    KINDS = 3
};

/* Around a name. */
typedef struct around {
    const char *before;
    const char *after;
} around;

typedef struct words {
    const char *tag;
    around title[SL_SV_EVENTS];
    const char *kind[KINDS]; /* as KIND_NAMES */
} words;

static const char *const KIND_NAMES[KINDS] = {"video", "review", "voice"};

/* Names may run either way: in a sentence from right to left they stand in isolates. */
#define FSI "\xE2\x81\xA8"
#define PDI "\xE2\x81\xA9"

static const words LANGUAGES[] = {
    {"en",
     {{"", ""},
      {"", " wants to connect"},
      {"", " accepted your request"},
      {"", " invites you into an organisation"},
      {"", " shared a video with you"},
      {"", " reviewed your video"},
      {"", " commented on a video"}},
     {"Video", "Review", "Voice note"}},
    {"ar",
     {{"", ""},
      {"طلب تواصل من " FSI, PDI},
      {"قُبل طلبك: " FSI, PDI},
      {"دعوة إلى منظمة من " FSI, PDI},
      {"فيديو جديد من " FSI, PDI},
      {"مراجعة جديدة من " FSI, PDI},
      {"تعليق جديد من " FSI, PDI}},
     {"فيديو", "مراجعة", "رسالة صوتية"}},
};

size_t sl_sv_language(const char *tag)
{
    for (size_t i = 0; i < sizeof LANGUAGES / sizeof LANGUAGES[0]; i++) {
        const char *own = LANGUAGES[i].tag;
        size_t n = strlen(own);
        size_t same = 0;
        while (same < n && tolower((unsigned char)tag[same]) == own[same]) {
            same++;
        }
        if (same == n && (tag[n] == 0 || tag[n] == '-' || tag[n] == '_')) {
            return i;
        }
    }
    return 0;
}

void sl_sv_say_title(char *out, size_t room, size_t language, sl_sv_event event, const char *who,
                     const char *group)
{
    const around *a = &LANGUAGES[language].title[event];
    char whole[2 * SL_NOTICE_TEXT];
    if (event == SL_SV_SAID && group[0] != 0) {
        (void)snprintf(whole, sizeof whole, "%.400s (%.200s)", who, group);
    } else {
        (void)snprintf(whole, sizeof whole, "%.100s%.400s%.100s", a->before, who, a->after);
    }
    sl_sv_copy_cut(out, room, whole);
}

const char *sl_sv_say_kind(size_t language, const char *kind)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kind, KIND_NAMES[i]) == 0) {
            return LANGUAGES[language].kind[i];
        }
    }
    return "";
}
