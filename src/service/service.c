#include "service/service.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "service/account.h"

#include <string.h>

enum {
    KEEP_DELETED_DAYS = 90
};

static sl_status new_epochs(sl_service *s, sl_error **err)
{
    sl_sv_id epoch;
    sl_status status = sl_sv_uuid(s, epoch, err);
    return status == SL_OK
               ? sl_sv_run(s, "UPDATE space SET epoch=$1", SL_SV_ARGS(sl_cell_text(epoch)), err)
               : status;
}

static bool copy_text(char **to, const char *from)
{
    *to = from != NULL ? sl_text_dup(from) : NULL;
    return from == NULL || *to != NULL;
}

static sl_status set_up(sl_service *s, const sl_service_config *config, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    s->upload_max = config->upload_max > 0 ? config->upload_max : INT64_C(4) << 30;
    s->media = config->media;
    s->page_records = config->page_records > 0 ? config->page_records : SL_SV_PAGE_RECORDS;
    s->change_records = config->page_records > 0 ? config->page_records : SL_SV_CHANGE_RECORDS;
    s->page_flight = config->page_flight > 0 ? config->page_flight : SL_SV_FLIGHT;
    s->keep_deleted_ms =
        INT64_C(86400000) *
        (config->keep_deleted_days > 0 ? config->keep_deleted_days : KEEP_DELETED_DAYS);
    s->lock = sl_mutex_new();
    s->dir = sl_text_dup(config->dir);
    s->in = sl_frame_in_new();
    s->items = sl_items_new();
    s->receipts = sl_items_new();
    s->require_factor = config->require_factor;
    s->trial_days = config->trial_days;
    if (!copy_text(&s->public_url, config->public_url) ||
        !copy_text(&s->oidc_issuer, config->oidc_issuer) ||
        !copy_text(&s->oidc_client, config->oidc_client) ||
        !copy_text(&s->pay_secret, config->pay_secret)) {
        return sl_fail_nomem(err);
    }
    s->pay_fee = config->pay_fee;
    s->user_conns = config->user_conns;
    s->buckets = config->limit_rates ? sl_sv_buckets_new() : NULL;
    if (config->limit_rates && s->buckets == NULL) {
        return sl_fail_nomem(err);
    }
    if (s->lock == NULL || s->dir == NULL || s->in == NULL || s->items == NULL ||
        s->receipts == NULL) {
        return sl_fail_nomem(err);
    }
    static const char *const folders[] = {"", "/blobs", "/uploads"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *path = sl_text_fmt("%s%s", s->dir, folders[i]);
        sl_status made = path != NULL ? p->files->mkdir(p->user, path) : SL_E_NOMEM;
        sl_mem_free(path);
        if (made != SL_OK) {
            return sl_fail(err, made, "the folder %s%s cannot be made", s->dir, folders[i]);
        }
    }
    sl_status status = sl_sv_sql_make(s, err);
    if (status == SL_OK) {
        status = sl_sv_migrate(s, err);
    }
    if (status == SL_OK && config->restored) {
        status = new_epochs(s, err);
    }
    if (status == SL_OK) {
        status = sl_sv_account_start(s, config->key_pem, err);
    }
    return status == SL_OK ? sl_sv_audit_start(s, err) : status;
}

sl_status sl_service_open(const sl_service_ports *ports, const sl_service_config *config,
                          sl_service **out, sl_error **err)
{
    sl_error_start(err);
    *out = NULL;
    sl_service *s = sl_mem(sizeof *s);
    if (s == NULL) {
        ports->db.close(ports->db.user);
        return sl_fail_nomem(err);
    }
    s->ports = *ports;
    sl_status status = set_up(s, config, err);
    if (status != SL_OK) {
        sl_service_close(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

void sl_service_close(sl_service *s)
{
    if (s == NULL) {
        return;
    }
    sl_sv_conns_free(s);
    sl_sv_topics_free(s);
    sl_sv_jobs_free(s);
    sl_mem_free(s->heads);
    sl_sv_digests_free(s);
    sl_mem_free(s->known);
    sl_frame_in_free(s->in);
    sl_items_free(s->items);
    sl_items_free(s->receipts);
    sl_record_free(&s->rec);
    sl_buf_free(&s->out);
    sl_buf_free(&s->held);
    sl_sv_sql_free(s);
    sl_buf_free(&s->clocks);
    s->ports.db.close(s->ports.db.user);
    sl_sv_keys_free(s);
    sl_sv_tokens_forget(s);
    sl_sv_oidc_free(s);
    sl_sv_buckets_free(s->buckets);
    sl_mem_free(s->public_url);
    sl_mem_free(s->oidc_issuer);
    sl_mem_free(s->oidc_client);
    sl_mem_free(s->pay_secret);
    sl_mutex_free(s->lock);
    sl_mem_free(s->no_hash);
    sl_mem_free(s->dir);
    sl_wipe(s->pepper, sizeof s->pepper);
    sl_mem_free(s);
}
