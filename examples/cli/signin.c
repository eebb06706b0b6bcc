/* cli/signin.c - the account at the server: mails, the authenticator, devices. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

/* Does one thing and waits for it; res as cli_wait_op. */
static int account_do(cli *c, const char *json, js **res)
{
    sl_error *err = NULL;
    sl_id op = 0;
    if (cli_offline(c)) {
        return cli_fail("this needs the server, and --offline forbids it");
    }
    sl_status st = sl_account_do(c->core, json, strlen(json), &op, &err);
    return st != SL_OK ? cli_error(st, err) : cli_wait_op(c, op, "asking", c->timeout_ms, res);
}

int cli_account_do(cli *c, const char *what, const char *name, const char *value, js **res)
{
    text json = {0};
    text_add(&json, "{\"do\":");
    text_json(&json, what);
    if (name != NULL) {
        text_add(&json, ",");
        text_json(&json, name);
        text_add(&json, ":");
        text_json(&json, value);
    }
    text_add(&json, "}");
    int code = account_do(c, json.data, res);
    memset(json.data, 0, json.len);
    text_free(&json);
    return code;
}

static void print_raw(const js *res)
{
    if (res != NULL) {
        (void)printf("%.*s\n", (int)res->raw_len, res->raw);
    }
}

static int say(cli *c, int code, const char *sentence)
{
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("%s\n", sentence);
    }
    return code;
}

int cmd_verify(cli *c)
{
    if (c->args[0] == NULL) {
        return say(c, cli_account_do(c, "verify_mail", NULL, NULL, NULL), "a mail is on its way");
    }
    return say(c, cli_account_do(c, "verify", "token", c->args[0], NULL),
               "the e-mail address is proven");
}

int cmd_reset(cli *c)
{
    const char *token = c->option[OPT_TOKEN];
    char password[CLI_PASSWORD_MAX];
    if (token == NULL && c->args[0] == NULL) {
        return cli_fail("reset needs an e-mail address, or --token of the mail");
    }
    if (token == NULL) {
        return say(c, cli_account_do(c, "reset_mail", "email", c->args[0], NULL),
                   "if there is such an account, a mail is on its way");
    }
    int code = cli_password(c, password);
    if (code != CLI_OK) {
        return code;
    }
    text json = {0};
    text_add(&json, "{\"do\":\"reset\",\"token\":");
    text_json(&json, token);
    text_add(&json, ",\"password\":");
    text_json(&json, password);
    text_add(&json, "}");
    code = account_do(c, json.data, NULL);
    memset(json.data, 0, json.len);
    memset(password, 0, sizeof password);
    text_free(&json);
    return say(c, code, "the new password is set; all devices are signed out");
}

static void print_codes(const js *res)
{
    (void)printf(
        "Recovery codes, each good for one sign-in without the authenticator. They are shown"
        " this once:\n");
    for (const js *r = js_first(js_get(res, "recovery_codes")); r != NULL; r = r->next) {
        (void)printf("  %.*s\n", (int)r->raw_len - 2, r->raw + 1);
    }
}

int cmd_totp(cli *c)
{
    js *res = NULL;
    const char *given = c->args[0];
    int code = given == NULL ? cli_account_do(c, "totp", NULL, NULL, &res)
               : strcmp(given, "recovery") == 0
                   ? cli_account_do(c, "recovery", NULL, NULL, &res)
                   : cli_account_do(c, "totp_confirm", "code", given, &res);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_json(c)) {
        print_raw(res);
    } else if (given == NULL) {
        (void)printf("%s\nPut it into an authenticator, then: sideline totp CODE\n",
                     js_str(res, "uri"));
    } else {
        print_codes(res);
    }
    js_free(res);
    return CLI_OK;
}

/* Gives what the sign-in lacked, of the options. */
static int oidc_step(cli *c, char lacks[CLI_FIELD_MAX])
{
    bool code_lacks = strcmp(lacks, "code") == 0;
    const char *value = c->option[code_lacks ? OPT_CODE : OPT_BIRTH];
    char name[CLI_FIELD_MAX];
    (void)snprintf(name, sizeof name, "%s", lacks);
    lacks[0] = '\0';
    if (value == NULL) {
        return cli_fail(code_lacks ? "the code of the authenticator is needed: --code CODE"
                                   : "the account is new: --birth YYYY-MM-DD is needed");
    }
    text json = {0};
    sl_error *err = NULL;
    sl_id op = 0;
    text_fmt(&json, "{\"%s\":", name);
    text_json(&json, value);
    text_add(&json, "}");
    sl_status st = sl_session_oidc(c->core, json.data, json.len, &op, &err);
    text_free(&json);
    return st == SL_OK ? cli_wait_sign_in(c, op, lacks) : cli_error(st, err);
}

/* An address to come back to: what to open, as JSON. That JSON with "redirect": signs in. */
int cmd_oidc(cli *c)
{
    js *res = NULL;
    sl_error *err = NULL;
    sl_id op = 0;
    char lacks[CLI_FIELD_MAX];
    if (c->args[0][0] != '{') {
        int code = cli_account_do(c, "oidc", "redirect_uri", c->args[0], &res);
        if (code == CLI_OK) {
            print_raw(res);
            js_free(res);
        }
        return code;
    }
    if (cli_offline(c)) {
        return cli_fail("signing in needs the server, and --offline forbids it");
    }
    sl_status st = sl_session_oidc(c->core, c->args[0], strlen(c->args[0]), &op, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    int code = cli_wait_sign_in(c, op, lacks);
    for (int i = 0; i < 2 && lacks[0] != '\0'; i++) { /* one thing, then the other */
        code = oidc_step(c, lacks);
    }
    return code == CLI_OK ? cmd_whoami(c) : code;
}

int cmd_devices(cli *c)
{
    js *res = NULL;
    if (c->args[0] != NULL) {
        return say(c, cli_account_do(c, "device_end", "device", c->args[0], NULL), "signed out");
    }
    int code = cli_account_do(c, "devices", NULL, NULL, &res);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_json(c)) {
        print_raw(res);
    }
    for (const js *d = js_first(js_get(res, "devices")); d != NULL && !cli_json(c); d = d->next) {
        const js *this = js_get(d, "this");
        bool own = this != NULL && this->raw_len == 4;
        (void)printf("%s  %-8s %s%s\n", js_str(d, "device"), js_str(d, "platform"),
                     js_str(d, "name"), own ? " (this one)" : "");
    }
    js_free(res);
    return CLI_OK;
}

/* What only this folder has. */
static int refuse_unsent(cli *c)
{
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    sl_status st = sl_core_info(c->core, "sync", &out, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    js *info = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    int64_t unsent = js_int(info, "outbox") + js_int(info, "rejected") + js_int(info, "uploads");
    js_free(info);
    sl_bytes_release(out);
    return unsent == 0
               ? CLI_OK
               : cli_fail("%lld changes and files are nowhere else: sync first, or give --unsent",
                          (long long)unsent);
}

int cmd_logout(cli *c)
{
    if (c->option[OPT_WIPE] != NULL && c->option[OPT_UNSENT] == NULL) {
        int code = refuse_unsent(c);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (c->option[OPT_EVERYWHERE] != NULL) {
        return say(c, cli_account_do(c, "logout_all", NULL, NULL, NULL), "signed out everywhere");
    }
    sl_error *err = NULL;
    sl_status st = sl_session_logout(c->core, &err);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

int cmd_erase(cli *c)
{
    char password[CLI_PASSWORD_MAX];
    int code = cli_password(c, password);
    if (code == CLI_OK) {
        code = cli_account_do(c, "erase", "password", password, NULL);
    }
    memset(password, 0, sizeof password);
    return say(c, code, "the account is erased");
}
