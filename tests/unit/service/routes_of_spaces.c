/* Every request that is about a space, or a record or blob in one: in a world of its own for each kind of space and
 * each relation to it, so that what is listed and found is that alone. */
#include "service/inside.h"
#include "unit/service/attempt.h"

#include <stdio.h>
#include <string.h>

static const char BLOB[] = "bytes of the space";
static const char ALL[] = "user video thread program coach organisation ";
static const char BYTES[] = "user video thread program coach "; /* in which records name some */
static const char FORM[] = "content-type: multipart/form-data; boundary=b\n";
static const char TUS[] =
    "tus-resumable: 1.0.0\nupload-length: 9\nupload-metadata: sha256 @f,space @s\n";

#define PART(name, value) \
    "--b\r\ncontent-disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART                                                                            \
    "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\ncontent-type: " \
    "video/mp4\r\n\r\nfile of @N\r\n--b--\r\n"
#define PUSH(entity, fields)                                                 \
    "{\"floor\":0,\"ops\":[{\"n\":@M,\"op\":\"create\",\"entity\":\"" entity \
    "\",\"space\":\"@S\",\"id\":\"@N\",\"hlc\":\"@H\",\"fields\":" fields "}]}"

/* Takes the address that the subject is given, or, when none is, one that is forged. */
static void take_address(stand *here, const char *asked, const char *otherwise)
{
    stage *s = &here->s;
    answer a = s->standing == SL_S_GUEST
                   ? (answer){.status = 401}
                   : signed_request(s->w, &s->subject, "GET", asked, "", NULL, 0);
    if (a.status == 200) {
        (void)snprintf(here->address, sizeof here->address, "%s", sl_json_str(a.body, "url"));
    } else {
        (void)snprintf(here->address, sizeof here->address, "%s?u=%s&e=9999999999&s=%064d",
                       otherwise, s->subject.id, 0);
    }
    answer_free(&a);
}

static void sign_blob(stand *here)
{
    char sha[65];
    char asked[120];
    char otherwise[120];
    sha_of(here->blob, sha);
    (void)snprintf(asked, sizeof asked, "/api/v1/blobs/%s/url", sha);
    (void)snprintf(otherwise, sizeof otherwise, "/api/v1/files/%s", sha);
    take_address(here, asked, otherwise);
}

static void sign_stream(stand *here)
{
    char asked[120];
    char otherwise[120];
    const char *id = sl_space_id(here->space);
    (void)snprintf(asked, sizeof asked, "/api/v1/videos/%s/playback", id);
    (void)snprintf(otherwise, sizeof otherwise, "/api/v1/videos/%s/master.m3u8", id);
    take_address(here, asked, otherwise);
}

/* What only reads comes first: the rest may make more. */
static const probe PROBES[] = {
    {SL_ROUTE_SYNC_PULL, ALL, "", "/api/v1/sync/pull?space=@S", .body = NULL},
    {SL_ROUTE_SYNC_PULL_ASKED, ALL, "", "/api/v1/sync/pull", .body = "{\"space\":\"@S\"}"},
    {SL_ROUTE_SYNC_LOAD, ALL, "", "/api/v1/sync/load?space=@S&from=0&to=9&limit=9", .body = NULL},
    {SL_ROUTE_SYNC_LOAD_ASKED, ALL, "", "/api/v1/sync/load",
     .body = "{\"space\":\"@S\",\"from\":0,\"to\":9,\"limit\":9}"},
    {SL_ROUTE_REVIEWS, "video ", "", "/api/v1/reviews", .list = "reviews"},
    {SL_ROUTE_REVIEWS, "video ", "of one", "/api/v1/reviews?video=@I", .list = "reviews"},
    {SL_ROUTE_COACHES, "coach ", "", "/api/v1/coaches", .list = "coaches"},
    {SL_ROUTE_COACH, "coach ", "", "/api/v1/coaches/@I", .body = NULL},
    {SL_ROUTE_COACH_PROGRAMS, "program coach ", "", "/api/v1/coaches/@C/programs",
     .list = "programs"},
    {SL_ROUTE_COACH_POSTS, "coach ", "", "/api/v1/coaches/@I/posts", .list = "posts"},
    {SL_ROUTE_SEARCH, "video ", "", "/api/v1/search?q=x&type=video", .list = "results"},
    {SL_ROUTE_SEARCH, "thread ", "", "/api/v1/search?q=x&type=message", .list = "results"},
    {SL_ROUTE_SEARCH, "program ", "", "/api/v1/search?q=x&type=program", .list = "results"},
    {SL_ROUTE_SEARCH, "coach ", "", "/api/v1/search?q=x&type=coach", .list = "results"},
    {SL_ROUTE_BLOB, BYTES, "", "/api/v1/blobs/@B", .body = NULL},
    {SL_ROUTE_BLOB_URL, BYTES, "", "/api/v1/blobs/@B/url", .body = NULL},
    {SL_ROUTE_FILE, BYTES, "", "/api/v1/files/@B", .open = true},
    {SL_ROUTE_FILE, BYTES, "signed", "@U", .prepare = sign_blob, .open = true},
    {SL_ROUTE_FILE_HEAD, BYTES, "", "/api/v1/files/@B", .open = true},
    {SL_ROUTE_FILE_HEAD, BYTES, "signed", "@U", .prepare = sign_blob, .open = true},
    {SL_ROUTE_VIDEO, "video ", "playback", "/api/v1/videos/@I/playback", .body = NULL},
    {SL_ROUTE_VIDEO, "video ", "master", "/api/v1/videos/@I/master.m3u8", .body = NULL},
    {SL_ROUTE_VIDEO, "video ", "rung", "/api/v1/videos/@I/720.m3u8", .body = NULL},
    {SL_ROUTE_VIDEO, "video ", "bytes", "/api/v1/videos/@I/720.mp4", .body = NULL},
    {SL_ROUTE_VIDEO, "video ", "poster", "/api/v1/videos/@I/poster.jpg", .body = NULL},
    {SL_ROUTE_VIDEO, "video ", "signed", "@U", .prepare = sign_stream, .open = true},
    {SL_ROUTE_VIDEO_HEAD, "video ", "playback", "/api/v1/videos/@I/playback", .body = NULL},
    {SL_ROUTE_VIDEO_HEAD, "video ", "master", "/api/v1/videos/@I/master.m3u8", .body = NULL},
    {SL_ROUTE_VIDEO_HEAD, "video ", "rung", "/api/v1/videos/@I/720.m3u8", .body = NULL},
    {SL_ROUTE_VIDEO_HEAD, "video ", "bytes", "/api/v1/videos/@I/720.mp4", .body = NULL},
    {SL_ROUTE_VIDEO_HEAD, "video ", "poster", "/api/v1/videos/@I/poster.jpg", .body = NULL},
    {SL_ROUTE_VIDEO_HEAD, "video ", "signed", "@U", .prepare = sign_stream, .open = true},
    {SL_ROUTE_ORGANISATION, "organisation ", "", "/api/v1/organisations/@I", .body = NULL},
    {SL_ROUTE_UPLOAD_CREATE, ALL, "", "/api/v1/uploads", .headers = TUS},
    {SL_ROUTE_UPLOAD_FORM, ALL, "", "/api/v1/uploads/form", .headers = FORM,
     .body = PART("space", "@S") FILE_PART},
    {SL_ROUTE_SYNC_PUSH, "user ", "", "/api/v1/sync/push",
     .body = PUSH("goal", "{\"title\":\"x\"}")},
    {SL_ROUTE_SYNC_PUSH, "video ", "", "/api/v1/sync/push",
     .body = PUSH("comment", "{\"body\":\"x\"}")},
    {SL_ROUTE_SYNC_PUSH, "thread ", "", "/api/v1/sync/push",
     .body = PUSH("message", "{\"kind\":\"text\",\"body\":\"y\"}")},
    {SL_ROUTE_SYNC_PUSH, "program ", "", "/api/v1/sync/push",
     .body = PUSH("content_item", "{\"kind\":\"text\",\"title\":\"x\"}")},
    {SL_ROUTE_SYNC_PUSH, "coach ", "", "/api/v1/sync/push",
     .body = PUSH("post", "{\"title\":\"x\"}")},
    {SL_ROUTE_SYNC_PUSH, "organisation ", "", "/api/v1/sync/push",
     .body =
         "{\"floor\":0,\"ops\":[{\"n\":@M,\"op\":\"patch\",\"entity\":\"organisation\",\"space\":\"@S\","
         "\"id\":\"@I\",\"hlc\":\"@H\",\"fields\":{\"name\":\"y\"}}]}"},
    {SL_ROUTE_MESSAGE_MAKE, "thread ", "", "/api/v1/messages",
     .body = "{\"id\":\"@N\",\"thread_id\":\"@I\",\"body\":\"y\"}"},
    {SL_ROUTE_ANNOTATION_MAKE, "video ", "", "/api/v1/videos/@I/annotations",
     .body =
         "{\"id\":\"@N\",\"kind\":\"arrow\",\"geometry\":\"AAAA\",\"style\":{\"width\":4},\"t_in\":0,"
         "\"t_out\":5000000}"},
    {SL_ROUTE_VIDEO_MAKE, "video ", "", "/api/v1/videos",
     .body =
         "{\"id\":\"@I\",\"title\":\"y\",\"blob\":\"@B\",\"media_type\":\"video/mp4\",\"size\":9,"
         "\"duration_us\":9,\"width\":9,\"height\":9}"},
    {SL_ROUTE_VIDEO_MAKE, "video ", "form", "/api/v1/videos", .headers = FORM,
     .body = PART("id", "@N") PART("title", "y") PART("duration_us", "9") PART("width", "9")
         PART("height", "9") FILE_PART},
    {SL_ROUTE_PAYMENT_MAKE, "program ", "", "/api/v1/payments",
     .body = "{\"id\":\"@N\",\"program_id\":\"@I\"}"},
    {SL_ROUTE_PAYMENT_MAKE, "coach ", "product", "/api/v1/payments",
     .body = "{\"id\":\"@N\",\"product_id\":\"@O\",\"coach_id\":\"@C\"}"},
    {SL_ROUTE_SUBSCRIPTION_MAKE, "coach ", "", "/api/v1/subscriptions",
     .body = "{\"id\":\"@N\",\"coach_id\":\"@C\",\"plan_id\":\"@P\"}"},
    {SL_ROUTE_PRICE_SET, "program ", "", "/api/v1/prices",
     .body = "{\"entity\":\"program\",\"id\":\"@I\",\"price_minor\":7,\"currency\":\"EUR\"}"},
    {SL_ROUTE_PRICE_SET, "coach ", "product", "/api/v1/prices",
     .body = "{\"entity\":\"product\",\"id\":\"@O\",\"price_minor\":7,\"currency\":\"EUR\"}"},
    {SL_ROUTE_PRICE_SET, "coach ", "plan", "/api/v1/prices",
     .body = "{\"entity\":\"subscription_plan\",\"id\":\"@P\",\"price_minor\":7,"
             "\"currency\":\"EUR\"}"},
};

/* ---- what is there ---- */

static void make(stand *here, const char *entity, const char *space, const char *fields)
{
    stage *s = &here->s;
    must(op(s->w, here->host, "create", entity, space, stage_fresh(s), fields), "applied");
}

/* What it costs; the host may set it. */
static void sell(stand *here, const char *entity, const char *id)
{
    char body[200];
    (void)snprintf(body, sizeof body,
                   "{\"entity\":\"%s\",\"id\":\"%s\",\"price_minor\":5,\"currency\":\"EUR\"}",
                   entity, id);
    answer a = signed_request(here->s.w, here->host, "POST", "/api/v1/prices",
                              "content-type: application/json\n", body, strlen(body));
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
}

/* A program is for sale, with a storefront before it. */
static void sell_program(stand *here)
{
    stage *s = &here->s;
    const char *id = sl_space_id(here->space);
    must(op(s->w, here->host, "patch", "program", here->space, id, "{\"status\":\"published\"}"),
         "applied");
    sell(here, "program", id);
}

/* A session and a plan. */
static void sell_more(stand *here)
{
    stage *s = &here->s;
    const char *id = stage_fresh(s);
    (void)snprintf(here->object, sizeof here->object, "%s", id);
    must(op(s->w, here->host, "create", "product", here->space, id,
            "{\"title\":\"x\",\"kind\":\"session\",\"status\":\"offered\"}"),
         "applied");
    sell(here, "product", here->object);
    id = stage_fresh(s);
    (void)snprintf(here->plan, sizeof here->plan, "%s", id);
    must(op(s->w, here->host, "create", "subscription_plan", here->space, id,
            "{\"title\":\"x\",\"period\":\"month\",\"status\":\"offered\"}"),
         "applied");
    sell(here, "subscription_plan", here->plan);
}

static void make_storefront(stand *here)
{
    char front[SL_SPACE_MAX];
    stage *s = &here->s;
    sl_space_name(front, "coach", here->host->id);
    must(op(s->w, here->host, "create", "coach", front, here->host->id, "{\"name\":\"x\"}"),
         "applied");
}

/* Variants of a video, as if they had been made. */
static void make_variants(stand *here)
{
    static const char *const names[][2] = {
        {"720", "{\"parts\":[[9,9,9]],\"codecs\":\"avc1.640028\"}"}, {"poster", ""}};
    char text[600];
    char sha[65];
    sha_of(BLOB, sha);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text,
                       "INSERT INTO media_part (space, name, sha256, size, width, height, parts)"
                       " VALUES ('%s', '%s', '%s', %zu, 1280, 720, '%s')",
                       here->space, names[i][0], sha, strlen(BLOB), names[i][1]);
        stage_sql(&here->s, text);
    }
}

/* By the host, who may do it for that long. */
static void fill(stand *here, const char *kind)
{
    stage *s = &here->s;
    if (strstr(BYTES, kind) != NULL) {
        ck_assert_int_eq(upload(s->w, here->host, here->space, BLOB), 204);
    }
    if (strcmp(kind, "video") == 0) {
        char sha[65];
        char fields[200];
        sha_of("a timeline", sha);
        (void)snprintf(fields, sizeof fields,
                       "{\"title\":\"x\",\"timeline\":\"%s\",\"duration_us\":9}", sha);
        make(here, "review", here->space, fields);
        make_variants(here);
    } else if (strcmp(kind, "thread") == 0) {
        make(here, "message", here->space, "{\"kind\":\"text\",\"body\":\"x\"}");
    } else if (strcmp(kind, "program") == 0) {
        make_storefront(here);
        sell_program(here);
    } else if (strcmp(kind, "coach") == 0) {
        char fields[120];
        make(here, "post", here->space, "{\"title\":\"x\"}");
        (void)snprintf(
            fields, sizeof fields,
            "{\"title\":\"x\",\"kind\":\"program\",\"status\":\"offered\",\"program_id\":\"%s\"}",
            stage_fresh(s));
        make(here, "product", here->space, fields);
        sell_more(here);
    }
}

/* A space of the kind with something in it, towards which the subject has the relation. False: there is none such. */
static bool set(stand *here, const char *kind, sl_relation r)
{
    stage *s = &here->s;
    if (!stage_space(s, kind, r, here->space)) {
        return false;
    }
    here->blob = BLOB;
    here->host = stage_host(s, r, here->space);
    const bool own = here->host == &s->subject;
    const bool peer = here->host == &s->athlete; /* who may not write to the other */
    if (own) {
        stage_premium(s, true);
    } else if (peer) {
        stage_rank(s, here->host, "admin", NULL);
        person_connect(s->w, here->host);
    }
    fill(here, kind);
    if (own) {
        stage_premium(s, false);
    } else if (peer) {
        stage_rank(s, here->host, "athlete", NULL);
    }
    return true;
}

static void set_none(stand *here, const char *kind)
{
    sl_space_name(here->space, kind, stage_fresh(&here->s));
    here->host = &here->s.coach;
    here->blob = "bytes that nobody has brought";
    (void)snprintf(here->object, sizeof here->object, "%s", stage_fresh(&here->s));
    (void)snprintf(here->plan, sizeof here->plan, "%s", stage_fresh(&here->s));
}

/* ---- all of it ---- */

static bool is_of(const probe *p, const char *kind)
{
    char word[20];
    (void)snprintf(word, sizeof word, "%s ", kind);
    return strstr(p->kinds, word) != NULL;
}

/* r SL_RELATIONS: the space is not there. */
static void try_kind(sl_standing standing, const char *kind, unsigned r)
{
    char relation[40];
    stand here;
    attempt_open(&here, standing);
    bool none = r == SL_RELATIONS;
    bool can = none || set(&here, kind, (sl_relation)r);
    if (none) {
        set_none(&here, kind);
    }
    (void)snprintf(relation, sizeof relation, "%s %s", kind, none ? "none" : sl_relations[r]);
    for (size_t i = 0; i < sizeof PROBES / sizeof PROBES[0]; i++) {
        if (is_of(&PROBES[i], kind) && can) {
            attempt(&here, &PROBES[i], relation);
        } else if (is_of(&PROBES[i], kind)) {
            attempt_none(&here, &PROBES[i], relation);
        }
    }
    world_free(here.s.w);
}

void try_spaces(sl_standing standing)
{
    static const struct {
        const char *kind;
        unsigned relations; /* that there may be towards it */
    } kinds[] = {{"user", 1U << SL_REL_OWN | 1U << SL_REL_STRANGER},
                 {"video", 1U << SL_REL_OWN | 1U << SL_REL_STUDENT | 1U << SL_REL_GIVEN |
                               1U << SL_REL_STRANGER},
                 {"thread", 1U << SL_REL_DIRECT | 1U << SL_REL_PEER | 1U << SL_REL_LEAD |
                                1U << SL_REL_STRANGER},
                 {"program", 1U << SL_REL_OWN | 1U << SL_REL_STUDENT | 1U << SL_REL_GIVEN |
                                 1U << SL_REL_STRANGER},
                 {"coach", 1U << SL_REL_OWN | 1U << SL_REL_PUBLIC},
                 {"organisation", 1U << SL_REL_LEAD | 1U << SL_REL_GIVEN | 1U << SL_REL_STRANGER}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (unsigned r = 0; r <= SL_RELATIONS; r++) {
            if (r == SL_RELATIONS || (kinds[k].relations >> r & 1) != 0) {
                try_kind(standing, kinds[k].kind, r);
            }
        }
    }
}
