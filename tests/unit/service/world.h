/*
 * unit/service/world.h - a service over SQLite in memory, with a clock, randomness and files that
 * repeat themselves, and people who talk to it.
 */
#ifndef SL_TESTS_UNIT_SERVICE_WORLD_H
#define SL_TESTS_UNIT_SERVICE_WORLD_H

#include "base/buf.h"
#include "base/json.h"
#include "base/prng.h"
#include "base/thread.h"
#include "service/service.h"

#include <check.h>

enum {
    WORLD_FILES = 64,
    WORLD_FRAMES = 4096
};

typedef struct mem_file {
    char *path; /* NULL: free */
    uint8_t *data;
    size_t size;
    uint32_t syncs;
} mem_file;

typedef struct sent {
    sl_id conn;
    int32_t close; /* above 0: the connection was closed with this code */
    sl_json *frame;
} sent;

typedef struct world {
    sl_platform platform;
    sl_prng prng;
    sl_mutex *lock; /* guards prng and the log. NULL: there is one thread */
    int64_t now_ms;
    mem_file files[WORLD_FILES];
    sl_status file_fault; /* what writes answer when not SL_OK */
    sent frames[WORLD_FRAMES];
    size_t frame_count;
    sl_id binary_conn; /* what it is sent is here, each frame behind its length as u32le */
    sl_buf binary;
    sl_id unheard_conn;  /* what it is sent is nowhere */
    sl_db db;            /* the real one, behind the faults */
    uint64_t db_fail_at; /* this call of the database from now answers db_fault; 0: none */
    sl_status db_fault;
    const char *peer;  /* where requests come from; NULL: not known */
    char mail_to[256]; /* the last mail */
    char mail_text[1024];
    size_t mails;
    char push_text[4096]; /* the last notification */
    size_t pushes;
    bool push;    /* devices are notified: set, then world_reopen */
    size_t lines; /* logged */
    char line[512];
    bool limit_rates; /* for the next opening of the service, as the next three */
    int32_t user_conns;
    bool require_factor;
    bool own_key;
    int32_t trial_days;
    bool cut;      /* requests lose their connection before the end of the body */
    size_t hashes; /* passwords hashed and checked */
    char cost;     /* of hashes: one without it is old; 0: none is */
    bool media;    /* the service is to work on videos: set, then world_reopen */
    size_t wakes;  /* of the one who does */
    /* Another provider of sign-in, for the next opening: what answers for it, given the world; NULL: there is none. */
    sl_status (*fetch)(void *world, const char *url, const char *form, sl_bytes **out,
                       sl_error **err);
    void *fetch_ctx;
    /* The provider of payments, likewise. */
    sl_status (*pay)(void *world, const char *path, const char *form, const char *key,
                     sl_bytes **out, sl_error **err);
    void *pay_ctx;
    char path[128];
    sl_service *s;
    sl_id conn_next;
} world;

typedef struct person {
    char id[SL_UUID_LEN + 1];
    char own[SL_SPACE_MAX];
    char email[64];
    char device[SL_UUID_LEN + 1];
    char access[2048];
    char refresh[64];
    sl_id conn;
    int64_t n;
} person;

typedef struct answer {
    int32_t status;
    sl_json *body;
    char *headers;
    char *file;
    int64_t file_at;
    int64_t file_len;
} answer;

#define WORLD_ISSUER "https://provider.example"
#define WORLD_CLIENT "sideline"
#define WORLD_SECRET "whsec_of_the_world"

/* Makes the key that all worlds of the program share: once, in main. */
void world_start(void);
void world_end(void);

world *world_new(void); /* database in memory */
world *world_new_at(const char *db_path);
void world_reopen(world *w); /* ends the service and opens it again over the same file */
void world_free(world *w);
/* plans.c: fails the test when this statement of the service looks through a table that grows. */
void plan_check(const sl_db *db, const char *sql, const sl_cell *params, size_t n);
/* How many rows the statement with $1 and $2 has, which may write; the last one's first cell into text (512; "" for
 * none; NULL: not wanted). */
size_t world_rows(const world *w, char *text, const char *sql, const char *a, const char *b);

/* headers: "name: value\n" lines, names in lower case. */
answer request(world *w, const char *method, const char *path, const char *headers,
               const void *body, size_t n);
answer post(world *w, const char *path, const char *json);
/* With the person's token. */
answer signed_request(world *w, const person *p, const char *method, const char *path,
                      const char *headers, const void *body, size_t n);
void answer_free(answer *a);
/* A header of an answer, "" when absent; valid until the next call. */
const char *answer_header(const answer *a, const char *name);

void uuid_of(char out[SL_UUID_LEN + 1], uint32_t number);
/* The same, in a place of its own that the fourth call after it takes. */
const char *id_of(uint32_t number);
/* Signs up and connects. */
void person_make(world *w, person *p, const char *email, const char *role, uint32_t device);
void person_connect(world *w, person *p);
/* What an authenticator with this secret, in base32, shows; valid until the next call. */
const char *code_at(const char *secret, int64_t now_ms);
/* Sends one frame as it is. */
void say(world *w, const person *p, const char *text);
void subscribe(world *w, const person *p, const char *space, int64_t from, const char *epoch);
/* Sends an operation; the receipt (borrowed until frames_clear). fields NULL: none. */
const sl_json *op(world *w, person *p, const char *kind, const char *entity, const char *space,
                  const char *id, const char *fields);
/* Checks that the receipt says so. */
void must(const sl_json *receipt, const char *result);
void must_reject(const sl_json *receipt, const char *code);

/* The i-th frame of this kind sent to the connection since frames_clear, or NULL. */
const sl_json *frame_at(const world *w, sl_id conn, const char *t, size_t i);
size_t frame_count(const world *w, sl_id conn, const char *t);
/* The code the connection was closed with, 0: open. */
int32_t closed_with(const world *w, sl_id conn);
void frames_clear(world *w);

/* Makes two people connected; *thread: the space of their thread. */
void befriend(world *w, person *a, person *b, char thread[SL_SPACE_MAX]);
/* A video of p with these bytes as clip. */
void video_make(world *w, person *p, char space[SL_SPACE_MAX], uint32_t number, const char *bytes);
void share_with(world *w, person *owner, const person *with, const char *space, const char *role,
                uint32_t number);
/* Uploads bytes in one go; *location may be NULL. */
int32_t upload(world *w, const person *p, const char *space, const char *bytes);
/* Creates an upload and copies its location. */
int32_t upload_create(world *w, const person *p, const char *space, const char *sha256,
                      int64_t length, char location[128]);
int32_t upload_patch(world *w, const person *p, const char *location, int64_t at, const void *body,
                     size_t n);
void sha_of(const char *bytes, char out[65]);

mem_file *file_find(world *w, const char *path);

#endif
