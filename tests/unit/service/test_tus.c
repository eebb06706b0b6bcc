/* The extensions of tus 1.0: bytes with the creation, checksums of requests, expiration. */
#include "base/base64.h"
#include "service/upload.h"
#include "support.h"
#include "unit/service/clip.h"

#include <stdio.h>
#include <string.h>

/* A PATCH with this Upload-Checksum. */
static int32_t patch_checked(const scene *s, const char *location, int64_t at, const char *sum,
                             const char *bytes, size_t n)
{
    char headers[300];
    (void)snprintf(headers, sizeof headers,
                   "tus-resumable: 1.0.0\nupload-offset: %lld\nupload-checksum: %s\n%s",
                   (long long)at, sum, TYPE);
    answer a = signed_request(s->w, &s->owner, "PATCH", location, headers, bytes, n);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(tus__announces_what_it_speaks)
{
    scene s;
    clip_scene(&s);
    answer a = request(s.w, "OPTIONS", "/api/v1/uploads", "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    ck_assert_str_eq(answer_header(&a, "Tus-Extension"),
                     "creation,creation-with-upload,expiration,checksum,termination");
    ck_assert_str_eq(answer_header(&a, "Tus-Checksum-Algorithm"), "sha1,sha256");
    ck_assert_str_eq(answer_header(&a, "Tus-Version"), "1.0.0");
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(checksum__of_a_request_holds_or_nothing_of_it_is_kept)
{
    /* printf 01234 | openssl dgst -sha1 -binary | base64, and of the rest with -sha256 */
    static const char sha1[] = "sha1 EZBKTot39iQuLSiHBQI62tAKkxA=";
    static const char sha256[] = "sha256 8zXtyF3ZnH4JTUSLcVO6ojTZk131cRcQWfC3VALBywA=";
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(patch_checked(&s, location, 0, sha1, "01235", 5), 460);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 0);
    ck_assert_int_eq(patch_checked(&s, location, 0, sha1, CLIP, 5), 204);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 5);
    ck_assert_int_eq(patch_checked(&s, location, 5, sha1, CLIP + 5, 11), 460);
    ck_assert_int_eq(patch_checked(&s, location, 5, sha256, CLIP + 5, 10), 460);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 5);
    ck_assert_int_eq(patch_checked(&s, location, 5, sha256, CLIP + 5, 11), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(checksum__that_is_none_is_refused_before_any_byte)
{
    static const char *const bad[] = {"",
                                      "sha1",
                                      "sha1 ",
                                      "sha1 !!!",
                                      "sha1 EaqO5ryESc5niUtpcfRsKDaP1G",
                                      "sha256 EaqO5ryESc5niUtpcfRsKDaP1GA=",
                                      "md5 JkqgsTF8VuYYPKBEg2EWVQ==",
                                      "SHA1 EaqO5ryESc5niUtpcfRsKDaP1GA=",
                                      "crc32 AAAAAA=="};
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(patch_checked(&s, location, 0, bad[i], CLIP, 5) == 400, "%s", bad[i]);
    }
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 0);
    world_free(s.w);
}
END_TEST

/* A creation with bytes; *at: its Upload-Offset. */
static int32_t create_with(const scene *s, const char *sha, int64_t length, const char *more,
                           const char *bytes, size_t n, char location[128], int64_t *at)
{
    sl_buf b = {0};
    sl_buf_fmt(&b, "tus-resumable: 1.0.0\nupload-length: %lld\nupload-metadata: sha256 ",
               (long long)length);
    sl_base64(&b, sha, strlen(sha));
    sl_buf_str(&b, ",space ");
    sl_base64(&b, s->space, strlen(s->space));
    sl_buf_fmt(&b, "\n%s", more);
    answer a =
        signed_request(s->w, &s->owner, "POST", "/api/v1/uploads", sl_buf_text(&b), bytes, n);
    sl_buf_free(&b);
    (void)snprintf(location, 128, "%s", answer_header(&a, "Location"));
    *at = strtoll(answer_header(&a, "Upload-Offset"), NULL, 10);
    ck_assert_str_eq(answer_header(&a, "Tus-Resumable"), "1.0.0");
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(creation__may_bring_the_first_bytes_or_all)
{
    scene s;
    char location[128];
    int64_t at = -1;
    clip_scene(&s);
    ck_assert_int_eq(create_with(&s, s.sha, 16, TYPE, CLIP, 7, location, &at), 201);
    ck_assert_int_eq(at, 7);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 7);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 7, CLIP + 7, 9), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    ck_assert_str_eq(video_status(&s), "ready");
    /* What is here already is not wanted again. */
    ck_assert_int_eq(create_with(&s, s.sha, 16, TYPE, CLIP, 16, location, &at), 201);
    ck_assert_int_eq(at, 16);
    world_free(s.w);
    clip_scene(&s);
    ck_assert_int_eq(create_with(&s, s.sha, 16, TYPE, CLIP, 16, location, &at), 201);
    ck_assert_int_eq(at, 16);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(creation__with_bytes_that_are_wrong_makes_nothing)
{
    scene s;
    char location[128];
    int64_t at = -1;
    clip_scene(&s);
    ck_assert_int_eq(create_with(&s, s.sha, 16, "", CLIP, 16, location, &at), 415);
    ck_assert_int_eq(create_with(&s, s.sha, 16, TYPE, "0123456789abcdeX", 16, location, &at), 460);
    ck_assert_int_eq(create_with(&s, s.sha, 16,
                                 "content-type: application/offset+octet-stream\n"
                                 "upload-checksum: sha1 EZBKTot39iQuLSiHBQI62tAKkxA=\n",
                                 "01235", 5, location, &at),
                     460);
    ck_assert_int_eq(create_with(&s, s.sha, 15, TYPE, CLIP, 16, location, &at), 413);
    ck_assert_uint_eq(world_rows(s.w, NULL, "SELECT 1 FROM upload WHERE $1=$2", "", ""), 0);
    ck_assert_str_eq(location, "");
    ck_assert_int_eq(get_status(&s, &s.owner), 404);
    world_free(s.w);
}
END_TEST

START_TEST(expiry__is_told_while_an_upload_is_unfinished_and_holds)
{
    static const struct {
        int64_t s;
        const char *text;
    } times[] = {{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
                 {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
                 {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
                 {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
                 {1403712000, "Wed, 25 Jun 2014 16:00:00 GMT"},
                 {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
                 {1735689600, "Wed, 01 Jan 2025 00:00:00 GMT"},
                 {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        sl_sv_upload u = {.length = 1, .expires_ms = times[i].s * 1000};
        sl_http_out out = {.status = 200};
        sl_sv_tell_expiry(&u, &out);
        char wanted[100];
        (void)snprintf(wanted, sizeof wanted, "Upload-Expires: %s\r\n", times[i].text);
        ck_assert_str_eq(out.headers, wanted);
        sl_http_out_free(&out);
    }
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    answer a = signed_request(s.w, &s.owner, "HEAD", location, "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_uint_eq(strlen(answer_header(&a, "Upload-Expires")), 29);
    answer_free(&a);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, CLIP, 16), 204);
    a = signed_request(s.w, &s.owner, "HEAD", location, "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_str_eq(answer_header(&a, "Upload-Expires"), "");
    answer_free(&a);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tus__announces_what_it_speaks,
        checksum__of_a_request_holds_or_nothing_of_it_is_kept,
        checksum__that_is_none_is_refused_before_any_byte,
        creation__may_bring_the_first_bytes_or_all,
        creation__with_bytes_that_are_wrong_makes_nothing,
        expiry__is_told_while_an_upload_is_unfinished_and_holds,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("tus", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
