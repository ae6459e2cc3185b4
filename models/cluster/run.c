/* run.c - the runs of jobs: how long they hold their GPUs, and what comes of it.
 *
 * A run waits for what the scheduler takes to decide on it, pays for its restart, then works; every
 * save_every of work it saves, which takes `save`.  What it did since the last save is lost if it
 * fails.  Who is preempted saves first: its GPUs are free at once, and the saving is paid together
 * with the restart when it runs again.  Where its speed changes a stretch of the run ends and
 * another begins, amid the same period of work and saving.                          */
#include <assert.h>

#include "models/cluster/cluster_state.h"
#include "sim/dmath.h"

struct progress { /* wall time of a stretch of a run so far */
    uint64_t overhead, saving, work, safe;
    uint64_t phase; /* of the period it is amid */
    bool saved;     /* at least once */
};

/* Work in so much of periods of work and saving. */
static uint64_t work_in(const struct cluster *s, uint64_t wall)
{
    const uint64_t every = s->c.save_every, rest = wall % (every + s->c.save);
    return wall / (every + s->c.save) * every + (rest < every ? rest : every);
}

static struct progress progress(const struct cluster *s, const struct job *j, uint64_t elapsed)
{
    struct progress p = {.overhead = elapsed < j->overhead_ns ? elapsed : j->overhead_ns};
    const uint64_t left = elapsed - p.overhead, period = s->c.save_every + s->c.save;
    if (!s->c.save_every) {
        p.work = left;
        return p;
    }
    const uint64_t before = work_in(s, j->phase_ns), at = j->phase_ns + left;
    p.phase = at % period;
    p.saved = at >= period;
    p.safe = p.saved ? at / period * s->c.save_every - before : 0;
    p.work = work_in(s, at) - before;
    p.saving = left - p.work;
    return p;
}

static uint64_t to_work(const struct job *j, uint64_t wall)
{
    return (uint64_t)((wide)wall * j->speed_micro / 1000000);
}

static uint64_t length(const struct cluster *s, const struct job *j, uint64_t whole)
{
    const uint64_t left = whole > j->saved_ns ? whole - j->saved_ns : 0;
    const uint64_t wall = (uint64_t)(((wide)left * 1000000 + j->speed_micro - 1) / j->speed_micro);
    if (!s->c.save_every || !wall)
        return j->overhead_ns + wall;
    const uint64_t before = work_in(s, j->phase_ns); /* and this is amid a save, if more */
    const uint64_t saves = (before + wall - 1) / s->c.save_every;
    return j->overhead_ns + wall + saves * s->c.save - (j->phase_ns - before);
}

uint64_t run_predicted_end(const struct cluster *s, const struct job *j)
{
    const uint64_t end = j->began + length(s, j, j->predicted_ns);
    return end > sim_now(s->sim) ? end : sim_now(s->sim) + 1;
}

void run_settle(struct cluster *s, struct job *j)
{
    const uint64_t dt = sim_now(s->sim) - j->settled;
    j->seen.ran_ns += dt;
    j->seen.service_ns += dt * j->given;
    j->settled = sim_now(s->sim);
}

/* ---- levels --------------------------------------------------------------------- */

void run_levels(struct cluster *s)
{
    const sim_time now = sim_now(s->sim);
    const uint64_t up = hosts_milli(s) - s->down_milli;
    s->held += (wide)s->busy_milli * (now - s->busy_since);
    s->down += (wide)s->down_milli * (now - s->busy_since);
    s->busy_since = now;
    s->busy_milli = up - hosts_free(s);
}

static void share(struct cluster *s, const struct job *j, bool more)
{
    struct owner *o = &s->owner[j->owner];
    struct queue *q = &s->queue[s->kind[j->kind].queue];
    o->used = more ? o->used + j->milli : o->used - j->milli;
    o->cpu_milli = more ? o->cpu_milli + j->seen.cpu_milli : o->cpu_milli - j->seen.cpu_milli;
    o->mem_bytes = more ? o->mem_bytes + j->seen.mem_bytes : o->mem_bytes - j->seen.mem_bytes;
    q->used = more ? q->used + j->milli : q->used - j->milli;
    o->stale = true;
    s->unsettled = true;
}

/* ---- begin and end --------------------------------------------------------------- */

static void finish(void *ctx, uint64_t slot);

/* Of a job with so many GPUs, each of which works at this pace. */
static uint32_t speed(const struct cluster *s, const struct job *j, uint32_t pace, uint32_t given)
{
    if (given == j->seen.gpus || !j->seen.gpus)
        return pace;
    const double v = pace * dmath_pow((double)given / j->seen.gpus, s->c.scaling);
    return v < 1 ? 1 : (uint32_t)v;
}

/* It has its seats. */
static void begin(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    const sim_time now = sim_now(s->sim);
    j->speed_micro = speed(s, j, j->pace_micro, j->given);
    j->state = JOB_RUNS;
    j->began = j->settled = now;
    j->phase_ns = j->unsafe_ns = j->unsafe_wall_ns = 0;
    j->lasted = false;
    j->seen.since_ns = now;
    if (!j->started)
        j->first = now;
    j->started = true;
    ran_push(s, slot);
    share(s, j, true);
    s->n.borrowed += s->queue[s->kind[j->kind].queue].used > s->queue[s->kind[j->kind].queue].quota;
    j->end = sim_after(s->sim, length(s, j, j->work_ns), 2, finish, s, slot);
    order_book(s, slot);
    run_levels(s);
}

bool run_start(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    uint32_t given = j->seen.gpus;
    if (s->c.elastic && given) {
        const uint64_t fit = hosts_free(s) / j->seen.gpu_milli;
        given = fit < j->seen.gpus_max ? (uint32_t)fit : j->seen.gpus_max;
        if (given < j->seen.gpus_min)
            return false;
    }
    if (!hosts_take(s, slot, given) &&
        (given == j->seen.gpus_min || !hosts_take(s, slot, j->seen.gpus_min)))
        return false;
    line_remove(s, slot);
    order_unfollow(s, j);
    j->overhead_ns += scheduler_late(s);
    begin(s, slot);
    return true;
}

/* What earlier stretches of the run did since it last saved. */
static void lose_stretches(struct cluster *s, struct job *j)
{
    s->n.useful -= (wide)j->unsafe_wall_ns * j->milli;
    s->n.lost += (wide)j->unsafe_wall_ns * j->milli;
    j->saved_ns -= j->unsafe_ns;
    j->unsafe_ns = 0;
}

/* Accounts for the run and gives its GPUs back. */
static void leave(struct cluster *s, uint32_t slot, bool loses, bool ends)
{
    struct job *j = &s->job[slot];
    const uint64_t elapsed = sim_now(s->sim) - j->began;
    const struct progress p = progress(s, j, elapsed);
    const uint64_t kept = loses ? p.safe : p.work;
    run_settle(s, j);
    if (loses && !p.saved)
        lose_stretches(s, j);
    s->n.useful += (wide)kept * j->milli;
    s->n.lost += (wide)(p.work - kept) * j->milli;
    s->n.overhead += (wide)(p.overhead + p.saving) * j->milli;
    s->n.held += (wide)elapsed * j->milli;
    hosts_worked(s, j, p.work);
    j->saved_ns += to_work(j, kept);
    s->n.stops = kept || ends || j->lasted || j->unsafe_ns ? 0 : s->n.stops + 1;
    ran_remove(s, slot);
    share(s, j, false);
    hosts_give(s, slot);
    j->state = JOB_WAITS;
    j->seen.since_ns = sim_now(s->sim);
    if (!ends)
        sim_cancel(s->sim, j->end);
    j->end = 0;
    run_levels(s);
}

static void finish(void *ctx, uint64_t slot)
{
    struct cluster *s = ctx;
    struct job *j = &s->job[slot];
    leave(s, (uint32_t)slot, false, true);
    order_look(s, j);
    const struct policy_job_done done = {
        .job = j->seen, .now_ns = sim_now(s->sim), .duration_ns = j->work_ns};
    report_done(s, j);
    jobs_gone(s, (uint32_t)slot);
    policy_slot_job_done(policy_life_slot(s->life, 0), &done);
    cluster_wake(s);
}

void run_stop(struct cluster *s, uint32_t slot, enum run_stop how)
{
    struct job *j = &s->job[slot];
    leave(s, slot, how == STOP_FAILED, false);
    j->overhead_ns = s->c.restart + (how == STOP_FAILED ? 0 : s->c.save);
    j->seen.lost++;
    s->n.preempted += how == STOP_PREEMPTED;
    s->n.failed += how == STOP_FAILED;
    order_ask(s, slot, POLICY_BACK);
    if (s->n.stops > CLUSTER_STOPS) {
        s->stuck = true;
        sim_stop(s->sim);
    }
}

void run_speed(struct cluster *s, uint32_t slot, uint32_t micro)
{
    struct job *j = &s->job[slot];
    const sim_time now = sim_now(s->sim);
    const struct progress p = progress(s, j, now - j->began);
    s->n.useful += (wide)p.work * j->milli;
    s->n.overhead += (wide)(p.overhead + p.saving) * j->milli;
    s->n.held += (wide)(now - j->began) * j->milli;
    hosts_worked(s, j, p.work);
    j->saved_ns += to_work(j, p.work);
    j->unsafe_ns = (p.saved ? 0 : j->unsafe_ns) + to_work(j, p.work) - to_work(j, p.safe);
    j->unsafe_wall_ns = (p.saved ? 0 : j->unsafe_wall_ns) + p.work - p.safe;
    j->lasted |= p.saved;
    j->phase_ns = p.phase;
    j->overhead_ns -= p.overhead;
    j->pace_micro = micro;
    j->speed_micro = speed(s, j, micro, j->given);
    j->began = now;
    sim_cancel(s->sim, j->end);
    j->end = sim_after(s->sim, length(s, j, j->work_ns), 2, finish, s, slot);
}

bool run_resize(struct cluster *s, uint32_t slot, uint32_t given)
{
    struct job *j = &s->job[slot];
    const uint32_t before = j->given;
    leave(s, slot, false, false);
    const bool fits = hosts_take(s, slot, given) || hosts_take(s, slot, before);
    assert(fits && "it held as much before");
    (void)fits;
    j->overhead_ns = s->c.restart + s->c.save + scheduler_late(s);
    s->n.resized++;
    begin(s, slot);
    return j->given == given;
}

uint64_t run_end(const struct cluster *s, const struct job *j)
{
    return j->began + length(s, j, j->work_ns);
}

uint64_t run_end_with(const struct cluster *s, const struct job *j, uint32_t given)
{
    struct job then = *j;
    const struct progress p = progress(s, j, sim_now(s->sim) - j->began);
    then.saved_ns += to_work(j, p.work);
    then.overhead_ns = s->c.restart + s->c.save;
    then.phase_ns = 0;
    then.speed_micro = speed(s, j, j->pace_micro, given);
    return sim_now(s->sim) + length(s, &then, j->work_ns);
}
