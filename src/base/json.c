#include "base/json.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum {
    DEPTH_MAX = 64
};

/* cJSON does not say why it gives nothing: what it could not allocate is counted. */
static _Atomic unsigned g_lost;

static void *json_memory(size_t n)
{
    void *p = sl_mem_resize(NULL, n, 1);
    if (p == NULL) {
        (void)atomic_fetch_add(&g_lost, 1);
    }
    return p;
}

/* Before anything is parsed, on whatever thread. */
__attribute__((constructor)) static void use_our_memory(void)
{
    cJSON_Hooks hooks = {json_memory, sl_mem_free};
    cJSON_InitHooks(&hooks);
}

/* cJSON's own limit is 1000 levels, on the stack: count brackets first. */
static bool too_deep(const char *s, size_t n)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted) {
            if (s[i] == '\\') {
                i++;
            } else if (s[i] == '"') {
                quoted = false;
            }
        } else if (s[i] == '"') {
            quoted = true;
        } else if (s[i] == '{' || s[i] == '[') {
            if (++depth > DEPTH_MAX) {
                return true;
            }
        } else if (s[i] == '}' || s[i] == ']') {
            depth--;
        }
    }
    return false;
}

sl_json *sl_json_parse(const char *s, size_t n)
{
    if (s == NULL || too_deep(s, n) || !sl_utf8_ok(s, n)) {
        return NULL;
    }
    const char *end = NULL;
    cJSON *j = cJSON_ParseWithLengthOpts(s, n, &end, false);
    while (j != NULL && end < s + n) {
        if (strchr(" \t\r\n", *end) == NULL || *end == 0) {
            cJSON_Delete(j);
            return NULL;
        }
        end++;
    }
    return j;
}

sl_status sl_json_read(const char *s, size_t n, sl_json **out, sl_error **err)
{
    unsigned lost = atomic_load(&g_lost);
    *out = sl_json_parse(s, n);
    if (*out == NULL && atomic_load(&g_lost) != lost) {
        return sl_fail_nomem(err);
    }
    return *out != NULL ? SL_OK : sl_fail(err, SL_E_INVALID, "the input is not valid JSON");
}

sl_json *sl_json_object(void)
{
    return cJSON_CreateObject();
}

sl_json *sl_json_array(void)
{
    return cJSON_CreateArray();
}

sl_json *sl_json_string(const char *s)
{
    return cJSON_CreateString(s);
}

sl_json *sl_json_number(double v)
{
    return cJSON_CreateNumber(v);
}

sl_json *sl_json_null(void)
{
    return cJSON_CreateNull();
}

sl_json *sl_json_clone(const sl_json *j)
{
    return cJSON_Duplicate(j, true);
}

void sl_json_free(sl_json *j)
{
    cJSON_Delete(j);
}

static void put_members(sl_buf *out, const cJSON *j, bool object)
{
    sl_buf_u8(out, object ? '{' : '[');
    for (const cJSON *v = j->child; v != NULL; v = v->next) {
        if (object) {
            sl_json_put_text(out, v->string, strlen(v->string));
            sl_buf_u8(out, ':');
        }
        sl_json_put(out, v); /* as deep as the value, which reading limits */
        if (v->next != NULL) {
            sl_buf_u8(out, ',');
        }
    }
    sl_buf_u8(out, object ? '}' : ']');
}

void sl_json_put(sl_buf *out, const sl_json *j)
{
    if (cJSON_IsString(j)) {
        sl_json_put_text(out, j->valuestring, strlen(j->valuestring));
    } else if (cJSON_IsNumber(j)) {
        sl_json_put_real(out, j->valuedouble);
    } else if (cJSON_IsObject(j) || cJSON_IsArray(j)) {
        put_members(out, j, cJSON_IsObject(j));
    } else if (cJSON_IsBool(j)) {
        sl_buf_str(out, cJSON_IsTrue(j) ? "true" : "false");
    } else if (cJSON_IsNull(j)) {
        sl_buf_str(out, "null");
    } else {
        out->failed = true;
    }
}

char *sl_json_print(const sl_json *j)
{
    sl_buf text = {0};
    sl_json_put(&text, j);
    if (text.failed) {
        sl_buf_free(&text);
        return NULL;
    }
    return (char *)text.data; /* of sl_mem */
}

sl_bytes *sl_json_bytes(const sl_json *j)
{
    sl_buf text = {0};
    sl_json_put(&text, j);
    return sl_buf_bytes(&text);
}

bool sl_json_equal(const sl_json *a, const sl_json *b)
{
    return (a == NULL && b == NULL) || cJSON_Compare(a, b, true);
}

bool sl_json_is_object(const sl_json *j)
{
    return cJSON_IsObject(j);
}

bool sl_json_is_array(const sl_json *j)
{
    return cJSON_IsArray(j);
}

bool sl_json_is_string(const sl_json *j)
{
    return cJSON_IsString(j);
}

bool sl_json_is_number(const sl_json *j)
{
    return cJSON_IsNumber(j);
}

bool sl_json_is_int(const sl_json *j)
{
    return cJSON_IsNumber(j) && fabs(j->valuedouble) <= (double)SL_JSON_INT_MAX &&
           floor(j->valuedouble) == j->valuedouble;
}

bool sl_json_is_bool(const sl_json *j)
{
    return cJSON_IsBool(j);
}

bool sl_json_is_null(const sl_json *j)
{
    return cJSON_IsNull(j);
}

const char *sl_json_text(const sl_json *j)
{
    return cJSON_GetStringValue(j);
}

double sl_json_value(const sl_json *j)
{
    return cJSON_IsNumber(j) ? j->valuedouble : 0;
}

bool sl_json_truth(const sl_json *j)
{
    return cJSON_IsTrue(j);
}

const sl_json *sl_json_get(const sl_json *obj, const char *key)
{
    return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

const char *sl_json_str(const sl_json *obj, const char *key)
{
    return cJSON_GetStringValue(sl_json_get(obj, key));
}

bool sl_json_int(const sl_json *obj, const char *key, int64_t *out)
{
    const sl_json *j = sl_json_get(obj, key);
    if (!sl_json_is_int(j)) {
        return false;
    }
    *out = (int64_t)j->valuedouble;
    return true;
}

int64_t sl_json_int_or(const sl_json *obj, const char *key, int64_t otherwise)
{
    int64_t v = otherwise;
    (void)sl_json_int(obj, key, &v);
    return v;
}

double sl_json_num_or(const sl_json *obj, const char *key, double otherwise)
{
    const sl_json *j = sl_json_get(obj, key);
    return cJSON_IsNumber(j) ? j->valuedouble : otherwise;
}

bool sl_json_bool_or(const sl_json *obj, const char *key, bool otherwise)
{
    const sl_json *j = sl_json_get(obj, key);
    return cJSON_IsBool(j) ? cJSON_IsTrue(j) : otherwise;
}

size_t sl_json_count(const sl_json *j)
{
    return (size_t)cJSON_GetArraySize(j);
}

const sl_json *sl_json_at(const sl_json *array, size_t i)
{
    return i > INT32_MAX ? NULL : cJSON_GetArrayItem(array, (int)i);
}

const sl_json *sl_json_first(const sl_json *j)
{
    return cJSON_IsObject(j) || cJSON_IsArray(j) ? j->child : NULL;
}

const sl_json *sl_json_next(const sl_json *member)
{
    return member->next;
}

const char *sl_json_key(const sl_json *member)
{
    return member->string;
}

bool sl_json_set(sl_json *obj, const char *key, sl_json *v)
{
    if (obj == NULL || v == NULL) {
        cJSON_Delete(v);
        return false;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    if (!cJSON_AddItemToObject(obj, key, v)) {
        cJSON_Delete(v);
        return false;
    }
    return true;
}

bool sl_json_set_str(sl_json *obj, const char *key, const char *v)
{
    return sl_json_set(obj, key, cJSON_CreateString(v));
}

bool sl_json_set_int(sl_json *obj, const char *key, int64_t v)
{
    return sl_json_set(obj, key, cJSON_CreateNumber((double)v));
}

bool sl_json_set_num(sl_json *obj, const char *key, double v)
{
    return sl_json_set(obj, key, cJSON_CreateNumber(v));
}

bool sl_json_set_bool(sl_json *obj, const char *key, bool v)
{
    return sl_json_set(obj, key, cJSON_CreateBool(v));
}

bool sl_json_set_null(sl_json *obj, const char *key)
{
    return sl_json_set(obj, key, cJSON_CreateNull());
}

bool sl_json_add(sl_json *array, sl_json *v)
{
    if (array == NULL || v == NULL || !cJSON_AddItemToArray(array, v)) {
        cJSON_Delete(v);
        return false;
    }
    return true;
}

bool sl_json_add_str(sl_json *array, const char *v)
{
    return sl_json_add(array, cJSON_CreateString(v));
}

bool sl_json_add_num(sl_json *array, double v)
{
    return sl_json_add(array, cJSON_CreateNumber(v));
}

void sl_json_remove(sl_json *obj, const char *key)
{
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
}
