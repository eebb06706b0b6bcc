/*
 * cli/main.c - sideline: what an app does with the library, from a terminal.
 *
 * Only the public headers are used. The command table below is the whole program: name, how
 * many arguments, which options, what it needs.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TIMEOUT_DEFAULT_S = 30,
    TIMEOUT_MAX_S = 86400,
    FILE_MAX = 64 << 20
};

static const struct {
    const char *name;
    bool takes_value;
} options[OPT_COUNT] = {
    [OPT_DATA] = {"data", true},
    [OPT_SERVER] = {"server", true},
    [OPT_OFFLINE] = {"offline", false},
    [OPT_JSON] = {"json", false},
    [OPT_TIMEOUT] = {"timeout", true},
    [OPT_KEY] = {"key", true},
    [OPT_PASSWORD] = {"password", true},
    [OPT_NAME] = {"name", true},
    [OPT_ROLE] = {"role", true},
    [OPT_TITLE] = {"title", true},
    [OPT_VOICE] = {"voice", true},
    [OPT_SCRIPT] = {"script", true},
    [OPT_REVIEW] = {"review", true},
    [OPT_VIDEO] = {"video", true},
    [OPT_SECONDS] = {"seconds", true},
    [OPT_UNTIL] = {"until", true},
    [OPT_READ] = {"read", false},
    [OPT_AT] = {"at", true},
    [OPT_CODE] = {"code", true},
    [OPT_TOKEN] = {"token", true},
    [OPT_EVERYWHERE] = {"everywhere", false},
    [OPT_WIPE] = {"wipe", false},
    [OPT_UNSENT] = {"unsent", false},
    [OPT_BIRTH] = {"birth", true},
    [OPT_DEVICE] = {"device", true},
    [OPT_DENOISE] = {"denoise", false},
    [OPT_LEVEL] = {"level", false},
    [OPT_FROM] = {"from", true},
    [OPT_TO] = {"to", true},
    [OPT_RATE] = {"rate", true},
    [OPT_NUMBER] = {"count", true},
    [OPT_SIDE] = {"side", true},
    [OPT_BACK] = {"back", false},
    [OPT_SCRUB] = {"scrub", false},
    [OPT_SLOW] = {"slow", true},
    [OPT_OLDER] = {"older", true},
    [OPT_REPLY] = {"reply", true},
    [OPT_IN] = {"in", true},
    [OPT_OFF] = {"off", false},
    [OPT_HELP] = {"help", false},
    [OPT_VERSION] = {"version", false},
};

#define BIT(o) (UINT64_C(1) << (unsigned)(o))
#define COMMON                                                                            \
    (BIT(OPT_DATA) | BIT(OPT_SERVER) | BIT(OPT_OFFLINE) | BIT(OPT_JSON) | BIT(OPT_HELP) | \
     BIT(OPT_VERSION) | BIT(OPT_TIMEOUT) | BIT(OPT_KEY))

typedef struct command {
    const char *name;
    int args_min;
    int args_max;
    uint64_t options; /* beside the common ones */
    uint64_t required;
    int (*run)(cli *c);
    const char *usage;
    const char *what;
} command;

static const command commands[] = {
    {"signup", 1, 1, BIT(OPT_PASSWORD) | BIT(OPT_NAME) | BIT(OPT_ROLE) | BIT(OPT_BIRTH),
     BIT(OPT_NAME) | BIT(OPT_BIRTH), cmd_signup,
     "EMAIL --name NAME --birth YYYY-MM-DD [--role athlete|coach] [--password P]",
     "make an account and sign in"},
    {"login", 1, 1, BIT(OPT_PASSWORD) | BIT(OPT_CODE), 0, cmd_login,
     "EMAIL [--code CODE] [--password P]", "sign in; the code is of an authenticator"},
    {"oidc", 1, 1, BIT(OPT_CODE) | BIT(OPT_BIRTH), 0, cmd_oidc,
     "REDIRECT_URI, or the JSON it gave with \"redirect\" [--code CODE] [--birth YYYY-MM-DD]",
     "sign in with another provider"},
    {"logout", 0, 0, BIT(OPT_EVERYWHERE) | BIT(OPT_WIPE) | BIT(OPT_UNSENT), 0, cmd_logout,
     "[--everywhere] [--wipe [--unsent]]",
     "forget the session, or end it on all devices; the data stays, or goes with what was not sent"},
    {"devices", 0, 1, 0, 0, cmd_devices, "[DEVICE]",
     "the devices signed in; with an id, sign it out"},
    {"totp", 0, 1, 0, 0, cmd_totp, "[CODE|recovery]",
     "set up an authenticator, then confirm it by a code; new recovery codes"},
    {"verify", 0, 1, 0, 0, cmd_verify, "[TOKEN]",
     "prove the e-mail address; without TOKEN, by mail"},
    {"reset", 0, 1, BIT(OPT_TOKEN) | BIT(OPT_PASSWORD), 0, cmd_reset,
     "EMAIL, or --token TOKEN [--password P]", "a new password, by mail"},
    {"erase", 0, 0, BIT(OPT_PASSWORD), 0, cmd_erase, "[--password P]",
     "erase the account at the server, for good"},
    {"whoami", 0, 0, 0, 0, cmd_whoami, "", "who is signed in"},
    {"connect", 1, 1, 0, 0, cmd_connect, "EMAIL", "ask a coach or an athlete to connect"},
    {"connections", 0, 0, 0, 0, cmd_connections, "", "who one is connected with"},
    {"accept", 1, 1, 0, 0, cmd_accept, "EMAIL", "accept a request to connect"},
    {"import", 1, 1, BIT(OPT_TITLE), 0, cmd_import, "FILE [--title T]",
     "take a video into the store"},
    {"videos", 0, 0, 0, 0, cmd_videos, "", "list the videos"},
    {"share", 2, 2, BIT(OPT_ROLE), 0, cmd_share, "VIDEO EMAIL [--role coach|member]",
     "let a connected person see a video"},
    {"sync", 0, 0, 0, 0, cmd_sync, "", "send and fetch everything, then end"},
    {"draw", 2, 2, BIT(OPT_AT), 0, cmd_draw, "VIDEO FILE.json|svg|inkml|kva [--at SECONDS]",
     "add drawings to a video"},
    {"drawing", 2, 2, BIT(OPT_AT), 0, cmd_drawing, "VIDEO OUT.svg|pdf|csv|json [--at SECONDS]",
     "the drawings, or their measures, as a file"},
    {"items", 1, 1, 0, 0, cmd_items, "VIDEO", "list the drawings on a video"},
    {"voice", 2, 2, BIT(OPT_DENOISE) | BIT(OPT_LEVEL), 0, cmd_voice,
     "VIDEO SPEECH.wav [--denoise] [--level]", "record a voice-over from a file"},
    {"record", 1, 1, BIT(OPT_DEVICE) | BIT(OPT_SECONDS) | BIT(OPT_DENOISE) | BIT(OPT_LEVEL), 0,
     cmd_record, "VIDEO [--device NAME] [--seconds N] [--denoise] [--level]",
     "record a voice-over from a microphone, until Ctrl-C"},
    {"microphones", 0, 0, 0, 0, cmd_microphones, "", "list the microphones"},
    {"take", 2, 2, BIT(OPT_FROM) | BIT(OPT_TO) | BIT(OPT_RATE), 0, cmd_take,
     "VOICE OUT.opus|.m4a|.caf|.wav [--from S] [--to S] [--rate R]",
     "a voice-over as a file; a .wav at 0.25 to 2 times its speed"},
    {"review", 1, 1, BIT(OPT_VOICE) | BIT(OPT_SCRIPT) | BIT(OPT_TITLE),
     BIT(OPT_VOICE) | BIT(OPT_SCRIPT), cmd_review,
     "VIDEO --voice ID --script EVENTS.json [--title T]", "make a review of a video"},
    {"threads", 0, 0, 0, 0, cmd_threads, "", "list the conversations"},
    {"group", 2, 2, 0, 0, cmd_group, "TITLE EMAIL,EMAIL,..", "make a group of connected people"},
    {"invite", 2, 2, 0, 0, cmd_invite, "THREAD EMAIL,..", "let people into a group"},
    {"remove", 2, 2, 0, 0, cmd_remove, "THREAD EMAIL,..", "put people out of a group"},
    {"rename", 2, 2, 0, 0, cmd_rename, "THREAD TITLE", "give a group another title"},
    {"leave", 1, 1, 0, 0, cmd_leave, "THREAD", "leave a group"},
    {"organisation", 0, 3, 0, 0, cmd_organisation,
     "[make NAME | accept|leave|numbers|close ORGANISATION | invite ORGANISATION EMAIL |"
     " remove|admin|coach ORGANISATION MEMBER | share|unshare ORGANISATION PROGRAM]",
     "the organisations of a coach, or one thing done in them; leave also declines"},
    {"send", 2, 2, BIT(OPT_REVIEW) | BIT(OPT_VIDEO) | BIT(OPT_AT) | BIT(OPT_REPLY) | BIT(OPT_IN), 0,
     cmd_send,
     "THREAD TEXT [--review ID | --video ID [--at SECONDS]] [--reply MESSAGE] [--in SECONDS]",
     "send a message, perhaps later; @Name names somebody"},
    {"forward", 2, 2, 0, 0, cmd_forward, "MESSAGE THREAD", "send a message on"},
    {"edit", 2, 2, 0, 0, cmd_edit, "MESSAGE TEXT", "change one's own message"},
    {"unsend", 1, 1, 0, 0, cmd_unsend, "MESSAGE", "delete one's own message for everybody"},
    {"react", 2, 2, BIT(OPT_OFF), 0, cmd_react, "MESSAGE EMOJI [--off]",
     "answer a message by a sign"},
    {"pin", 1, 1, BIT(OPT_OFF), 0, cmd_pin, "MESSAGE [--off]", "keep a message in sight"},
    {"retry", 1, 1, BIT(OPT_OFF), 0, cmd_retry, "ID [--off]",
     "send a failed message again, or give it up"},
    {"scheduled", 0, 1, 0, 0, cmd_scheduled, "[ID]",
     "messages that wait for their time; with an id, give one up"},
    {"begin", 1, 2, 0, 0, cmd_begin, "THREAD [TEXT]", "the text begun there; \"\" is none"},
    {"messages", 1, 1, BIT(OPT_OLDER), 0, cmd_messages, "THREAD [--older COUNT]",
     "show a conversation, after loading older messages"},
    {"read", 1, 1, 0, 0, cmd_read, "THREAD", "mark a conversation as read"},
    {"unread", 0, 0, 0, 0, cmd_unread, "", "count what is unread"},
    {"search", 1, 1, 0, 0, cmd_search, "WORDS", "find messages"},
    {"people", 1, 1, 0, 0, cmd_people, "THREAD", "who takes part, and how far they have read"},
    {"mute", 1, 1, BIT(OPT_OFF), 0, cmd_mute, "THREAD [--off]", "no badge for a conversation"},
    {"block", 1, 1, BIT(OPT_OFF), 0, cmd_block, "EMAIL [--off]", "hear no more of somebody"},
    {"report", 2, 2, 0, 0, cmd_report, "MESSAGE spam|abuse|nudity|violence|danger|fraud|other",
     "bring a message before those who run the service"},
    {"listen", 0, 0, BIT(OPT_SECONDS) | BIT(OPT_UNTIL) | BIT(OPT_READ), 0, cmd_listen,
     "[--seconds N] [--until TEXT] [--read]", "stay connected and show what comes"},
    {"still", 2, 2, BIT(OPT_AT), BIT(OPT_AT), cmd_still, "VIDEO OUT.png --at SECONDS",
     "one frame with its drawings"},
    {"frames", 2, 2, BIT(OPT_AT) | BIT(OPT_NUMBER) | BIT(OPT_BACK) | BIT(OPT_SCRUB), 0, cmd_frames,
     "VIDEO OUT.png [--at SECONDS] [--count N] [--back] [--scrub]",
     "frames one by one, exactly; with --scrub, what is shown while a finger moves"},
    {"sheet", 2, 2, BIT(OPT_NUMBER) | BIT(OPT_SIDE), 0, cmd_sheet,
     "VIDEO OUT.jpg [--count N] [--side PIXELS]",
     "many small pictures on one, and OUT.vtt, the index that players read"},
    {"thumbnail", 2, 2, BIT(OPT_AT) | BIT(OPT_SIDE), 0, cmd_thumbnail,
     "FILE OUT.jpg [--at SECONDS] [--side PIXELS]", "one small picture of a video file"},
    {"export", 2, 2, BIT(OPT_SLOW), 0, cmd_export, "REVIEW OUT.mp4 [--slow repeat|motion]",
     "a review as a video file"},
    {"get", 2, 2, 0, 0, cmd_get, "ENTITY ID", "one record as JSON"},
    {"can", 1, 3, 0, 0, cmd_can, "read|create|patch|delete ENTITY SPACE|ID, or FEATURE, or JSON",
     "whether one may do something"},
    {"query", 1, 1, 0, 0, cmd_query, "JSON", "records as JSON"},
    {"undo", 1, 1, 0, 0, cmd_undo, "SPACE", "take back the last change made here"},
    {"redo", 1, 1, 0, 0, cmd_redo, "SPACE", "make again what was taken back"},
    {"drafts", 0, 1, 0, 0, cmd_drafts, "[SPACE]", "what the server refused"},
    {"resend", 1, 2, 0, 0, cmd_resend, "DRAFT [JSON]", "send a draft again, edited"},
    {"discard", 1, 1, 0, 0, cmd_discard, "DRAFT", "give a draft up"},
    {"info", 0, 1, 0, 0, cmd_info, "[session|sync|status|transfers|undo|build]", "facts as JSON"},
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}

bool cli_json(const cli *c)
{
    return c->option[OPT_JSON] != NULL;
}

bool cli_offline(const cli *c)
{
    return c->option[OPT_OFFLINE] != NULL;
}

int cli_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fputs("sideline: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    (void)fputs("\n", stderr);
    va_end(args);
    return CLI_FAILED;
}

int cli_say(sl_status st, const char *message)
{
    /* What was being done is said by the library; that the disk is the reason must be plain. */
    bool full = st == SL_E_FULL && strstr(message, "full") == NULL;
    return cli_fail("%s%s", message, full ? ": the disk is full" : "");
}

int cli_error(sl_status st, sl_error *err)
{
    (void)cli_say(st, err != NULL ? sl_error_message(err) : sl_status_name(st));
    sl_error_release(err);
    return CLI_FAILED;
}

int64_t cli_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cli_sleep_ms(int64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

char *cli_read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        (void)cli_fail("the file \"%s\" cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    text content = {0};
    char part[4096];
    size_t got = 0;
    text_put(&content, "", 0);
    while ((got = fread(part, 1, sizeof part, f)) > 0 && content.len <= FILE_MAX) {
        text_put(&content, part, got);
    }
    bool bad = ferror(f) != 0 || content.len > FILE_MAX;
    (void)fclose(f);
    if (bad) {
        text_free(&content);
        (void)cli_fail("the file \"%s\" cannot be read", path);
        return NULL;
    }
    *n = content.len;
    return content.data;
}

/* ---- the command line ---- */

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int print_help(const command *one)
{
    if (one != NULL) {
        (void)printf("usage: sideline %s %s\n\n%s\n", one->name, one->usage, one->what);
        return CLI_OK;
    }
    (void)printf("usage: sideline [options] COMMAND ...\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)printf("  %-11s %s\n", commands[i].name, commands[i].what);
        if (commands[i].usage[0] != '\0') {
            (void)printf("  %-11s   %s %s\n", "", commands[i].name, commands[i].usage);
        }
    }
    (void)printf(
        "\n"
        "  --data DIR      the data folder (SIDELINE_DATA, ~/.local/share/sideline)\n"
        "  --server URL    http://host:port; remembered (SIDELINE_SERVER)\n"
        "  --key FILE      seals the data folder; made when absent (SIDELINE_KEY)\n"
        "  --offline       do not connect\n"
        "  --timeout S     wait this long for the server (default 30)\n"
        "  --json          print results as JSON\n"
        "  --help, --version\n\n"
        "VIDEO, REVIEW, MESSAGE and THREAD are an id, the beginning of a title, or \"last\".\n"
        "The password comes from --password, SIDELINE_PASSWORD or a prompt.\n");
    return CLI_OK;
}

static int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int usage_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fputs("sideline: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    (void)fputs(" (see sideline help)\n", stderr);
    va_end(args);
    return CLI_USAGE;
}

/* One "--name value", "--name=value" or "--flag" at argv[*i]. */
static int take_option(cli *c, int argc, char **argv, int *i)
{
    const char *word = argv[*i] + 2;
    size_t n = strcspn(word, "=");
    for (size_t o = 0; o < OPT_COUNT; o++) {
        if (strlen(options[o].name) != n || strncmp(options[o].name, word, n) != 0) {
            continue;
        }
        if (!options[o].takes_value) {
            if (word[n] == '=') {
                return usage_error("--%s takes no value", options[o].name);
            }
            c->option[o] = "";
            return CLI_OK;
        }
        if (word[n] != '=' && *i + 1 >= argc) {
            return usage_error("--%s needs a value", options[o].name);
        }
        c->option[o] = word[n] == '=' ? word + n + 1 : argv[++*i];
        return CLI_OK;
    }
    return usage_error("unknown option \"%s\"", argv[*i]);
}

static int check_options(cli *c, const command *cmd)
{
    for (size_t o = 0; o < OPT_COUNT; o++) {
        if (c->option[o] != NULL && ((COMMON | cmd->options) & BIT(o)) == 0) {
            return usage_error("\"%s\" has no option --%s", cmd->name, options[o].name);
        }
        if (c->option[o] == NULL && (cmd->required & BIT(o)) != 0) {
            return usage_error("\"%s\" needs --%s", cmd->name, options[o].name);
        }
    }
    const char *given = c->option[OPT_TIMEOUT];
    long seconds = TIMEOUT_DEFAULT_S;
    if (given != NULL) {
        char *end = NULL;
        errno = 0;
        seconds = strtol(given, &end, 10);
        if (errno != 0 || end == given || *end != '\0' || seconds < 1 || seconds > TIMEOUT_MAX_S) {
            return usage_error("--timeout takes seconds from 1 to %d, not \"%s\"", TIMEOUT_MAX_S,
                               given);
        }
    }
    c->timeout_ms = (int32_t)seconds * 1000;
    return CLI_OK;
}

static int parse_line(cli *c, int argc, char **argv, const char **name, int *n_args)
{
    bool only_args = false;
    const int max = (int)(sizeof c->args / sizeof c->args[0]);
    for (int i = 1; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && strncmp(argv[i], "--", 2) == 0) {
            int code = take_option(c, argc, argv, &i);
            if (code != CLI_OK) {
                return code;
            }
        } else if (!only_args && argv[i][0] == '-' && argv[i][1] != '\0') {
            return usage_error("unknown option \"%s\"", argv[i]);
        } else if (*name == NULL) {
            *name = argv[i];
        } else if (*n_args < max) {
            c->args[(*n_args)++] = argv[i];
        } else {
            return usage_error("too many arguments");
        }
    }
    return CLI_OK;
}

/* ---- running ---- */

static int run_command(cli *c, const command *cmd)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    int code = cli_open(c);
    if (code == CLI_OK) {
        code = cmd->run(c);
        cli_end_bar(c);
        sl_core_close(c->core);
    }
    if (code == CLI_OK && c->option[OPT_WIPE] != NULL) {
        code = cli_wipe(c);
    }
    free(c->rejected);
    free(c->sync_state);
    free(c->sync_reason);
    if (fflush(stdout) != 0 && code == CLI_OK) {
        return cli_fail("the output cannot be written: %s", strerror(errno));
    }
    return interrupted ? CLI_INTERRUPTED : code;
}

int main(int argc, char **argv)
{
    cli c = {.core = NULL};
    const char *name = NULL;
    int n_args = 0;
    int code = parse_line(&c, argc, argv, &name, &n_args);
    if (code != CLI_OK) {
        return code;
    }
    if (c.option[OPT_VERSION] != NULL) {
        (void)printf("sideline %s\n", sl_version());
        return CLI_OK;
    }
    if (name == NULL) {
        return c.option[OPT_HELP] != NULL ? print_help(NULL) : usage_error("what should I do?");
    }
    if (strcmp(name, "help") == 0) {
        return print_help(c.args[0] != NULL ? find_command(c.args[0]) : NULL);
    }
    const command *cmd = find_command(name);
    if (cmd == NULL) {
        return usage_error("unknown command \"%s\"", name);
    }
    if (c.option[OPT_HELP] != NULL) {
        return print_help(cmd);
    }
    if (n_args < cmd->args_min || n_args > cmd->args_max) {
        return usage_error("usage: sideline %s %s", cmd->name, cmd->usage);
    }
    code = check_options(&c, cmd);
    return code == CLI_OK ? run_command(&c, cmd) : code;
}
