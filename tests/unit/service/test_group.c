/* Groups and signs, as the service rules them: limits on both sides, and what one transaction holds. */
#include "chat/chat.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct scene {
    world *w;
    person coach;
    person ana;
    person ben; /* connected with ana alone */
    char direct[SL_SPACE_MAX];
    char group[SL_SPACE_MAX];
} scene;

static void set(scene *s)
{
    char between[SL_SPACE_MAX];
    s->w = world_new();
    person_make(s->w, &s->coach, "coach@x.y", "coach", 1);
    person_make(s->w, &s->ana, "ana@x.y", "athlete", 2);
    person_make(s->w, &s->ben, "ben@x.y", "athlete", 3);
    befriend(s->w, &s->coach, &s->ana, s->direct);
    befriend(s->w, &s->ana, &s->ben, between);
    sl_space_name(s->group, "thread", id_of(0x50));
    must(op(s->w, &s->coach, "create", "thread", s->group, id_of(0x50),
            "{\"title\":\"Throwers\",\"group\":true}"),
         "applied");
}

static const sl_json *let_in(scene *s, uint32_t number, const person *who)
{
    char fields[80];
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\"}", who->id);
    return op(s->w, &s->coach, "create", "participant", s->group, id_of(number), fields);
}

static void sql(scene *s, const char *text)
{
    sl_error *err = NULL;
    sl_status status = s->w->db.run(s->w->db.user, text, NULL, 0, NULL, NULL, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", text, sl_error_message(err));
}

/* So many people more may hold the group. */
static void crowd(scene *s, int count)
{
    for (int i = 0; i < count; i++) {
        char text[200];
        (void)snprintf(text, sizeof text,
                       "INSERT INTO access (user_id, space, role) VALUES ('%s', '%s', 'member')",
                       id_of(0x1000 + (uint32_t)i), s->group);
        sql(s, text);
    }
}

START_TEST(group__takes_the_hundredth_and_not_one_more)
{
    scene s;
    set(&s);
    crowd(&s, SL_CHAT_GROUP_MAX - 1); /* and the coach: full */
    must_reject(let_in(&s, 1, &s.ana), "SL_E_LIMIT");
    char first[200];
    (void)snprintf(first, sizeof first, "DELETE FROM access WHERE user_id='%s'", id_of(0x1000));
    sql(&s, first);
    must(let_in(&s, 2, &s.ana), "applied");
    world_free(s.w);
}
END_TEST

START_TEST(group__lets_in_whom_its_coach_knows_and_once)
{
    scene s;
    set(&s);
    must_reject(let_in(&s, 1, &s.ben), "SL_E_DENIED");
    must(let_in(&s, 2, &s.ana), "applied");
    must_reject(let_in(&s, 3, &s.ana), "SL_E_CONFLICT");
    must_reject(let_in(&s, 4, &s.coach), "SL_E_DENIED"); /* nobody is connected with themselves */
    must_reject(op(s.w, &s.coach, "patch", "participant", s.group, id_of(2), "{\"read\":1}"),
                "SL_E_DENIED");
    s.w->now_ms += 1000; /* later than what made it, whoever's clock */
    must(op(s.w, &s.ana, "patch", "participant", s.group, id_of(2), "{\"gone\":true}"), "applied");
    must_reject(op(s.w, &s.ana, "patch", "participant", s.group, id_of(2), "{\"gone\":false}"),
                "SL_E_DENIED");
    must_reject(let_in(&s, 5, &s.ana), "SL_E_CONFLICT"); /* her participant is there */
    s.w->now_ms += 1000;
    must(op(s.w, &s.coach, "patch", "participant", s.group, id_of(2), "{\"gone\":false}"),
         "applied");
    must(op(s.w, &s.ana, "create", "message", s.group, id_of(6),
            "{\"kind\":\"text\",\"body\":\"back\"}"),
         "applied");
    world_free(s.w);
}
END_TEST

START_TEST(group__is_what_a_person_makes_with_a_title)
{
    scene s;
    set(&s);
    char space[SL_SPACE_MAX];
    sl_space_name(space, "thread", id_of(0x60));
    must_reject(op(s.w, &s.coach, "create", "thread", space, id_of(0x60), "{\"title\":\"x\"}"),
                "SL_E_INVALID");
    must_reject(op(s.w, &s.coach, "create", "thread", space, id_of(0x60), "{\"group\":true}"),
                "SL_E_INVALID");
    must_reject(
        op(s.w, &s.ana, "create", "thread", space, id_of(0x60), "{\"title\":\"x\",\"group\":true}"),
        "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "patch", "thread", s.group, id_of(0x50), "{\"title\":null}"),
                "SL_E_INVALID");
    must_reject(op(s.w, &s.coach, "patch", "thread", s.direct, s.direct + 7, "{\"title\":\"x\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "create", "participant", s.direct, id_of(0x61),
                   "{\"user_id\":\"00000000-0000-7000-8000-000000000009\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "create", "message", s.group, id_of(0x62),
                   "{\"kind\":\"notice\",\"body\":\"x\"}"),
                "SL_E_INVALID");
    world_free(s.w);
}
END_TEST

#define SIGN "{\"message_id\":\"%s\",\"emoji\":\"+\"}"

static const sl_json *sign(scene *s, person *who, uint32_t number, uint32_t message)
{
    char fields[120];
    (void)snprintf(fields, sizeof fields, SIGN, id_of(message));
    return op(s->w, who, "create", "reaction", s->direct, id_of(number), fields);
}

START_TEST(sign__an_equal_second_one_is_none_and_leaves_nothing)
{
    scene s;
    set(&s);
    static const char text[] = "{\"kind\":\"text\",\"body\":\"x\"}";
    must(op(s.w, &s.ana, "create", "message", s.direct, id_of(1), text), "applied");
    must(op(s.w, &s.ana, "create", "message", s.direct, id_of(2), text), "applied");
    must(sign(&s, &s.ana, 0x10, 1), "applied");
    frames_clear(s.w);
    must(sign(&s, &s.ana, 0x11, 1), "merged");
    ck_assert_uint_eq(frame_count(s.w, s.ana.conn, "change"), 0);
    must(sign(&s, &s.coach, 0x12, 1), "applied"); /* of another */
    must(sign(&s, &s.ana, 0x13, 2), "applied");   /* on another */
    must(op(s.w, &s.ana, "delete", "reaction", s.direct, id_of(0x11), NULL), "merged");
    must(op(s.w, &s.ana, "delete", "reaction", s.direct, id_of(0x10), NULL), "applied");
    must(sign(&s, &s.ana, 0x15, 1), "applied"); /* it was taken back */
    world_free(s.w);
}
END_TEST

/* One frame is one transaction: what it gave or took back is not in the database yet. */
START_TEST(sign__is_counted_within_one_push)
{
    scene s;
    set(&s);
    char frame[2000];
    char message[SL_UUID_LEN + 1];
    static const char text[] = "{\"kind\":\"text\",\"body\":\"x\"}";
    uuid_of(message, 1);
    must(op(s.w, &s.ana, "create", "message", s.direct, message, text), "applied");
    frames_clear(s.w);
    int len = snprintf(frame, sizeof frame, "{\"t\":\"push\",\"ops\":[");
    for (uint32_t i = 0; i < 4; i++) { /* given, given again, taken back, given */
        char fields[120];
        (void)snprintf(fields, sizeof fields, ",\"fields\":" SIGN, message);
        len += snprintf(frame + len, sizeof frame - (size_t)len,
                        "%s{\"n\":%lld,\"hlc\":\"%012llx%04x00000001\",\"op\":\"%s\",\"entity\":"
                        "\"reaction\",\"space\":\"%s\",\"id\":\"%s\"%s}",
                        i > 0 ? "," : "", (long long)s.ana.n + 1 + i,
                        (unsigned long long)s.w->now_ms, 99 + i, i == 2 ? "delete" : "create",
                        s.direct, id_of(i == 2 ? 0x20 : 0x20 + i), i == 2 ? "" : fields);
    }
    (void)snprintf(frame + len, sizeof frame - (size_t)len, "]}");
    say(s.w, &s.ana, frame);
    static const char *const results[] = {"applied", "merged", "applied", "applied"};
    const sl_json *receipts = sl_json_get(frame_at(s.w, s.ana.conn, "receipts", 0), "receipts");
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(sl_json_str(sl_json_at(receipts, i), "result"), results[i]);
    }
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        group__takes_the_hundredth_and_not_one_more,
        group__lets_in_whom_its_coach_knows_and_once,
        group__is_what_a_person_makes_with_a_title,
        sign__an_equal_second_one_is_none_and_leaves_nothing,
        sign__is_counted_within_one_push,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("group", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
