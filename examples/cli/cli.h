/*
 * cli/cli.h - what the commands share.
 *
 * Every command returns an exit code: 0, 1 after saying one sentence on stderr, 2 for a wrong
 * command line, 130 after Ctrl-C. Results go to stdout, progress to stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "json.h"

#include <sideline/sideline.h>

#include <stdbool.h>

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_INTERRUPTED = 130,
    CLI_KEY_LEN = 32
};

/* The options, each an index into cli.option; NULL when not given, "" for a given flag. */
typedef enum cli_opt {
    OPT_DATA,
    OPT_SERVER,
    OPT_OFFLINE,
    OPT_JSON,
    OPT_TIMEOUT,
    OPT_KEY,
    OPT_PASSWORD,
    OPT_NAME,
    OPT_ROLE,
    OPT_TITLE,
    OPT_VOICE,
    OPT_SCRIPT,
    OPT_REVIEW,
    OPT_VIDEO,
    OPT_SECONDS,
    OPT_UNTIL,
    OPT_READ,
    OPT_OLDER,
    OPT_REPLY,
    OPT_IN,
    OPT_OFF,
    OPT_AT,
    OPT_CODE,
    OPT_TOKEN,
    OPT_EVERYWHERE,
    OPT_WIPE,
    OPT_UNSENT,
    OPT_BIRTH,
    OPT_DEVICE,
    OPT_DENOISE,
    OPT_LEVEL,
    OPT_FROM,
    OPT_TO,
    OPT_RATE,
    OPT_NUMBER,
    OPT_SIDE,
    OPT_BACK,
    OPT_SCRUB,
    OPT_SLOW,
    OPT_HELP,
    OPT_VERSION,
    OPT_COUNT
} cli_opt;

typedef struct cli {
    const char *option[OPT_COUNT];
    const char *args[4]; /* after the command's name; NULL when not given */
    int32_t timeout_ms;
    sl_core *core;
    char *rejected; /* what the server said about a change it did not take */
    char *sync_state;
    char *sync_reason;
    bool bar; /* a progress line stands on the terminal */
    /* Sees every event that is not the awaited operation's; may be NULL. */
    void (*on_event)(struct cli *c, const js *event);
    void *event_ctx;
} cli;

/* main.c */
bool cli_json(const cli *c);
bool cli_offline(const cli *c);
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says a status with its message and returns CLI_FAILED. */
int cli_say(sl_status st, const char *message);
/* Says the error (taken) and returns CLI_FAILED. */
int cli_error(sl_status st, sl_error *err);
int64_t cli_now_ms(void);
bool cli_interrupted(void);
void cli_sleep_ms(int64_t ms);
/* A file's whole content as text, freed by the caller; NULL after saying why. */
char *cli_read_file(const char *path, size_t *n);

/* folder.c: opens the core of the data folder. CLI_OK, or another code after saying why. */
int cli_open(cli *c);
/* Destroys what the folder holds; it is closed. */
int cli_wipe(const cli *c);

enum {
    CLI_PASSWORD_MAX = 1024,
    CLI_FIELD_MAX = 24
};
/* account.c: from --password, SIDELINE_PASSWORD or the terminal. CLI_OK, or CLI_FAILED after saying why. */
int cli_password(cli *c, char out[CLI_PASSWORD_MAX]);

/* signin.c: sl_account_do of {"do":what, name:value}, and its end; name may be NULL. res as cli_wait_op. */
int cli_account_do(cli *c, const char *what, const char *name, const char *value, js **res);

/* key.c: the key in a file, made when absent. CLI_OK, or CLI_FAILED after saying why. */
int cli_load_key(const char *path, uint8_t key[CLI_KEY_LEN]);

/* wait.c: waiting for operations. res, when not NULL, is given as parsed JSON. */
int cli_wait_op(cli *c, sl_id op, const char *label, int32_t timeout_ms, js **res);
/* The same of signing in: what it lacks, as a field, is not said but copied; "": nothing. */
int cli_wait_sign_in(cli *c, sl_id op, char lacks[CLI_FIELD_MAX]);
/* One round of waiting and handling events. */
int cli_turn(cli *c, int32_t timeout_ms);
/* Brings both sides to the same state, or says why not. Nothing when --offline. */
int cli_settle(cli *c);
/* Connects when allowed, without waiting. */
int cli_start_sync(cli *c);
void cli_end_bar(cli *c);

/* find.c: records. */
/* The answer of a query as parsed JSON; NULL after saying why. */
js *cli_query(cli *c, const char *query);
/* Ids by id, unique beginning of an id or title, or "last". out holds 37 characters. The search is
 * repeated after a sync when nothing is found. */
int cli_find(cli *c, const char *entity, const char *what, char out[37]);
int cli_find_thread(cli *c, const char *what, char out[37]);
/* A connection by the other's address, as parsed JSON in *out. */
int cli_find_connection(cli *c, const char *email, const char *status, js **out);
int cli_my_id(cli *c, char out[37]);
/* One record as parsed JSON; NULL after saying why. */
js *cli_record(cli *c, const char *entity, const char *id);
/* Creates one record in `space` from a JSON object of fields; out: its id. */
int cli_create(cli *c, const char *entity, const char *space, const char *fields, char out[37]);
int cli_apply(cli *c, const char *ops, char out[37]);

/* frames.c: an option of seconds of a video, 0 when not given. CLI_OK, or CLI_USAGE after saying why. */
int cli_seconds(const cli *c, int option, const char *name, int64_t *us);
/* video.c: starts `call` with the JSON (taken), waits for its end, prints it with --json. */
int cli_media(cli *c, text *json, const char *label,
              sl_status (*call)(sl_core *, const char *, size_t, sl_id *, sl_error **), js **res);

/* chat.c: one line of a conversation; state "" says nothing of it. */
void cli_print_message(const js *message, const char *who, const char *state);

/* drawing.c: drawings of other programs. */
/* The format that sl_doc_import has for a file of this name; NULL: none. */
const char *cli_drawing_format(const char *path);
int cli_draw_file(cli *c, const char *format);

/* The commands. */
int cmd_signup(cli *c);
int cmd_login(cli *c);
int cmd_logout(cli *c);
int cmd_whoami(cli *c);
int cmd_verify(cli *c);
int cmd_reset(cli *c);
int cmd_totp(cli *c);
int cmd_devices(cli *c);
int cmd_oidc(cli *c);
int cmd_erase(cli *c);
int cmd_connect(cli *c);
int cmd_connections(cli *c);
int cmd_accept(cli *c);
int cmd_import(cli *c);
int cmd_videos(cli *c);
int cmd_share(cli *c);
int cmd_sync(cli *c);
int cmd_still(cli *c);
int cmd_export(cli *c);
int cmd_frames(cli *c);
int cmd_sheet(cli *c);
int cmd_thumbnail(cli *c);
int cmd_draw(cli *c);
int cmd_drawing(cli *c);
int cmd_items(cli *c);
int cmd_voice(cli *c);
int cmd_record(cli *c);
int cmd_microphones(cli *c);
int cmd_take(cli *c);
int cmd_review(cli *c);
int cmd_threads(cli *c);
int cmd_group(cli *c);
int cmd_invite(cli *c);
int cmd_remove(cli *c);
int cmd_rename(cli *c);
int cmd_leave(cli *c);
int cmd_organisation(cli *c);
int cmd_send(cli *c);
int cmd_messages(cli *c);
int cmd_read(cli *c);
int cmd_unread(cli *c);
int cmd_search(cli *c);
int cmd_forward(cli *c);
int cmd_edit(cli *c);
int cmd_unsend(cli *c);
int cmd_react(cli *c);
int cmd_pin(cli *c);
int cmd_retry(cli *c);
int cmd_scheduled(cli *c);
int cmd_begin(cli *c);
int cmd_mute(cli *c);
int cmd_block(cli *c);
int cmd_report(cli *c);
int cmd_people(cli *c);
int cmd_listen(cli *c);
int cmd_get(cli *c);
int cmd_can(cli *c);
int cmd_query(cli *c);
int cmd_undo(cli *c);
int cmd_redo(cli *c);
int cmd_drafts(cli *c);
int cmd_resend(cli *c);
int cmd_discard(cli *c);
int cmd_info(cli *c);

#endif
