/* Synthesized jobs: against what is published of Philly, closed forms, and their own promises. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/synth_rig.h"
#include "traces/schema.h"

#define MANY  1000000
#define SIGMA 4.5 /* how many standard errors a sampled figure may be off: 7 in a million are */

static struct trace_job *jobs_of(const char *text, uint64_t seed, size_t n)
{
    struct err e = {0};
    struct row_source *s = synth_text(text, seed, &e);
    struct trace_job *j = calloc(n, sizeof *j);
    union trace_row row;
    cr_assert(s && j, "%s", e.msg);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(s->next(s, &row, &e), 1);
        j[i] = row.job;
        cr_assert(i == 0 || j[i].time_ns >= j[i - 1].time_ns);
        cr_assert_eq(j[i].row, i);
    }
    s->close(s);
    return j;
}

static void digest(struct row_source *s, char hex[SHA256_HEX])
{
    union trace_row row;
    struct sha256 sha;
    uint64_t n = 0;
    sha256_init(&sha);
    for (; s->next(s, &row, NULL) == 1; n++)
        schema_digest(s->table, &row, &sha);
    cr_assert_eq(n, 3000);
    sha256_hex(&sha, hex);
}

#define ALL                                                                                        \
    "{\"table\": \"jobs\", \"rows\": 3000, \"rate_per_h\": 50, \"cv\": 2, \"diurnal\": "           \
    "{\"amplitude\": 0.5}, \"users\": 7, \"groups\": 3, \"cpu_per_gpu\": 8, "                      \
    "\"mem_gib_per_gpu\": 64, \"gpus\": {\"values\": [0.5, 1, 8], \"weights\": [1, 2, 1]}, "       \
    "\"duration\": {\"median_s\": 600, \"sigma\": 1.5, \"max_s\": 86400}}"

/* Made on one machine: another digest is another trace for everybody who replays it. */
static const struct {
    const char *text, *digest;
} golden[] = {
    {"{\"preset\": \"philly\", \"rows\": 3000}",
     "c7efd5dc12a83a280cd9fc33ee11a95e34619afe895cbca5d9f4b7f44f24e21e"},
    {ALL, "e26c417ba9ecd4cd9d8ca05974cc8cabd0d37563bf8aa5bab15aceee6a50f41b"},
};

Test(synth_jobs, same_seed_same_rows_here_and_everywhere)
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        char a[SHA256_HEX], b[SHA256_HEX], other[SHA256_HEX];
        struct err e = {0};
        struct row_source *s = synth_text(golden[i].text, 7, &e);
        digest(s, a);
        cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
        digest(s, b);
        s->close(s);
        s = synth_text(golden[i].text, 8, &e);
        digest(s, other);
        s->close(s);
        cr_expect_str_eq(a, b, "rewound");
        cr_expect_str_eq(a, golden[i].digest);
        cr_expect(strcmp(a, other), "another seed");
    }
}

static void near_mean(const char *what, const double *v, size_t n, double want)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        squares += v[i] * v[i];
    }
    double mean = sum / (double)n, sd = sqrt(squares / (double)n - mean * mean);
    cr_expect_leq(fabs(mean - want), SIGMA * sd / sqrt((double)n), "%s: mean %.10g, want %.10g",
                  what, mean, want);
}

/* So many of n, where each is one with probability p. */
static void near_share(const char *what, double count, size_t n, double p)
{
    double mean = p * (double)n;
    cr_expect_leq(fabs(count - mean), SIGMA * sqrt(mean * (1 - p)) + 1, "%s: %g, want %g", what,
                  count, mean);
}

static size_t below(const double *v, size_t n, double bound)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += v[i] < bound;
    return count;
}

#define PHILLY_N 82247.0 /* jobs; all figures: traces/synth_jobs_params.c says where from */
static const struct {
    uint32_t gpus;
    double jobs;
} philly_gpus[] = {{1, 76627}, {2, 1818}, {4, 1870}, {8, 1643}, {12, 7},
                   {16, 199},  {24, 7},   {32, 67},  {64, 6},   {128, 3}};

Test(synth_jobs, philly_asks_for_gpus_as_often_as_published)
{
    struct trace_job *j = jobs_of("{\"preset\": \"philly\", \"rows\": 1000000}", 11, MANY);
    double *gpus = malloc(MANY * sizeof *gpus), sum = 0;
    for (size_t k = 0; k < sizeof philly_gpus / sizeof *philly_gpus; k++) {
        double count = 0;
        for (size_t i = 0; i < MANY; i++)
            count += j[i].gpus == philly_gpus[k].gpus;
        near_share("GPUs", count, MANY, philly_gpus[k].jobs / PHILLY_N);
        sum += count;
    }
    cr_expect_eq(sum, MANY);
    for (size_t i = 0; i < MANY; i++)
        gpus[i] = j[i].gpus;
    near_mean("GPUs", gpus, MANY, 1.303816553);
    free(gpus);
    free(j);
}

static double philly_above(double s) /* P(duration > s): the preset's two lognormals */
{
    double one = 0.5 * erfc(log(s / 987.1116) / 1.976912 / sqrt(2));
    double many = 0.5 * erfc(log(s / 15348.6) / 1.976912 / sqrt(2));
    return (76627 * one + 5620 * many) / PHILLY_N;
}

Test(synth_jobs, philly_runs_as_long_as_published)
{
    struct trace_job *j = jobs_of("{\"preset\": \"philly\", \"rows\": 1000000}", 12, MANY);
    double *s = malloc(MANY * sizeof *s), *gpu_s = malloc(MANY * sizeof *s), longest = 0;
    for (size_t i = 0; i < MANY; i++) {
        s[i] = (double)j[i].duration_ns * 1e-9;
        gpu_s[i] = s[i] * j[i].gpus;
        longest = fmax(longest, s[i]);
    }
    near_mean("duration", s, MANY, 13135.9314);
    near_mean("GPU time", gpu_s, MANY, 42811.0752);
    near_share("median", (double)below(s, MANY, 1144), MANY, 0.5);
    cr_expect_eq(longest, 4628226); /* 23 of a million are cut there */
    /* Not fitted: the p99 is 199,861 s, 21.6 % below what is published. */
    near_share("p99", (double)below(s, MANY, 199861), MANY, 0.99);
    cr_expect_float_eq(199861 / 254884.0 - 1, -0.216, 0.0005);
    for (double at = 10; at < 4e6; at *= 3)
        near_share("longer", MANY - (double)below(s, MANY, at), MANY, philly_above(at));
    free(s);
    free(gpu_s);
    free(j);
}

Test(synth_jobs, philly_comes_as_often_as_published)
{
    struct trace_job *j = jobs_of("{\"preset\": \"philly\", \"rows\": 1000000}", 13, MANY);
    double *gap = malloc(MANY * sizeof *gap), hour[24] = {0};
    const size_t n = MANY - 1;
    for (size_t i = 0; i < n; i++) {
        gap[i] = (double)(j[i + 1].time_ns - j[i].time_ns) * 1e-9;
        hour[j[i].time_ns / UINT64_C(3600000000000) % 24]++;
    }
    near_mean("gap", gap, n, 114.3969312);
    /* Published in whole seconds. */
    cr_expect(below(gap, n, 7.5) < n / 2 && below(gap, n, 8.5) > n / 2, "median %zu %zu of %zu",
              below(gap, n, 7.5), below(gap, n, 8.5), n);
    /* Not fitted: the p99 is some 1,390 s, 2.3 times what is published (601 s). */
    cr_expect(below(gap, n, 1340) < n * 0.99 && below(gap, n, 1440) > n * 0.99);
    /* Bursts: counts vary by cv^2 more than Poisson's, so the cosine is met less closely. */
    for (int h = 0; h < 24; h++) {
        double want = 1 + 0.2877 * cos(2 * M_PI * (h + 0.5 - 4.981) / 24);
        cr_expect_leq(fabs(hour[h] * 24 / MANY - want), SIGMA * 2.3905 * sqrt(24.0 * want / MANY),
                      "hour %d: %g, want %g", h, hour[h] * 24 / MANY, want);
    }
    free(gap);
    free(j);
}

Test(synth_jobs, without_a_day_and_with_cv_one_arrivals_are_poisson)
{
    struct trace_job *j =
        jobs_of("{\"table\": \"jobs\", \"rows\": 1000000, \"rate_per_h\": 3600, \"gpus\": "
                "{\"values\": [1], \"weights\": [1]}, \"duration\": {\"median_s\": 60, "
                "\"sigma\": 0}}",
                3, MANY);
    double *gap = malloc(MANY * sizeof *gap);
    const size_t n = MANY - 1;
    for (size_t i = 0; i < n; i++) {
        gap[i] = (double)(j[i + 1].time_ns - j[i].time_ns) * 1e-9;
        cr_assert_eq(j[i].duration_ns, UINT64_C(60000000000));
        cr_assert(j[i].user == TRACE_NAME_NONE && j[i].group == TRACE_NAME_NONE);
    }
    near_mean("gap", gap, n, 1);
    for (double t = 0.01; t < 10; t *= 2)
        near_share("gaps below", (double)below(gap, n, t), n, 1 - exp(-t));
    free(gap);
    free(j);
}

static double zipf_share(double k, double n, double s)
{
    double sum = 0;
    for (double i = 1; i <= n; i++)
        sum += pow(i, -s);
    return pow(k, -s) / sum;
}

Test(synth_jobs, users_have_one_group_and_both_are_zipf)
{
    /* 8 users in 3 groups: 3 in the first and the second, 2 in the third */
    const char *text =
        "{\"table\": \"jobs\", \"rows\": 100000, \"users\": 8, \"groups\": 3, \"group_zipf\": 1.5,"
        "\"user_zipf\": 0.7, \"gpus\": {\"values\": [1], \"weights\": [1]}, "
        "\"duration\": {\"median_s\": 60, \"sigma\": 1}}";
    struct trace_job *j = jobs_of(text, 5, 100000);
    double user[8] = {0};
    for (size_t i = 0; i < 100000; i++) {
        cr_assert(j[i].group < 3 && j[i].user >= 3 && j[i].user < 11);
        cr_assert_eq((j[i].user - 3) % 3, j[i].group);
        user[j[i].user - 3]++;
    }
    for (int u = 0; u < 8; u++)
        near_share("user", user[u], 100000,
                   zipf_share(u % 3 + 1, 3, 1.5) * zipf_share(u / 3 + 1, u % 3 < 2 ? 3 : 2, 0.7));
    struct err e = {0};
    struct row_source *s = synth_text(text, 5, &e);
    cr_expect_str_eq(s->name(s, 2), "group-2");
    cr_expect_str_eq(s->name(s, 3), "user-0");
    cr_expect_str_eq(s->name(s, 10), "user-7");
    cr_expect_null(s->name(s, 11));
    s->close(s);
    free(j);
}

Test(synth_jobs, cpus_and_memory_go_with_the_gpus)
{
    struct trace_job *j = jobs_of(ALL, 1, 3000);
    double parts = 0;
    for (size_t i = 0; i < 3000; i++) {
        bool part = j[i].gpu_milli == 500;
        parts += part;
        cr_assert(part ? j[i].gpus == 1 : j[i].gpus == 1 || j[i].gpus == 8);
        cr_assert(part || j[i].gpu_milli == 1000);
        cr_expect_eq(j[i].cpu_milli, part ? 4000 : 8000 * j[i].gpus);
        cr_expect_eq(j[i].mem_bytes, (UINT64_C(1) << 30) * (part ? 32 : 64 * j[i].gpus));
        cr_expect_leq(j[i].duration_ns, UINT64_C(86400000000000));
    }
    near_share("parts of a GPU", parts, 3000, 0.25);
    free(j);
}

#define ONE "\"gpus\": {\"values\": [1], \"weights\": [1]}"
#define RUN "\"duration\": {\"median_s\": 60, \"sigma\": 1}"

static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"table\": \"jobs\", " ONE "}", "t: got an object, want gpus with duration and no classes"},
    {"{\"preset\": \"philly\", " RUN "}",
     "t: got an object, want gpus with duration and no classes"},
    {"{\"table\": \"jobs\", \"classes\": []}",
     "t: classes: got an array of 0, want a list of 1..8 classes"},
    {"{\"table\": \"jobs\", \"classes\": [{\"weight\": 0, " ONE ", " RUN "}]}",
     "t: classes: got an array of 1, want a weight above 0"},
    {"{\"table\": \"jobs\", " RUN ", \"gpus\": {\"values\": [1], \"weights\": [0]}}",
     "t: gpus.weights: got an array of 1, want a weight above 0"},
    {"{\"table\": \"jobs\", " ONE
     ", \"duration\": {\"median_s\": 60, \"sigma\": 1, \"max_s\": 59}}",
     "t: duration: got an object, want max_s not below median_s"},
    {"{\"preset\": \"philly\", \"users\": 14}",
     "t: got an object, want users not below groups: each has one group"},
    {"{\"preset\": \"philly\", \"diurnal\": {\"amplitude\": 1}}", NULL},
    {"{\"preset\": \"philly\", \"cv\": 0}", NULL},
    {"{\"preset\": \"philly\", \"rows\": 1e9, \"rate_per_h\": 1}",
     "t: got an object, want a trace of at most 1e+09 s: times count ns in 64 bits"},
    {"{\"table\": \"jobs\", \"preset\": \"helios\"}",
     "t: preset: no preset \"helios\"; known are philly"},
};

Test(synth_jobs, wrong_parameters_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(synth_text(bad[i].text, 1, &e), "%s", bad[i].text);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s: %s", bad[i].text, e.msg);
        if (bad[i].want)
            cr_expect_str_eq(e.msg, bad[i].want);
    }
}
