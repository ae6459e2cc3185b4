/* Random machines and tenants: nothing is lost and nothing is made, whatever they do. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/buf.h"
#include "tests/models/host_plan.h"
#include "tests/models/host_rig.h"
#include "tests/sanitized.h"

enum { MACHINES = SANITIZED ? 60 : 200 };

static uint64_t sum(const struct ledger *l)
{
    uint64_t all = 0;
    for (int c = 0; c < LEDGER_N; c++)
        all += l->ns[c];
    return all;
}

/* The first law that a result breaks, or NULL. */
static const char *broken(const struct host_result *r)
{
    const struct cpus_totals *t = &r->cpus;
    if (t->work + t->spin + t->overhead + t->idle != t->wall * t->cpus)
        return "CPU time handed out and idle is not wall time times CPUs";
    if (sum(&r->ledger) != r->ledger.total)
        return "the categories of the ledger do not sum to the latencies";
    if (r->raised != r->delivered + r->pending)
        return "an interrupt was lost, or delivered twice";
    if (r->arrived != r->replied + r->inside)
        return "a request was lost, or answered twice";
    if (r->jobs != r->jobs_done + r->jobs_left)
        return "a job of a host task was lost, or done twice";
    if (r->unaccounted)
        return "a task's running, waiting and sleeping do not sum to its age";
    if (r->over_budget)
        return "a vCPU had more than its budget";
    return NULL;
}

static const char *try(const struct host_plan *p, uint64_t seed)
{
    struct rig rig = {.stack = plan_stack(p), .seed = seed};
    struct host_result r;
    char *text = plan_text(p);
    rig_run(&rig, text, &r);
    rig_end(&rig);
    free(text);
    return broken(&r);
}

static bool still_broken(const struct host_plan *p, void *seed)
{
    return try(p, *(uint64_t *)seed) != NULL;
}

Test(host_random, two_hundred_machines_keep_every_law)
{
    for (uint64_t seed = 1; seed <= MACHINES; seed++) {
        struct host_plan p = plan_draw(seed);
        const char *why = try(&p, seed);
        if (!why)
            continue;
        p = plan_shrink(p, still_broken, &seed);
        char *text = plan_text(&p);
        cr_assert(false, "seed %llu: %s\nsmallest machine that does it, on %s: %s",
                  (unsigned long long)seed, why, plan_stack(&p), text);
    }
}

/* ---- the shrinker itself -------------------------------------------------------------- */

/* As if every I/O client on kvm with more than two threads were wrong. */
static bool planted(const struct host_plan *p, void *unused)
{
    (void)unused;
    bool any = false;
    for (unsigned i = 0; i <= p->vms; i++)
        any = any || (p->vm[i].n[PLAN_PROGRAM] == 1 && p->vm[i].n[PLAN_THREADS] >= 2);
    return any && p->stack == 1;
}

Test(host_random, a_failing_machine_shrinks_to_what_fails)
{
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        const struct host_plan p = plan_draw(seed);
        if (!planted(&p, NULL))
            continue;
        const struct host_plan small = plan_shrink(p, planted, NULL);
        cr_assert(planted(&small, NULL));
        cr_assert_eq(small.vms, 0);
        cr_assert_eq(plan_weight(&small), 1 + 1 + 2, "kvm, an I/O client, three threads: %llu",
                     (unsigned long long)plan_weight(&small));
        found++;
    }
    cr_assert_gt(found, 20);
}

/* ---- determinism ------------------------------------------------------------------------ */

struct shown {
    struct buf b;
    double throughput;
};

static struct shown run(const struct host_plan *p, uint64_t seed, bool shuffle)
{
    struct rig rig = {.stack = plan_stack(p), .seed = seed, .shuffle = shuffle};
    struct host_result r;
    struct shown s = {{0}, 0};
    char *text = plan_text(p);
    rig_run(&rig, text, &r);
    measures_pack(rig.out, &s.b);
    s.throughput = rig_number(&rig, "throughput");
    rig_end(&rig);
    free(text);
    return s;
}

static bool uses_drive(const struct host_plan *p)
{
    bool any = false;
    for (unsigned i = 0; i <= p->vms; i++)
        any = any || p->vm[i].n[PLAN_PROGRAM] == 1 || p->vm[i].n[PLAN_PROGRAM] == 2;
    return any;
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* Two I/Os may meet at the drive in one nanosecond, and the order of ties then says which is first;
 * nothing else hangs on it. */
Test(host_random, the_same_bytes_twice_and_in_any_order_of_ties)
{
    for (uint64_t seed = 1; seed <= (SANITIZED ? 20 : 60); seed++) {
        const struct host_plan p = plan_draw(seed);
        struct shown a = run(&p, seed, false), b = run(&p, seed, false), c = run(&p, seed, true);
        cr_assert(same(&a.b, &b.b), "seed %llu twice", (unsigned long long)seed);
        if (uses_drive(&p))
            cr_expect_float_eq(a.throughput, c.throughput, 0.05 * a.throughput,
                               "seed %llu, ties shuffled", (unsigned long long)seed);
        else
            cr_expect(same(&a.b, &c.b), "seed %llu, ties shuffled", (unsigned long long)seed);
        buf_free(&a.b);
        buf_free(&b.b);
        buf_free(&c.b);
    }
}
