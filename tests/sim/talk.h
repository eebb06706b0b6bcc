/* tests/sim/talk.h - an athlete and a coach who talk, for the tests of conversations. */
#ifndef SL_TESTS_SIM_TALK_H
#define SL_TESTS_SIM_TALK_H

#include "lab.h"

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE
};

extern lab *g_lab;
extern lab_node *g_ana; /* the athlete */
extern lab_node *g_cleo;
extern char g_thread[SL_SPACE_MAX];

/* The answer of a call as JSON, freed by the caller. */
sl_json *taken(sl_bytes *b);
void set_up(void);
void set_up_seed(uint64_t seed);
void tear_down(void);
/* ' becomes ". */
void quoted(char *text);
/* json: sl_chat_send's, ' for ". id: the message's. */
sl_status try_send(lab_node *n, const char *json, char id[40]);
void sends(lab_node *n, const char *json, char id[40]);
void says(lab_node *n, const char *body, char id[40]);
/* Forwards a message within the conversation: the new one's id. */
void repeats(lab_node *n, const char *message, char id[40]);
/* sl_chat_messages; json with ' for ". */
sl_json *page_of(lab_node *n, const char *json);
/* The conversation as "body:state", with marks behind: @ mentioned, ! unread, ^ pinned, reactions. */
void shows(lab_node *n, const char *expected);
void counts(lab_node *n, int unread, int mentions, int badge);
/* The only conversation's line. */
sl_json *line_of(lab_node *n);
void reads(lab_node *n, const char *message);
void rest(void);
/* Another device of the athlete. */
lab_node *second(void);
void restart(lab_node *n);
int64_t server_ms(void);
/* So many messages wait for their time. */
void planned(lab_node *n, int count);

#endif
