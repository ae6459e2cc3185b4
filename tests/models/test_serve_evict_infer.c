/* test_serve_evict_infer.c - a policy at mem.evict that asks a network for each victim: the
 * iteration that wants the room waits for it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/net_rig.h"
#include "tests/models/prefix_requests.h"
#include "tests/models/serve_bench.h"

#define FRAMES 4096

static struct { /* first told of, first to go */
    uint32_t frame[FRAMES];
    bool there[FRAMES];
    uint32_t n;
} fifo;

static int mem_begin(void *self, const struct policy_mem *m)
{
    (void)self;
    cr_assert_leq(m->frames, FRAMES);
    memset(&fifo, 0, sizeof fifo);
    return 0;
}
static void mem_hit(void *self, const struct policy_access *a)
{
    (void)self, (void)a;
}
static void mem_insert(void *self, const struct policy_access *a)
{
    (void)self;
    fifo.frame[fifo.n++] = a->frame;
}
static uint32_t mem_evict(void *self, const struct policy_access *incoming)
{
    (void)self, (void)incoming;
    const uint32_t f = fifo.frame[0];
    net_asked();
    memmove(fifo.frame, fifo.frame + 1, --fifo.n * sizeof *fifo.frame);
    return f;
}
static const struct policy_ops ops = {.abi = POLICY_ABI,
                                      .name = "asks",
                                      .mem_begin = mem_begin,
                                      .mem_hit = mem_hit,
                                      .mem_insert = mem_insert,
                                      .mem_evict = mem_evict};

static struct measures *under(const struct prefix_requests *p, const char *mode, const char *leap)
{
    char section[240];
    struct policy_slot slot = {.ops = &ops, .label = "asks"};
    const struct bench b = {.section = section,
                            .dense_us = {500.5, 9001.25},
                            .step_us = 30.7,
                            .kv_tokens = 6000,
                            .n = p->n,
                            .traced = p->r,
                            .evict = &slot,
                            .infer = &net_infer,
                            .exact = true};
    snprintf(
        section, sizeof section,
        "{\"model\":\"toy\",\"kv_fraction\":1,\"max_running\":1,\"prefix_block\":64,\"leap\":%s,"
        "\"infer\":{\"mode\":\"%s\"}}",
        leap, mode);
    net_infer.tap->held[0] = 0; /* the policy has opened it */
    net_infer.tap->n_held = 1;
    (void)net_answers();
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(slot.ejected, EJECT_NONE, "%s", slot.eject_note);
    return m;
}

/* All come at once and run one after another, so that nothing hides the waiting. */
Test(serve_evict_infer, iterations_wait_for_their_victims)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 200, 64, 3);
    for (size_t i = 0; i < p.n; i++)
        p.r[i].time_ns = 0;
    net_costs(70);
    struct measures *free_of_it = under(&p, "free", "true");
    const double asked = (double)net_answers();
    struct measures *async = under(&p, "async", "true");
    struct measures *wait = under(&p, "wait", "true"), *steps = under(&p, "wait", "false");
    cr_expect_eq(asked, (double)net_answers());
    cr_expect_gt(asked, 500);
    cr_expect_eq(bench_number(wait, "infer_calls"), asked);
    cr_expect_float_eq(bench_number(wait, "infer_cpu_time"), asked * 70e-6, 1e-9);
    cr_expect_float_eq(bench_number(wait, "makespan") - bench_number(free_of_it, "makespan"),
                       asked * 70e-6, 1e-6);
    cr_expect_eq(bench_number(wait, "prefix_hit_ratio"),
                 bench_number(free_of_it, "prefix_hit_ratio"));
    cr_expect_float_eq(bench_number(async, "infer_cpu_time"), asked * 70e-6, 1e-9);
    cr_expect_lt(bench_number(async, "makespan"), bench_number(wait, "makespan"));
    bench_same(wait, steps);
    measures_free(free_of_it);
    measures_free(async);
    measures_free(wait);
    measures_free(steps);
    prefix_requests_free(&p);
}
