/* test_kernel_random.c - small random systems of threads, endpoints, notifications and interrupts:
 * whatever they do, nothing is lost, doubled or taken without a right.
 *
 * A system is a seed and a number of operations per client; one that fails is run again with fewer
 * until the smallest that still fails is known.                                               */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/models/kernel_system.h"

static struct uk_spec spec_of(struct system *s, uk_program *program, void *ctx, bool passive)
{
    struct uk_spec spec = {.core = system_pick(s, s->cores),
                           .prio = 1 + system_pick(s, 6),
                           .space = 1 + system_pick(s, 4),
                           .fpu = system_pick(s, 2),
                           .fpu_writes = system_pick(s, 2),
                           .constant = system_pick(s, 2),
                           .program = program,
                           .ctx = ctx};
    if (!passive) {
        spec.budget = 2 * s->reserve + rng_below(&s->rng, 100000);
        spec.period = spec.budget + rng_below(&s->rng, 400000);
    }
    return spec;
}

static void build_servers(struct system *s)
{
    for (uint32_t i = 0; i < s->n_server; i++) {
        struct server *v = &s->server[i];
        *v = (struct server){.s = s, .id = i, .passive = system_pick(s, 2)};
        struct uk_spec spec = spec_of(s, system_server, v, v->passive);
        v->t = uk_thread_new(s->uk, &spec);
        s->endpoint[i] = uk_endpoint(s->uk);
        v->cap = uk_cap(v->t, s->endpoint[i], UK_READ, 0);
        if (!v->passive && system_pick(s, 2)) {
            v->bound = uk_notification(s->uk);
            uk_bind(v->t, v->bound);
        }
        uk_start_receiving(v->t, v->cap);
    }
    for (uint32_t i = 0; i + 1 < s->n_server; i++)
        s->server[i].next_cap = uk_cap(s->server[i].t, s->endpoint[i + 1], UK_WRITE, 0);
}

static void build_waiters(struct system *s)
{
    for (uint32_t i = 0; i < s->n_note; i++) {
        struct waiter *w = &s->waiter[i];
        *w = (struct waiter){.s = s, .id = i};
        struct uk_spec spec = spec_of(s, system_waiter, w, false);
        w->t = uk_thread_new(s->uk, &spec);
        s->note[i] = uk_notification(s->uk);
        w->cap = uk_cap(w->t, s->note[i], UK_READ, 0);
    }
    for (uint32_t i = 0; i < s->n_irq; i++) {
        struct waiter *w = &s->waiter[system_pick(s, s->n_note)];
        struct server *v = &s->server[system_pick(s, s->n_server)];
        uint32_t note = v->bound ? v->bound : s->note[w->id];
        s->irq[i] = uk_irq(s->uk, system_pick(s, s->cores), note, UINT64_C(1) << (32 + i));
        *(v->bound ? &v->ack[i] : &w->ack[i]) =
            uk_cap(v->bound ? v->t : w->t, s->irq[i], UK_WRITE, 0);
        sim_after(s->sim, system_pick(s, 50000), 0, system_device, s, i);
    }
    for (uint32_t i = 0; i < s->n_note; i++)
        uk_start_receiving(s->waiter[i].t, s->waiter[i].cap);
}

static void build_clients(struct system *s, uint32_t ops)
{
    for (uint32_t i = 0; i < s->n_client; i++) {
        struct client *c = &s->client[i];
        *c = (struct client){.s = s, .id = i, .left = ops, .n_right = 4};
        struct uk_spec spec = spec_of(s, system_client, c, false);
        spec.fault_handler = 1; /* right[0], where it has one */
        c->t = uk_thread_new(s->uk, &spec);
        for (uint32_t k = 0; k < c->n_right; k++) {
            struct right *r = &c->right[k];
            r->note = k == 3;
            r->target = system_pick(s, r->note ? s->n_note : s->n_server);
            r->rights = 1 + system_pick(s, 7);
            r->cap = uk_cap(c->t, r->note ? s->note[r->target] : s->endpoint[r->target], r->rights,
                            UINT64_C(1) << i);
        }
        uk_start(c->t);
    }
}

static void charged(void *ctx, const struct uk_thread *owner, sim_time start, sim_time used)
{
    struct system *s = ctx;
    if (s->n_stretch < STRETCHES)
        s->stretch[s->n_stretch++] = (struct stretch){owner, start, used};
}

/* ---- what must hold ---- */

static int by_owner(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* The most that one owner ran within any window of its period; windows that begin a stretch or
 * end one are enough. */
static void check_budget(struct system *s, const struct uk_spec *spec, const struct uk_thread *t)
{
    const struct stretch *b = s->stretch;
    while (b < s->stretch + s->n_stretch && b->owner != t)
        b++;
    sim_time most = spec->constant ? 2 * spec->budget : spec->budget;
    for (; b < s->stretch + s->n_stretch && b->owner == t; b++) {
        sim_time end = b->start + spec->period, sum = 0;
        for (const struct stretch *x = b;
             x < s->stretch + s->n_stretch && x->owner == t && x->start < end; x++) {
            sim_time over = x->start + x->used > end ? x->start + x->used - end : 0;
            sum += x->used - over;
            if (x > b && x->start < (x - 1)->start + (x - 1)->used)
                system_fail(s, "one scheduling context was charged twice for the same time");
        }
        if (sum > most)
            system_fail(s, "a budget was exceeded within a period");
    }
}

static void check_budgets(struct system *s, const struct uk_spec *all, struct uk_thread **thread,
                          size_t n)
{
    qsort(s->stretch, s->n_stretch, sizeof *s->stretch, by_owner);
    for (size_t i = 0; i < n; i++)
        if (all[i].budget)
            check_budget(s, &all[i], thread[i]);
}

static void check_end(struct system *s)
{
    const struct uk_stats *st = uk_stats(s->uk);
    struct uk_times times = uk_times(s->uk);
    uint64_t handled = 0;
    if (times.user + times.kernel + times.lock + times.idle != sim_now(s->sim) * s->cores)
        system_fail(s, "time of the cores does not add up to the wall's");
    if (times.user != s->computed)
        system_fail(s, "user time is not what programs computed");
    for (uint32_t i = 0; i < s->n_client; i++) {
        if (!s->client[i].ended)
            system_fail(s, "a client was never woken again");
        if (s->client[i].got != (UINT64_C(2) << s->client[i].seq) - 2)
            system_fail(s, "a message never arrived");
    }
    for (uint32_t i = 0; i < s->n_note; i++) {
        const struct waiter *w = &s->waiter[i];
        if (s->signalled[i] > w->woke || !uk_thread_blocked(w->t))
            system_fail(s, "a signal woke nobody");
        for (uint32_t k = 0; k < s->n_irq; k++)
            handled += w->irq_seen[k];
    }
    for (uint32_t i = 0; i < s->n_server; i++)
        for (uint32_t k = 0; k < s->n_irq; k++)
            handled += s->server[i].irq_seen[k];
    if (st->raised != st->delivered || st->delivered != handled)
        system_fail(s, "an interrupt was not delivered exactly once");
    if (st->refused != s->refused)
        system_fail(s, "refusals were not counted as they happened");
}

static struct uk_prims prims(void)
{
    struct uk_prims p = {.clock = 1e9, .registers = 4};
    for (int i = 0; i < UK_PRIMS_N; i++)
        p.ps[i] = 20000 + 7313 * (sim_cost)i;
    return p;
}

/* NULL: all well. */
static const char *run_system(uint64_t seed, uint32_t ops)
{
    struct system *s = calloc(1, sizeof *s);
    s->stretch = calloc(STRETCHES, sizeof *s->stretch);
    struct sim_options opt = {.shuffle_ties = seed & 1, .shuffle_seed = seed};
    rng_init_indexed(&s->rng, 11, "test", "kernel", seed);
    s->sim = sim_new(&opt);
    s->mcs = system_pick(s, 2);
    s->cores = 1 + system_pick(s, 4);
    s->n_server = 1 + system_pick(s, SERVERS);
    s->n_client = 1 + system_pick(s, CLIENTS);
    s->n_note = 1 + system_pick(s, NOTES);
    s->n_irq = system_pick(s, IRQS + 1);
    s->to_raise = s->n_irq ? 3 * (uint64_t)ops : 0;
    struct uk_config c = {.prims = prims(), .cores = s->cores, .mcs = s->mcs};
    c.prims.mitigations = (unsigned)seed % (1u << UK_MITIGATIONS_N);
    c.no_fastpath = !system_pick(s, 4);
    c.slice = system_pick(s, 2) ? 5000 : 0;
    s->uk = uk_new(s->sim, &c);
    s->reserve = uk_reserve(&c.prims, c.cores);
    uk_watch(s->uk, charged, s);
    build_servers(s);
    build_waiters(s);
    build_clients(s, ops);
    sim_run(s->sim, 3600 * SIM_SEC);
    check_end(s);
    struct uk_spec spec[SERVERS + CLIENTS + NOTES];
    struct uk_thread *thread[SERVERS + CLIENTS + NOTES];
    size_t n = 0;
    for (uint32_t i = 0; i < s->n_server; i++)
        thread[n++] = s->server[i].t;
    for (uint32_t i = 0; i < s->n_client; i++)
        thread[n++] = s->client[i].t;
    for (uint32_t i = 0; i < s->n_note; i++)
        thread[n++] = s->waiter[i].t;
    for (size_t i = 0; i < n; i++)
        spec[i] = *uk_thread_spec(thread[i]);
    if (s->mcs)
        check_budgets(s, spec, thread, n);
    const char *wrong = s->wrong;
    uk_free(s->uk);
    sim_free(s->sim);
    free(s->stretch);
    free(s);
    return wrong;
}

Test(kernel_random, nothing_is_lost_doubled_or_taken, .timeout = 120)
{
    for (uint64_t seed = 0; seed < 240; seed++) {
        const char *wrong = run_system(seed, 40);
        if (!wrong)
            continue;
        uint32_t ops = 1;
        while (ops < 40 && !run_system(seed, ops))
            ops++;
        cr_assert_fail("system %lu fails from %u operations on: %s", (unsigned long)seed, ops,
                       wrong);
    }
}
