/* Policies of cluster.share: what their sources promise of the parts they make, on small clusters
 * and on random ones; every answer goes through the guard. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/rounds/lp.h"
#include "sim/rng.h"

enum { JOBS = 24, TYPES = 3, KINDS = 5 };

static struct policy *loaded;
static struct policy_session *session;
static struct policy_slot slot;
static struct config *params;

static double rate[TYPES * KINDS], beside[TYPES * KINDS * KINDS];
static uint32_t gpus[TYPES];
static struct policy_round_job job[JOBS];
static struct policy_round_obs o;
static struct policy_part part[POLICY_PARTS_MAX(JOBS, TYPES)];
static double x[JOBS * TYPES]; /* of each job alone */

static void begin(const char *name, const char *text)
{
    struct err e = {0};
    params = NULL;
    cr_assert_eq(policy_load(&loaded, name, &e), 0, "%s", e.msg);
    cr_assert(!text || !config_parse(&params, "params", text, strlen(text), &e));
    slot = (struct policy_slot){.ops = policy_ops(loaded)};
    struct policy_session_want want = {.seed = 1, .params = params};
    cr_assert_eq(policy_host_open(&session, &slot, &want, &e), 0, "%s", e.msg);
}

static void end(void)
{
    struct err e = {0};
    cr_assert_eq(policy_host_close(session, &e), 0);
    policy_unload(loaded);
    config_free(params);
}

/* n jobs, all of kind 0 on one GPU; a cluster of 1 GPU of each of `types`. */
static void world(uint32_t n, uint32_t types)
{
    o = (struct policy_round_obs){.now_ns = 1,
                                  .n = n,
                                  .types = types,
                                  .kinds = KINDS,
                                  .most = POLICY_PARTS_MAX(n, types),
                                  .job = job,
                                  .gpus = gpus,
                                  .rate = rate};
    for (uint32_t t = 0; t < TYPES; t++)
        gpus[t] = 1;
    for (uint32_t i = 0; i < TYPES * KINDS; i++)
        rate[i] = 1;
    for (uint32_t i = 0; i < JOBS; i++)
        job[i] =
            (struct policy_round_job){.id = 2 * i, .kind = 0, .gpus = 1, .weight = 1, .steps = 100};
}

static uint32_t ask(void)
{
    const uint32_t n = policy_slot_parts(&slot, &o, part);
    cr_assert_eq(slot.ejected, EJECT_NONE, "%s", slot.eject_note);
    memset(x, 0, sizeof x);
    for (uint32_t i = 0; i < n; i++)
        if (part[i].beside == POLICY_NONE)
            x[part[i].job * o.types + part[i].type] += part[i].part;
    return n;
}

static double all_of(uint32_t i)
{
    double sum = 0;
    for (uint32_t t = 0; t < o.types; t++)
        sum += x[i * o.types + t];
    return sum;
}

Test(rounds_policies, max_min_shares_one_gpu_by_weight)
{
    begin("rounds-gavel", NULL);
    world(2, 1);
    job[1].weight = 3;
    ask();
    cr_expect_float_eq(x[0], 0.25, 1e-6);
    cr_expect_float_eq(x[1], 0.75, 1e-6);
    end();
}

/* Kind 0 runs 4 steps/s on type 0 and 1 on type 1; kind 1 runs 1 on both.  Worth of all of a job's
 * time: 1.6 and 0.4; 1 and 1.  The second has all of type 1 and p of type 0, as well off as the
 * first with the rest: 1.6 (1 - p) = 1 for p = 0 at most, for a job has no more than all its time:
 * (1.6, 1), and the worst can't be better. */
Test(rounds_policies, max_min_puts_jobs_where_they_are_fast)
{
    begin("rounds-gavel", NULL);
    world(2, 2);
    job[1].kind = 1;
    rate[0] = 4;
    ask();
    cr_expect_float_eq(x[0], 1, 1e-6);
    cr_expect_float_eq(x[3], 1, 1e-6);
    cr_expect(x[1] < 1e-6 && x[2] < 1e-6);
    end();
}

static double worth(uint32_t i, uint32_t t)
{
    double even = 0, all = 0;
    for (uint32_t k = 0; k < o.types; k++) {
        even += rate[k * KINDS + job[i].kind] * gpus[k];
        all += gpus[k];
    }
    return rate[t * KINDS + job[i].kind] / (even / all) * job[i].gpus / job[i].weight;
}

static void random_world(struct rng *r)
{
    static const double weights[] = {1, 1, 2};
    world(1 + (uint32_t)rng_below(r, JOBS), 1 + (uint32_t)rng_below(r, TYPES));
    for (uint32_t i = 0; i < TYPES * KINDS; i++)
        rate[i] = 0.1 + 10 * rng_unit(r);
    for (uint32_t t = 0; t < TYPES; t++)
        gpus[t] = 4 + (uint32_t)rng_below(r, 4);
    for (uint32_t i = 0; i < o.n; i++) {
        job[i].kind = (uint32_t)rng_below(r, KINDS);
        job[i].gpus = job[i].kind == 4 ? 2 : 1;
        job[i].weight = weights[rng_below(r, 3)];
        job[i].steps = 1 + 1000 * rng_unit(r);
    }
}

/* The same program with an unknown for every job: nothing is lost by taking equal jobs together.
 * floor NULL: the best for the worst; else the largest sum with each job at least at its floor. */
static double by_job(const double *floor, double *got)
{
    const uint32_t T = o.types, cols = o.n * T + 1;
    static double gain[JOBS * TYPES + 1], most[2 * JOBS + TYPES], v[4 * JOBS * TYPES];
    static uint32_t row[4 * JOBS * TYPES], col[4 * JOBS * TYPES];
    uint32_t k = 0;
    memset(gain, 0, sizeof gain);
    gain[cols - 1] = floor ? 0 : 1;
    for (uint32_t i = 0; i < o.n; i++) {
        most[i] = 1;
        most[o.n + i] = floor ? -floor[i] : 0;
        for (uint32_t t = 0; t < T; t++) {
            const uint32_t c = i * T + t;
            gain[c] = floor ? worth(i, t) : 0;
            row[k] = i, col[k] = c, v[k++] = 1;
            row[k] = o.n + i, col[k] = c, v[k++] = -worth(i, t);
            row[k] = 2 * o.n + t, col[k] = c, v[k++] = job[i].gpus;
        }
        if (!floor)
            row[k] = o.n + i, col[k] = cols - 1, v[k++] = 1;
    }
    for (uint32_t t = 0; t < T; t++)
        most[2 * o.n + t] = gpus[t];
    const struct policy_lp q = {.rows = 2 * o.n + T,
                                .cols = cols,
                                .entries = k,
                                .gain = gain,
                                .most = most,
                                .row = row,
                                .col = col,
                                .value = v};
    cr_assert_eq(lp_solve(&q, got), 0);
    double sum = got[cols - 1];
    for (uint32_t c = 0; floor && c < cols - 1; c++)
        sum += gain[c] * got[c];
    return sum;
}

Test(rounds_policies, max_min_is_the_best_for_the_worst_and_leaves_nothing)
{
    struct rng r;
    static double got[JOBS * TYPES + 1];
    rng_init(&r, 1, "test", "max-min");
    begin("rounds-gavel", NULL);
    for (int pass = 0; pass < 60; pass++) {
        double at[JOBS], least = 1e300, sum = 0, users = 0, all = 0;
        random_world(&r);
        ask();
        for (uint32_t i = 0; i < o.n; i++) {
            at[i] = 0;
            for (uint32_t t = 0; t < o.types; t++)
                at[i] += worth(i, t) * x[i * o.types + t];
            least = at[i] < least ? at[i] : least;
            sum += at[i];
            users += job[i].weight;
        }
        for (uint32_t t = 0; t < o.types; t++)
            all += gpus[t];
        cr_expect_float_eq(least, by_job(NULL, got), 1e-6, "the worst off, %u jobs", o.n);
        for (uint32_t i = 0; i < o.n; i++)
            at[i] -= 1e-7;
        cr_expect_leq(by_job(at, got), sum + 1e-4, "somebody could have more, nobody less");
        double equal = all / users; /* a GPU's weight each, and no more than it can use */
        for (uint32_t i = 0; i < o.n; i++)
            equal = job[i].gpus / job[i].weight < equal ? job[i].gpus / job[i].weight : equal;
        cr_expect_geq(least, equal - 1e-6, "worse than equal parts");
    }
    end();
}

Test(rounds_policies, makespan_ends_all_jobs_at_once)
{
    begin("rounds-makespan", NULL);
    world(2, 1);
    job[1].steps = 300; /* 400 steps on one GPU: in proportion */
    ask();
    cr_expect_float_eq(x[0], 0.25, 1e-6);
    cr_expect_float_eq(x[1], 0.75, 1e-6);
    end();
}

Test(rounds_policies, las_gives_all_the_same_time)
{
    begin("rounds-las", NULL);
    world(6, 3);
    job[5].gpus = 3;
    gpus[0] = 2; /* four GPUs for six */
    ask();
    for (uint32_t i = 0; i < 6; i++) {
        cr_expect_float_eq(all_of(i) * job[i].gpus, 4.0 / 6, 1e-9);
        cr_expect_float_eq(x[i * 3], 2 * x[i * 3 + 1], 1e-9, "in proportion to the types");
    }
    world(2, 3); /* fewer jobs than GPUs: all of their time */
    ask();
    cr_expect(all_of(0) > 1 - 1e-9 && all_of(1) > 1 - 1e-9);
    end();
}

Test(rounds_policies, fifo_holds_its_gpu_and_nobody_passes)
{
    begin("rounds-fifo", NULL);
    world(3, 2);
    ask();
    cr_expect(x[0] == 1 && x[3] == 1 && all_of(2) == 0);
    memmove(job, job + 1, sizeof job - sizeof *job); /* the first has ended */
    ask();
    cr_expect(x[1] == 1, "the second stays on type 1");
    cr_expect(x[2] == 1, "the third has type 0");
    end();
    begin("rounds-fifo", "{\"choice\": \"best\"}");
    world(2, 2);
    rate[KINDS] = 2; /* type 1 is the faster */
    ask();
    cr_expect(x[1] == 1 && x[2] == 1);
    end();
}

/* Three jobs of 300, 100 and 200 steps wait for one GPU: the shortest has it. */
Test(rounds_policies, allox_starts_the_shortest)
{
    begin("rounds-allox", NULL);
    world(3, 1);
    job[0].steps = 300;
    job[2].steps = 200;
    ask();
    cr_expect(x[0] == 0 && x[1] == 1 && x[2] == 0);
    job[2].steps = 1;
    ask();
    cr_expect(x[1] == 1, "it keeps it until it ends");
    end();
}

/* Two jobs, two types: 100 and 110 s on the fast one, 300 and 120 s on the slow one.  Least in all:
 * 100 + 120, so the second goes where it is slower. */
Test(rounds_policies, allox_weighs_types)
{
    begin("rounds-allox", NULL);
    world(2, 2);
    job[1].kind = 1;
    rate[KINDS] = 1.0 / 3;
    rate[1] = 100.0 / 110;
    rate[KINDS + 1] = 100.0 / 120;
    ask();
    cr_expect(x[0] == 1 && x[3] == 1);
    end();
}

Test(rounds_policies, gandiva_pairs_when_jobs_are_more_than_gpus)
{
    begin("rounds-gandiva", NULL);
    for (uint32_t i = 0; i < TYPES * KINDS * KINDS; i++)
        beside[i] = 0.8;
    world(4, 3);
    o.beside = beside;
    cr_expect_eq(ask(), 2 * 3, "two pairs on three types");
    for (uint32_t i = 0; i < 6; i++)
        cr_expect(part[i].beside != POLICY_NONE && part[i].part > 0.333 && part[i].part < 0.334);
    const uint32_t with = part[0].beside;
    ask();
    cr_expect_eq(part[0].beside, with, "they stay together");
    world(3, 3);
    o.beside = beside;
    cr_expect_eq(ask(), 9, "as many as GPUs: each alone");
    end();
}
