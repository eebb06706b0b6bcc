/* Addresses of blobs that carry their right with them, and blobs that are for all. */
#include "service/inside.h"
#include "support.h"
#include "unit/service/clip.h"

#include <stdio.h>
#include <string.h>

/* The signed address of the blob. */
static void sign_blob(const scene *s, const person *p, char url[400])
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/url", s->blob);
    answer a = signed_request(s->w, p, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(url, 400, "%s", sl_json_str(a.body, "url"));
    ck_assert_int_eq(sl_json_int_or(a.body, "expires_ms", 0),
                     (s->w->now_ms / 1000 + 6 * 3600) * 1000);
    answer_free(&a);
}

static int32_t file_status(const scene *s, const char *url, const char *headers)
{
    answer a = request(s->w, "GET", url, headers, NULL, 0);
    int32_t status = a.status;
    ck_assert((a.file != NULL) == (status == 200 || status == 206));
    answer_free(&a);
    return status;
}

START_TEST(blob__opens_by_a_signed_address_without_a_token) /* [RIGHT-1] */
{
    scene s;
    char url[400];
    char other[400];
    clip_scene(&s);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, CLIP), 204);
    (void)snprintf(other, sizeof other, "%s/url", s.blob);
    answer a = signed_request(s.w, &s.stranger, "GET", other, "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    a = request(s.w, "GET", other, "", NULL, 0);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    sign_blob(&s, &s.owner, url);
    ck_assert_int_eq(file_status(&s, url, ""), 200);
    ck_assert_int_eq(file_status(&s, url, "authorization: Bearer x\n"), 200); /* not looked at */
    a = request(s.w, "GET", url, "range: bytes=4-7\n", NULL, 0);
    ck_assert_int_eq(a.status, 206);
    ck_assert_int_eq(a.file_at, 4);
    ck_assert_int_eq(a.file_len, 4);
    ck_assert_str_eq(answer_header(&a, "Content-Range"), "bytes 4-7/16");
    answer_free(&a);
    (void)snprintf(other, sizeof other, "/api/v1/files/%s", s.sha);
    ck_assert_int_eq(file_status(&s, other, ""), 404); /* a guest */
    for (size_t at = strlen(other); url[at] != 0; at++) {
        if (strchr("0123456789abcdef", url[at]) == NULL || url[at + 1] == '=') {
            continue;
        }
        (void)snprintf(other, sizeof other, "%s", url);
        other[at] = other[at] == '1' ? '2' : '1';
        ck_assert_msg(file_status(&s, other, "") == 403, "%s", other);
    }
    s.w->now_ms += INT64_C(6) * 3600 * 1000;
    ck_assert_int_eq(file_status(&s, url, ""), 403);
    world_free(s.w);
}
END_TEST

START_TEST(blob__by_a_signed_address_is_no_other_one_nor_longer_than_it_may_be_read)
{
    scene s;
    char url[400];
    char other[400];
    char sha[65];
    clip_scene(&s);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, CLIP), 204);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, "something else"), 204);
    share_with(s.w, &s.owner, &s.coach, s.space, "coach", 0x101);
    sign_blob(&s, &s.coach, url);
    ck_assert_int_eq(file_status(&s, url, ""), 200);
    sha_of("something else", sha);
    (void)snprintf(other, sizeof other, "/api/v1/files/%s%s", sha, strchr(url, '?'));
    ck_assert_int_eq(file_status(&s, other, ""), 403);
    (void)snprintf(other, sizeof other, "/api/v1/files/x%s", strchr(url, '?'));
    ck_assert_int_eq(file_status(&s, other, ""), 403);
    (void)snprintf(other, sizeof other, "/api/v1/videos/%s/master.m3u8%s", sl_space_id(s.space),
                   strchr(url, '?')); /* signed for another purpose */
    ck_assert_int_eq(file_status(&s, other, ""), 403);
    must(op(s.w, &s.owner, "delete", "share", s.space, id_of(0x101), NULL), "applied");
    ck_assert_int_eq(file_status(&s, url, ""), 404);
    sign_blob(&s, &s.owner, url);
    ck_assert_int_eq(file_status(&s, url, ""), 200);
    (void)world_rows(s.w, NULL, "UPDATE account SET status='blocked' WHERE id=$1 AND $2=$2",
                     s.owner.id, "");
    ck_assert_int_eq(file_status(&s, url, ""), 404);
    world_free(s.w);
}
END_TEST

START_TEST(blob__of_a_storefront_is_for_guests)
{
    scene s;
    char front[SL_SPACE_MAX];
    char fields[200];
    char path[128];
    clip_scene(&s);
    sl_space_name(front, "coach", s.coach.id);
    sha_of("a portrait", s.sha);
    (void)snprintf(path, sizeof path, "/api/v1/files/%s", s.sha);
    ck_assert_int_eq(file_status(&s, path, ""), 404);
    (void)snprintf(fields, sizeof fields, "{\"name\":\"Cleo\",\"avatar\":\"%s\"}", s.sha);
    must(op(s.w, &s.coach, "create", "coach", front, s.coach.id, fields), "applied");
    ck_assert_int_eq(upload(s.w, &s.coach, front, "a portrait"), 204);
    ck_assert_int_eq(file_status(&s, path, ""), 200);
    ck_assert_int_eq(file_status(&s, path, "range: bytes=0-1\n"), 206);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        blob__opens_by_a_signed_address_without_a_token,
        blob__by_a_signed_address_is_no_other_one_nor_longer_than_it_may_be_read,
        blob__of_a_storefront_is_for_guests};
    world_start();
    int code = sl_test_run(sl_test_suite("sign", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
