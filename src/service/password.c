/*
 * service/password.c - which passwords may be used.
 *
 * No rules of composition: a password is long enough, and not one that is tried first.
 */
#include "base/mem.h"
#include "service/account.h"

#include <ctype.h>
#include <string.h>

enum {
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 200
};

/* What everybody tries first, and what says no more than the address. */
static bool is_guessable(const char *password, const char *email)
{
    static const char *const common[] = {
        "1234567890",     "0123456789",  "0987654321",   "12345678910", "123456789a",
        "123123123123",   "1q2w3e4r5t",  "1qaz2wsx3edc", "qwertyuiop",  "qwerty12345",
        "qwerty123456",   "asdfghjkl;",  "password12",   "password123", "password1234",
        "passw0rd12",     "p@ssw0rd12",  "mypassword",   "letmein123",  "letmein1234",
        "welcome123",     "welcome1234", "iloveyou12",   "iloveyou123", "administrator",
        "administrator1", "changeme123", "football123",  "basketball",  "basketball1",
        "baseball123",    "superman123", "batman12345",  "sunshine123", "princess123",
        "dragon12345",    "monkey12345", "master12345",  "shadow12345", "michael123",
        "abcdefghij",     "abcdefghijk", "abc1234567",   "abcd123456",  "a123456789",
        "aa12345678",     "qazwsxedcr",  "zaq12wsxcde",  "trustno1234", "starwars123",
        "whatever123",    "liverpool1",  "manchester",   "chelsea123",  "sidelined1",
        "sideline123",    "coachcoach",  "athlete123"};
    char lower[PASSWORD_MAX * 4 + 1];
    size_t n = strlen(password);
    for (size_t i = 0; i <= n && i < sizeof lower; i++) {
        lower[i] = (char)tolower((unsigned char)password[i]);
    }
    lower[sizeof lower - 1] = 0;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (strcmp(lower, common[i]) == 0) {
            return true;
        }
    }
    char local[64];
    sl_sv_copy(local, sizeof local, email != NULL ? email : "");
    local[strcspn(local, "@")] = 0;
    return strspn(lower, (const char[]){lower[0], 0}) == n ||
           (strlen(local) >= 4 && strstr(lower, local) != NULL);
}

const char *sl_sv_take_password(const sl_json *j, const char *email, sl_http_out *out)
{
    const char *password = sl_sv_need(j, "password", PASSWORD_MIN, PASSWORD_MAX, out);
    if (password != NULL && is_guessable(password, email)) {
        sl_sv_invalid(out, "password", "this password is too easy to guess");
        return NULL;
    }
    return password;
}
