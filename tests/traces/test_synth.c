/* Synthesized streams meet the moments that their traces publish. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "traces/lru.h"
#include "traces/synth.h"

#define N 60000

struct sample {
    double *prompt, *output, *gap;
    size_t n, gaps;
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct request_source *open_preset(const char *name, uint64_t n, uint64_t seed)
{
    struct err e = {0};
    struct synth_params p;
    struct request_source *s;
    cr_assert_eq(synth_params_preset(name, &p, &e), 0, "%s", e.msg);
    cr_assert_eq(synth_params_check(&p, name, &e), 0, "%s", e.msg);
    p.requests = n;
    cr_assert_eq(synth_open(&s, &p, seed, &e), 0, "%s", e.msg);
    return s;
}

static struct sample draw(const char *preset, uint64_t seed)
{
    struct sample m = {malloc(N * sizeof(double)), malloc(N * sizeof(double)),
                       malloc(N * sizeof(double)), 0, 0};
    struct request_source *s = open_preset(preset, N, seed);
    struct trace_request r;
    struct err e = {0};
    uint64_t last = 0;
    while (s->next(s, &r, &e) == 1) {
        cr_assert_geq(r.time_ns, last);
        m.prompt[m.n] = r.prompt_tokens;
        m.output[m.n] = r.output_tokens;
        if (m.n++)
            m.gap[m.gaps++] = (double)(r.time_ns - last) * 1e-9;
        last = r.time_ns;
    }
    s->close(s);
    cr_assert_eq(m.n, N);
    return m;
}

static void drop(struct sample *m)
{
    free(m->prompt);
    free(m->output);
    free(m->gap);
}

static double mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

static double cv(const double *v, size_t n)
{
    double m = mean(v, n), s = 0;
    for (size_t i = 0; i < n; i++)
        s += (v[i] - m) * (v[i] - m);
    return sqrt(s / (double)n) / m;
}

static double rank(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, ascending);
    return v[(size_t)ceil(q * (double)n) - 1];
}

/* Published (../shared facts): mean, median, p99 of prompt and of output, requests/s, cv of gaps
 * (0: not published).  Tolerances: 4 % for the body (the fit's own error is up to 3 %), 10 % for
 * p99, 12 % for a cv that 0.5 % of the gaps decide.                        */
static const struct {
    const char *preset;
    double prompt[3], output[3], rate, cv;
} published[] = {
    {"azure-code", {2047.848, 1469, 7436}, {27.8825, 13, 252}, 2.566686, 13.1513},
    {"azure-conv", {1154.697, 1020, 4142}, {211.126, 129, 601}, 5.530422, 1.09417},
    {"mooncake", {12035.06, 6909, 85401}, {342.619, 350, 1120}, 3.4015, 0},
    {"burstgpt", {539.98, 480, 1574}, {340.13, 291.5, 1656}, 0, 0},
};

static void near(double got, double want, double tolerance, const char *what, const char *preset)
{
    cr_expect(fabs(got / want - 1) <= tolerance, "%s: %s is %.5g, published %.5g", preset, what,
              got, want);
}

ParameterizedTestParameters(synth, meets_the_published_moments)
{
    static int row[sizeof published / sizeof *published];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, synth, meets_the_published_moments)
{
    const char *name = published[*row].preset;
    struct sample m = draw(name, 1);
    const double *p = published[*row].prompt, *o = published[*row].output;
    near(mean(m.prompt, m.n), p[0], 0.04, "mean prompt", name);
    near(rank(m.prompt, m.n, 0.5), p[1], 0.04, "median prompt", name);
    near(rank(m.prompt, m.n, 0.99), p[2], 0.10, "p99 prompt", name);
    near(mean(m.output, m.n), o[0], 0.04, "mean output", name);
    near(rank(m.output, m.n, 0.5), o[1], 0.06, "median output", name);
    near(rank(m.output, m.n, 0.99), o[2], 0.10, "p99 output", name);
    if (published[*row].rate > 0)
        near(1 / mean(m.gap, m.gaps), published[*row].rate, 0.10, "requests/s", name);
    if (published[*row].cv > 0)
        near(cv(m.gap, m.gaps), published[*row].cv, 0.12, "cv of gaps", name);
    drop(&m);
}

Test(synth, is_a_pure_function_of_its_seed)
{
    static const char *const names[] = {"mixed", "mooncake"};
    for (int k = 0; k < 2; k++) {
        struct request_source *a = open_preset(names[k], 3000, 7),
                              *b = open_preset(names[k], 3000, 7);
        struct request_source *c = open_preset(names[k], 3000, 8);
        struct trace_request x, y, z;
        struct err e = {0};
        int differ = 0;
        while (a->next(a, &x, &e) == 1) {
            cr_assert_eq(b->next(b, &y, &e), 1);
            cr_assert_eq(c->next(c, &z, &e), 1);
            cr_assert(x.time_ns == y.time_ns && x.prompt_tokens == y.prompt_tokens &&
                      x.output_tokens == y.output_tokens && x.tenant == y.tenant &&
                      x.session == y.session && x.n_prefix == y.n_prefix);
            if (x.n_prefix)
                cr_assert_eq(memcmp(x.prefix, y.prefix, x.n_prefix * sizeof *x.prefix), 0);
            differ += x.output_tokens != z.output_tokens;
        }
        cr_assert_gt(differ, 1000);
        a->close(a);
        b->close(b);
        c->close(c);
    }
}

/* Block hits of an LRU cache, against those of the published hour (FACTS of the Mooncake trace). */
Test(synth, mooncake_shares_prefixes_as_published)
{
    static const struct {
        uint32_t blocks;
        double ratio, tolerance;
    } caches[] = {{3000000 / 512, 0.1355, 0.25}, {10000000 / 512, 0.2852, 0.12}, {0, 0.3664, 0.08}};
    struct lru *c[3];
    double hits[3] = {0}, blocks = 0;
    struct request_source *s = open_preset("mooncake", 12031, 1);
    struct trace_request r;
    struct err e = {0};
    for (int i = 0; i < 3; i++)
        c[i] = lru_new(caches[i].blocks);
    while (s->next(s, &r, &e) == 1) {
        blocks += r.n_prefix;
        cr_assert_eq(r.n_prefix, (r.prompt_tokens + 511) / 512);
        for (int i = 0; i < 3; i++)
            for (uint32_t k = 0; k < r.n_prefix; k++)
                hits[i] += lru_touch(c[i], r.prefix[k]);
    }
    s->close(s);
    for (int i = 0; i < 3; i++) {
        near(hits[i] / blocks, caches[i].ratio, caches[i].tolerance, "block hit ratio", "mooncake");
        lru_free(c[i]);
    }
}

/* A tenant's mean says something of its next output: what a learned policy lives on. */
Test(synth, outputs_can_be_predicted_in_part)
{
    struct request_source *s = open_preset("azure-conv", N, 3);
    struct trace_request r;
    struct err e = {0};
    static double sum[512], all[N], who[N];
    static int count[512];
    size_t n = 0;
    while (s->next(s, &r, &e) == 1) {
        double v = log(r.output_tokens);
        cr_assert_lt(r.tenant, 512);
        sum[r.tenant] += v;
        count[r.tenant]++;
        who[n] = r.tenant;
        all[n++] = v;
    }
    s->close(s);
    double m = mean(all, n), total = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        double t = sum[(int)who[i]] / count[(int)who[i]];
        total += (all[i] - m) * (all[i] - m);
        left += (all[i] - t) * (all[i] - t);
    }
    cr_assert_lt(left / total, 0.6, "tenants explain only %.3f", 1 - left / total);
    cr_assert_gt(left / total, 0.1, "nothing is left to chance: %.3f", left / total);
}

/* Twice the average at the peak with amplitude 0.9 against a tenth in the trough. */
Test(synth, days_have_a_shape)
{
    struct err e = {0};
    struct config *c;
    struct synth_params p;
    struct request_source *s;
    struct trace_request r;
    static const char text[] =
        "{\"preset\": \"azure-conv\", \"requests\": 60000, \"rate_per_s\": 0.5,"
        "\"diurnal\": {\"amplitude\": 0.9, \"peak_h\": 12}}";
    double hour[24] = {0};
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(synth_params_read(c, &p, &e), 0, "%s", e.msg);
    cr_assert_eq(synth_open(&s, &p, 1, &e), 0, "%s", e.msg);
    while (s->next(s, &r, &e) == 1 && r.time_ns < UINT64_C(86400) * 1000000000)
        hour[r.time_ns / UINT64_C(3600000000000)]++;
    s->close(s);
    config_free(c);
    near((hour[11] + hour[12]) / 2, 0.5 * 3600 * 1.9, 0.08, "requests in the peak hour", "diurnal");
    near((hour[23] + hour[0]) / 2, 0.5 * 3600 * 0.1, 0.30, "requests in the trough", "diurnal");
}

static const struct {
    const char *text, *want;
} bad[] = {
    {"{}", "t: got an object, want a preset or classes"},
    {"{\"preset\": \"azure\"}",
     "t: preset: no preset \"azure\"; known are azure-code, azure-conv, mooncake, burstgpt, mixed"},
    {"{\"preset\": \"mixed\", \"lull\": {\"share\": 0.1, \"gaps\": 10}}",
     "t: lull: share x gaps: got 1, want less than 1"},
    {"{\"classes\": []}", "t: classes: got an array of 0, want a list of 1..8 classes"},
};

ParameterizedTestParameters(synth, refuses)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, synth, refuses)
{
    struct err e = {0};
    struct config *c;
    struct synth_params p;
    cr_assert_eq(config_parse(&c, "t", bad[*row].text, strlen(bad[*row].text), &e), 0, "%s", e.msg);
    cr_assert_lt(synth_params_read(c, &p, &e), 0);
    cr_expect_str_eq(e.msg, bad[*row].want);
    config_free(c);
}
