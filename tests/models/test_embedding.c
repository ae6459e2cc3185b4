/* test_embedding.c - tables of embeddings: hits against Che's approximation and sums of Zipf's law,
 * times against sums by hand.                                                  */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/profile.h"
#include "models/mem/touch.h"
#include "tests/models/serve_bench.h"
#include "tests/policies/opened.h"
#include "tests/sanitized.h"

extern const struct model_ops model_embedding;

enum { ROWS = 16384, LOOKUPS = 2048, BATCHES = SANITIZED ? 60 : 200 };

/* 512 bytes a row: so many rows in a GiB. */
static double gib(double rows)
{
    return rows * 512 / 0x1p30;
}

static struct measures *table(const char *more, double hbm_rows, double skew, const char *policy)
{
    char section[400];
    struct opened o;
    snprintf(section, sizeof section,
             "{\"rows\":%d,\"hbm_gib\":%.17g,\"skew\":%g,\"batch\":%d,\"pooling\":16,"
             "\"batches\":%d,\"warmup\":%d%s}",
             ROWS, gib(hbm_rows), skew, LOOKUPS / 16, BATCHES, BATCHES / 2, more);
    struct bench b = {.model = &model_embedding,
                      .section = section,
                      .machine = "machines/h100-server.json",
                      .policy = policy ? opened_policy(&o, policy) : NULL,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    if (policy)
        opened_close(&o);
    return m;
}

/* ---- where rows are ---- */

static double *zipf(double skew)
{
    double *p = malloc(ROWS * sizeof *p), all = 0;
    for (int k = 0; k < ROWS; k++)
        all += p[k] = pow(k + 1, -skew);
    for (int k = 0; k < ROWS; k++)
        p[k] /= all;
    return p;
}

/* Che, Tung, Wang 2002: a row is there if it was used within the time in which as many different
 * ones are as there is room for. */
static double che(const double *p, double room)
{
    double low = 0, high = 1e9, hit = 0;
    for (int i = 0; i < 200; i++) {
        const double t = (low + high) / 2;
        double held = 0;
        for (int k = 0; k < ROWS; k++)
            held += 1 - exp(-p[k] * t);
        *(held < room ? &low : &high) = t;
    }
    for (int k = 0; k < ROWS; k++)
        hit += p[k] * (1 - exp(-p[k] * low));
    return hit;
}

Test(embedding, a_cache_of_rows_hits_as_often_as_che_says)
{
    static const double skews[] = {0.6, 0.9, 1.05, 1.3}, rooms[] = {200, 1000, 5000};
    for (int i = 0; i < 4; i += SANITIZED ? 2 : 1) {
        double *p = zipf(skews[i]);
        for (int k = 0; k < 3; k++) {
            struct measures *m = table("", rooms[k], skews[i], "lru");
            const double ours = bench_number(m, "hbm_share"), want = che(p, rooms[k]);
            cr_expect_float_eq(ours, want, 0.01, "skew %g, room %g: %g, want %g", skews[i],
                               rooms[k], ours, want);
            measures_free(m);
        }
        free(p);
    }
}

static int descending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* Rows sorted by heat: what lies on the GPU is the top of Zipf's law.  Scattered, a page is as hot
 * as the rows on it together, and the best pages hold less of the heat, the less the larger they
 * are. */
Test(embedding, pages_hold_what_their_rows_are_worth)
{
    static const int kib[] = {4, 64};
    const double room = 2048;
    double *p = zipf(1.05), top = 0, before = 1;
    for (int k = 0; k < room; k++)
        top += p[k];
    struct measures *m = table(",\"by\":\"os\"", room, 1.05, NULL);
    cr_expect_float_eq(bench_number(m, "hbm_share"), top, 0.005);
    measures_free(m);
    for (int i = 0; i < 2; i++) {
        const int of = kib[i] * 2, pages = ROWS / of; /* rows of a page */
        double *heat = calloc((size_t)pages, sizeof *heat), best = 0, first = 0;
        char more[120];
        for (int k = 0; k < ROWS; k++)
            heat[mem_scattered((uint64_t)k, ROWS) / (uint64_t)of] += p[k];
        for (int k = 0; k < room / of; k++)
            first += heat[k];
        qsort(heat, (size_t)pages, sizeof *heat, descending);
        for (int k = 0; k < room / of; k++)
            best += heat[k];
        snprintf(more, sizeof more, ",\"by\":\"os\",\"order\":\"scattered\",\"page_kib\":%d",
                 kib[i]);
        m = table(more, room, 1.05, NULL);
        cr_expect_float_eq(bench_number(m, "hbm_share"), first, 0.005, "%d KiB", kib[i]);
        measures_free(m);
        m = table(more, room, 1.05, "place-history");
        const double share = bench_number(m, "hbm_share");
        cr_expect(share <= best + 0.005 && share > 0.93 * best, "%d KiB: %g of %g", kib[i], share,
                  best);
        cr_expect(best < before && best > first, "%d KiB: %g", kib[i], best);
        before = best;
        measures_free(m);
        free(heat);
    }
    free(p);
}

/* ---- what that takes ---- */

static double us(const char *name)
{
    static struct machine *m;
    struct config *c;
    struct err e = {0};
    if (!m) {
        cr_assert_eq(profile_load(&c, "machines/h100-server.json", &e), 0, "%s", e.msg);
        cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
        config_free(c);
    }
    return machine_find(m, name)->value / 1e6;
}

/* Of bytes at a rate of the profile. */
static double over(const char *rate, double bytes)
{
    return bytes / (us(rate) * 1e6) * 1e6;
}

static double number(struct measures *m, const char *name)
{
    return bench_number(m, name);
}

/* Two kernels look rows up; what is missing is asked for, gathered by 8 cores, copied, put in. */
Test(embedding, a_gathered_batch_takes_the_sum_of_its_parts)
{
    struct measures *m = table(",\"by\":\"process\"", 4000, 1.05, "lru");
    const double missed = (1 - number(m, "hbm_share")) * LOOKUPS;
    const double launch = us("cost.launch") + us("cost.doorbell");
    cr_expect_float_eq(number(m, "lookup"),
                       2 * launch + over("gpu.bandwidth", LOOKUPS * (512 + 256.0)), 1e-3);
    const double cores = missed * (us("memory.local.latency") + over("host.copy", 512)) / 8;
    const double ids = 1.0779, rows = 1.2652 + (missed * 512 - 65536) * (41.943 - 1.2652) / 2031616;
    const double heard = us("cost.gpu_to_host") + us("cost.poll");
    const double submit = us("cost.copy_submit") + us("cost.doorbell");
    const double want = (ids > submit ? ids : submit) + heard + cores +
                        (rows > submit ? rows : submit) + launch +
                        over("gpu.bandwidth", 2 * missed * 512);
    cr_expect_float_eq(number(m, "fill"), want, 0.02 * want, "%g, want %g", number(m, "fill"),
                       want);
    cr_expect_float_eq(number(m, "copied"), missed * 512, 1e-6 * missed * 512);
    cr_expect_float_eq(number(m, "link_in"), missed * 512, 1e-6 * missed * 512);
    cr_expect_eq(number(m, "asked"), 6);
    measures_free(m);
    m = table(",\"fill\":\"direct\"", 4000, 1.05, "lru");
    cr_expect_float_eq(number(m, "fill"), launch + over("link.direct", missed * 512), 1e-2);
    cr_expect_eq(number(m, "copied"), 0);
    cr_expect_eq(number(m, "asked"), 3);
    measures_free(m);
}

/* Nothing is looked up: one kernel reads rows where they are, the longer of two memories. */
Test(embedding, placed_rows_are_read_where_they_are)
{
    struct measures *m = table(",\"by\":\"os\"", 4000, 1.05, NULL);
    const double far = number(m, "host_share") * LOOKUPS * 512;
    cr_expect_float_eq(number(m, "lookup"),
                       us("cost.launch") + us("cost.doorbell") + over("link.direct", far), 1e-3);
    cr_expect_eq(number(m, "fill"), 0);
    cr_expect_eq(number(m, "asked"), 1);
    cr_expect_eq(number(m, "copied"), 0);
    cr_expect_float_eq(number(m, "link_in"), far, 1e-6 * far);
    measures_free(m);
    m = table(",\"by\":\"os\"", ROWS - 128, 8, NULL); /* nearly all on the GPU */
    cr_expect_float_eq(
        number(m, "lookup"),
        us("cost.launch") + us("cost.doorbell") + over("gpu.bandwidth", LOOKUPS * 512.0), 1e-2);
    measures_free(m);
}

/* What hides is the shorter of the two. */
Test(embedding, a_cache_that_is_filled_ahead_hides_behind_computing)
{
    char more[100];
    struct measures *m = table("", 1000, 0.9, "lru");
    const double fill = number(m, "fill"), lookup = number(m, "lookup");
    measures_free(m);
    for (double f = 0.25; f < 5; f *= 4) {
        snprintf(more, sizeof more, ",\"ahead\":true,\"compute_us\":%g", f * fill);
        m = table(more, 1000, 0.9, "lru");
        const double gpu = f * fill + lookup, want = (gpu > fill ? gpu : fill) / 1e3;
        cr_expect_float_eq(sketch_mean(bench_sketch(m, "batch")), want, 0.02 * want, "%g", f);
        measures_free(m);
        snprintf(more, sizeof more, ",\"compute_us\":%g", f * fill);
        m = table(more, 1000, 0.9, "lru");
        cr_expect_float_eq(sketch_mean(bench_sketch(m, "batch")), (gpu + fill) / 1e3, 1e-3);
        measures_free(m);
    }
}

/* Pages on the drive are faulted on once a batch, 256 faults at a time. */
Test(embedding, what_is_on_the_drive_stalls_the_gpu)
{
    char more[120];
    snprintf(more, sizeof more, ",\"by\":\"os\",\"page_kib\":4,\"host_gib\":%.17g",
             gib(ROWS - 3000));
    struct measures *m = table(more, 2000, 0.6, NULL);
    const double faults = number(m, "faults");
    cr_expect(faults > 10 && faults < 125, "%g", faults); /* there are 125 such pages */
    const double each = fmax(over("ssd.980-pro.read_link", 4096), 40.0 / 8);
    const double batch = us("cost.gpu_to_host") + us("cost.irq") + us("cost.gpu_fault");
    cr_expect_float_eq(number(m, "stall"), batch + faults * each, 1e-2, "%g", number(m, "stall"));
    cr_expect_float_eq(number(m, "drive_reads"), faults, 1e-9);
    cr_expect_float_eq(number(m, "hbm_share") + number(m, "host_share") + number(m, "drive_share"),
                       1, 1e-12);
    measures_free(m);
    snprintf(more, sizeof more, ",\"host_gib\":%.17g", gib(4000));
    m = table(more, 2000, 0.6, "lru");
    cr_expect_float_eq(number(m, "drive_reads"), number(m, "drive_share") * LOOKUPS, 1e-6);
    cr_expect_gt(number(m, "drive_reads"), 100);
    measures_free(m);
}

/* Each period's moves: one call each way, pages over the link, which the next batch waits for. */
Test(embedding, moves_are_paid_once_a_period)
{
    const char *more = ",\"by\":\"os\",\"order\":\"scattered\",\"page_kib\":4,\"period\":5";
    struct measures *m = table(more, 2048, 1.05, "place-history");
    const double moves = number(m, "page_moves");
    cr_expect_gt(moves, 10);
    const double far = number(m, "host_share") * LOOKUPS * 512;
    cr_expect_float_eq(number(m, "link_in") - far, moves / 2 * 4096, 1e-6 * far);
    cr_expect_float_eq(number(m, "link_out"), moves / 2 * 4096, 1e-6 * far);
    cr_expect_float_eq(number(m, "asked"), 1 + 2.0 / 5, 1e-9);
    cr_expect_float_eq(number(m, "stall"), us("memory.place_period") / 5, 1e-6);
    measures_free(m);
}
