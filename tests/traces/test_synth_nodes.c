/* Synthesized nodes: against what is published of openb, closed forms, and their own promises. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "tests/traces/synth_rig.h"
#include "traces/schema.h"

static void digest(struct row_source *s, char hex[SHA256_HEX])
{
    union trace_row row;
    struct sha256 sha;
    sha256_init(&sha);
    while (s->next(s, &row, NULL) == 1)
        schema_digest(s->table, &row, &sha);
    sha256_hex(&sha, hex);
}

Test(synth_nodes, another_seed_is_another_order)
{
    char a[SHA256_HEX], b[SHA256_HEX], other[SHA256_HEX];
    struct err e = {0};
    struct row_source *s = synth_preset("openb-all", 0, 7);
    digest(s, a);
    cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    digest(s, b);
    s->close(s);
    s = synth_preset("openb-all", 0, 8);
    digest(s, other);
    s->close(s);
    cr_expect_str_eq(a, b, "rewound");
    cr_expect_str_eq(a, "483eb02d51b6b29b72d3e8472311839dceef8301d0cb6a125d8645e47b8ca2af");
    cr_expect(strcmp(a, other));
}

/* ---- the published lists ---- */

enum { MODELS = 7 };
static const char *const models[MODELS] = {"A10", "G2", "G3", "P100", "T4", "V100M16", "V100M32"};

struct sums {
    uint64_t rows, gpus, cpu_milli, mem_mib;
    uint64_t nodes_of[MODELS], gpus_of[MODELS]; /* by model */
};

static struct sums sums_of(const char *preset)
{
    struct sums t = {0};
    union trace_row row;
    struct row_source *s = synth_preset(preset, 0, 3);
    for (; s->next(s, &row, NULL) == 1; t.rows++) {
        char name[32];
        snprintf(name, sizeof name, "node-%d", (int)t.rows);
        cr_assert_str_eq(s->name(s, row.node.name), name);
        t.gpus += row.node.gpus;
        t.cpu_milli += row.node.cpu_milli;
        t.mem_mib += row.node.mem_bytes >> 20;
        cr_assert_eq(row.node.model == TRACE_NAME_NONE, row.node.gpus == 0);
        for (int i = 0; row.node.gpus && i < MODELS; i++)
            if (!strcmp(s->name(s, row.node.model), models[i])) {
                t.nodes_of[i]++;
                t.gpus_of[i] += row.node.gpus;
            }
    }
    s->close(s);
    return t;
}

/* Figures of the list, computed from it by somebody else's program; CPU and memory are rounded to
 * thousandths of a core and MiB of each node. */
static void as_published(const struct sums *t, const struct sums *want, const char *what)
{
    cr_expect_eq(t->rows, want->rows, "%s: %lu nodes", what, t->rows);
    cr_expect_eq(t->gpus, want->gpus, "%s: %lu GPUs", what, t->gpus);
    cr_expect_float_eq((double)t->cpu_milli, (double)want->cpu_milli, (double)t->rows, "%s", what);
    cr_expect_float_eq((double)t->mem_mib, (double)want->mem_mib, (double)t->rows, "%s", what);
    for (int i = 0; i < MODELS; i++) {
        cr_expect_eq(t->nodes_of[i], want->nodes_of[i], "%s: %s", what, models[i]);
        cr_expect_eq(t->gpus_of[i], want->gpus_of[i], "%s: %s", what, models[i]);
    }
}

static uint64_t fact(const struct config *facts, const char *group, const char *key)
{
    uint64_t v = 0;
    struct err e = {0};
    const struct config *of = config_get(facts, group), *at = of ? config_get(of, key) : NULL;
    cr_assert(at && !config_u64(at, 0, 1e15, &v, &e), "%s: %s: %s", group, key, e.msg);
    return v;
}

/* The lists' own facts, where the public traces are there. */
static void as_in_facts(const struct sums *t, const char *list)
{
    const char *data = getenv("MALV_DATA"), *gpu = "openb_node_list_gpu_node.csv";
    char path[512], by[96];
    struct config *doc;
    struct err e = {0};
    struct sums want = {0};
    snprintf(path, sizeof path, "%s/alibaba-openb-2023/FACTS.json",
             data ? data : "../shared/traces");
    if (access(path, R_OK))
        return;
    cr_assert_eq(config_load(&doc, path, &e), 0, "%s", e.msg);
    const struct config *facts = config_get(doc, "facts");
    want.rows = fact(facts, list, "rows");
    want.gpus = fact(facts, list, "sum_gpu");
    want.cpu_milli = fact(facts, list, "sum_cpu_milli");
    want.mem_mib = fact(facts, list, "sum_memory_mib");
    for (int i = 0; i < MODELS; i++) { /* both lists have the same nodes with GPUs */
        snprintf(by, sizeof by, "%s:nodes_by_model", gpu);
        want.nodes_of[i] = fact(facts, by, models[i]);
        snprintf(by, sizeof by, "%s:gpus_by_model", gpu);
        want.gpus_of[i] = fact(facts, by, models[i]);
    }
    as_published(t, &want, list);
    config_free(doc);
}

Test(synth_nodes, openbs_counts_and_sums)
{
    struct sums want = {1213,
                        6212,
                        107018000,
                        503828480,
                        {2, 549, 39, 134, 404, 55, 30},
                        {2, 4392, 312, 265, 842, 195, 204}};
    const struct sums gpu = sums_of("openb-gpu"), all = sums_of("openb-all");
    as_published(&gpu, &want, "openb-gpu");
    as_in_facts(&gpu, "openb_node_list_gpu_node.csv");
    want.rows = 1523;
    want.cpu_milli = 125514000;
    want.mem_mib = 612028416;
    as_published(&all, &want, "openb-all");
    as_in_facts(&all, "openb_node_list_all_node.csv");
}

/* ---- counts and order ---- */

/* How many rows have 0, 1, .. GPUs. */
static void counted(const char *text, uint64_t seed, uint32_t count[4])
{
    struct err e = {0};
    union trace_row row;
    struct row_source *s = synth_text(text, seed, &e);
    cr_assert(s, "%s", e.msg);
    memset(count, 0, 4 * sizeof *count);
    while (s->next(s, &row, NULL) == 1)
        count[row.node.gpus]++;
    s->close(s);
}

#define KIND(count, gpus)                                                                          \
    "{\"count\": " #count ", \"gpus\": " #gpus ", \"cpu\": 8, \"mem_gib\": 64}"
#define TEXT(more, kinds) "{\"table\": \"nodes\"" more ", \"kinds\": [" kinds "]}"

Test(synth_nodes, shares_are_rounded_by_the_largest_remainders)
{
    static const struct {
        const char *text;
        uint32_t want[4];
    } cases[] = {
        {TEXT("", KIND(3, 0) "," KIND(1, 1)), {3, 1}},
        {TEXT(", \"rows\": 8", KIND(3, 0) "," KIND(1, 1)), {6, 2}},
        {TEXT(", \"rows\": 10", KIND(3, 0) "," KIND(1, 1)), {8, 2}}, /* 7.5, 2.5: the first */
        {TEXT(", \"rows\": 7", KIND(3, 0) "," KIND(1, 1)), {5, 2}},  /* 5.25, 1.75 */
        {TEXT(", \"rows\": 2", KIND(1, 0) "," KIND(1, 1) "," KIND(1, 2)), {1, 1, 0}},
        {TEXT(", \"rows\": 100", KIND(47, 0) "," KIND(16, 1) "," KIND(158, 2) "," KIND(60, 3)),
         {17, 6, 56, 21}}, /* 16.73, 5.69, 56.23, 21.35 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t count[4];
        counted(cases[i].text, i, count);
        for (int k = 0; k < 4; k++)
            cr_expect_eq(count[k], cases[i].want[k], "%s: %d: %u", cases[i].text, k, count[k]);
    }
}

/* Two of ten: the first row is one of them in a fifth of the orders, and their mean place is 4.5.
 */
Test(synth_nodes, every_order_is_equally_likely)
{
    struct moments first = {0}, place = {0};
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct err e = {0};
        union trace_row row;
        struct row_source *s = synth_text(TEXT("", KIND(8, 1) "," KIND(2, 2)), seed, &e);
        for (uint64_t i = 0; s->next(s, &row, NULL) == 1; i++) {
            if (i == 0)
                moments_add(&first, row.node.gpus == 2);
            if (row.node.gpus == 2)
                moments_add(&place, (double)i);
        }
        s->close(s);
    }
    moments_near("first", &first, 0.2);
    moments_near("place", &place, 4.5);
}

static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"table\": \"nodes\"}", "t: got an object, want a preset or kinds"},
    {TEXT("", ""), "t: kinds: got an array of 0, want a list of 1..32 kinds of nodes"},
    {TEXT("", KIND(1000000, 0) "," KIND(1000000, 1)),
     "t: kinds: got an array of 2, want at most 1048576 nodes together"},
    {TEXT("", KIND(0, 1)), NULL},
    {TEXT(", \"duration_s\": 5", KIND(1, 1)), NULL},
    {TEXT("", "{\"count\": 1, \"gpus\": 1, \"cpu\": 1, \"mem_gib\": 1, \"model\": \"a b\"}"),
     "t: kinds[0].model: got \"a b\", want 1..31 letters, digits and any of _-./"},
    {"{\"table\": \"nodes\", \"preset\": \"openb\"}",
     "t: preset: no preset \"openb\"; known are openb-gpu, openb-all"},
};

Test(synth_nodes, wrong_parameters_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(synth_text(bad[i].text, 1, &e), "%s", bad[i].text);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s: %s", bad[i].text, e.msg);
        if (bad[i].want)
            cr_expect_str_eq(e.msg, bad[i].want);
    }
}
