#include "sim/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SHOW_EVERY 0.2 /* s */

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(struct progress *p, const char *what, uint64_t total, bool quiet)
{
    *p = (struct progress){.what = what, .total = total, .on = !quiet && isatty(2)};
    if (p->on)
        p->started = p->shown = wall();
}

void progress_at(struct progress *p, uint64_t done)
{
    if (!p->on)
        return;
    double now = wall(), spent = now - p->started;
    if (now - p->shown < SHOW_EVERY || spent <= 0)
        return;
    p->shown = now;
    double rate = (double)done / spent;
    fprintf(stderr, "\r%" PRIu64, done);
    if (p->total)
        fprintf(stderr, "/%" PRIu64, p->total);
    fprintf(stderr, " %s, %.3g/s", p->what, rate);
    if (p->total > done && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(p->total - done) / rate);
    fputs("\033[K", stderr);
}

void progress_end(struct progress *p)
{
    if (p->on)
        fputs("\r\033[K", stderr);
    p->on = false;
}
