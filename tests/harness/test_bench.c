/* What the benchmarks promise: both sides of a comparison did the same work
 * (they fail otherwise), and every row is a number.  Speed is not tested.   */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "harness/bench/bench.h"
#include "harness/bench/bench_coro.h"
#include "harness/bench/bench_engine.h"

static void run(int (*part)(struct bench *, struct err *), size_t rows)
{
    struct bench b = {.quick = true, .repeats = 2};
    struct err e = {0};
    cr_assert_eq(part(&b, &e), 0, "%s", e.msg);
    cr_expect_eq(b.rows, rows);
    for (size_t i = 0; i < b.rows; i++)
        cr_expect(b.row[i].min > 0 && b.row[i].median >= b.row[i].min && isfinite(b.row[i].median),
                  "%s", b.row[i].name);
    free(b.row);
}

Test(bench, phold_does_the_work_of_plain_c)
{
    run(bench_phold, 6);
}

Test(bench, mm1_serves_the_customers_of_plain_c)
{
    run(bench_mm1, BENCH_CORO ? 8 : 2);
}

/* The plain heap is the yardstick: it must sort. */
Test(bench, the_plain_heap_sorts)
{
    struct plain_entry room[1000];
    struct plain_heap h = {.at = room};
    uint64_t random = 1, last = 0;
    for (int i = 0; i < 1000; i++)
        plain_push(&h, bench_below(&random, 500), 0);
    while (h.n) {
        uint64_t now = plain_pop(&h).when;
        cr_expect_geq(now, last);
        last = now;
    }
}

/* Every policy replays to the end without being ejected. */
/* Timelines of which it is known when they end. */
Test(bench, gpu_replays_timelines_to_their_end)
{
    run(bench_gpu, 7);
}

Test(bench, memory_replays_under_every_policy)
{
    run(bench_memory, 12);
}

Test(bench, fleet_serves_every_request)
{
    run(bench_fleet, 8);
}

Test(bench, cluster_places_every_pod_under_every_policy)
{
    run(bench_cluster, 10);
}
