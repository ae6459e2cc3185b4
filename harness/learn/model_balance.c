#include "harness/learn/model_balance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_machine.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "policies/mllb_features.h"

#define RUN_SECONDS 4.0

static const struct balance_mix mixes[] = {
    {6, 6, 1024, 1024, 3000, 150}, {6, 6, 512, 1024, 3000, 150},  {3, 9, 1024, 1024, 8000, 400},
    {9, 3, 335, 2048, 1000, 100},  {4, 4, 820, 1277, 5000, 50},   {2, 12, 1024, 512, 2000, 800},
    {8, 8, 655, 1024, 500, 300},   {5, 7, 1586, 1024, 4000, 200},
};
#define MIXES (sizeof mixes / sizeof *mixes)

const struct balance_mix *model_balance_mix(size_t i)
{
    return i < MIXES ? &mixes[i] : NULL;
}

char *model_balance_section(const struct balance_mix *mix, double seconds)
{
    char *text;
    const int n = asprintf(
        &text,
        "{\"duration_s\":%g,\"warmup_s\":%g,\"vms\":["
        "{\"name\":\"batch\",\"count\":%u,\"vcpus\":2,\"weight\":%u,\"gpu\":\"none\",\"workload\":"
        "{\"program\":\"cpu\",\"threads\":2,\"compute_us\":%u,\"jitter\":0.5,\"memory_bound\":0.5}}"
        ","
        "{\"name\":\"web\",\"count\":%u,\"vcpus\":2,\"weight\":%u,\"gpu\":\"none\",\"workload\":"
        "{\"program\":\"io\",\"threads\":2,\"io_kib\":16,\"think_us\":%u,\"jitter\":0.5,"
        "\"memory_bound\":0.5}}]}",
        seconds, seconds / 10, mix->batch, mix->batch_weight, mix->compute_us, mix->web,
        mix->web_weight, mix->think_us);
    return n < 0 ? NULL : text;
}

/* ---- one run ------------------------------------------------------------------------ */

/* Moves tasks as Linux would, and writes down what it was asked and what it said. */
struct recorder {
    struct class_rows *rows;
    uint64_t most;
    bool failed; /* out of memory */
};

static int watch(void *self, const struct policy_balance_obs *o)
{
    struct recorder *r = self;
    const int answer = balance_linux_answer(o, BALANCE_WARM_NS, BALANCE_TRIES);
    if (r->rows->n < r->most) {
        float x[MLLB_N];
        mllb_features(o, x);
        r->failed |= !class_rows_add(r->rows, x, answer == POLICY_MIGRATE);
    }
    return answer;
}

static const struct policy_ops recording = {
    .abi = POLICY_ABI, .name = "recorder", .cpu_balance = watch};

static int simulate(struct recorder *r, const char *section, const struct machine *m, uint64_t seed,
                    struct err *e)
{
    struct config *c;
    struct measures *out = measures_new();
    struct policy_slot slot = {.ops = &recording, .self = r, .label = "recorder"};
    struct model_env env = {.seed = seed, .sim = {.seed = seed}, .machine = m, .stack = "native"};
    env.bound[POLICY_HOOK_CPU_BALANCE] = &slot;
    int rc = out ? config_parse(&c, "host", section, strlen(section), e)
                 : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        rc = model_host.run(c, &env, out, e);
        config_free(c);
    }
    measures_free(out);
    return rc || !r->failed ? rc : err_set(e, ERR_ENOMEM, "out of memory");
}

int model_balance_run(struct class_run *run, const struct balance_mix *mix, const struct machine *m,
                      uint64_t questions, uint64_t seed, struct err *e)
{
    *run = (struct class_run){.rows = {.n_in = MLLB_N}};
    struct recorder r = {.rows = &run->rows, .most = questions};
    char *section = model_balance_section(mix, RUN_SECONDS);
    int rc = section ? simulate(&r, section, m, seed, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(section);
    if (!rc && asprintf(&run->about,
                        "{\"batch\": %u, \"web\": %u, \"batch_weight\": %u, \"web_weight\": %u, "
                        "\"compute_us\": %u, \"think_us\": %u, \"questions\": %zu}",
                        mix->batch, mix->web, mix->batch_weight, mix->web_weight, mix->compute_us,
                        mix->think_us, run->rows.n) < 0)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    return rc;
}

/* ---- training ------------------------------------------------------------------------ */

static const char *const inputs[MLLB_N] = {
    "src_non_pref_nr", "delta_hot",  "cpu_idle",     "cpu_not_idle", "cpu_newly_idle",
    "same_node",       "prefer_src", "prefer_dst",   "src_len",      "src_load",
    "dst_load",        "dst_len",    "delta_faults", "extra_fails",  "weight"};
static const char *const classes[] = {"leave", "migrate"};

static int fit(const struct model_train_want *want, struct class_run *run, size_t n, struct err *e)
{
    char command[512], features[32];
    const struct train_options *o = &want->o;
    snprintf(command, sizeof command,
             "malv model train %s --balance --machine %s --requests %llu --seed %llu --hidden %u "
             "--epochs %u --batch %u --patience %u --rate %g",
             want->name, want->machine, (unsigned long long)want->requests,
             (unsigned long long)o->seed, o->hidden, o->epochs, o->batch, o->patience, o->rate);
    snprintf(features, sizeof features, "mllb/%d", MLLB_VERSION);
    const struct class_task task = {.command = command,
                                    .features = features,
                                    .loss = "binary cross entropy",
                                    .labels = "what balance-linux answers",
                                    .n_in = MLLB_N,
                                    .n_out = 1,
                                    .input = inputs,
                                    .class_name = classes,
                                    .run = run,
                                    .n_runs = n};
    return class_train(&task, want, e);
}

int model_balance_train(const struct model_train_want *want, struct err *e)
{
    struct class_run *run = calloc(MIXES, sizeof *run);
    struct machine *m = NULL;
    int rc = run ? train_machine(&m, want->machine, e) : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < MIXES && !rc; i++)
        rc = model_balance_run(&run[i], &mixes[i], m, want->requests, want->o.seed + i, e);
    rc = rc ? rc : fit(want, run, MIXES, e);
    if (run)
        class_runs_free(run, MIXES);
    free(run);
    machine_free(m);
    return rc;
}
