/* station.h - resources that jobs queue for.
 *
 * station: c identical servers and a queue (M/M/c when fed so).  Higher prio
 *          first, then first come; a job in service is not preempted.
 * sharer:  processor sharing: n jobs each progress at rate min(1, c/n).
 * bucket:  token bucket: rate per second and burst; a taker waits its turn.
 *
 * Jobs are the caller's memory and are linked in place; a job must stay put
 * until its done function is called or it was withdrawn.  From then on it is
 * the caller's again: done may submit or free it.  All done functions run as
 * events of priority 0, never inside submit; the next waiting job has begun
 * its service when they run.  Out of memory is sim_failed().                */
#ifndef SIM_STATION_H
#define SIM_STATION_H

#include "sim/sim.h"

struct job {
    sim_time service; /* ns of work on one server */
    int prio;
    sim_fn *done; /* called at completion, with ctx and arg */
    void *ctx;
    uint64_t arg;
    /* filled by the resource */
    sim_time arrived, started;
    struct job *next, *prev;
    sim_event ev;
    unsigned __int128 key; /* sharer: the virtual time of its departure */
    uint64_t seq;
    uint32_t place; /* in the resource's own index; 0: not there */
};

struct station_stats {
    uint64_t arrivals, completions;
    double busy_ns;  /* server-nanoseconds of work done so far */
    double queue_ns; /* integral of queue length (waiting only) over time */
    uint64_t max_queue;
};

struct station;
struct station *station_new(struct sim *s, const char *name, unsigned servers);
void station_free(struct station *st);
void station_submit(struct station *st, struct job *j);
bool station_withdraw(struct station *st, struct job *j); /* only while it waits */
unsigned station_busy(const struct station *st);
size_t station_waiting(const struct station *st);
void station_stats(const struct station *st, struct station_stats *out); /* up to now */

struct sharer;
struct sharer *sharer_new(struct sim *s, const char *name, unsigned servers);
void sharer_free(struct sharer *sh);
void sharer_submit(struct sharer *sh, struct job *j);
bool sharer_withdraw(struct sharer *sh, struct job *j);
size_t sharer_active(const struct sharer *sh);
void sharer_stats(const struct sharer *sh, struct station_stats *out);

struct bucket;
struct bucket *bucket_new(struct sim *s, const char *name, double rate_per_s, double burst);
void bucket_free(struct bucket *b);
/* Takes n <= burst tokens, first come first served; fn fires when they are there. */
void bucket_take(struct bucket *b, double n, sim_fn *fn, void *ctx, uint64_t arg);

#endif
