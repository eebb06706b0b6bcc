/* load_main.h - what the parts of bench_load share. */
#ifndef SL_BENCH_LOAD_MAIN_H
#define SL_BENCH_LOAD_MAIN_H

#include "load.h"

typedef struct load_options {
    unsigned rounds;
    double seconds; /* of one measurement */
    const char *sidelined;
    const char *bare;    /* bench_bare_http */
    const char *peers;   /* folder with what `./run bench` fetched, NULL: none */
    const char *scripts; /* folder with chat.mjs */
    const char *dir;     /* for everything that is written */
    load_who *who;
    char record[SL_UUID_LEN + 1]; /* in the first one's space */
} load_options;

extern load_options g_load;

/* One line of the table; reach "": none. */
void load_line(const char *what, const char *measured, double value, const char *unit,
               const char *reach, bool met);
void load_best(double *best, double value); /* the greater */
void load_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool load_serve_sideline(load_server *s);
/* Ends with a message when something was lost or ended. */
void load_check(const load *l, const char *what);

/* load_http.c */
void load_part_http(void);
void load_part_upload(void);

#endif
