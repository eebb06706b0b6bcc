/* The servers that are measured, as processes: started, waited for, looked at, ended. */
#include "load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    START_TRIES = 500,
    START_WAIT_MS = 20,
    ARGS_MAX = 32,
    STAT_UTIME = 14 /* fields of /proc/PID/stat, from 1 */
};

void load_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fflush(stdout);
    (void)fprintf(stderr, "bench_load: ");
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void run(const char *const *argv, int cpu)
{
    char *args[ARGS_MAX] = {NULL};
    for (size_t i = 0; argv[i] != NULL && i + 1 < ARGS_MAX; i++) {
        args[i] = strdup(argv[i]);
    }
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        (void)sched_setaffinity(0, sizeof set, &set);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDOUT_FILENO);
    if (args[0] != NULL) {
        (void)execvp(args[0], args);
    }
    _exit(127);
}

static bool listens(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && connect(fd, (struct sockaddr *)(void *)&to, sizeof to) == 0;
    (void)close(fd);
    return yes;
}

static uint16_t port_in(const char *file)
{
    char text[16] = "";
    FILE *f = fopen(file, "re");
    unsigned long port = 0;
    if (f != NULL) {
        port = fgets(text, sizeof text, f) != NULL ? strtoul(text, NULL, 10) : 0;
        (void)fclose(f);
    }
    return (uint16_t)port;
}

bool load_serve(load_server *s, const char *const *argv, const char *port_file, uint16_t port,
                int cpu)
{
    if (port_file != NULL) {
        (void)unlink(port_file);
    }
    s->pid = fork();
    if (s->pid == 0) {
        run(argv, cpu);
    }
    for (int i = 0; i < START_TRIES; i++) {
        struct timespec t = {0, START_WAIT_MS * 1000000L};
        (void)nanosleep(&t, NULL);
        s->port = port_file != NULL ? port_in(port_file) : listens(port) ? port : 0;
        if (s->port != 0) {
            return true;
        }
        if (waitpid(s->pid, NULL, WNOHANG) != 0) {
            s->pid = 0;
            return false;
        }
    }
    load_unserve(s);
    return false;
}

void load_unserve(load_server *s)
{
    if (s->pid > 0) {
        (void)kill(s->pid, SIGTERM);
        (void)waitpid(s->pid, NULL, 0);
        s->pid = 0;
    }
}

double load_cpu_s(const load_server *s)
{
    char path[64];
    char text[1024] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)s->pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return 0;
    }
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    char *p = strrchr(text, ')');
    for (int field = 2; p != NULL && field < STAT_UTIME; field++) {
        p = strchr(p + 1, ' ');
    }
    unsigned long user = p != NULL ? strtoul(p, &p, 10) : 0;
    unsigned long system = p != NULL ? strtoul(p, NULL, 10) : 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

int64_t load_rss(const load_server *s)
{
    char path[64];
    char text[128] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)s->pid);
    FILE *f = fopen(path, "re");
    if (f == NULL || fgets(text, sizeof text, f) == NULL) {
        text[0] = '\0';
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    char *p = text;
    (void)strtol(p, &p, 10); /* all */
    long resident = strtol(p, &p, 10);
    long shared = strtol(p, &p, 10);
    return (int64_t)(resident - shared) * sysconf(_SC_PAGESIZE);
}
