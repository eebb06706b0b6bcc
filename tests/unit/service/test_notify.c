/* Push notifications: who is told of what, in a form that the core reads. */
#include "base/mem.h"
#include "chat/notice.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct scene {
    world *w;
    person coach;
    person ana;
    char thread[SL_SPACE_MAX];
    uint32_t next;
} scene;

static const char *fresh(scene *s)
{
    static char text[4][SL_UUID_LEN + 1];
    static size_t turn;
    char *out = text[turn++ % 4];
    uuid_of(out, ++s->next);
    return out;
}

static void device(scene *s, person *p, const char *token)
{
    char fields[120];
    (void)snprintf(fields, sizeof fields,
                   "{\"name\":\"Phone\",\"platform\":\"ios\",\"push_token\":\"%s\"}", token);
    must(op(s->w, p, "create", "device", p->own, p->device, fields), "applied");
}

/* A coach and an athlete, each with a phone that can be told. */
static void set(scene *s)
{
    memset(s, 0, sizeof *s);
    s->next = 0x100;
    s->w = world_new();
    s->w->push = true;
    world_reopen(s->w);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 1);
    person_make(s->w, &s->ana, "ana@x.y", "athlete", 2);
    befriend(s->w, &s->coach, &s->ana, s->thread);
    device(s, &s->coach, "of the coach");
    device(s, &s->ana, "of ana");
    s->w->pushes = 0;
}

/* Says something; how many were told. */
static size_t says(scene *s, person *p, const char *body, const char *more)
{
    char fields[400];
    size_t before = s->w->pushes;
    (void)snprintf(fields, sizeof fields, "{\"kind\":\"text\",\"body\":\"%s\"%s}", body, more);
    must(op(s->w, p, "create", "message", s->thread, fresh(s), fields), "applied");
    return s->w->pushes - before;
}

static sl_json *last(scene *s)
{
    sl_json *j = sl_json_parse(s->w->push_text, strlen(s->w->push_text));
    ck_assert_ptr_nonnull(j);
    return j;
}

/* Reads the payload of the last one as a device does. */
static sl_notice decoded(scene *s)
{
    sl_notice n;
    sl_json *j = last(s);
    char *payload = sl_json_print(sl_json_get(j, "payload"));
    sl_status status = sl_notice_read(payload, strlen(payload), &n, NULL);
    ck_assert_int_eq(status, SL_OK);
    sl_mem_free(payload);
    sl_json_free(j);
    return n;
}

static int badge(scene *s)
{
    sl_json *j = last(s);
    int n = (int)sl_json_int_or(j, "badge", -1);
    sl_json_free(j);
    return n;
}

START_TEST(notify__a_message_is_told_to_the_others_as_the_core_reads_it)
{
    scene s;
    set(&s);
    ck_assert_uint_eq(says(&s, &s.coach, "Elbow up", ""), 1);
    sl_notice n = decoded(&s);
    ck_assert_str_eq(n.kind, "message");
    ck_assert_str_eq(n.to, s.ana.id);
    ck_assert_str_eq(n.user, s.coach.id);
    ck_assert_str_eq(n.space, s.thread);
    ck_assert_str_eq(n.title, "Name of coach@x.y");
    ck_assert_str_eq(n.body, "Elbow up");
    ck_assert_int_gt(n.place, 0);
    ck_assert(!n.named);
    sl_json *j = last(&s);
    ck_assert_str_eq(sl_json_str(j, "token"), "of ana");
    ck_assert_str_eq(sl_json_str(j, "device"), s.ana.device);
    ck_assert_str_eq(sl_json_str(j, "platform"), "ios");
    ck_assert_str_eq(sl_json_str(j, "user"), s.ana.id);
    sl_json_free(j);
    world_free(s.w);
}
END_TEST

START_TEST(notify__an_edit_tells_nobody_and_a_repeated_operation_once)
{
    scene s;
    set(&s);
    ck_assert_uint_eq(says(&s, &s.coach, "one", ""), 1);
    char id[SL_UUID_LEN + 1];
    uuid_of(id, s.next);
    must(op(s.w, &s.coach, "patch", "message", s.thread, id, "{\"body\":\"two\"}"), "applied");
    s.coach.n--; /* the last one again */
    (void)op(s.w, &s.coach, "patch", "message", s.thread, id, "{\"body\":\"two\"}");
    must(op(s.w, &s.coach, "delete", "message", s.thread, id, NULL), "applied");
    ck_assert_uint_eq(s.w->pushes, 1);
    world_free(s.w);
}
END_TEST

START_TEST(notify__the_badge_counts_what_is_unread)
{
    scene s;
    set(&s);
    char mute[200];
    (void)says(&s, &s.coach, "one", "");
    ck_assert_int_eq(badge(&s), 1);
    (void)says(&s, &s.coach, "two", "");
    ck_assert_int_eq(badge(&s), 2);
    (void)says(&s, &s.ana, "mine", "");
    ck_assert_int_eq(badge(&s), 1); /* the coach's own */
    (void)snprintf(mute, sizeof mute, "{\"thread_id\":\"%s\",\"muted_until_ms\":%lld}",
                   s.thread + strlen("thread:"), (long long)s.w->now_ms + 1);
    must(op(s.w, &s.ana, "create", "thread_setting", s.ana.own, fresh(&s), mute), "applied");
    char named[200];
    (void)snprintf(named, sizeof named, ",\"mentions\":[{\"user\":\"%s\",\"at\":0,\"len\":3}]",
                   s.ana.id);
    ck_assert_uint_eq(says(&s, &s.coach, "Ana!", named), 1);
    ck_assert_int_eq(badge(&s), 1); /* of a silent thread the one that names her */
    world_free(s.w);
}
END_TEST

START_TEST(notify__a_silent_thread_tells_those_alone_who_are_named_until_it_ends)
{
    scene s;
    set(&s);
    char mute[200];
    char named[200];
    (void)snprintf(mute, sizeof mute, "{\"thread_id\":\"%s\",\"muted_until_ms\":%lld}",
                   s.thread + strlen("thread:"), (long long)s.w->now_ms + 1000);
    must(op(s.w, &s.ana, "create", "thread_setting", s.ana.own, fresh(&s), mute), "applied");
    ck_assert_uint_eq(says(&s, &s.coach, "quiet", ""), 0);
    (void)snprintf(named, sizeof named, ",\"mentions\":[{\"user\":\"%s\",\"at\":0,\"len\":3}]",
                   s.ana.id);
    ck_assert_uint_eq(says(&s, &s.coach, "Ana!", named), 1);
    ck_assert(decoded(&s).named);
    s.w->now_ms += 999;
    ck_assert_uint_eq(says(&s, &s.coach, "still quiet", ""), 0);
    s.w->now_ms += 1;
    ck_assert_uint_eq(says(&s, &s.coach, "heard", ""), 1);
    world_free(s.w);
}
END_TEST

START_TEST(notify__nobody_is_told_who_blocked_or_switched_it_off_or_signed_out)
{
    scene s;
    set(&s);
    char setting[SL_UUID_LEN + 1];
    (void)snprintf(setting, sizeof setting, "%s", fresh(&s));
    must(op(s.w, &s.ana, "create", "notification_setting", s.ana.own, setting,
            "{\"topic\":\"message\",\"push\":false}"),
         "applied");
    ck_assert_uint_eq(says(&s, &s.coach, "off", ""), 0);
    s.w->now_ms += 1000;
    must(op(s.w, &s.ana, "patch", "notification_setting", s.ana.own, setting, "{\"push\":true}"),
         "applied");
    ck_assert_uint_eq(says(&s, &s.coach, "on", ""), 1);
    answer a = signed_request(s.w, &s.ana, "POST", "/api/v1/auth/logout", "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_uint_eq(says(&s, &s.coach, "gone", ""), 0);
    world_free(s.w);
}
END_TEST

/* Blocked people cannot write to whom they know; in a group they can. */
START_TEST(notify__in_a_group_a_block_keeps_it_from_the_one_who_blocked)
{
    scene s;
    set(&s);
    char fields[120];
    sl_space_name(s.thread, "thread", fresh(&s));
    must(op(s.w, &s.coach, "create", "thread", s.thread, s.thread + strlen("thread:"),
            "{\"title\":\"Throwers\",\"group\":true}"),
         "applied");
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\"}", s.ana.id);
    must(op(s.w, &s.coach, "create", "participant", s.thread, fresh(&s), fields), "applied");
    ck_assert_uint_eq(s.w->pushes, 0); /* what happens to a group is no news */
    ck_assert_uint_eq(says(&s, &s.coach, "hi all", ""), 1);
    ck_assert_str_eq(decoded(&s).title, "Name of coach@x.y (Throwers)");
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\"}", s.coach.id);
    must(op(s.w, &s.ana, "create", "block", s.ana.own, fresh(&s), fields), "applied");
    ck_assert_uint_eq(says(&s, &s.coach, "anybody?", ""), 0);
    world_free(s.w);
}
END_TEST

START_TEST(notify__requests_to_connect_reviews_and_comments_are_told_to_whom_they_are_for)
{
    scene s;
    set(&s);
    person ben;
    char video[SL_SPACE_MAX];
    person_make(s.w, &ben, "ben@x.y", "athlete", 3);
    must(op(s.w, &ben, "create", "connection", ben.own, fresh(&s), "{\"peer_email\":\"ana@x.y\"}"),
         "applied");
    ck_assert_uint_eq(s.w->pushes, 1);
    ck_assert_str_eq(decoded(&s).kind, "connection");
    ck_assert_str_eq(decoded(&s).user, ben.id);
    ck_assert_str_eq(decoded(&s).title, "Name of ben@x.y wants to connect");
    ck_assert_str_eq(decoded(&s).body, "");
    video_make(s.w, &s.ana, video, 0x900, "clip");
    share_with(s.w, &s.ana, &s.coach, video, "coach", 0x901);
    s.w->pushes = 0;
    must(op(s.w, &s.coach, "create", "comment", video, fresh(&s), "{\"body\":\"good\"}"),
         "applied");
    ck_assert_uint_eq(s.w->pushes, 1);
    ck_assert_str_eq(decoded(&s).kind, "comment");
    ck_assert_str_eq(decoded(&s).to, s.ana.id);
    must(op(s.w, &s.ana, "create", "comment", video, fresh(&s), "{\"body\":\"thanks\"}"),
         "applied");
    ck_assert_uint_eq(s.w->pushes, 2); /* the coach has taken part */
    ck_assert_str_eq(decoded(&s).to, s.coach.id);
    ck_assert_str_eq(decoded(&s).title, "Name of ana@x.y commented on a video");
    world_free(s.w);
}
END_TEST

START_TEST(notify__an_invitation_into_an_organisation_is_told_to_who_is_asked)
{
    scene s;
    person dora;
    char org[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    set(&s);
    person_make(s.w, &dora, "dora@x.y", "coach", 4);
    sl_space_name(org, "organisation", fresh(&s));
    must(op(s.w, &dora, "create", "organisation", org, sl_space_id(org), "{\"name\":\"Club\"}"),
         "applied");
    ck_assert_uint_eq(s.w->pushes, 0);
    (void)snprintf(id, sizeof id, "%s", fresh(&s));
    must(op(s.w, &dora, "create", "member", org, id, "{\"email\":\"coach@x.y\"}"), "applied");
    ck_assert_uint_eq(s.w->pushes, 1);
    ck_assert_str_eq(decoded(&s).kind, "connection");
    ck_assert_str_eq(decoded(&s).to, s.coach.id);
    ck_assert_str_eq(decoded(&s).user, dora.id);
    ck_assert_str_eq(decoded(&s).title, "Name of dora@x.y invites you into an organisation");
    s.w->now_ms += 1000;
    must(op(s.w, &s.coach, "patch", "membership", s.coach.own, id, "{\"state\":\"active\"}"),
         "applied");
    ck_assert_uint_eq(s.w->pushes, 1);
    world_free(s.w);
}
END_TEST

static void speaks(scene *s, person *p, const char *locale)
{
    char fields[60];
    (void)snprintf(fields, sizeof fields, "{\"locale\":\"%s\"}", locale);
    must(op(s->w, p, "create", "profile", p->own, fresh(s), fields), "applied");
}

START_TEST(notify__the_title_is_in_the_language_of_the_user_else_in_english)
{
    static const struct {
        const char *locale;
        const char *title;
        const char *words;
    } said[] = {
        {"ar", "فيديو جديد من \xE2\x81\xA8Name of ana@x.y\xE2\x81\xA9", "رسالة صوتية"},
        {"AR-eg", "فيديو جديد من \xE2\x81\xA8Name of ana@x.y\xE2\x81\xA9", "رسالة صوتية"},
        {"arn", "Name of ana@x.y shared a video with you", "Voice note"},
        {"fr", "Name of ana@x.y shared a video with you", "Voice note"},
        {"en-GB", "Name of ana@x.y shared a video with you", "Voice note"},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        scene s;
        char video[SL_SPACE_MAX];
        set(&s);
        speaks(&s, &s.coach, said[i].locale);
        video_make(s.w, &s.ana, video, 0x900, "clip");
        share_with(s.w, &s.ana, &s.coach, video, "coach", 0x901);
        ck_assert_uint_eq(s.w->pushes, 1);
        ck_assert_str_eq(decoded(&s).title, said[i].title);
        ck_assert_str_eq(decoded(&s).kind, "review");
        ck_assert_str_eq(decoded(&s).id, video + strlen("video:"));
        ck_assert_str_eq(decoded(&s).user, s.ana.id);
        char voice[200];
        char hash[65];
        sha_of("v", hash);
        (void)snprintf(voice, sizeof voice,
                       "{\"kind\":\"voice\",\"blob\":\"%s\",\"media_type\":\"audio/ogg\","
                       "\"duration_us\":9,\"size\":1}",
                       hash);
        must(op(s.w, &s.ana, "create", "message", s.thread, fresh(&s), voice), "applied");
        ck_assert_str_eq(decoded(&s).title, "Name of ana@x.y");
        ck_assert_str_eq(decoded(&s).body, said[i].words);
        world_free(s.w);
    }
}
END_TEST

START_TEST(notify__a_token_that_is_gone_is_forgotten_when_it_is_still_that_one)
{
    scene s;
    set(&s);
    sl_service_push_gone(s.w->s, s.ana.id, s.ana.device, "another");
    ck_assert_uint_eq(says(&s, &s.coach, "one", ""), 1);
    sl_service_push_gone(s.w->s, s.ana.id, s.ana.device, "of ana");
    ck_assert_uint_eq(says(&s, &s.coach, "two", ""), 0);
    sl_service_push_gone(s.w->s, "nobody", s.ana.device, "x");
    sl_service_push_gone(s.w->s, s.coach.id, s.ana.device,
                         "of the coach"); /* no device of theirs */
    ck_assert_uint_eq(says(&s, &s.ana, "three", ""), 1);
    world_free(s.w);
}
END_TEST

/* What is long is cut at a character, and the whole fits what providers take. */
START_TEST(notify__a_long_text_is_cut_at_a_character)
{
    scene s;
    set(&s);
    char body[400];
    for (size_t i = 0; i < 198; i += 2) {
        memcpy(body + i, "\xC3\xA9", 3);
    }
    for (size_t i = 198; i < 396; i += 3) {
        memcpy(body + i, "\xE2\x82\xAC", 4);
    }
    char fields[600];
    (void)snprintf(fields, sizeof fields, "{\"kind\":\"text\",\"body\":\"%s\"}", body);
    must(op(s.w, &s.coach, "create", "message", s.thread, fresh(&s), fields), "applied");
    sl_notice n = decoded(&s);
    ck_assert_uint_eq(strlen(n.body), 240); /* 198 and 14 of 3 */
    ck_assert(strncmp(n.body, body, 240) == 0);
    ck_assert_uint_lt(strlen(s.w->push_text), 4096);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        notify__a_message_is_told_to_the_others_as_the_core_reads_it,
        notify__an_edit_tells_nobody_and_a_repeated_operation_once,
        notify__the_badge_counts_what_is_unread,
        notify__a_silent_thread_tells_those_alone_who_are_named_until_it_ends,
        notify__nobody_is_told_who_blocked_or_switched_it_off_or_signed_out,
        notify__in_a_group_a_block_keeps_it_from_the_one_who_blocked,
        notify__requests_to_connect_reviews_and_comments_are_told_to_whom_they_are_for,
        notify__an_invitation_into_an_organisation_is_told_to_who_is_asked,
        notify__the_title_is_in_the_language_of_the_user_else_in_english,
        notify__a_token_that_is_gone_is_forgotten_when_it_is_still_that_one,
        notify__a_long_text_is_cut_at_a_character,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("notify", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
