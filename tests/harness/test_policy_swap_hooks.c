/* Policies that come and go at hooks other than the server's: whatever the newcomer does, each
 * decision asked for is answered once, and what was to be done is done. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/trials.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"
#define FLEET(pool)                                                                                \
    "\"model\": \"fleet\", \"machine\": \"machines/h100-server.json\", \"trace\": {\"synth\": "    \
    "{\"preset\": \"mixed\", \"requests\": 400, \"rate_per_s\": 60}}, \"fleet\": {\"pools\": "     \
    "{\"p\": {\"engines\": 2, " pool "\"cost\": {\"llm\": \"llama-3.1-8b\"}}}}"
#define MEMORY(machine, cache)                                                                     \
    "\"model\": \"memory\", \"machine\": \"machines/" machine "\", \"memory\": {\"accesses\": "    \
    "{\"pattern\": \"zipf\", \"pages\": 5000, \"count\": 20000, \"gap_ns\": 10000}, " cache "}"
#define EMBEDDING(how)                                                                             \
    "\"model\": \"embedding\", \"machine\": \"machines/h100-server.json\", \"embedding\": "        \
    "{\"rows\": "                                                                                  \
    "20000, \"hbm_gib\": 0.004, \"batches\": 60, \"batch\": 64, \"warmup\": 4, \"compute_us\": "   \
    "100, " how "}"

static const struct {
    const char *hook, *call; /* as misbehaves.c calls it */
    const char *experiment;  /* model, section, machine, trace */
    int at_ms;
    const char *all; /* a measure that must be `want`, however often who answers changes; NULL */
    double want;
} hooks[] = {
    {"cpu.pick", "cpu_pick",
     "\"model\": \"host\", \"machine\": \"machines/two-nodes.json\", \"host\": {\"duration_s\": "
     "0.3, "
     "\"vms\": [{\"name\": \"a\", \"count\": 12, \"vcpus\": 2, \"gpu\": \"none\", \"workload\": "
     "{\"program\": \"io\", \"threads\": 2, \"io_kib\": 16, \"think_us\": 150, \"jitter\": 0.5}}]}",
     100, NULL, 0},
    {"cpu.balance", "cpu_balance",
     "\"model\": \"host\", \"machine\": \"machines/two-nodes.json\", \"host\": {\"duration_s\": "
     "0.3, "
     "\"vms\": [{\"name\": \"a\", \"count\": 12, \"vcpus\": 2, \"gpu\": \"none\", \"workload\": "
     "{\"program\": \"io\", \"threads\": 2, \"io_kib\": 16, \"think_us\": 150, \"jitter\": 0.5}}]}",
     100, NULL, 0},
    {"mem.readahead", "mem_readahead",
     "\"model\": \"memory\", \"machine\": \"machines/h200-server.json\", \"memory\": "
     "{\"accesses\": "
     "{\"pattern\": \"uniform\", \"pages\": 5000, \"count\": 20000, \"gap_ns\": 10000}, \"cache\": "
     "{\"frames\": 500, "
     "\"readahead\": true}}",
     100, "accesses", 20000},
    {"gpu.dispatch", "gpu_dispatch",
     "\"model\": \"gpu\", \"machine\": \"machines/a100-40gb.json\", \"stack\": \"malv\", "
     "\"programs\": "
     "{\"p\": {\"synth\": {\"preset\": \"resnet50-inference\"}}}, \"gpu\": {\"sharing\": "
     "\"dispatch\", "
     "\"gaps\": \"device\", \"tenants\": [{\"program\": \"p\", \"count\": 8}, {\"program\": \"p\", "
     "\"name\": \"q\", \"count\": 8}]}",
     10, NULL, 0},
    {"cluster.order", "cluster_order",
     "\"model\": \"cluster\", \"machine\": \"machines/h100-server.json\", \"trace\": {\"synth\": "
     "{\"preset\": \"philly\", \"rows\": 400, \"rate_per_h\": 60}}, \"cluster\": {\"pool\": 64, "
     "\"line\": \"skip-over\"}",
     3600000, "completed", 400},
    {"serve.route", "serve_route",
     "\"model\": \"fleet\", \"machine\": \"machines/h100-server.json\", \"trace\": {\"synth\": "
     "{\"preset\": \"mixed\", \"requests\": 400, \"rate_per_s\": 60}}, \"fleet\": {\"pools\": "
     "{\"p\": "
     "{\"role\": \"prefill\", \"engines\": 2, \"cost\": {\"llm\": \"llama-3.1-8b\"}}, \"d\": "
     "{\"role\": "
     "\"decode\", \"engines\": 3, \"cost\": {\"llm\": \"llama-3.1-8b\"}}}, \"link\": "
     "{\"gb_per_s\": 50, "
     "\"source\": \"t\"}}",
     2000, "completed", 400},
    {"serve.scale", "serve_scale",
     FLEET("\"scale\": {\"least\": 1, \"most\": 4, \"period_s\": 0.2, \"cold_start_s\": 0.1, "
           "\"source\": \"t\"}, "),
     2000, "completed", 400},
    {"serve.admit", "serve_admit", FLEET(""), 2000, "completed", 400},
    {"mem.evict", "mem_evict",
     MEMORY("h200-server.json", "\"cache\": {\"frames\": 500, \"readahead\": true}"), 100,
     "accesses", 20000},
    {"mem.place", "mem_place",
     MEMORY("two-nodes.json",
            "\"tiers\": {\"use\": [{\"tier\": \"local\", \"pages\": 3000}, {\"tier\": \"remote\", "
            "\"pages\": 5000}], \"period\": 500}"),
     100, "accesses", 20000},
    {"mem.evict", "mem_evict", EMBEDDING("\"by\": \"process\""), 2, NULL, 0},
    {"mem.place", "mem_place", EMBEDDING("\"by\": \"os\", \"period\": 1"), 2, NULL, 0},
    {"gpu.share", "gpu_share",
     "\"model\": \"gpu\", \"machine\": \"machines/a100-40gb.json\", \"stack\": \"malv\", "
     "\"programs\": {\"p\": {\"synth\": {\"preset\": \"resnet50-inference\"}}}, \"gpu\": "
     "{\"sharing\": \"mps\", \"share_ms\": 1, \"tenants\": [{\"program\": \"p\", \"count\": 8}, "
     "{\"program\": \"p\", \"name\": \"q\", \"count\": 8}]}",
     10, NULL, 0},
    {"cluster.place", "cluster_place",
     "\"model\": \"cluster\", \"machine\": \"machines/h100-server.json\", \"trace\": {\"synth\": "
     "{\"table\": \"jobs\", \"rows\": 400, \"rate_per_h\": 60, \"classes\": [{\"weight\": 1, "
     "\"gpus\": {\"values\": [1, 8], \"weights\": [3, 1]}, \"duration\": {\"median_s\": 1200, "
     "\"sigma\": 1, \"max_s\": 90000}}]}}, \"cluster\": {\"even\": "
     "{\"nodes\": 8, \"gpus\": 8}, \"line\": \"skip-over\"}",
     3600000, "completed", 400},
    {"cluster.share", "cluster_share",
     "\"model\": \"rounds\", \"machine\": \"machines/h100-server.json\", \"tables\": {\"r\": "
     "{\"import\": {\"format\": \"costs-csv\", \"file\": \"tests/harness/rounds-rates.csv\"}}}, "
     "\"rounds\": {\"gpus\": {\"fast\": 8, \"slow\": 8}, \"jobs_per_hour\": 0.4, \"first\": 0, "
     "\"measured\": 60}",
     144000000, "jobs", 60},
    {"cpu.pick", "cpu_pick",
     "\"model\": \"hypervisor\", \"machine\": \"machines/skylake-kvm.json\", \"hypervisor\": "
     "{\"operation\": \"timer_halt\", \"count\": 3000}",
     5, NULL, 0},
};
#define N_HOOKS (sizeof hooks / sizeof *hooks)

static const struct {
    const char *how, *hook; /* NULL: the call itself */
    int at;
    double undone, replaced;
    const char *kind;
} ways[] = {
    {"none", "none", 0, 0, 1, "replaced"},   {"crash", "create", 0, 1, 0, "undone"},
    {"crash", "restore", 0, 1, 0, "undone"}, {"refuse", "restore", 0, 0, 1, "replaced"},
    {"bad", NULL, 3, 0, 2, "ejected"},       {"crash", NULL, 3, 0, 2, "ejected"},
};
#define N_WAYS (sizeof ways / sizeof *ways)

static struct experiment *swapping(size_t k, size_t w, const char *more)
{
    char json[4096], *here = realpath(MISBEHAVES, NULL);
    cr_assert_not_null(here);
    snprintf(
        json, sizeof json,
        "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"seed\": 3, \"trials\": 2, %s,"
        " \"policies\": {\"%s\": {\"candidates\": [{\"name\": \"%s\", \"label\": \"old\","
        " \"params\": {\"how\": \"none\"}}], \"swap\": [{\"at_ms\": %d, \"to\": {\"name\": \"%s\","
        " \"label\": \"new\", \"params\": {\"how\": \"%s\", \"hook\": \"%s\", \"at\": %d}}}%s]}}}",
        hooks[k].experiment, hooks[k].hook, here, hooks[k].at_ms, here, ways[w].how,
        ways[w].hook ? ways[w].hook : hooks[k].call, ways[w].at, more);
    free(here);
    return trials_made(json, NULL);
}

static double life(const struct result_trial *t, const char *hook, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "life.%s.%s", hook, what);
    return trials_number(t, name);
}

ParameterizedTestParameters(swap_hooks, whatever_the_newcomer_does)
{
    static int row[N_HOOKS * N_WAYS];
    for (size_t i = 0; i < N_HOOKS * N_WAYS; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, N_HOOKS *N_WAYS);
}

ParameterizedTest(int *row, swap_hooks, whatever_the_newcomer_does, .timeout = 100)
{
    const size_t k = (size_t)*row / N_WAYS, w = (size_t)*row % N_WAYS;
    const char *hook = hooks[k].hook;
    struct experiment *x = swapping(k, w, "");
    struct result_set *one = trials_ran(x, 1), *two = trials_ran(x, 2);
    experiment_free(x);
    cr_assert_eq(one->n_trial, 2);
    for (size_t i = 0; i < one->n_trial; i++) {
        const struct result_trial *t = &one->trial[i];
        cr_expect_eq(life(t, hook, "lost"), 0, "%s %s", hook, ways[w].how);
        cr_expect_eq(life(t, hook, "twice"), 0, "%s %s", hook, ways[w].how);
        cr_expect_gt(life(t, hook, "asked"), 20, "%s", hook);
        cr_expect_eq(life(t, hook, "undone"), ways[w].undone, "%s %s", hook, ways[w].how);
        cr_expect_eq(life(t, hook, "replaced"), ways[w].replaced, "%s %s", hook, ways[w].how);
        cr_expect_not_null(trials_incident(t, ways[w].kind), "%s %s", hook, ways[w].how);
        if (hooks[k].all)
            cr_expect_eq(trials_number(t, hooks[k].all), hooks[k].want, "%s", hook);
    }
    cr_expect(trials_same(one, two), "%s %s: same for any number of workers", hook, ways[w].how);
    results_free(one);
    results_free(two);
}

/* There and back, unquiesced too, and nobody in the end. */
Test(swap_hooks, many_steps_in_a_row, .timeout = 100)
{
    for (size_t k = 0; k < N_HOOKS; k++) {
        char more[300];
        const int ms = hooks[k].at_ms;
        snprintf(
            more, sizeof more,
            ", {\"at_ms\": %d, \"rollback\": true}, {\"at_ms\": %d, \"to\": \"new\", \"quiesce\": "
            "false}, {\"at_ms\": %d, \"unload\": true}",
            ms + ms / 10, ms + ms / 5, ms + ms / 4);
        struct experiment *x = swapping(k, 0, more);
        struct result_set *r = trials_ran(x, 1);
        experiment_free(x);
        for (size_t i = 0; i < r->n_trial; i++) {
            const struct result_trial *t = &r->trial[i];
            cr_expect_eq(life(t, hooks[k].hook, "lost"), 0, "%s", hooks[k].hook);
            cr_expect_eq(life(t, hooks[k].hook, "twice"), 0, "%s", hooks[k].hook);
            cr_expect_eq(life(t, hooks[k].hook, "replaced"), 4, "%s", hooks[k].hook);
            if (hooks[k].all)
                cr_expect_eq(trials_number(t, hooks[k].all), hooks[k].want, "%s", hooks[k].hook);
        }
        results_free(r);
    }
}

/* With decisions in flight: a forest takes its time for every job, the slower the core. */
Test(swap_hooks, a_learned_scheduler_comes_and_goes, .timeout = 100)
{
    double held = 0;
    static const char *const quiesce[] = {"true", "false"};
    for (size_t k = 0; k < 2; k++) {
        char json[2048];
        snprintf(
            json, sizeof json,
            "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"seed\": 3, \"trials\": 1, "
            "\"model\": \"cluster\", \"machine\": \"machines/h100-server.json\", \"scale\": "
            "{\"infer.cpu\": 1000000, \"infer.flops\": 0.02}, \"trace\": {\"synth\": {\"preset\": "
            "\"philly\", \"rows\": 400, \"rate_per_h\": 900}}, \"cluster\": {\"pool\": 64, "
            "\"line\": "
            "\"skip-over\", \"preempt\": {\"every_s\": 60}, \"failures\": {\"mtbf_h\": 300}}, "
            "\"policies\": {\"cluster.order\": {\"candidates\": [\"sjf-predicted\", \"job-fifo\"], "
            "\"swap\": [{\"at_ms\": 600000, \"to\": \"job-fifo\", \"quiesce\": %s}, {\"at_ms\": "
            "900000, \"rollback\": true}, {\"at_ms\": 1200000, \"unload\": true}]}}}",
            quiesce[k]);
        struct result_set *r = trials_of(json, 1);
        const struct result_trial *t = &r->trial[0];
        cr_expect_eq(life(t, "cluster.order", "lost"), 0);
        cr_expect_eq(life(t, "cluster.order", "twice"), 0);
        cr_expect_eq(life(t, "cluster.order", "replaced"), 3);
        held += life(t, "cluster.order", "held");
        cr_expect_gt(trials_number(t, "scheduler.decision_mean"), 3e6);
        cr_expect_eq(trials_number(t, "completed"), 400);
        results_free(r);
    }
    cr_expect_gt(held, 0);
}

static double misses(const char *swap)
{
    char json[2048];
    snprintf(
        json, sizeof json,
        "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"seed\": 3, \"trials\": 1, " MEMORY(
            "h200-server.json",
            "\"cache\": {\"frames\": 500}") ", \"policies\": {\"mem.evict\": {\"candidates\": "
                                            "[\"fifo-cache\", {\"name\": \"fifo-cache\", "
                                            "\"label\": \"other\"}]%s}}}",
        swap);
    struct result_set *r = trials_of(json, 1);
    const double n = trials_number(&r->trial[0], "misses");
    cr_expect_eq(trials_number(&r->trial[0], "life.mem.evict.lost"), 0);
    results_free(r);
    return n;
}

/* A newcomer that was told what came in which order is where its predecessor was. */
Test(swap_hooks, first_in_first_out_does_not_notice_that_it_is_replaced)
{
    const double alone = misses("");
    cr_expect_gt(alone, 1000);
    cr_expect_eq(misses(", \"swap\": [{\"at_ms\": 50, \"to\": \"other\"}]"), alone);
    cr_expect_eq(misses(", \"swap\": [{\"at_ms\": 50, \"to\": \"other\"}, {\"at_ms\": 90, \"to\": "
                        "\"fifo-cache\"}, {\"at_ms\": 120, \"rollback\": true}]"),
                 alone);
    cr_expect_eq(misses(", \"swap\": [{\"at_ms\": 80, \"unload\": true}]"), alone);
}
