/*
 * link.h - the real service and stepped cores in this thread, the network between them a queue in
 * memory: nothing is lost, nothing waits. What each side spends is counted apart. Whatever the
 * frames hold is not looked at.
 */
#ifndef SL_BENCH_LINK_H
#define SL_BENCH_LINK_H

#include "bench.h"

typedef struct link link_t;
typedef struct device device;

typedef struct link_spent {
    double cpu;     /* seconds in the core's functions; for the service in its functions */
    double longest; /* the longest single step after something was received */
    uint64_t up;    /* bytes of the frames it sent */
    uint64_t down;  /* of those it received */
    uint64_t frames_up;
    uint64_t frames_down;
} link_spent;

/* The service on the folder; what it keeps is there when sidelined takes the folder later. */
link_t *link_open(const char *dir);
void link_close(link_t *l); /* closes its devices too */
double link_service_cpu(const link_t *l);

/* A core of its own in an empty folder of that name, signed in as the bench's one user, offline.
 * quick: on a disk in memory, where it is not the durable write that is measured. */
device *device_open(link_t *l, const char *name, bool quick);
void device_close(device *d); /* its folder stays */
sl_core *device_core(device *d);
const char *device_dir(const device *d);
link_spent device_spent(const device *d);

void device_online(device *d);
void device_offline(device *d);
/* Until all that was done is accepted and received, here and on the other devices online. */
void device_settle(device *d);
/* One batch, counted as spent. */
void device_apply(device *d, const char *ops, size_t n);
size_t device_count(device *d); /* its annotations */
size_t bench_count(sl_core *core);

/* An account with the set, uploaded by a device "seed" through the protocol; once per run. */
link_t *link_seeded(device **seed);
/* Closes it, if it is open, and gives the folder for sidelined. */
const char *link_seeded_dir(void);

#define LINK_EMAIL    "bench@example.org"
#define LINK_PASSWORD "correct-horse-battery"

#endif
