/* test_llm_cost.c - the cost model against published rows that it was not fitted to. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/llm_cost.h"

static const struct {
    const char *machine, *rows;
} fits[] = {
    {"machines/h100-server.json", "tests/models/data/heldout-h100.csv"},
    {"machines/h200-server.json", "tests/models/data/heldout-h200.csv"},
    {"machines/a100-server.json", "tests/models/data/heldout-a100.csv"},
    {"machines/rtx4090-host.json", "tests/models/data/heldout-rtx4090.csv"},
};

struct opened {
    struct machine *m;
    struct machine_use u;
    struct llm_cost c;
};

static void open_machine(struct opened *o, const char *path)
{
    struct config *c;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&o->m, c, &e), 0, "%s", e.msg);
    config_free(c);
    cr_assert_eq(machine_use_begin(&o->u, o->m, &e), 0);
    cr_assert_eq(llm_cost_open(&o->c, &o->u, "llama-3.1-8b", &e), 0, "%s", e.msg);
}

static void close_machine(struct opened *o)
{
    machine_use_end(&o->u);
    machine_free(o->m);
}

/* One part of the formula, isolated by subtraction, in us. */
static double predict(const struct llm_cost *c, const char *part, uint64_t a, uint64_t b,
                      uint64_t k)
{
    struct llm_batch with = {0}, without = {0};
    if (!strcmp(part, "dense"))
        return (double)machine_table_at(c->dense, a) / 1e6;
    if (!strcmp(part, "head"))
        return (double)machine_table_at(c->head, a) / 1e6;
    if (!strcmp(part, "prompt")) {
        with = (struct llm_batch){.chunks = 1, .prompt_tokens = a, .past = b, .pairs = k};
        without.prompt_tokens = a; /* the dense part of the same tokens */
    } else {
        with = (struct llm_batch){.decoding = a, .cached = b};
        without.prompt_tokens = a;
    }
    return (double)(llm_cost_iteration(c, &with) - llm_cost_iteration(c, &without)) / 1e6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Held-out error allowed, by part: of half of the rows, of nine in ten. */
static const struct {
    const char *name;
    double median, p90;
} parts[4] = {
    {"dense", 0.06, 0.16},
    {"head", 0.06, 0.36}, /* a step at 768 sequences, where one kernel gives way to another */
    {"prompt", 0.16, 0.36},
    {"decode", 0.12, 0.22},
};

static void expect_close(const char *where, int part, double *err, size_t n)
{
    if (!n)
        return;
    qsort(err, n, sizeof *err, ascending);
    cr_expect_lt(err[n / 2], parts[part].median, "%s, %s: median error %.3f", where,
                 parts[part].name, err[n / 2]);
    cr_expect_lt(err[n * 9 / 10], parts[part].p90, "%s, %s: 90th percentile %.3f", where,
                 parts[part].name, err[n * 9 / 10]);
}

Test(llm_cost, predicts_published_rows_it_never_saw)
{
    for (size_t f = 0; f < sizeof fits / sizeof *fits; f++) {
        struct opened o;
        open_machine(&o, fits[f].machine);
        double err[4][128];
        size_t n[4] = {0}, lines = 0;
        char line[512];
        FILE *in = fopen(fits[f].rows, "r");
        cr_assert_not_null(in);
        while (fgets(line, sizeof line, in)) {
            char part[16];
            unsigned long a, b, k;
            double us;
            if (sscanf(line, "%15[a-z],%lu,%lu,%lu,%lf", part, &a, &b, &k, &us) != 5)
                continue;
            lines++;
            for (int p = 0; p < 4; p++)
                if (!strcmp(part, parts[p].name)) {
                    cr_assert_lt(n[p], 128);
                    err[p][n[p]++] = fabs(predict(&o.c, part, a, b, k) / us - 1);
                }
        }
        fclose(in);
        cr_expect_gt(lines, 50);
        for (int p = 0; p < 4; p++)
            expect_close(fits[f].machine, p, err[p], n[p]);
        close_machine(&o);
    }
}

/* No GPU reads its weights faster than its memory allows: 16.06 GB at the published peak. */
Test(llm_cost, decoding_is_never_faster_than_memory)
{
    for (size_t f = 0; f < sizeof fits / sizeof *fits; f++) {
        struct opened o;
        struct err e = {0};
        double bandwidth;
        open_machine(&o, fits[f].machine);
        cr_assert_eq(machine_value(&o.u, "gpu.bandwidth", QUANTITY_RATE, &bandwidth, &e), 0);
        struct llm_batch one = {.decoding = 1, .cached = 100, .sampled = 1};
        double s = (double)llm_cost_iteration(&o.c, &one) / 1e12, floor_s = 15e9 / bandwidth;
        cr_expect(s > floor_s && s < 2 * floor_s, "%s: %g s, weights alone %g s", fits[f].machine,
                  s, floor_s);
        close_machine(&o);
    }
}

/* k iterations in closed form and one by one are the same integer. */
Test(llm_cost, growth_is_exact)
{
    struct opened o;
    open_machine(&o, fits[0].machine);
    struct llm_batch b = {.decoding = 37, .cached = 12345, .sampled = 37};
    sim_cost first = llm_cost_iteration(&o.c, &b), sum = 0, k = 1000;
    for (sim_cost i = 0; i < k; i++) {
        sum += llm_cost_iteration(&o.c, &b);
        b.cached += b.decoding;
    }
    uint64_t straight;
    const int64_t growth = llm_cost_growth(&o.c, &b, &straight);
    cr_expect_eq(sum, k * first + (sim_cost)growth * (k * (k - 1) / 2));
    cr_expect_eq(straight, UINT64_MAX);
    close_machine(&o);
}

/* A tenth of the SMs in other hands: all times grow by 10/9, and a leap is still the same integer.
 */
Test(llm_cost, lost_multiprocessors_stretch_all_times)
{
    struct opened whole, less;
    struct err e = {0};
    open_machine(&whole, "machines/h100-server.json"); /* 132 SMs */
    open_machine(&less, "machines/h100-server.json");
    cr_assert_eq(llm_cost_without(&less.c, 12, &less.u, &e), 0, "%s", e.msg);
    struct llm_batch b = {.chunks = 2,
                          .prompt_tokens = 700,
                          .past = 90,
                          .pairs = 250000,
                          .decoding = 31,
                          .cached = 40000,
                          .sampled = 33};
    cr_expect_float_eq((double)llm_cost_iteration(&less.c, &b) /
                           (double)llm_cost_iteration(&whole.c, &b),
                       132.0 / 120, 1e-4);
    struct llm_batch decode = {.decoding = 31, .cached = 40000, .sampled = 31};
    const sim_cost first = llm_cost_iteration(&less.c, &decode);
    uint64_t straight;
    const int64_t growth = llm_cost_growth(&less.c, &decode, &straight);
    decode.cached += 31;
    cr_expect_eq(llm_cost_iteration(&less.c, &decode), first + (sim_cost)growth);
    cr_expect_eq(llm_cost_without(&whole.c, 132, &whole.u, &e), ERR_ERANGE);
    close_machine(&whole);
    close_machine(&less);
}

/* On both sides of what is looked up beforehand, with all SMs and without some. */
Test(llm_cost, few_tokens_cost_what_the_table_says)
{
    struct opened o;
    struct err e = {0};
    open_machine(&o, fits[0].machine);
    for (uint64_t lost = 0; lost <= 20; lost += 20) {
        if (lost)
            cr_assert_eq(llm_cost_without(&o.c, lost, &o.u, &e), 0, "%s", e.msg);
        const double stretch = lost ? (double)o.c.sms / (double)(o.c.sms - lost) : 1;
        for (uint64_t n = 1; n < 2 * LLM_FEW; n++) {
            const struct llm_batch b = {.prompt_tokens = n, .sampled = n};
            const double want =
                (double)o.c.fixed +
                stretch * (double)(machine_table_at(o.c.dense, n) + machine_table_at(o.c.head, n));
            cr_expect_float_eq((double)llm_cost_iteration(&o.c, &b), want, 2, "%lu", n);
        }
    }
    close_machine(&o);
}
