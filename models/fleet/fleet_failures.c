/* fleet_failures.c - engines fail, and come back.
 *
 * An engine fails after an exponential time of serving, or when the experiment
 * says, and loses all that it holds.  It is repaired, starts cold, and serves
 * again.  The router hears of either at once, or when it looks, once in so
 * long; until then it goes on sending requests to one that is gone, and they
 * wait there with those that it had.  One that is back before the router has
 * looked says itself that it knows of nothing.  Engines that start do not
 * fail.  Every engine draws from a stream of its own: whatever the policies,
 * the same times of serving and the same repairs.                            */
#include <stdio.h>
#include <stdlib.h>

#include "models/fleet/fleet_state.h"
#include "sim/rng.h"

#define PRIO_FAILS    (-2) /* after all else at its time: what ends then has ended */
#define FAILURES_SAID 8

struct failing { /* of an engine */
    struct rng draw;
    sim_event next;  /* its next failure, drawn */
    bool unnoticed;  /* the router knows of its last failure nothing yet */
    bool was_ending; /* it is not started again */
};

static struct failing *of(const struct engine *e)
{
    return &e->f->failing[e->id];
}

static const struct failure_config *config(const struct engine *e)
{
    return &e->pool->c->failures;
}

static bool nothing_left(const struct fleet *f)
{
    return f->rc || (f->trace_over && !f->n.in_system);
}

static sim_time ns(double s)
{
    return (sim_time)(s * 1e9);
}

/* When the router looks next, or now if it always knows. */
static sim_time next_look(const struct engine *e)
{
    const sim_time now = sim_now(e->f->sim), every = ns(config(e)->check_s);
    return every ? (now / every + 1) * every : now;
}

/* ---- it fails ---- */

static void say(struct engine *e, uint64_t requests)
{
    struct fleet *f = e->f;
    char line[160];
    if (f->n.failures > FAILURES_SAID)
        return;
    snprintf(line, sizeof line, "engine %u of pool \"%s\" failed: %llu requests were on it",
             e->id - e->pool->first, e->pool->c->name, (unsigned long long)requests);
    measures_incident(f->out, "failure", "fleet", sim_now(f->sim), 0, line);
}

/* Whoever is on it goes elsewhere. */
static void notice(struct engine *e)
{
    struct fleet *f = e->f;
    if (!of(e)->unnoticed)
        return;
    of(e)->unnoticed = false;
    if (e->seen->takes)
        fleet_route_takes(e, false);
    uint32_t slot = fleet_batch_evict(e);
    reuse_clear(&e->reuse, sim_now(f->sim));
    if (e->mem)
        engine_memory_clear(e);
    while (slot != NO_SLOT) {
        const uint32_t next = f->seq[slot].next;
        fleet_retry(f, slot);
        slot = next;
    }
}

static void look(void *ctx, uint64_t unused)
{
    (void)unused;
    notice(ctx);
}

static void back(void *ctx, uint64_t unused);

static void fails(struct engine *e, sim_time away)
{
    struct fleet *f = e->f;
    struct failing *x = of(e);
    sim_cancel(f->sim, x->next);
    x->next = 0;
    x->unnoticed = true;
    x->was_ending = e->state == ENGINE_ENDING;
    e->lives++;
    f->n.failures++;
    say(e, (uint64_t)e->n_running + e->leaving + e->seen->waiting - e->incoming);
    fleet_engine_stop(e);
    fleet_batch_stop(e);
    fleet_retry_leaving(e);
    fleet_scale_become(e, ENGINE_DOWN);
    sim_after(f->sim, away + ns(config(e)->cold_start_s), PRIO_FAILS, back, e, 0);
    if (config(e)->check_s > 0)
        sim_at(f->sim, next_look(e), PRIO_FAILS, look, e, 0);
    else
        notice(e);
}

static void drawn(void *ctx, uint64_t unused)
{
    struct engine *e = ctx;
    (void)unused;
    of(e)->next = 0;
    if (!nothing_left(e->f))
        fails(e, (sim_time)rng_exponential(&of(e)->draw, config(e)->mttr_s * 1e9));
}

static void given(void *ctx, uint64_t away)
{
    struct engine *e = ctx;
    if (!nothing_left(e->f) && (e->state == ENGINE_SERVING || e->state == ENGINE_ENDING))
        fails(e, away);
}

/* ---- it comes back ---- */

static void takes(void *ctx, uint64_t lives)
{
    struct engine *e = ctx;
    if (e->state != ENGINE_SERVING || e->seen->takes || e->lives != lives)
        return;
    fleet_route_takes(e, true);
    fleet_retry_parked(e->f, fleet_route_gate(e));
}

static void back(void *ctx, uint64_t unused)
{
    struct engine *e = ctx;
    (void)unused;
    notice(e);
    if (nothing_left(e->f))
        return;
    e->iterating = false;
    if (of(e)->was_ending) {
        fleet_scale_become(e, ENGINE_OFF);
        return;
    }
    fleet_scale_become(e, ENGINE_SERVING);
    if (config(e)->check_s > 0)
        sim_at(e->f->sim, next_look(e), PRIO_FAILS, takes, e, e->lives);
    else
        takes(e, e->lives);
}

/* ---- the life of an engine ---- */

static void book(struct engine *e)
{
    if (config(e)->mtbf_h > 0)
        of(e)->next = sim_after(e->f->sim,
                                (sim_time)rng_exponential(&of(e)->draw, config(e)->mtbf_h * 3600e9),
                                PRIO_FAILS, drawn, e, 0);
}

void fleet_failures_became(struct engine *e, enum engine_state from)
{
    if (!e->f->failing)
        return;
    if (e->state == ENGINE_SERVING && from != ENGINE_ENDING)
        book(e);
    if (e->state == ENGINE_OFF) {
        sim_cancel(e->f->sim, of(e)->next);
        of(e)->next = 0;
    }
}

static void read_time(const struct config *at, double v[3])
{
    struct err checked = {0};
    for (size_t i = 0; i < 3; i++)
        if (config_f64(config_at(at, i), 0, 1e9, &v[i], &checked))
            v[i] = 0;
}

static void book_given(struct fleet *f, const struct pool *p)
{
    const struct config *at = p->c->failures.at;
    for (size_t i = 0; at && i < config_count(at); i++) {
        double v[3];
        read_time(config_at(at, i), v);
        sim_at(f->sim, ns(v[1]), PRIO_FAILS, given, &f->engine[p->first + (uint32_t)v[0]],
               ns(v[2]));
    }
}

bool fleet_failures_begin(struct fleet *f)
{
    f->failing = calloc(f->engines, sizeof *f->failing);
    for (uint32_t i = 0; f->failing && i < f->engines; i++) {
        rng_init_indexed(&f->failing[i].draw, f->env->seed, "fleet", "failures", i);
        if (f->engine[i].state == ENGINE_SERVING)
            book(&f->engine[i]);
    }
    for (uint32_t i = 0; f->failing && i < f->c.pools; i++)
        book_given(f, &f->pool[i]);
    return f->failing;
}

/* ---- the section ---- */

static const struct config_field fields[] = {
    CONFIG_F64(struct failure_config, mtbf_h, 1e-9, 1e9, false),
    CONFIG_F64(struct failure_config, mttr_s, 0, 1e9, false),
    CONFIG_F64(struct failure_config, cold_start_s, 0, 1e6, false),
    CONFIG_F64(struct failure_config, check_s, 0, 1e6, false),
    CONFIG_ANY(struct failure_config, at, false),
    CONFIG_STR(struct failure_config, source, true),
    CONFIG_END,
};

static int check_times(const struct config *at, uint32_t engines, struct err *e)
{
    if (config_kind(at) != CONFIG_ARRAY)
        return config_complain(at, e, "a list of [engine, from second, for seconds]");
    for (size_t i = 0; i < config_count(at); i++) {
        const struct config *one = config_at(at, i);
        uint64_t engine;
        double s;
        if (config_kind(one) != CONFIG_ARRAY || config_count(one) != 3)
            return config_complain(one, e, "[engine, from second, for seconds]");
        int rc = config_u64(config_at(one, 0), 0, engines - 1, &engine, e);
        for (size_t k = 1; !rc && k < 3; k++)
            rc = config_f64(config_at(one, k), 0, 1e9, &s, e);
        if (rc)
            return rc;
    }
    return 0;
}

int fleet_failures_config(struct failure_config *c, const struct pool_config *pool,
                          const struct config *section, struct err *e)
{
    *c = (struct failure_config){.on = true, .cold_start_s = pool->scale.cold_start_s};
    int rc = config_fill(section, fields, c, e);
    if (!rc && !*c->source)
        rc = config_complain(config_get(section, "source"), e, "where these times come from");
    if (!rc && !(c->mtbf_h > 0) && !c->at)
        rc = config_complain(section, e, "\"mtbf_h\", or times at which engines fail (\"at\")");
    if (!rc && c->at)
        rc = check_times(c->at, pool->scale.on ? pool->scale.most : pool->engines, e);
    return rc;
}

/* ---- measures ---- */

static void report_availability(struct fleet *f, const char *name, double up_ns, double down_ns)
{
    const double all = up_ns + down_ns;
    measures_number(f->out, name, "1", BETTER_MORE, all > 0 ? up_ns / all : 1);
}

void fleet_failures_report(struct fleet *f)
{
    double up = 0, down = 0;
    measures_number(f->out, "failures", "1", BETTER_LESS, (double)f->n.failures);
    measures_number(f->out, "retries", "1", BETTER_LESS, (double)f->n.retries);
    measures_number(f->out, "lost", "1", BETTER_LESS, (double)f->n.lost);
    measures_number(f->out, "lost_tokens", "tokens", BETTER_LESS, (double)f->n.lost_tokens);
    for (uint32_t i = 0; i < f->c.pools; i++) {
        const struct pool *p = &f->pool[i];
        char name[64];
        up += p->up_ns;
        down += p->down_ns;
        snprintf(name, sizeof name, "availability.%s", p->c->name);
        if (p->c->failures.on)
            report_availability(f, name, p->up_ns, p->down_ns);
    }
    report_availability(f, "availability", up, down);
}
