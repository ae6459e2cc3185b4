/* failures.c - GPUs fail at random, each once in a mean time, and come back repaired.
 *
 * The times between failures are exponential.  Candidates are drawn at the rate
 * of all GPUs; one that is down already passes over, so that those that are up
 * keep their own rate.                                                       */
#include "models/cluster/cluster_state.h"

static void fail(void *ctx, uint64_t unused);

static void book(struct cluster *s)
{
    const double mean = s->c.mtbf_ns / (double)hosts_units(s);
    s->failure =
        sim_after(s->sim, (sim_time)(rng_exponential(&s->failing, mean) + 0.5), 3, fail, s, 0);
}

static void repair(void *ctx, uint64_t unit)
{
    struct cluster *s = ctx;
    run_levels(s);
    hosts_repair(s, unit);
    s->down_milli = hosts_down(s);
    run_levels(s);
    cluster_wake(s);
}

/* Failures go on while there is anything to hit, or will be. */
static void fail(void *ctx, uint64_t unused)
{
    struct cluster *s = ctx;
    (void)unused;
    s->failure = 0;
    if (!s->more && !s->waiting && !s->running && !s->coming)
        return;
    const uint64_t unit = rng_below(&s->failing, hosts_units(s));
    if (hosts_up(s, unit)) {
        s->n.failures++;
        uint32_t n = hosts_on(s, unit, s->scratch);
        while (n)
            run_stop(s, s->scratch[--n], STOP_FAILED);
        run_levels(s);
        hosts_break(s, unit);
        s->down_milli = hosts_down(s);
        run_levels(s);
        sim_after(s->sim, s->c.repair, 3, repair, s, unit);
    }
    if (!s->stuck)
        book(s);
}

void failures_begin(struct cluster *s)
{
    rng_init(&s->failing, s->env->seed, "cluster", "failures");
    if (s->c.mtbf_ns > 0)
        book(s);
}
