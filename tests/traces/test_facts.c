/* What `info` says of public traces, against FACTS.json: computed from the same files by
 * somebody else's program (Python's statistics), beside the traces in MALV_DATA.
 * And tallies and caches against brute force.                               */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/rng.h"
#include "traces/facts.h"
#include "traces/file.h"
#include "traces/lru.h"
#include "traces/tally.h"

/* Facts whose key begins with `prefix` (alone or with a ':' behind it) are of this file. */
static const struct {
    const char *folder, *prefix, *file;
} known[] = {
    {"azure-llm-2023", "code", "AzureLLMInferenceTrace_code.csv"},
    {"azure-llm-2023", "conv", "AzureLLMInferenceTrace_conv.csv"},
    {"mooncake-fast25", "conversation_trace", "conversation_trace.jsonl"},
    {"mooncake-fast25", "synthetic_trace", "synthetic_trace.jsonl"},
    {"burstgpt-format-sample", "", "burstgpt_sample.csv"},
    {"alibaba-openb-2023", "default", "openb_pod_list_default.csv"},
    {"alibaba-openb-2023", "gpuspec33", "openb_pod_list_gpuspec33.csv"},
    {"alibaba-openb-2023", "openb_pod_list_default.csv", "openb_pod_list_default.csv"},
    {"alibaba-openb-2023", "openb_pod_list_cpu250.csv", "openb_pod_list_cpu250.csv"},
    {"alibaba-openb-2023", "openb_pod_list_gpushare100.csv", "openb_pod_list_gpushare100.csv"},
    {"alibaba-openb-2023", "openb_pod_list_gpuspec33.csv", "openb_pod_list_gpuspec33.csv"},
    {"alibaba-openb-2023", "openb_pod_list_multigpu50.csv", "openb_pod_list_multigpu50.csv"},
    {"alibaba-openb-2023", "openb_node_list_all_node.csv", "openb_node_list_all_node.csv"},
    {"alibaba-openb-2023", "openb_node_list_gpu_node.csv", "openb_node_list_gpu_node.csv"},
    {"linux-sched", "lisa_trace.txt", "lisa_trace.txt"},
    {"spec2006-memtraces", "403.gcc", "403.gcc"},
    {"spec2006-memtraces", "444.namd", "444.namd"},
    {"spec2006-memtraces", "447.dealII", "447.dealII"},
    {"disb-real", "", "REAL.json"},
    {"nsys-h100-sqlite", "h100_2gpu_1s", "h100_2gpu_1s.sqlite"},
    {"kineto-chakra", "param__resnet_kineto.json.gz", "param__resnet_kineto.json.gz"},
    {"kineto-chakra",
     "hta__critical_path__alexnet__benchmark_result_2869224_1695835535_trace.json.gz",
     "hta__critical_path__alexnet__benchmark_result_2869224_1695835535_trace.json.gz"},
};

ParameterizedTestParameters(facts, are_the_published_ones)
{
    static int row[sizeof known / sizeof *known];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static bool locate(const char *folder, const char *file, char *path, size_t n)
{
    static const char *const ends[] = {"", ".xz", ".gz", ".zst"};
    const char *data = getenv("MALV_DATA");
    for (int i = 0; i < 4; i++) {
        snprintf(path, n, "%s/%s/%s%s", data ? data : "../shared/traces", folder, file, ends[i]);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

static void gather(const char *path, struct facts *facts)
{
    struct err e = {0};
    struct trace_file *f;
    union trace_row row;
    int rc;
    cr_assert_eq(trace_file_open(&f, path, NULL, 0, &e), 0, "%s", e.msg);
    struct gather *g = gather_new(trace_file_table(f), trace_file_format(f));
    while ((rc = trace_file_next(f, &row, &e)) == 1)
        cr_assert_eq(gather_row(g, &row, &e), 0, "%s", e.msg);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(gather_end(g, trace_file_meta(f), trace_file_names(f), facts, &e), 0, "%s", e.msg);
    gather_free(g);
    trace_file_close(f);
}

/* FACTS.json keeps ten digits, and computed gaps in floating-point seconds since 1970, whose
 * steps are 0.24 us: hence the slack of 0.2 us on what is in seconds.       */
static void expect_number(const struct fact *f, double want, const char *group, const char *key)
{
    double got = f->kind == FACT_NUMBER ? f->number : (double)f->integer;
    double slack = strstr(group, "_s") || strstr(key, "_s") ? 2e-7 : 0;
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want) + slack, "%s / %s: ours %.12g, published %.12g",
              group, key, got, want);
}

/* Of scheduler text they count lines, headings included; info counts rows. */
static bool of_lines(const char *group, const char *key)
{
    return !*group && (!strcmp(key, "lines") || !strcmp(key, "unparsed"));
}

/* They cut names at 60 letters, and of two that are then alike kept the last. */
static bool of_cut_names(const struct facts *facts, const char *group, const struct config *want)
{
    struct err e = {0};
    double number;
    const char *key = config_key(want);
    if (strcmp(group, "top kernels by time"))
        return false;
    cr_assert_eq(config_f64(want, 0, 1e300, &number, &e), 0);
    for (size_t i = 0; i < facts->n; i++)
        if (!strcmp(facts->fact[i].group, group) && facts->fact[i].number == number &&
            !strncmp(facts->fact[i].key, key, strlen(key)))
            return true;
    cr_expect(false, "%s / %s: nothing of ours begins so and takes %g", group, key, number);
    return true;
}

/* Of the database before tables that name people and machines were taken out. */
static bool of_another_file(const char *group, const char *key)
{
    return !*group && !strcmp(key, "upstream_sha256");
}

static void expect_fact(const struct facts *facts, const char *group, const struct config *want)
{
    const char *key = config_key(want), *text;
    const struct fact *f = facts_find(facts, group, key);
    if (of_lines(group, key) || of_another_file(group, key) || of_cut_names(facts, group, want))
        return;
    double number;
    bool truth;
    struct err e = {0};
    cr_assert(f, "info says nothing of \"%s\" / \"%s\"", group, key);
    switch (config_kind(want)) {
    case CONFIG_NUMBER:
        cr_assert_eq(config_f64(want, -1e300, 1e300, &number, &e), 0);
        expect_number(f, number, group, key);
        break;
    case CONFIG_BOOL:
        cr_assert_eq(config_bool(want, &truth, &e), 0);
        cr_expect_eq(f->integer, truth);
        break;
    case CONFIG_STRING:
        cr_assert_eq(config_str(want, &text, &e), 0);
        cr_expect_str_eq(f->text, text, "%s", key);
        break;
    default:
        cr_assert(false, "\"%s\" is of another kind", key);
    }
}

static void expect_group(const struct facts *facts, const char *group, const struct config *want)
{
    for (size_t i = 0; i < config_count(want); i++)
        expect_fact(facts, group, config_at(want, i));
}

/* Facts of other files in the same FACTS.json. */
static bool is_other(const char *key)
{
    return !strncmp(key, "default", 7) || !strncmp(key, "gpuspec33", 9) ||
           !strncmp(key, "openb_", 6);
}

static int expect_all(const struct facts *facts, const struct config *want, const char *prefix)
{
    size_t n = strlen(prefix);
    int met = 0;
    for (size_t i = 0; i < config_count(want); i++) {
        const struct config *c = config_at(want, i);
        const char *key = config_key(c);
        if (strncmp(key, prefix, n) || (n && key[n] && key[n] != ':') || (!n && is_other(key)))
            continue;
        met++;
        if (n && !key[n])
            expect_group(facts, "", c);
        else if (config_kind(c) == CONFIG_OBJECT)
            expect_group(facts, key + n + (n > 0), c);
        else { /* a single number at the top: its key has the prefix */
            const struct fact *f = facts_find(facts, "", key + n + (n > 0));
            double number;
            struct err e = {0};
            cr_assert(f, "info says nothing of \"%s\"", key);
            cr_assert_eq(config_f64(c, -1e300, 1e300, &number, &e), 0);
            expect_number(f, number, "", key);
        }
    }
    return met;
}

ParameterizedTest(int *row, facts, are_the_published_ones)
{
    char path[512], json[512];
    struct err e = {0};
    struct config *c;
    struct facts facts = {0};
    if (!locate(known[*row].folder, "FACTS.json", json, sizeof json) ||
        !locate(known[*row].folder, known[*row].file, path, sizeof path))
        cr_skip_test("%s/%s is not here", known[*row].folder, known[*row].file);
    cr_assert_eq(config_load(&c, json, &e), 0, "%s", e.msg);
    gather(path, &facts);
    cr_expect_gt(expect_all(&facts, config_get(c, "facts"), known[*row].prefix), 0);
    facts_free(&facts);
    config_free(c);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void expect_tally(uint64_t *v, size_t n, const char *what)
{
    struct tally t = {0};
    double sum = 0, var = 0;
    for (size_t i = 0; i < n; i++) {
        tally_add(&t, v[i]);
        sum += (double)v[i];
    }
    for (size_t i = 0; i < n; i++)
        var += ((double)v[i] - sum / (double)n) * ((double)v[i] - sum / (double)n);
    qsort(v, n, sizeof *v, ascending);
    struct summary s = tally_summary(&t);
    cr_expect_eq(s.n, n);
    cr_expect(s.exact);
    cr_expect_eq(s.min, v[0], "%s", what);
    cr_expect_eq(s.max, v[n - 1], "%s", what);
    cr_expect_eq(s.p99, v[(size_t)ceil(0.99 * (double)n) - 1], "%s: p99", what);
    cr_expect_float_eq(s.median, ((double)v[(n - 1) / 2] + (double)v[n / 2]) / 2, 1e-9, "%s", what);
    cr_expect_float_eq(s.mean, sum / (double)n, 1e-9 * fabs(s.mean), "%s", what);
    cr_expect_float_eq(s.sd, sqrt(var / (double)n), 1e-9 * s.sd + 1e-9, "%s", what);
    tally_free(&t);
}

Test(tally, counts_like_a_sorted_list)
{
    static const size_t sizes[] = {1, 2, 3, 99, 100, 101, 65536, 65537, 300000};
    uint64_t *v = malloc(300000 * sizeof *v);
    struct rng r;
    rng_init(&r, 1, "test", "tally");
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        for (size_t i = 0; i < sizes[k]; i++)
            v[i] = rng_below(&r, 1000);
        expect_tally(v, sizes[k], "few values");
        for (size_t i = 0; i < sizes[k]; i++)
            v[i] = rng_u64(&r) >> 16;
        expect_tally(v, sizes[k], "many values");
    }
    free(v);
}

Test(tally, rounds_when_there_are_too_many_values)
{
    struct tally t = {0};
    const uint64_t n = TALLY_DISTINCT + TALLY_DISTINCT / 2;
    for (uint64_t i = 0; i < n; i++)
        tally_add(&t, i * 1009);
    struct summary s = tally_summary(&t);
    cr_expect_not(s.exact);
    cr_expect_eq(s.n, n);
    cr_expect_eq(s.max, (n - 1) * 1009);
    cr_expect_float_eq(s.median, (double)(n / 2) * 1009, 0.0005 * s.median);
    cr_expect_float_eq((double)s.p99, 0.99 * (double)n * 1009, 0.0005 * (double)s.p99);
    tally_free(&t);
}

/* A list searched from the front is the definition. */
static int slow_touch(uint64_t *list, size_t *n, size_t cap, uint64_t id)
{
    size_t at = 0;
    while (at < *n && list[at] != id)
        at++;
    int hit = at < *n;
    if (!hit && (!cap || *n < cap))
        ++*n;
    size_t from = hit ? at : *n - 1;
    memmove(list + 1, list, from * sizeof *list);
    list[0] = id;
    return hit;
}

Test(lru, remembers_like_a_list)
{
    static const uint32_t caps[] = {1, 2, 7, 100, 0};
    for (size_t k = 0; k < 5; k++) {
        static uint64_t list[4096];
        size_t n = 0;
        struct rng r;
        struct lru *c = lru_new(caps[k]);
        rng_init(&r, k, "test", "lru");
        for (int i = 0; i < 20000; i++) {
            uint64_t id = rng_below(&r, 40) * rng_below(&r, 60) << 40;
            cr_assert_eq(lru_touch(c, id), slow_touch(list, &n, caps[k], id),
                         "capacity %u, step %d", caps[k], i);
        }
        lru_free(c);
    }
}
