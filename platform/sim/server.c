/* The machine with the service on it. */
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "platform/sim/sim.h"
#include "server/db_sqlite.h"

#include <string.h>

enum {
    REOPEN_MS_MIN = 50,
    REOPEN_MS_MAX = 4000
};

static void open_server(sl_sim *s, void *arg);

/* As strong as a simulation needs: real hashing would take most of the run's time. */
static sl_status hash_password(void *user, const char *secret, char **out, sl_error **err)
{
    (void)user;
    char hex[SL_SHA256_HEX_LEN + 1];
    sl_sha256_hex(secret, strlen(secret), hex);
    *out = sl_text_fmt("sim$%s", hex);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

static bool check_password(void *user, const char *secret, const char *hash)
{
    char *now = NULL;
    bool same = hash_password(user, secret, &now, NULL) == SL_OK && strcmp(now, hash) == 0;
    sl_mem_free(now);
    return same;
}

static void port_send(void *user, sl_id conn, const void *p, size_t n)
{
    sl_sim_net_send(user, conn, p, n);
}

static void port_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    (void)reason;
    sl_sim_net_close(user, conn, code);
}

static sl_status open_service(sl_sim *s, sl_error **err)
{
    sl_sim_server *v = &s->server;
    sl_service_ports ports = {.platform = &v->host.platform,
                              .user = s,
                              .send = port_send,
                              .close = port_close,
                              .hash_password = hash_password,
                              .check_password = check_password};
    sl_service_config config = {.dir = "data",
                                .key_pem = s->key_pem,
                                .restored = v->fresh_epochs,
                                .limit_rates = s->limit_rates,
                                .page_records = s->page_records,
                                .page_flight = s->page_flight};
    sl_status status = v->host.platform.files->mkdir(&v->host, "data");
    if (status == SL_OK) {
        status = sl_vfs_new(&v->host.platform, NULL, &v->vfs, err);
    }
    if (status == SL_OK) {
        status = sl_db_sqlite_open("data/sidelined.db", sl_vfs_name(v->vfs), &ports.db, err);
    }
    if (status == SL_OK) {
        status = sl_service_open(&ports, &config, &v->service, err);
    }
    v->fresh_epochs = v->fresh_epochs && status != SL_OK;
    if (status != SL_OK) {
        v->service = NULL;
        sl_vfs_free(v->vfs);
        v->vfs = NULL;
    }
    return status;
}

static void open_later(sl_sim *s)
{
    int64_t wait_ms = REOPEN_MS_MIN + sl_sim_dice(s, REOPEN_MS_MAX - REOPEN_MS_MIN);
    sl_sim_at(s, s->now_ms + wait_ms, open_server, NULL, false);
}

static void close_service(sl_sim *s, bool power)
{
    sl_service *service = s->server.service;
    s->server.service = NULL;
    sl_sim_net_server_gone(s, power);
    sl_service_close(service);
    sl_vfs_free(s->server.vfs);
    s->server.vfs = NULL;
}

static void power_off(sl_sim *s)
{
    sl_sim_trace(s, "server power off");
    if (s->server.service != NULL) {
        close_service(s, true);
    }
    sl_disk_power_cut(s->server.host.disk);
    open_later(s);
}

static void open_server(sl_sim *s, void *arg)
{
    (void)arg;
    if (s->server.service != NULL) {
        return;
    }
    s->server.host.life++;
    s->server.host.mono_start_ms = sl_sim_dice(s, 1000000);
    sl_error *err = NULL;
    sl_status status = open_service(s, &err);
    sl_sim_trace(s, "server opens: %s", sl_status_name(status));
    if (status == SL_E_CORRUPT || status == SL_E_INTERNAL || status == SL_E_TOO_NEW ||
        status == SL_E_BUSY) {
        sl_sim_fail(s, "the server cannot be opened: %s", sl_error_message(err));
    }
    sl_error_release(err);
    if (sl_disk_dead(s->server.host.disk)) {
        power_off(s);
    } else if (status != SL_OK) {
        open_later(s);
    }
}

bool sl_sim_server_start(sl_sim *s, uint64_t seed)
{
    if (!sl_sim_host_init(s, &s->server.host, "server", seed) ||
        (s->blank_server != NULL && !sl_disk_copy(s->server.host.disk, s->blank_server))) {
        return false;
    }
    open_server(s, NULL);
    return true;
}

void sl_sim_server_touched(sl_sim *s)
{
    if (s->server.service != NULL && sl_disk_dead(s->server.host.disk)) {
        power_off(s);
    }
}

void sl_sim_server_restart(sl_sim *s)
{
    if (s->server.service == NULL) {
        return;
    }
    sl_sim_trace(s, "server restarts");
    close_service(s, false);
    if (sl_disk_dead(s->server.host.disk)) {
        power_off(s);
    } else {
        open_later(s);
    }
}

bool sl_sim_server_backup(sl_sim *s)
{
    sl_sim_server *v = &s->server;
    if (v->backup != NULL || v->service == NULL || sl_disk_dead(v->host.disk)) {
        return false;
    }
    v->backup = sl_disk_new(1);
    if (v->backup != NULL && !sl_disk_copy(v->backup, v->host.disk)) {
        sl_disk_free(v->backup);
        v->backup = NULL;
    }
    sl_sim_trace(s, "server backup made");
    return v->backup != NULL;
}

void sl_sim_server_restore(sl_sim *s)
{
    sl_sim_server *v = &s->server;
    if (v->backup == NULL) {
        return;
    }
    sl_sim_trace(s, "server restored from its backup");
    bool was_up = v->service != NULL;
    if (was_up) {
        close_service(s, false);
    }
    sl_disk_power_cut(v->host.disk);
    if (!sl_disk_copy(v->host.disk, v->backup)) {
        sl_sim_fail(s, "out of memory");
    }
    v->restored++;
    v->fresh_epochs = true;
    if (was_up) {
        open_later(s);
    }
}

void sl_sim_server_retain(sl_sim *s, int64_t age_ms, int64_t max)
{
    sl_sim_server *v = &s->server;
    if (v->service != NULL) {
        int64_t now_ms = v->host.platform.clock->wall_ms(&v->host);
        sl_status status = sl_service_retain(v->service, now_ms - age_ms, max, NULL);
        sl_sim_trace(s, "server retains: %s", sl_status_name(status));
        sl_sim_server_touched(s);
    }
}

void sl_sim_server_close(sl_sim *s)
{
    if (s->server.service != NULL) {
        close_service(s, false);
    }
}
