/* Who may write what: both sides for the entities that clients write, and what only the server does. */
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

#define SOME_ID "018b0000-0000-7000-8000-000000000009"

typedef struct scene {
    world *w;
    person athlete;
    person coach;
    char thread[SL_SPACE_MAX];
    char storefront[SL_SPACE_MAX];
    char program[SL_SPACE_MAX];
} scene;

static void set(scene *s)
{
    s->w = world_new();
    person_make(s->w, &s->athlete, "athlete@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    befriend(s->w, &s->athlete, &s->coach, s->thread);
    sl_space_name(s->storefront, "coach", s->coach.id);
    sl_space_name(s->program, "program", id_of(0x200));
}

static void open_shop(scene *s)
{
    must(op(s->w, &s->coach, "create", "coach", s->storefront, s->coach.id,
            "{\"name\":\"Kim\",\"sports\":{\"add\":[\"tennis\"]}}"),
         "applied");
    must(op(s->w, &s->coach, "create", "program", s->program, id_of(0x200),
            "{\"title\":\"Serve in six weeks\"}"),
         "applied");
}

typedef struct own_case {
    const char *entity;
    const char *fields;
    const char *patch;  /* NULL: the owner may not */
    const char *server; /* a field only the server writes; NULL: there is none */
    bool may_delete;
} own_case;

static const own_case OWN[] = {
    {"profile", "{\"bio\":\"I swim\",\"sports\":{\"add\":[\"swimming\"]}}",
     "{\"sports\":{\"remove\":[\"swimming\"]}}", NULL, true},
    {"device", "{\"name\":\"Phone\",\"platform\":\"android\"}", "{\"name\":\"Old phone\"}",
     "{\"last_seen_ms\":5}", true},
    {"goal", "{\"title\":\"100 laps\",\"done\":3}", "{\"done\":2}", NULL, true},
    {"progress_entry", "{\"kind\":\"workout\",\"at_ms\":1}", "{\"percent\":50}", NULL, true},
    {"notification_setting", "{\"topic\":\"message\",\"push\":true}", "{\"push\":false}", NULL,
     true},
    {"favourite", "{\"kind\":\"video\",\"target_space\":\"video:x\",\"target_id\":\"" SOME_ID "\"}",
     "{\"labels\":{\"add\":[\"serve\"]}}", NULL, true},
    {"report", "{\"kind\":\"user\",\"target_id\":\"" SOME_ID "\",\"reason\":\"spam\"}", NULL,
     "{\"status\":\"upheld\"}", false},
    {"block", "{\"user_id\":\"" SOME_ID "\"}", NULL, NULL, true},
};

START_TEST(own__is_written_by_its_owner_and_by_nobody_else)
{
    scene s;
    set(&s);
    for (uint32_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++) {
        const own_case *c = &OWN[i];
        const char *space = s.athlete.own;
        must_reject(op(s.w, &s.coach, "create", c->entity, space, id_of(i), c->fields),
                    "SL_E_DENIED");
        must(op(s.w, &s.athlete, "create", c->entity, space, id_of(i), c->fields), "applied");
        const char *patch = c->patch != NULL ? c->patch : "{}";
        must_reject(op(s.w, &s.coach, "patch", c->entity, space, id_of(i), patch), "SL_E_DENIED");
        const sl_json *r = op(s.w, &s.athlete, "patch", c->entity, space, id_of(i), patch);
        if (c->patch != NULL) {
            must(r, "applied");
        } else {
            must_reject(r, "SL_E_DENIED");
        }
        if (c->server != NULL) {
            must_reject(op(s.w, &s.athlete, "patch", c->entity, space, id_of(i), c->server),
                        "SL_E_DENIED");
        }
        must_reject(op(s.w, &s.coach, "delete", c->entity, space, id_of(i), NULL), "SL_E_DENIED");
        r = op(s.w, &s.athlete, "delete", c->entity, space, id_of(i), NULL);
        if (c->may_delete) {
            must(r, "applied");
        } else {
            must_reject(r, "SL_E_DENIED");
        }
    }
    world_free(s.w);
}
END_TEST

START_TEST(money__is_written_by_the_server_alone)
{
    static const char *const names[] = {"enrollment", "purchase", "subscription", "access_right",
                                        "payment",    "earning",  "payout",       "notification"};
    scene s;
    set(&s);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        must_reject(op(s.w, &s.coach, "create", names[i], s.coach.own, id_of(1), "{}"),
                    "SL_E_DENIED");
    }
    open_shop(&s);
    must_reject(op(s.w, &s.coach, "create", "product", s.storefront, id_of(2),
                   "{\"title\":\"Review\",\"kind\":\"review\",\"price_minor\":100}"),
                "SL_E_DENIED");
    must(op(s.w, &s.coach, "create", "product", s.storefront, id_of(2),
            "{\"title\":\"Review\",\"kind\":\"review\"}"),
         "applied");
    must_reject(
        op(s.w, &s.coach, "patch", "product", s.storefront, id_of(2), "{\"currency\":\"EUR\"}"),
        "SL_E_DENIED");
    must_reject(
        op(s.w, &s.coach, "patch", "program", s.program, id_of(0x200), "{\"price_minor\":1}"),
        "SL_E_DENIED");
    must(op(s.w, &s.coach, "create", "subscription_plan", s.storefront, id_of(3),
            "{\"title\":\"Monthly\",\"period\":\"month\"}"),
         "applied");
    world_free(s.w);
}
END_TEST

START_TEST(program__is_made_by_a_coach_and_filled_by_its_owner)
{
    scene s;
    set(&s);
    static const char item[] = "{\"kind\":\"text\",\"title\":\"Grip\"}";
    must_reject(
        op(s.w, &s.athlete, "create", "program", s.program, id_of(0x200), "{\"title\":\"x\"}"),
        "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "create", "content_item", s.program, id_of(1), item),
                "SL_E_DENIED");
    open_shop(&s);
    must(op(s.w, &s.coach, "create", "content_item", s.program, id_of(1), item), "applied");
    must(op(s.w, &s.coach, "patch", "content_item", s.program, id_of(1), "{\"day\":2}"), "applied");
    must_reject(op(s.w, &s.athlete, "create", "content_item", s.program, id_of(2), item),
                "SL_E_DENIED");
    must_reject(
        op(s.w, &s.athlete, "patch", "program", s.program, id_of(0x200), "{\"title\":\"y\"}"),
        "SL_E_DENIED");
    frames_clear(s.w);
    subscribe(s.w, &s.athlete, s.program, 0, "");
    ck_assert_uint_eq(frame_count(s.w, s.athlete.conn, "revoked"), 1);
    subscribe(s.w, &s.coach, s.program, 0, "");
    ck_assert_str_eq(sl_json_str(frame_at(s.w, s.coach.conn, "subscribed", 0), "role"), "owner");
    must(op(s.w, &s.coach, "delete", "program", s.program, id_of(0x200), NULL), "applied");
    must_reject(op(s.w, &s.coach, "create", "content_item", s.program, id_of(3), item),
                "SL_E_NOT_FOUND");
    world_free(s.w);
}
END_TEST

START_TEST(storefront__is_the_coachs_own_and_read_by_all)
{
    scene s;
    set(&s);
    char wrong[SL_SPACE_MAX];
    sl_space_name(wrong, "coach", s.athlete.id);
    must_reject(op(s.w, &s.athlete, "create", "coach", wrong, s.athlete.id, "{\"name\":\"A\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "create", "coach", wrong, s.athlete.id, "{\"name\":\"A\"}"),
                "SL_E_DENIED");
    frames_clear(s.w);
    subscribe(s.w, &s.athlete, s.storefront, 0, "");
    ck_assert_uint_eq(frame_count(s.w, s.athlete.conn, "revoked"), 1);
    open_shop(&s);
    static const char post[] = "{\"title\":\"Hello\",\"tags\":{\"add\":[\"news\"]}}";
    must(op(s.w, &s.coach, "create", "post", s.storefront, id_of(1), post), "applied");
    must_reject(op(s.w, &s.athlete, "create", "post", s.storefront, id_of(2), post), "SL_E_DENIED");
    must_reject(op(s.w, &s.athlete, "patch", "post", s.storefront, id_of(1), "{\"body\":\"x\"}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "patch", "post", s.storefront, id_of(1), "{\"like_count\":9}"),
                "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "delete", "coach", s.storefront, s.coach.id, NULL),
                "SL_E_DENIED");
    frames_clear(s.w);
    subscribe(s.w, &s.athlete, s.storefront, 0, "");
    ck_assert_str_eq(sl_json_str(frame_at(s.w, s.athlete.conn, "subscribed", 0), "role"), "member");
    const sl_json *records = sl_json_get(frame_at(s.w, s.athlete.conn, "page", 0), "records");
    ck_assert_uint_eq(sl_json_count(records), 2);
    const sl_json *sports = sl_json_get(sl_json_get(sl_json_at(records, 0), "fields"), "sports");
    ck_assert_str_eq(sl_json_text(sl_json_at(sports, 0)), "tennis");
    ck_assert_int_eq(upload(s.w, &s.athlete, s.storefront, "not mine to fill"), 403);
    world_free(s.w);
}
END_TEST

START_TEST(reaction__is_a_members_own)
{
    scene s;
    set(&s);
    static const char text[] = "{\"kind\":\"text\",\"body\":\"hi\"}";
    char sign[100];
    (void)snprintf(sign, sizeof sign, "{\"message_id\":\"%s\",\"emoji\":\"+\"}", id_of(9));
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(9), text), "applied");
    person other;
    person_make(s.w, &other, "other@x.y", "athlete", 3);
    must(op(s.w, &s.athlete, "create", "reaction", s.thread, id_of(1), sign), "applied");
    must_reject(op(s.w, &other, "create", "reaction", s.thread, id_of(2), sign), "SL_E_DENIED");
    must_reject(op(s.w, &s.coach, "delete", "reaction", s.thread, id_of(1), NULL), "SL_E_DENIED");
    must_reject(op(s.w, &s.athlete, "patch", "reaction", s.thread, id_of(1), "{}"), "SL_E_DENIED");
    must(op(s.w, &s.athlete, "delete", "reaction", s.thread, id_of(1), NULL), "applied");
    world_free(s.w);
}
END_TEST

START_TEST(reference__names_what_is_in_the_space_and_outlives_it)
{
    scene s;
    set(&s);
    static const char text[] = "{\"kind\":\"text\",\"body\":\"hi\"}";
    char sign[100];
    char fields[100];
    char elsewhere[SL_SPACE_MAX];
    person other;
    person_make(s.w, &other, "other@x.y", "athlete", 3);
    befriend(s.w, &other, &s.coach, elsewhere);
    (void)snprintf(sign, sizeof sign, "{\"message_id\":\"%s\",\"emoji\":\"+\"}", id_of(9));
    const sl_json *receipt = op(s.w, &s.coach, "create", "reaction", s.thread, id_of(1), sign);
    must_reject(receipt, "SL_E_NOT_FOUND");
    ck_assert_str_eq(sl_json_str(receipt, "field"), "message_id");
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(9), text), "applied");
    must_reject(op(s.w, &s.coach, "create", "reaction", elsewhere, id_of(1), sign),
                "SL_E_NOT_FOUND");
    must(op(s.w, &s.coach, "create", "reaction", s.thread, id_of(1), sign), "applied");
    must(op(s.w, &s.coach, "delete", "message", s.thread, id_of(9), NULL), "applied");
    must_reject(op(s.w, &s.coach, "create", "reaction", s.thread, id_of(2), sign),
                "SL_E_NOT_FOUND");
    (void)snprintf(fields, sizeof fields, "{\"goal_id\":\"%s\"}", id_of(5));
    must(op(s.w, &s.coach, "create", "goal", s.coach.own, id_of(5), "{\"title\":\"run\"}"),
         "applied");
    must(op(s.w, &s.coach, "create", "progress_entry", s.coach.own, id_of(6),
            "{\"kind\":\"workout\",\"at_ms\":1}"),
         "applied");
    must(op(s.w, &s.coach, "patch", "progress_entry", s.coach.own, id_of(6), fields), "applied");
    must(op(s.w, &s.coach, "delete", "goal", s.coach.own, id_of(5), NULL), "applied");
    must(op(s.w, &s.coach, "patch", "progress_entry", s.coach.own, id_of(6), fields), "applied");
    must(op(s.w, &s.coach, "patch", "progress_entry", s.coach.own, id_of(6), "{\"goal_id\":null}"),
         "applied");
    must_reject(op(s.w, &s.coach, "patch", "progress_entry", s.coach.own, id_of(6), fields),
                "SL_E_NOT_FOUND");
    world_free(s.w);
}
END_TEST

START_TEST(block__refuses_the_messages_of_the_one_blocked_until_it_is_taken_back)
{
    scene s;
    set(&s);
    static const char text[] = "{\"kind\":\"text\",\"body\":\"hi\"}";
    char fields[80];
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\"}", s.coach.id);
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(1), text), "applied");
    must(op(s.w, &s.athlete, "create", "block", s.athlete.own, id_of(2), fields), "applied");
    must_reject(op(s.w, &s.coach, "create", "message", s.thread, id_of(3), text), "SL_E_DENIED");
    must(op(s.w, &s.athlete, "create", "message", s.thread, id_of(4), text), "applied");
    person other;
    char thread[SL_SPACE_MAX];
    person_make(s.w, &other, "other@x.y", "athlete", 3);
    befriend(s.w, &other, &s.coach, thread);
    must(op(s.w, &s.coach, "create", "message", thread, id_of(5), text), "applied");
    must(op(s.w, &s.athlete, "delete", "block", s.athlete.own, id_of(2), NULL), "applied");
    must(op(s.w, &s.coach, "create", "message", s.thread, id_of(3), text), "applied");
    world_free(s.w);
}
END_TEST

START_TEST(counter__counts_each_operation_once_however_often_it_is_sent)
{
    scene s;
    set(&s);
    must(op(s.w, &s.athlete, "create", "goal", s.athlete.own, id_of(1),
            "{\"title\":\"x\",\"done\":1}"),
         "applied");
    must(op(s.w, &s.athlete, "patch", "goal", s.athlete.own, id_of(1), "{\"done\":5}"), "applied");
    s.athlete.n--;
    must(op(s.w, &s.athlete, "patch", "goal", s.athlete.own, id_of(1), "{\"done\":-2}"), "applied");
    must_reject(
        op(s.w, &s.athlete, "patch", "goal", s.athlete.own, id_of(1), "{\"done\":1000000001}"),
        "SL_E_INVALID");
    frames_clear(s.w);
    subscribe(s.w, &s.athlete, s.athlete.own, 0, "");
    const sl_json *records = sl_json_get(frame_at(s.w, s.athlete.conn, "page", 0), "records");
    const sl_json *goal = sl_json_at(records, sl_json_count(records) - 1);
    ck_assert_int_eq(sl_json_int_or(sl_json_get(goal, "fields"), "done", 0), 6);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        own__is_written_by_its_owner_and_by_nobody_else,
        money__is_written_by_the_server_alone,
        program__is_made_by_a_coach_and_filled_by_its_owner,
        storefront__is_the_coachs_own_and_read_by_all,
        reaction__is_a_members_own,
        reference__names_what_is_in_the_space_and_outlives_it,
        block__refuses_the_messages_of_the_one_blocked_until_it_is_taken_back,
        counter__counts_each_operation_once_however_often_it_is_sent,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("policy", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
