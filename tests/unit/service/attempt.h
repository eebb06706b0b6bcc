/*
 * unit/service/attempt.h - requests that somebody of a standing makes, each with its place in a table of answers:
 * a line for a route, what it is about and the relation, a column for a standing.
 *
 * Whatever the answer, it is looked at whether it may be so: what is refused has changed nothing and told nobody, and
 * has the words that all refusals of its kind have; what is not there is answered as what one may not see.
 */
#ifndef SL_TESTS_UNIT_SERVICE_ATTEMPT_H
#define SL_TESTS_UNIT_SERVICE_ATTEMPT_H

#include "service/route.h"
#include "unit/service/stage.h"

/* What a request is about. */
typedef struct stand {
    stage s;
    char space[SL_SPACE_MAX];
    person *host;               /* who made what is in it */
    const char *blob;           /* bytes that are in it */
    char object[2000];          /* of a request that is about no space; a product of a storefront */
    char plan[SL_UUID_LEN + 1]; /* of a storefront */
    char address[512];          /* signed for the subject */
} stand;

/* In path, headers and body stands @S for the space, @I for its id, @C for the id of its host, @B for the hash of
 * its blob, @N for an id that nothing has, @O for the object, @P for the plan, @U for the signed address, @M and @H for number and time
 * of an operation, @D for the subject's device, @E for the subject's e-mail address; @s, @f for the base64 of the space
 * and of the hash of bytes that are nowhere. */
typedef struct probe {
    sl_route_id route;
    const char *
        kinds; /* of the spaces that it is about, each with a blank behind it; NULL: it is about none */
    const char *what; /* it is about, in the table */
    const char *path;
    const char *headers; /* NULL: those of JSON */
    const char *body;
    const char *list;             /* in the answer, whose length goes into the table; or NULL */
    void (*prepare)(stand *here); /* what it needs, or NULL */
    bool open;                    /* without a token, whoever asks */
    bool last;                    /* nobody can go on after it */
} probe;

/* Sets the stage, with a provider of payments that takes all it is asked. */
void attempt_open(stand *here, sl_standing standing);
/* Makes the request and notes its answer. */
void attempt(stand *here, const probe *p, const char *relation);
/* Notes that the standing cannot stand in the relation. */
void attempt_none(const stand *here, const probe *p, const char *relation);

/* Compares with the golden text; every route and every cell must be there. */
void attempts_check(const char *path, size_t cells);
void attempts_free(void);

/* routes_of_spaces.c: all requests that are about a space, towards every relation. */
void try_spaces(sl_standing standing);

#endif
