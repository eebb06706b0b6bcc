/*
 * server/worker.h - one step of the work on a video, in a process of its own.
 *
 * Clips come from strangers and the libraries that read them are large: what goes wrong with one
 * ends this process and not the server. It has limits on memory, time and files (those below), no
 * descriptors of the server's, and dies with the server.
 *
 *   sidelined --media-worker STEP FILE FOLDER [ENCODER]
 *
 * writes one JSON object to standard output: {"made":[{"name","file","media_type","width","height",
 * "bitrate","index"?}],"complete":bool}, or {"refused":why} or {"later":why}. Files are made in
 * FOLDER.
 */
#ifndef SL_SERVER_WORKER_H
#define SL_SERVER_WORKER_H

#define SL_WORKER_WORD "--media-worker"

enum {
    SL_WORKER_MEMORY_MB = 4096,
    SL_WORKER_FILE_MB = 16384,
    SL_WORKER_FILES = 64,
    SL_WORKER_SHORT_S = 600,    /* of processor time: check, first */
    SL_WORKER_LONG_S = 8 * 3600 /* rest */
};

/* The whole program; what main is to return. */
int sl_worker_main(int argc, char **argv);

#endif
