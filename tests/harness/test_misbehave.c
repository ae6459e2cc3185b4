/* Policies that misbehave at the hooks of every model: the trial goes on as if they had never been
 * there, and says what they did.  The same with two workers as with one. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/trials.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"

/* What an experiment needs beside its policies. */
static const char serve[] = "\"model\": \"serve\", \"serve\": {\"max_running\": 4},"
                            "\"machine\": \"machines/h100-server.json\","
                            "\"trace\": {\"synth\": {\"preset\": \"azure-code\"}, \"limit\": 60}";
static const char cache[] =
    "\"model\": \"memory\", \"memory\": {\"cache\": {\"frames\": 50, \"readahead\": true},"
    "\"accesses\": {\"pattern\": \"zipf\", \"pages\": 500, \"count\": 3000}}";
/* Asking costs time there, so that only where pages lie is as by default. */
static const char tiers[] =
    "\"model\": \"memory\", \"machine\": \"machines/cascade-lake-2s.json\", \"memory\": {"
    "\"accesses\": {\"pattern\": \"zipf\", \"pages\": 500, \"count\": 3000},"
    "\"tiers\": {\"use\": [{\"tier\": \"local\", \"pages\": 300},"
    " {\"tier\": \"remote\", \"pages\": 500}], \"period\": 500}}";
static const char disks[] = "\"model\": \"io\", \"machine\": \"machines/lake-testbed.json\","
                            "\"trace\": {\"synth\": {\"preset\": \"lake-azure\"}, \"limit\": 400}";
static const char tenants[] =
    "\"model\": \"host\", \"machine\": \"machines/h100-server.json\", \"stack\": \"kvm\","
    "\"host\": {\"cpus\": 2, \"duration_s\": 0.3, \"vms\": ["
    "{\"name\": \"t\", \"vcpus\": 4, \"mem_gib\": 4,"
    " \"workload\": {\"program\": \"training\", \"workers\": 3}}]}";

#define GPU(how)                                                                                   \
    "\"model\": \"gpu\", \"machine\": \"machines/a100-40gb.json\", \"stack\": \"malv\","           \
    "\"programs\": {\"p\": {\"synth\": {\"preset\": \"resnet50-inference\"}}}, \"gpu\": {" how     \
    ", \"tenants\": [{\"program\": \"p\", \"name\": \"a\", \"count\": 3, \"prio\": 1},"            \
    " {\"program\": \"p\", \"name\": \"b\", \"count\": 3}]}"
static const char kernels[] = GPU("\"sharing\": \"dispatch\"");
static const char parts[] = GPU("\"sharing\": \"mps\", \"share_ms\": 1");

static const char pods[] =
    "\"model\": \"packing\", \"packing\": {\"part\": \"memory\"},"
    "\"trace\": {\"import\": {\"file\": \"tests/harness/cluster-pods.csv\"}},"
    "\"nodes\": {\"import\": {\"file\": \"tests/harness/cluster-nodes.csv\"}}";

static const struct {
    const char *model, *bound, *hook, *how;
    int at;
    const char *measure; /* which then is that of the default */
    const char *text;    /* how the incident begins */
} cases[] = {
    {serve, "serve.batch", "serve_batch", "bad", 0, "makespan", "serve_batch answered key "},
    {serve, "serve.admit", "serve_admit", "crash", 0, "makespan", "serve_admit crashed: "},
    {cache, "mem.evict", "mem_begin", "bad", 0, "misses", "mem_begin answered 5, want 0"},
    {cache, "mem.evict", "mem_begin", "crash", 0, "misses", "mem_begin crashed: "},
    {cache, "mem.evict", "mem_hit", "crash", 0, NULL, "mem_hit crashed: "},
    {cache, "mem.evict", "mem_insert", "crash", 0, "misses", "mem_insert crashed: "},
    {cache, "mem.evict", "mem_insert", "hang", 0, "misses", "mem_insert did not return: "},
    {cache, "mem.evict", "mem_evict", "bad", 0, "misses",
     "mem_evict answered frame 1073741824, want a taken one of 50"},
    {cache, "mem.evict", "mem_evict", "crash", 7, NULL, "mem_evict crashed: "},
    {cache, "mem.evict", "mem_evict", "hang", 3, NULL, "mem_evict did not return: "},
    {cache, "mem.readahead", "mem_readahead", "bad", 0, "misses",
     "mem_readahead answered 1025 pages, want at most 1024"},
    {cache, "mem.readahead", "mem_readahead", "crash", 0, "misses", "mem_readahead crashed: "},
    {tiers, "mem.place", "mem_place", "bad", 0, "tier0_share", "mem_place put region 0 on tier 77"},
    {tiers, "mem.place", "mem_place", "crash", 2, "tier0_share", "mem_place crashed: "},
    {tiers, "mem.place", "mem_place", "hang", 1, "tier0_share", "mem_place did not return: "},
    {disks, "io.steer", "io_steer", "bad", 0, "read_mean", "io_steer answered device "},
    {disks, "io.steer", "io_steer", "crash", 20, "read_mean", "io_steer crashed: "},
    {disks, "io.steer", "io_steer", "hang", 5, "read_mean", "io_steer did not return: "},
    {disks, "io.steer", "io_done", "crash", 50, "read_mean", "io_done crashed: "},
    {tenants, "cpu.pick", "cpu_pick", "bad", 0, "cpu_util", "cpu_pick answered task "},
    {tenants, "cpu.pick", "cpu_pick", "slice", 0, "cpu_util",
     "cpu_pick answered a slice of 1 ns, want 10000 to 10000000000"},
    {tenants, "cpu.pick", "cpu_pick", "crash", 9, NULL, "cpu_pick crashed: "},
    {tenants, "cpu.pick", "cpu_pick", "hang", 0, "cpu_util", "cpu_pick did not return: "},
    {tenants, "cpu.balance", "cpu_balance", "bad", 0, "cpu_util",
     "cpu_balance answered -3, want 0"},
    {tenants, "cpu.balance", "cpu_balance", "crash", 3, NULL, "cpu_balance crashed: "},
    {kernels, "gpu.dispatch", "gpu_dispatch", "bad", 0, "span", "gpu_dispatch answered tenant "},
    {kernels, "gpu.dispatch", "gpu_dispatch", "idle", 0, "span",
     "gpu_dispatch leaves the GPU idle while commands wait"},
    {kernels, "gpu.dispatch", "gpu_dispatch", "crash", 30, NULL, "gpu_dispatch crashed: "},
    {kernels, "gpu.dispatch", "gpu_dispatch", "hang", 0, "span", "gpu_dispatch did not return: "},
    {parts, "gpu.share", "gpu_share", "bad", 0, "span", "gpu_share gave tenant 0 a part of 0"},
    {parts, "gpu.share", "gpu_share", "crash", 2, NULL, "gpu_share crashed: "},
    {pods, "cluster.place", "cluster_place", "bad", 0, "allocation",
     "cluster_place answered node 4, want one of 4"},
    {pods, "cluster.place", "cluster_place", "crash", 0, "allocation", "cluster_place crashed: "},
    {pods, "cluster.place", "cluster_place", "hang", 3, NULL, "cluster_place did not return: "},
};
#define N_CASES (sizeof cases / sizeof *cases)

static struct result_set *results(const char *model, const char *policies, unsigned jobs)
{
    char json[4096];
    snprintf(json, sizeof json,
             "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"seed\": 3, \"trials\": 2, %s,"
             " \"policies\": {%s}}",
             model, policies);
    return trials_of(json, jobs);
}

ParameterizedTestParameters(misbehave, at_every_hook_the_trial_goes_on)
{
    static int row[N_CASES];
    for (size_t i = 0; i < N_CASES; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, N_CASES);
}

ParameterizedTest(int *row, misbehave, at_every_hook_the_trial_goes_on, .timeout = 100)
{
    char policies[1024], *here = realpath(MISBEHAVES, NULL);
    cr_assert_not_null(here);
    snprintf(policies, sizeof policies,
             "\"%s\": {\"name\": \"%s\", \"params\": {\"how\": \"%s\", \"hook\": \"%s\","
             " \"at\": %d}}",
             cases[*row].bound, here, cases[*row].how, cases[*row].hook, cases[*row].at);
    free(here);
    struct result_set *one = results(cases[*row].model, policies, 1);
    struct result_set *two = results(cases[*row].model, policies, 2);
    struct result_set *none = results(cases[*row].model, "", 1);
    cr_expect(trials_same(one, two), "%s: other results with two workers", policies);
    for (size_t t = 0; t < one->n_trial; t++) {
        const char *said = trials_said(&one->trial[t], "ejected"), *measure = cases[*row].measure;
        cr_expect_eq(trials_number(&one->trial[t], "ejected"), 1, "%s", policies);
        cr_expect(!strncmp(said, cases[*row].text, strlen(cases[*row].text)), "said \"%s\"", said);
        if (measure)
            cr_expect_eq(trials_number(&one->trial[t], measure),
                         trials_number(&none->trial[t], measure));
    }
    results_free(one);
    results_free(two);
    results_free(none);
}
