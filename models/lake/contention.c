/* contention.c - the two of them, event by event. */
#include "models/lake/contention.h"

#include <assert.h>

#define SETTLE (500 * SIM_MS) /* left out at the beginning of each phase */

struct world {
    const struct contention_setup *s;
    const struct contention_costs *c;
    struct sim *sim;
    struct accel gpu;
    struct measure_series *kernel, *user;
    struct contention_result *out;

    bool on_core; /* where batches go */
    sim_time step_began, batch_began, user_seen;
    bool seen;

    bool user_here, user_works; /* its process exists; its kernels run */
    sim_time user_first, user_logged, kernel_began;
    uint64_t kernels, early; /* of the user's; within its first CONTENTION_EARLY */

    uint32_t tick; /* of NVML's ring */
    sim_cost busy[CONTENTION_TICKS];
    uint32_t kernels_in;          /* there, or waiting to be */
    sim_time in_since, in_passed; /* since when any; so long before */
    double utilisation;

    uint64_t rows[PHASES], pages;
    sim_cost busy_from, busy_to;
};

static sim_time span_from(const struct world *w, enum contention_phase p)
{
    const sim_time from[PHASES] = {0, w->s->user_start + w->c->create, w->s->user_end};
    return from[p] + SETTLE;
}

static sim_time span_to(const struct world *w, enum contention_phase p)
{
    const sim_time to[PHASES] = {w->s->user_start, w->s->user_end, w->s->end};
    return to[p];
}

/* The phase that a moment counts for; PHASES: none. */
static enum contention_phase phase_at(const struct world *w, sim_time t)
{
    int p = 0;
    while (p < PHASES && !(span_from(w, (enum contention_phase)p) <= t &&
                           t < span_to(w, (enum contention_phase)p)))
        p++;
    return (enum contention_phase)p;
}

static double per_second(double n, sim_time ns)
{
    return ns ? n / ((double)ns / 1e9) : 0;
}

/* ---- the user ---- */

/* So long was the GPU not idle, ps: a switch between the two is no idle time. */
static sim_cost not_idle(const struct world *w)
{
    const sim_time now = w->kernels_in ? sim_now(w->sim) - w->in_since : 0;
    return (w->in_passed + now) * 1000;
}

static void comes_in(struct world *w)
{
    if (!w->kernels_in++)
        w->in_since = sim_now(w->sim);
}

static void goes_out(struct world *w)
{
    if (!--w->kernels_in)
        w->in_passed += sim_now(w->sim) - w->in_since;
}

static void user_turn(void *ctx, uint64_t unused);

static void user_kernel_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    const sim_time now = sim_now(w->sim);
    goes_out(w);
    if (phase_at(w, now) == PHASE_BOTH)
        w->pages += w->s->user_pages;
    if (++w->kernels == w->s->user_sample)
        w->user_logged = now;
    w->early += now <= w->user_first + CONTENTION_EARLY;
    if (w->user)
        series_level(w->user, now, per_second(w->s->user_pages, now - w->kernel_began));
    if (now < w->s->user_end) {
        sim_after(w->sim, w->c->user_gap, 0, user_turn, w, 0);
        return;
    }
    w->user_works = w->user_here = false;
    if (w->user)
        series_level(w->user, now, 0);
}

static void user_kernel(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    if (!w->user_works) {
        w->user_works = true;
        w->user_first = sim_now(w->sim);
    }
    comes_in(w);
    accel_run(&w->gpu, w->c->user_kernel, w->c->user_kernel_ps, user_kernel_done, w);
}

static void user_turn(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    const sim_time copy = w->kernels < w->s->user_sample ? w->c->user_copy : 0;
    w->kernel_began = sim_now(w->sim);
    sim_after(w->sim, copy, 0, user_kernel, w, 0);
}

static void user_comes(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    w->user_here = true;
    w->busy_to = accel_busy(&w->gpu);
    sim_after(w->sim, w->c->create, 0, user_turn, w, 0);
}

/* ---- NVML ---- */

static void look(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    const sim_cost now = not_idle(w), then = w->busy[w->tick];
    w->utilisation = (double)(now - then) / ((double)w->c->window * 1e3) * 100;
    w->busy[w->tick] = now;
    w->tick = (w->tick + 1) % CONTENTION_TICKS;
    sim_after(w->sim, w->c->window / CONTENTION_TICKS, 0, look, w, 0);
}

/* ---- the client ---- */

static void batch(void *ctx, uint64_t unused);

static void step(void *ctx, uint64_t unused);

static void batch_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    const sim_time now = sim_now(w->sim);
    const enum contention_phase p = phase_at(w, now);
    if (p < PHASES)
        w->rows[p] += w->s->batch;
    if (w->kernel)
        series_level(w->kernel, now, per_second(w->s->batch, now - w->batch_began + w->s->pause));
    if (w->s->backoff == BACKOFF_LAKE && now - w->step_began >= w->s->poll)
        step(w, 0);
    else
        sim_after(w->sim, w->s->pause, 0, batch, w, 0);
}

static void gpu_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    goes_out(w);
    sim_after(w->sim, w->c->after, 0, batch_done, w, 0);
}

static void to_gpu(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    comes_in(w);
    accel_side(&w->gpu, w->c->gpu, w->c->slice, w->c->switching, gpu_done, w, 0);
}

static bool tenants_want_it(struct world *w)
{
    const sim_time now = sim_now(w->sim);
    if (w->user_works) {
        w->seen = true;
        w->user_seen = now;
    }
    return w->seen && now - w->user_seen <= w->s->calm;
}

static void note_where(struct world *w, sim_time now)
{
    struct contention_result *out = w->out;
    if (w->on_core && w->user_works && !out->reacted) {
        out->reacted = true;
        out->reaction = now - w->user_first;
    }
    if (!w->on_core && now > w->s->user_end && !w->user_here && out->reacted && !out->returned) {
        out->returned = true;
        out->back = now - w->s->user_end;
    }
}

static void batch(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    w->batch_began = sim_now(w->sim);
    if (w->s->backoff == BACKOFF_TENANTS)
        w->on_core = tenants_want_it(w);
    note_where(w, w->batch_began);
    if (w->on_core)
        sim_after(w->sim, w->c->core, 0, batch_done, w, 0);
    else
        sim_after(w->sim, w->c->before, 0, to_gpu, w, 0);
}

static void answered(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    const int processes = 1 + w->user_here; /* the daemon is one */
    w->on_core = processes > 1 && w->utilisation > w->s->limit;
    w->step_began = sim_now(w->sim);
    batch(w, 0);
}

static void step(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    sim_after(w->sim, w->c->ask, 0, answered, w, 0);
}

static void settled(void *ctx, uint64_t unused)
{
    (void)unused;
    struct world *w = ctx;
    w->busy_from = accel_busy(&w->gpu);
}

static void report(struct world *w)
{
    for (int p = 0; p < PHASES; p++)
        w->out->rate[p] =
            per_second((double)w->rows[p], span_to(w, (enum contention_phase)p) -
                                               span_from(w, (enum contention_phase)p));
    if (w->out->reacted)
        w->out->logged = (int64_t)(w->out->reaction + w->user_first) - (int64_t)w->user_logged;
    w->out->early =
        (double)(w->early * (w->c->user_kernel + w->c->user_gap)) / (double)CONTENTION_EARLY;
    w->out->pages = per_second((double)w->pages, span_to(w, PHASE_BOTH) - span_from(w, PHASE_BOTH));
    w->out->utilisation =
        (double)(w->busy_to - w->busy_from) / ((double)(w->s->user_start - SETTLE) * 1e3);
}

void contention_run(const struct contention_setup *s, const struct contention_costs *c,
                    const struct sim_options *opt, struct measure_series *kernel,
                    struct measure_series *user, struct contention_result *out)
{
    struct world w = {.s = s, .c = c, .kernel = kernel, .user = user, .out = out};
    *out = (struct contention_result){0};
    assert(s->user_start > SETTLE && s->user_end > s->user_start + c->create + SETTLE &&
           s->end > s->user_end + SETTLE);
    w.sim = sim_new(opt);
    if (!w.sim) {
        out->failed = true;
        return;
    }
    accel_begin(&w.gpu, w.sim);
    accel_turns(&w.gpu, c->switching);
    sim_after(w.sim, c->window / CONTENTION_TICKS, 0, look, &w, 0);
    sim_after(w.sim, SETTLE, 0, settled, &w, 0);
    sim_at(w.sim, s->user_start, 0, user_comes, &w, 0);
    sim_after(w.sim, 0, 0, s->backoff == BACKOFF_LAKE ? step : batch, &w, 0);
    sim_run(w.sim, s->end);
    report(&w);
    out->failed = sim_failed(w.sim);
    sim_free(w.sim);
}
