/* report.c - counts into measures. */
#include <stdio.h>

#include "models/cluster/cluster_state.h"
#include "models/machine.h"
#include "sim/dmath.h"

#define BOUND_S                                                                                    \
    10.0 /* slowdown of shorter jobs is as if they ran so long: Feitelson et al. 1997              \
          */

bool report_begin(struct cluster *s)
{
    s->jct = measures_sketch(s->out, "jct", "s", s->env->exact);
    s->wait = measures_sketch(s->out, "wait", "s", s->env->exact);
    s->first_wait = measures_sketch(s->out, "first_wait", "s", s->env->exact);
    s->s_waiting = measures_series(s->out, "waiting", "jobs");
    s->s_busy = measures_series(s->out, "gpus_busy", "GPUs");
    return !s->out->failed && s->jct && s->wait && s->first_wait && s->s_busy;
}

void report_levels(struct cluster *s)
{
    series_level(s->s_waiting, sim_now(s->sim), s->waiting);
    series_level(s->s_busy, sim_now(s->sim), (double)s->busy_milli / 1000);
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

void report_done(struct cluster *s, const struct job *j)
{
    const uint64_t jct = sim_now(s->sim) - j->seen.arrived_ns, wait = jct - j->seen.ran_ns;
    const double ran = seconds(j->work_ns) > BOUND_S ? seconds(j->work_ns) : BOUND_S;
    const double slowdown = seconds(jct) / ran;
    s->n.done++;
    s->n.last_end = sim_now(s->sim);
    s->n.slowdown += slowdown > 1 ? slowdown : 1;
    sketch_add(s->jct, seconds(jct));
    sketch_add(s->wait, seconds(wait));
    sketch_add(s->first_wait, seconds(j->first - j->seen.arrived_ns));
}

static void number(const struct cluster *s, const char *name, const char *unit, enum better better,
                   double v)
{
    measures_number(s->out, name, unit, better, v);
}

static void count(const struct cluster *s, const char *name, enum better better, uint64_t n)
{
    measures_number(s->out, name, "1", better, (double)n);
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* ---- times ------------------------------------------------------------------- */

static void times(const struct cluster *s)
{
    const struct counts *n = &s->n;
    number(s, "wait_max", "s", BETTER_LESS, n->done ? sketch_max(s->wait) : 0);
    number(s, "slowdown", "1", BETTER_LESS, ratio(n->slowdown, (double)n->done));
    number(s, "makespan", "s", BETTER_LESS, n->done ? seconds(n->last_end - n->first_arrival) : 0);
    if (s->c.tick) /* what a simulator that steps has counted when it finds all done */
        count(s, "ticks", BETTER_LESS, n->last_end / s->c.tick + 1);
}

/* ---- where the GPU time went ------------------------------------------------------ */

/* Held by runs that ended: work, overhead, lost.  The rest of what is up is idle, or held by runs
 * that had not ended when all stopped. */
static void shares(const struct cluster *s)
{
    const struct counts *n = &s->n;
    const double all = (double)hosts_milli(s) * (double)(s->busy_since - n->first_arrival);
    const double idle = all - (double)s->held - (double)s->down;
    number(s, "gpu_util", "1", BETTER_MORE, ratio((double)s->held, all));
    number(s, "gpu_useful", "GPU-s", BETTER_NONE, (double)n->useful / 1e12);
    number(s, "gpu_held", "GPU-s", BETTER_NONE, (double)s->held / 1e12);
    number(s, "share.work", "1", BETTER_NONE, ratio((double)n->useful, all));
    number(s, "share.overhead", "1", BETTER_NONE, ratio((double)n->overhead, all));
    number(s, "share.lost", "1", BETTER_NONE, ratio((double)n->lost, all));
    number(s, "share.unended", "1", BETTER_NONE, ratio((double)s->held - (double)n->held, all));
    number(s, "share.down", "1", BETTER_NONE, ratio((double)s->down, all));
    number(s, "share.idle", "1", BETTER_NONE, ratio(idle, all));
}

/* ---- how far to believe the mean ---------------------------------------------------- */

static double scv(double sum, double squares, double n)
{
    const double mean = ratio(sum, n);
    return mean > 0 ? squares / n / (mean * mean) - 1 : 0;
}

/* The relative half width (95 %) of a mean wait from one run of n jobs at load rho: the relaxation
 * time of a queue in heavy traffic, Whitt, "Planning queueing simulations" (Management Science
 * 1989): 1.96 sqrt(2 (ca2 + cs2) / n) / (1 - rho). */
static double wait_error(const struct cluster *s, double load)
{
    const struct counts *n = &s->n;
    const double gaps = n->jobs > 1 ? (double)(n->jobs - 1) : 1;
    const double ca2 = scv(seconds(n->last_arrival - n->first_arrival), n->gap2, gaps);
    const double cs2 = scv(n->size1, n->size2, (double)n->jobs);
    const double x = 2 * (ca2 + cs2) / (double)n->jobs;
    return x > 0 ? 1.96 * dmath_pow(x, 0.5) / (1 - load) : 0;
}

static void load(const struct cluster *s)
{
    const struct counts *n = &s->n;
    const uint64_t span = n->last_arrival - n->first_arrival;
    const double rho =
        n->jobs > 1 ? ratio((double)n->offered, (double)hosts_milli(s) * (double)span) : 0;
    char line[240];
    number(s, "load", "1", BETTER_NONE, rho);
    if (rho < 1)
        number(s, "wait_error", "1", BETTER_NONE, n->jobs ? wait_error(s, rho) : 0);
    if (rho < 0.9)
        return;
    if (rho < 1)
        snprintf(line, sizeof line,
                 "offered load is %.2f of the GPUs: near saturation one run of %llu jobs knows its "
                 "mean wait to within %.0f %% only (95 %%, Whitt 1989)",
                 rho, (unsigned long long)n->jobs, 100 * wait_error(s, rho));
    else
        snprintf(line, sizeof line,
                 "offered load is %.2f of the GPUs: there is no steady state, waits grow with the "
                 "length of the trace, and their mean says as much of it as of the policy",
                 rho);
    measures_incident(s->out, "saturated", "cluster", n->last_arrival, 0, line);
}

/* ---- what a reader must know --------------------------------------------------------- */

static void stuck(const struct cluster *s)
{
    char line[240];
    const uint64_t left = (uint64_t)s->waiting + s->running + s->coming;
    count(s, "unfinished", BETTER_LESS, left);
    count(s, "livelock", BETTER_LESS, left > 0);
    if (!left)
        return;
    if (s->stuck)
        snprintf(line, sizeof line,
                 "%u jobs wait, %u run, but the last %u runs stopped before anything of theirs was "
                 "saved: the run was ended",
                 s->waiting, s->running, CLUSTER_STOPS);
    else
        snprintf(line, sizeof line,
                 "%u jobs wait, %.6g GPUs are free, nothing runs or will happen, and none of them "
                 "is ever started: their times are missing from all means",
                 s->waiting, (double)hosts_free(s) / 1000);
    measures_incident(s->out, "livelock", "cluster", sim_now(s->sim), 0, line);
}

static void told_full(const struct cluster *s)
{
    char line[320];
    const bool host = s->c.full.model == FULL_HOST;
    snprintf(line, sizeof line,
             "%s is a full machine (\"%.60s\", stack \"%.20s\"): a job's duration is what it takes "
             "on the bare one, alone%s%s",
             host ? "each node" : "each GPU", s->env->machine ? s->env->machine->name : "",
             s->env->stack ? s->env->stack : "native",
             s->c.of ? "; a part of a GPU is a part of its " : "", cluster_of_names[s->c.of]);
    measures_incident(s->out, "hosts", "cluster", 0, 0, line);
}

static void told(const struct cluster *s)
{
    char line[400], speeds[120] = "the speed of one alone";
    int at = 0;
    if (s->c.full.model)
        told_full(s);
    if (s->c.of == OF_NOTHING || s->c.full.model)
        return;
    for (uint32_t i = 0; s->c.n_beside > 1 && i < s->c.n_beside; i++)
        at += snprintf(speeds + at, sizeof speeds - (size_t)at, "%s%.3g", i ? ", " : "",
                       s->c.beside_micro[i] / 1e6);
    snprintf(line, sizeof line,
             "a part of a GPU is a part of its %s; beside %s others on its GPU a job runs at %s "
             "(%.200s)",
             cluster_of_names[s->c.of], s->c.n_beside > 1 ? "0, 1, .." : "any", speeds,
             s->c.source ? s->c.source : "assumed: there is no interference");
    measures_incident(s->out, "fraction", "cluster", 0, 0, line);
}

void report_end(struct cluster *s)
{
    const struct counts *n = &s->n;
    count(s, "jobs", BETTER_NONE, n->jobs);
    count(s, "completed", BETTER_MORE, n->done);
    count(s, "infeasible", BETTER_LESS, n->infeasible + n->unsaid);
    times(s);
    shares(s);
    count(s, "preempted", BETTER_LESS, n->preempted);
    count(s, "resized", BETTER_NONE, n->resized);
    count(s, "backfilled", BETTER_NONE, n->backfilled);
    count(s, "borrowed", BETTER_NONE, n->borrowed);
    count(s, "failures", BETTER_NONE, n->failures);
    count(s, "failed_runs", BETTER_LESS, n->failed);
    load(s);
    stuck(s);
    told(s);
    hosts_report(s);
    if (s->order)
        policy_slot_report(s->order, s->out);
    scheduler_report(s);
    count(s, "events", BETTER_NONE, sim_fired(s->sim));
}
