/* Typical jobs and fragments, against the paper's definition worked out by hand and done anew. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/demand.h"
#include "models/cluster/frag.h"
#include "models/cluster/go_random.h"
#include "policies/fragments.h"
#include "tests/models/cluster_rows.h"

static struct policy_job job(uint32_t gpus, uint32_t milli, uint32_t cpu)
{
    return (struct policy_job){
        .gpus = gpus, .gpu_milli = milli, .cpu_milli = cpu, .gpu_models = POLICY_ANY_MODEL};
}

/* ---- demand ------------------------------------------------------------------------ */

static size_t fill(struct policy_job *j, size_t n, size_t count, struct policy_job like)
{
    for (size_t i = 0; i < count; i++)
        j[n + i] = like;
    return n + count;
}

Test(cluster_demand, the_most_frequent_kinds_until_they_are_enough)
{
    struct policy_job j[100];
    struct demand *d;
    struct err e = {0};
    size_t n = fill(j, 0, 4, job(8, 1000, 64000));
    n = fill(j, n, 60, job(1, 1000, 8000));
    n = fill(j, n, 6, job(1, 500, 4000));
    n = fill(j, n, 30, job(0, 0, 4000));
    for (size_t i = 0; i < n; i++)
        j[i].mem_bytes = i; /* memory makes no kind of its own */
    cr_assert_eq(demand_new(&d, j, NULL, n, 0.95, &e), 0);
    cr_expect_eq(d->all, 4);
    cr_assert_eq(d->n, 3, "60 + 30 are less than 95, with 6 more they are not");
    cr_expect_eq(d->kind[0].weight, 60);
    cr_expect(d->kind[1].weight == 30 && d->kind[1].gpus == 0);
    cr_expect(d->kind[2].weight == 6 && d->kind[2].gpu_milli == 500);
    cr_expect_eq(d->weight, 96);
    demand_free(d);
    cr_assert_eq(demand_new(&d, j, NULL, n, 1, &e), 0);
    cr_expect_eq(d->n, 4);
    demand_free(d);
}

Test(cluster_demand, equally_frequent_kinds_come_largest_first_whatever_the_order_of_rows)
{
    struct policy_job j[6] = {job(1, 500, 4000),  job(1, 500, 9000),  job(1, 700, 4000),
                              job(1, 1000, 9000), job(2, 1000, 9000), job(1, 1000, 9000)};
    const char *spec[6] = {NULL, NULL, NULL, "T4", NULL, "V100"};
    struct demand *d, *back;
    struct err e = {0};
    cr_assert_eq(demand_new(&d, j, spec, 6, 1, &e), 0);
    for (int i = 0; i < 3; i++) {
        const struct policy_job swap = j[i];
        const char *text = spec[i];
        j[i] = j[5 - i];
        j[5 - i] = swap;
        spec[i] = spec[5 - i];
        spec[5 - i] = text;
    }
    cr_assert_eq(demand_new(&back, j, spec, 6, 1, &e), 0);
    cr_assert(d->n == 6 && back->n == 6);
    for (uint32_t i = 0; i < 6; i++)
        cr_expect_eq(memcmp(&d->kind[i], &back->kind[i], sizeof *d->kind), 0, "kind %u", i);
    cr_expect(d->kind[0].gpus == 2 && d->kind[5].gpu_milli == 500 && d->kind[5].cpu_milli == 4000);
    demand_free(d);
    demand_free(back);
}

/* Row by row and all at once: the same kinds, and the source is back at its first row. */
Test(cluster_demand, of_rows_is_that_of_their_jobs)
{
    enum { ROWS = 30000 };
    struct trace_job *row = calloc(ROWS, sizeof *row);
    struct policy_job *j = calloc(ROWS, sizeof *j);
    const struct trace_node like = {.model = 0, .gpus = 8, .cpu_milli = 96000};
    struct rows_list node = rows_of_nodes(&like, 1), jobs;
    struct demand *a, *b;
    struct nodes *n;
    struct rng r;
    struct err e = {0};
    union trace_row first;
    rng_init(&r, 6, "test", "demand");
    cr_assert_eq(nodes_open(&n, &node.source, 0, &e), 0);
    for (uint32_t i = 0; i < ROWS; i++) {
        row[i] = (struct trace_job){.row = i,
                                    .gpus = (uint32_t)rng_below(&r, 3),
                                    .cpu_milli = (uint32_t)rng_below(&r, i < 20000 ? 50 : 9000),
                                    .gpu_spec = rng_below(&r, 2) ? 0 : TRACE_NAME_NONE};
        row[i].gpu_milli = row[i].gpus == 1 ? 100 * (1 + (uint32_t)rng_below(&r, 10)) : 1000;
        cr_assert_eq(nodes_job(n, &row[i], &node.source, PART_MPS, &j[i], &e), 0);
    }
    jobs = rows_of_jobs(row, ROWS);
    cr_assert_eq(demand_new(&a, j, NULL, ROWS, 0.9, &e), 0);
    cr_assert_eq(demand_of_rows(&b, n, &jobs.source, PART_MPS, 0.9, &e), 0);
    cr_assert(a->n == b->n && a->all == b->all && a->jobs == b->jobs && a->weight == b->weight);
    cr_expect_gt(a->all, 4096, "more kinds than there was room for at first");
    for (uint32_t i = 0; i < a->n; i++)
        cr_assert_eq(memcmp(&a->kind[i], &b->kind[i], sizeof *a->kind), 0, "kind %u", i);
    cr_assert_eq(jobs.source.next(&jobs.source, &first, &e), 1);
    cr_expect_eq(first.job.row, 0);
    demand_free(a);
    demand_free(b);
    nodes_free(n);
    free(row);
    free(j);
}

/* ---- fragments ------------------------------------------------------------------------ */

static const struct policy_demand three[] = {
    {.gpus = 1, .gpu_milli = 1000, .cpu_milli = 4000, .weight = 3, .gpu_models = 1},
    {.gpus = 1, .gpu_milli = 500, .cpu_milli = 2000, .weight = 1, .gpu_models = POLICY_ANY_MODEL},
    {.cpu_milli = 1000, .weight = 1, .gpu_models = POLICY_ANY_MODEL},
};

/* Free are 1000 and 300 of two GPUs.  A GPU's job and half a GPU's lose the 300 of the second, the
 * one without GPUs all 1300: 3 x 300 + 300 + 1300.  With 3 CPUs the first kind finds no room and
 * loses all, and so it does on GPUs of another model. */
Test(cluster_frag, worked_out_by_hand)
{
    struct fragments_node f = {.model = 0, .gpus = 2, .cpu_milli = 8000, .gpu_milli = {1000, 300}};
    cr_expect_eq(fragments(&f, three, 3), 2500);
    f.cpu_milli = 3000;
    cr_expect_eq(fragments(&f, three, 3), 3 * 1300 + 300 + 1300);
    f.cpu_milli = 8000;
    f.model = 1;
    cr_expect_eq(fragments(&f, three, 3), 3 * 1300 + 300 + 1300);
    f.cpu_milli = 0;
    cr_expect_eq(fragments(&f, three, 3), 5 * 1300);
    f.gpu_milli[0] = f.gpu_milli[1] = 0;
    cr_expect_eq(fragments(&f, three, 3), 0);
    const struct policy_demand two = {
        .gpus = 2, .gpu_milli = 1000, .weight = 7, .gpu_models = POLICY_ANY_MODEL};
    f = (struct fragments_node){.gpus = 4, .gpu_milli = {1000, 1000, 999, 0}};
    cr_expect_eq(fragments(&f, &two, 1), 7 * 999);
    f.gpu_milli[0] = 999;
    cr_expect_eq(fragments(&f, &two, 1), 7 * (1000 + 999 + 999));
}

/* The definition again, as the paper writes it: F = sum over typical jobs of p x what is lost. */
static double by_definition(const struct policy_node *n, const struct demand *d)
{
    double sum = 0;
    for (uint32_t m = 0; m < d->n; m++) {
        const struct policy_demand *t = &d->kind[m];
        const double p = (double)t->weight / (double)d->weight;
        uint32_t hosts = 0;
        for (uint32_t g = 0; g < n->gpus; g++)
            hosts += n->gpu_free_milli[g] >= t->gpu_milli;
        const bool good = t->gpus && hosts >= t->gpus && n->cpu_free_milli >= t->cpu_milli &&
                          t->gpu_models >> n->model & 1;
        for (uint32_t g = 0; g < n->gpus; g++)
            if (!good || n->gpu_free_milli[g] < t->gpu_milli)
                sum += p * n->gpu_free_milli[g];
    }
    return sum;
}

Test(cluster_frag, kept_node_by_node_it_is_the_sum_over_all)
{
    enum { NODES = 20, JOBS = 200 };
    struct trace_node list[NODES];
    struct policy_job j[JOBS];
    struct policy_seat seat[JOBS];
    struct rng r;
    struct err e = {0};
    struct nodes *n;
    struct demand *d;
    rng_init(&r, 3, "test", "frag");
    for (int i = 0; i < NODES; i++)
        list[i] = (struct trace_node){.model = (uint32_t)rng_below(&r, 3),
                                      .gpus = (uint32_t)rng_below(&r, 9),
                                      .cpu_milli = 32000 + 1000 * (uint32_t)rng_below(&r, 64)};
    for (int i = 0; i < JOBS; i++) {
        const uint32_t gpus = (uint32_t)rng_below(&r, 4);
        j[i] = job(gpus,
                   gpus == 1 ? 100 * (1 + (uint32_t)rng_below(&r, 10))
                   : gpus    ? 1000
                             : 0,
                   1000 * (uint32_t)rng_below(&r, 16));
        if (gpus && rng_below(&r, 3) == 0)
            j[i].gpu_models = 1 + rng_below(&r, 7);
    }
    struct rows_list rows = rows_of_nodes(list, NODES);
    cr_assert_eq(nodes_open(&n, &rows.source, 0, &e), 0);
    cr_assert_eq(demand_new(&d, j, NULL, JOBS, 0.8, &e), 0);
    struct frag *f = frag_new(n, d);
    const double empty = frag_milli(f);
    bool held[JOBS] = {false};
    for (int step = 0; step < 600; step++) {
        const uint32_t i = (uint32_t)rng_below(&r, JOBS);
        if (held[i])
            nodes_give(n, &j[i], &seat[i], 1);
        else if (!nodes_first(n, &j[i], 1, &seat[i]))
            continue;
        else
            nodes_take(n, &j[i], &seat[i], 1);
        held[i] = !held[i];
        frag_changed(f, seat[i].node);
        double sum = 0;
        for (uint32_t k = 0; k < n->n; k++)
            sum += by_definition(&n->node[k], d);
        cr_assert_float_eq(frag_milli(f), sum, 1e-6 * sum + 1e-9);
        cr_assert(frag_milli(f) <= (double)n->gpu_milli_free + 1e-6);
    }
    for (int i = 0; i < JOBS; i++)
        if (held[i]) {
            nodes_give(n, &j[i], &seat[i], 1);
            frag_changed(f, seat[i].node);
        }
    cr_expect_float_eq(frag_milli(f), empty, 1e-9);
    frag_free(f);
    demand_free(d);
    nodes_free(n);
}

/* ---- Go's stream ------------------------------------------------------------------------ */

/* What every Go program before 1.20 that forgot to seed printed; and the first number after
 * rand.Seed(42). */
Test(cluster_go_random, is_the_stream_of_go)
{
    static const uint32_t first[] = {81, 87, 47, 59, 81, 18, 25, 40, 56, 0};
    struct go_random r;
    go_random_seed(&r, 1);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        cr_expect_eq(go_random_intn(&r, 100), first[i], "number %zu", i);
    go_random_seed(&r, 42);
    cr_expect_eq(go_random_u64(&r) & INT64_MAX, UINT64_C(3440579354231278675));
    struct go_random zero, same;
    go_random_seed(&zero, 0);
    go_random_seed(&same, 89482311);
    cr_expect_eq(go_random_u64(&zero), go_random_u64(&same));
    go_random_seed(&r, -1);
    go_random_seed(&same, INT32_MAX - 1);
    cr_expect_eq(go_random_u64(&r), go_random_u64(&same));
}

Test(cluster_go_random, numbers_below_n_are_equally_likely)
{
    uint32_t seen[7] = {0}, swapped[7] = {0};
    struct go_random r;
    go_random_seed(&r, 7);
    for (int i = 0; i < 70000; i++) {
        seen[go_random_intn(&r, 7)]++;
        swapped[go_random_swap(&r, 6)]++;
    }
    for (int i = 0; i < 7; i++)
        cr_expect(seen[i] > 9600 && seen[i] < 10400 && swapped[i] > 9600 && swapped[i] < 10400,
                  "%d: %u, %u", i, seen[i], swapped[i]);
    cr_expect_eq(go_random_intn(&r, 1), 0);
}
