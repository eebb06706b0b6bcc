/*
 * service/password.c - which passwords may be used.
 *
 * No rules of composition: a password is long enough, and not one that is tried first.
 */
#include "service/account.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 200, /* characters */
    ROOM = PASSWORD_MAX * 4 + 1,
    TAIL = 3
};

/* What passwords are made of that everybody tries, sorted. */
static const char *const WORDS[] = {
    "aa",         "aaa",        "abc",        "abcd",      "abcde",      "abcdef",     "abcdefg",
    "abcdefgh",   "abcdefghij", "access",     "account",   "adidas",     "admin",      "alexander",
    "amanda",     "america",    "andrea",     "andrew",    "angel",      "anthony",    "apple",
    "arsenal",    "asdf",       "asdfgh",     "asdfghjkl", "ashley",     "athlete",    "austin",
    "azerty",     "babygirl",   "badminton",  "barcelona", "baseball",   "basketball", "batman",
    "beautiful",  "bitch",      "blessed",    "boxing",    "brandon",    "buster",     "butterfly",
    "champion",   "change",     "changeme",   "charlie",   "cheese",     "chelsea",    "chicken",
    "chocolate",  "christian",  "coach",      "coaching",  "computer",   "cookie",     "cowboys",
    "cricket",    "cycling",    "dallas",     "daniel",    "default",    "diamond",    "dragon",
    "eagles",     "elizabeth",  "england",    "facebook",  "family",     "ferrari",    "fitness",
    "flower",     "football",   "forever",    "freedom",   "friends",    "fuckyou",    "gabriel",
    "ginger",     "gmail",      "golf",       "google",    "guest",      "gymnastics", "hannah",
    "happy",      "harley",     "hello",      "hockey",    "hottie",     "hunter",     "iloveu",
    "iloveyou",   "internet",   "jackson",    "jasmine",   "jennifer",   "jessica",    "jesus",
    "jordan",     "joshua",     "judo",       "juventus",  "killer",     "lacrosse",   "letmein",
    "liverpool",  "login",      "london",     "lovely",    "loveme",     "lover",      "madrid",
    "maggie",     "manager",    "manchester", "maradona",  "marathon",   "maria",      "marina",
    "martin",     "master",     "matrix",     "matthew",   "mercedes",   "merlin",     "messi",
    "michael",    "michelle",   "microsoft",  "monkey",    "monster",    "mother",     "mustang",
    "mypassword", "naruto",     "nicole",     "ninja",     "nintendo",   "nothing",    "olympic",
    "orange",     "pa",         "pass",       "passw",     "passwd",     "password",   "passwort",
    "patrick",    "pepper",     "playboy",    "pokemon",   "princess",   "purple",     "qa",
    "qazwsx",     "qazwsxedc",  "qw",         "qwer",      "qwert",      "qwerty",     "qwertyuiop",
    "qwertz",     "rachel",     "rainbow",    "ranger",    "realmadrid", "rebecca",    "robert",
    "rock",       "ronaldo",    "root",       "rugby",     "running",    "samantha",   "samsung",
    "scooter",    "secret",     "server",     "shadow",    "sideline",   "sidelined",  "silver",
    "skiing",     "snoopy",     "soccer",     "softball",  "sophie",     "spiderman",  "sport",
    "sports",     "starwars",   "steelers",   "student",   "summer",     "sunshine",   "superman",
    "surfing",    "swimming",   "taekwondo",  "taylor",    "team",       "temp",       "tennis",
    "test",       "tester",     "testing",    "thomas",    "tiger",      "tigger",     "tinkerbell",
    "track",      "trainer",    "training",   "trustno",   "user",       "vanessa",    "victoria",
    "volleyball", "welcome",    "whatever",   "william",   "winner",     "winter",     "wrestling",
    "xx",         "yankees",    "yoga",       "zaq",       "zxcvbn",     "zxcvbnm",
};

static int by_name(const void *key, const void *word)
{
    return strcmp(key, *(const char *const *)word);
}

static bool is_word(const char *text)
{
    return bsearch(text, WORDS, sizeof WORDS / sizeof WORDS[0], sizeof WORDS[0], by_name) != NULL;
}

/* The letter that a digit or sign stands for in a word; else the character itself. */
static char letter_of(char c)
{
    static const char signs[] = "013457@$!";
    static const char letters[] = "oieastasi";
    const char *at = c != 0 ? strchr(signs, c) : NULL;
    return at != NULL ? letters[at - signs] : c;
}

/* The letters of text, without what is before the first and behind the last of them. */
static void core_of(const char *text, char *out)
{
    static const char abc[] = "abcdefghijklmnopqrstuvwxyz";
    const char *from = strpbrk(text, abc);
    size_t n = 0;
    for (const char *p = from; p != NULL && *p != 0; p++) {
        n = strchr(abc, *p) != NULL ? (size_t)(p - from) + 1 : n;
    }
    memcpy(out, from != NULL ? from : "", n);
    out[n] = 0;
}

/* One of the words with digits and signs around it, which may stand for letters in it. */
static bool is_word_with_trimmings(const char *lower)
{
    char core[ROOM];
    char letters[ROOM];
    core_of(lower, core);
    if (core[0] == 0 || is_word(core)) {
        return core[0] != 0;
    }
    size_t n = strlen(lower);
    for (size_t i = 0; i <= n; i++) {
        letters[i] = letter_of(lower[i]);
    }
    if (is_word(letters)) {
        return true;
    }
    for (size_t i = 0; core[i] != 0; i++) {
        core[i] = letter_of(core[i]);
    }
    return is_word(core);
}

/* Keys beside each other, or characters that follow each other, up or down, with at most TAIL more. */
static bool is_run(const char *lower)
{
    static const char *const rows[] = {
        "1234567890", "qwertyuiop", "asdfghjkl;",           "zxcvbnm,./",
        "qwertzuiop", "azertyuiop", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"};
    size_t n = strlen(lower);
    size_t joined = 0;
    for (size_t i = 1; i < n; i++) {
        int step = lower[i] - lower[i - 1];
        bool beside = step == 1 || step == -1 || step == 0;
        const char pair[] = {lower[i - 1], lower[i], 0};
        const char back[] = {lower[i], lower[i - 1], 0};
        for (size_t k = 0; !beside && k < sizeof rows / sizeof rows[0]; k++) {
            beside = strstr(rows[k], pair) != NULL || strstr(rows[k], back) != NULL;
        }
        joined += beside ? 1 : 0;
    }
    return joined + TAIL >= n;
}

/* The same few characters again and again. */
static bool repeats(const char *lower)
{
    size_t n = strlen(lower);
    for (size_t period = 1; period <= n / 2 && period < PASSWORD_MIN; period++) {
        if (memcmp(lower, lower + period, n - period) == 0) {
            return true;
        }
    }
    return false;
}

/* What everybody tries first, and what says no more than the address. */
static bool is_guessable(const char *password, const char *email)
{
    char lower[ROOM] = "";
    char local[64];
    size_t n = strlen(password);
    if (n >= sizeof lower) {
        return false;
    }
    for (size_t i = 0; i <= n; i++) {
        lower[i] = (char)tolower((unsigned char)password[i]);
    }
    sl_sv_copy(local, sizeof local, email != NULL ? email : "");
    local[strcspn(local, "@")] = 0;
    return is_word_with_trimmings(lower) || is_run(lower) || repeats(lower) ||
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
