/* The ledger's books always balance, whatever parts it is told. */
#include <criterion/criterion.h>

#include "models/host/gpu_queue.h"
#include "models/host/ledger.h"
#include "sim/rng.h"

static uint64_t total(const struct account *a)
{
    uint64_t sum = 0;
    for (int c = 0; c < LEDGER_N; c++)
        sum += a->ns[c];
    return sum;
}

Test(host_ledger, a_stretch_is_booked_to_the_nanosecond)
{
    struct account a = {.since = 100};
    struct bill b = {0};
    b.ns[LEDGER_compute] = 50;
    b.ns[LEDGER_exit] = 20;
    const struct stretch s = {.waited = 30, .cold = 7, .entered = 5, .woke = true};
    account_stretch(&a, 215, &b, &s); /* 115 = 30 + 7 + 5 + 50 + 20 and 3 of a slower core */
    cr_expect_eq(a.ns[LEDGER_steal], 30);
    cr_expect_eq(a.ns[LEDGER_migrate], 7);
    cr_expect_eq(a.ns[LEDGER_wake], 5);
    cr_expect_eq(a.ns[LEDGER_compute], 50);
    cr_expect_eq(a.ns[LEDGER_exit], 20);
    cr_expect_eq(a.ns[LEDGER_host], 3);
    cr_expect_eq(total(&a), 115);
}

Test(host_ledger, a_stretch_may_be_booked_in_two_halves)
{
    struct account a = {.since = 0};
    struct bill b = {0};
    b.ns[LEDGER_compute] = 100;
    account_stretch(&a, 60, &b, &(struct stretch){.waited = 10});
    cr_expect_eq(b.ns[LEDGER_compute], 50, "what is left of the work");
    account_stretch(&a, 115, &b, &(struct stretch){.waited = 5});
    cr_expect_eq(a.ns[LEDGER_compute], 100);
    cr_expect_eq(a.ns[LEDGER_steal], 15);
    cr_expect_eq(total(&a), 115);
}

Test(host_ledger, random_parts_never_unbalance_it)
{
    struct rng r;
    rng_init(&r, 7, "test", "ledger");
    struct account a = {.since = 0};
    sim_time now = 0;
    for (int i = 0; i < 10000; i++) {
        struct bill b = {0};
        for (int c = 0; c < LEDGER_N; c++)
            b.ns[c] = rng_below(&r, 50);
        const struct stretch s = {rng_below(&r, 90), rng_below(&r, 90), rng_below(&r, 90),
                                  rng_below(&r, 2)};
        now += rng_below(&r, 800);
        account_stretch(&a, now, &b, &s);
        cr_assert_eq(total(&a), now);
        cr_assert_eq(a.since, now);
    }
}

Test(host_ledger, a_wait_for_another_is_what_the_other_did)
{
    struct account a = {.since = 40}, other = {.since = 40}, then;
    a.ns[LEDGER_compute] = other.ns[LEDGER_compute] = 40;
    then = other;
    account_to(&other, 70, LEDGER_io);
    account_to(&other, 90, LEDGER_compute);
    account_as(&a, 90, &other, &then, LEDGER_queue);
    cr_expect_eq(a.ns[LEDGER_io], 30);
    cr_expect_eq(a.ns[LEDGER_compute], 60);
    cr_expect_eq(total(&a), 90);
}

Test(host_ledger, shares_sum_to_one)
{
    struct ledger l = {0};
    struct account then = {.since = 0}, now = {.since = 0};
    struct bill queued = {0};
    account_to(&now, 300, LEDGER_gpu);
    account_to(&now, 1000, LEDGER_compute);
    queued.ns[LEDGER_queue] = 500;
    ledger_add(&l, &then, &now, &queued, 1500);
    struct measures *m = measures_new();
    ledger_report(&l, m);
    double sum = 0;
    for (size_t i = 0; i < m->n_number; i++)
        sum += m->number[i].value;
    cr_expect_float_eq(sum, 1, 1e-12);
    cr_expect_float_eq(*measures_find(m, "share.queue"), 1.0 / 3, 1e-12);
    measures_free(m);
}

Test(host_ledger, a_wait_for_the_gpu_tells_copies_from_kernels)
{
    struct gpu_queue q = {.depth = 8};
    cr_assert_eq(gpu_queue_add(&q, 100, 50, true), 150);   /* copy 100..150 */
    cr_assert_eq(gpu_queue_add(&q, 120, 200, false), 350); /* behind it */
    cr_assert_eq(gpu_queue_add(&q, 400, 25, true), 425);   /* after a gap */
    struct account a = {.since = 90};
    gpu_queue_book(&q, &a, 140);
    gpu_queue_book(&q, &a, 425);
    cr_expect_eq(a.ns[LEDGER_copy], 50 + 25);
    cr_expect_eq(total(&a), 425 - 90);
    gpu_queue_free(&q);
}

Test(host_ledger, the_driver_waits_when_its_ring_is_full)
{
    struct gpu_queue q = {.depth = 64};
    for (int i = 0; i < 64; i++) {
        cr_assert_leq(gpu_queue_room(&q, 1), 1);
        gpu_queue_add(&q, 1, 10, false);
    }
    cr_expect_eq(gpu_queue_room(&q, 1), 11, "when the first one has ended");
    gpu_queue_free(&q);
}
