#include <criterion/criterion.h>

#include "sim/station.h"

/* A job that writes down when it was done. */
struct client {
    struct sim *s;
    struct job j;
    sim_time done;
    int order, *clock;
};

static void finished(void *ctx, uint64_t arg)
{
    struct client *c = ctx;
    (void)arg;
    c->done = sim_now(c->s);
    c->order = ++*c->clock;
}

static struct client client(struct sim *s, int *clock, sim_time service, int prio)
{
    return (struct client){
        .s = s, .clock = clock, .j = {.service = service, .prio = prio, .done = finished}};
}

static void start(struct client *c)
{
    c->j.ctx = c;
}

Test(station, serves_by_priority_then_first_come)
{
    struct sim *s = sim_new(NULL);
    struct station *st = station_new(s, "cpu", 1);
    int clock = 0;
    struct client c[] = {client(s, &clock, 10, 0), client(s, &clock, 10, 0),
                         client(s, &clock, 10, 5), client(s, &clock, 10, 0),
                         client(s, &clock, 10, 5)};
    for (int i = 0; i < 5; i++) {
        start(&c[i]);
        station_submit(st, &c[i].j);
    }
    cr_expect_eq(station_waiting(st), 4);
    cr_expect(station_withdraw(st, &c[3].j));
    cr_expect_not(station_withdraw(st, &c[3].j));
    cr_expect_not(station_withdraw(st, &c[0].j), "it is in service");
    sim_run(s, SIM_NEVER);
    int want[] = {1, 4, 2, 0, 3};
    for (int i = 0; i < 5; i++)
        cr_expect_eq(c[i].order, want[i], "job %d was %d", i, c[i].order);
    cr_expect_eq(c[1].j.started, 30);
    cr_expect_eq(c[1].done, 40);
    station_free(st);
    sim_free(s);
}

Test(station, statistics_are_exact_integrals)
{
    struct sim *s = sim_new(NULL);
    struct station *st = station_new(s, "cpu", 2);
    int clock = 0;
    struct client c[4];
    for (int i = 0; i < 4; i++) {
        c[i] = client(s, &clock, (sim_time)(10 * (i + 1)), 0);
        start(&c[i]);
        station_submit(st, &c[i].j);
    }
    sim_run(s, 25); /* 0..10: two wait; 10..20: one; 20..25: none */
    struct station_stats x;
    station_stats(st, &x);
    cr_expect_eq(x.arrivals, 4);
    cr_expect_eq(x.completions, 2);
    cr_expect_eq(x.busy_ns, 50);
    cr_expect_eq(x.queue_ns, 30);
    cr_expect_eq(x.max_queue, 2);
    cr_expect_eq(station_busy(st), 2);
    station_free(st);
    sim_free(s);
}

/* The textbook picture: a long job slowed down while a short one visits. */
Test(sharer, shares_equally_and_exactly)
{
    struct sim *s = sim_new(NULL);
    struct sharer *sh = sharer_new(s, "gpu", 1);
    int clock = 0;
    struct client a = client(s, &clock, 100, 0), b = client(s, &clock, 20, 0),
                  d = client(s, &clock, 7, 0);
    start(&a), start(&b), start(&d);
    sharer_submit(sh, &a.j);
    sim_run(s, 30);
    sharer_submit(sh, &b.j); /* a has 70 left; b leaves at 30 + 40 */
    sim_run(s, 200);
    cr_expect_eq(b.done, 70);
    cr_expect_eq(a.done, 120); /* 30 alone, 20 in 40, 50 alone */
    sharer_submit(sh, &d.j);
    cr_expect_eq(sharer_active(sh), 1);
    cr_expect(sharer_withdraw(sh, &d.j));
    cr_expect_not(sharer_withdraw(sh, &d.j));
    sim_run(s, SIM_NEVER);
    cr_expect_eq(d.order, 0);
    struct station_stats x;
    sharer_stats(sh, &x);
    cr_expect_eq(x.busy_ns, 120);
    cr_expect_eq(x.queue_ns, 40);
    sharer_free(sh);
    sim_free(s);
}

Test(sharer, with_enough_servers_nobody_waits)
{
    struct sim *s = sim_new(NULL);
    struct sharer *sh = sharer_new(s, "cpu", 3);
    int clock = 0;
    struct client c[4];
    for (int i = 0; i < 3; i++) {
        c[i] = client(s, &clock, 60, 0);
        start(&c[i]);
        sharer_submit(sh, &c[i].j);
    }
    sim_run(s, 20);
    c[3] = client(s, &clock, 30, 0);
    start(&c[3]);
    sharer_submit(sh, &c[3].j); /* four on three: 40 left take 30 / (3/4) = 40, then 10 alone */
    sim_run(s, SIM_NEVER);
    cr_expect_eq(c[3].done, 60);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(c[i].done, 70);
    sharer_free(sh);
    sim_free(s);
}

/* No drift: the work put in comes out, whatever the pattern of sharing. */
static void again(void *ctx, uint64_t arg)
{
    struct client *c = ctx;
    (void)arg;
    c->done = sim_now(c->s);
}

Test(sharer, a_million_nanoseconds_of_thirds_lose_nothing)
{
    struct sim *s = sim_new(NULL);
    struct sharer *sh = sharer_new(s, "cpu", 1);
    int clock = 0;
    struct client c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = client(s, &clock, 1000000, 0);
        c[i].j.done = again;
        start(&c[i]);
        sharer_submit(sh, &c[i].j);
    }
    struct client poke = client(s, &clock, 1000, 0);
    start(&poke);
    for (sim_time t = 7; t < 1000000; t += 7) { /* every change of n rounds once */
        sim_run(s, t);
        sharer_submit(sh, &poke.j);
        sharer_withdraw(sh, &poke.j);
    }
    sim_run(s, SIM_NEVER);
    for (int i = 0; i < 3; i++)
        cr_expect(c[i].done >= 3000000 && c[i].done <= 3000001, "done at %lu",
                  (unsigned long)c[i].done);
    sharer_free(sh);
    sim_free(s);
}

struct taken {
    struct sim *s;
    sim_time at[8];
    int n;
};

static void took(void *ctx, uint64_t arg)
{
    struct taken *t = ctx;
    (void)arg;
    t->at[t->n++] = sim_now(t->s);
}

Test(bucket, lets_a_burst_through_and_then_the_rate)
{
    struct taken t = {.s = sim_new(NULL)};
    struct bucket *b = bucket_new(t.s, "limit", 1e9 / 100, 3); /* one in 100 ns, three at once */
    for (int i = 0; i < 5; i++)
        bucket_take(b, 1, took, &t, 0);
    bucket_take(b, 3, took, &t, 0);
    sim_run(t.s, SIM_NEVER);
    sim_time want[] = {0, 0, 0, 100, 200, 500};
    cr_expect_eq(t.n, 6);
    for (int i = 0; i < 6; i++)
        cr_expect(t.at[i] - want[i] <= 1, "take %d at %lu", i, (unsigned long)t.at[i]);
    sim_run(t.s, 100000);
    for (int i = 0; i < 2; i++) /* a full bucket holds no more than its burst */
        bucket_take(b, 3, took, &t, 0);
    sim_run(t.s, SIM_NEVER);
    cr_expect_eq(t.at[6], 100000);
    cr_expect(t.at[7] - 100300 <= 1);
    bucket_free(b);
    sim_free(t.s);
}
