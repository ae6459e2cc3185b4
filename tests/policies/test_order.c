/* Policies where it matters: on the serving model, under more load than it can
 * take at once.  Ideal >= learned >= what practice does >= knowing nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/trial.h"
#include "tests/models/serve_bench.h"

static const char text[] =
    "{\"schema\": \"malv-experiment/1\", \"name\": \"order\","
    " \"trace\": {\"synth\": {\"preset\": \"mixed\", \"requests\": 1500, \"rate_per_s\": 14}},"
    " \"machine\": \"machines/h100-server.json\", \"stack\": \"malv\", \"model\": \"serve\","
    " \"serve\": {\"max_running\": 24}, \"policy\": %s, \"seed\": 5}";

/* Runs the trial; the caller frees t's measures. */
static void run(const char *policy, struct result_trial *t)
{
    char json[1024];
    struct config *doc;
    struct experiment *x;
    struct trial_tools tools = {.backend = INFER_CPU};
    struct pool_task task = {0};
    struct policy_beat beat = {0};
    struct err e = {0};
    snprintf(json, sizeof json, text, policy);
    cr_assert_eq(config_parse(&doc, "order", json, strlen(json), &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_from(&x, doc, "order.json", &(struct experiment_edits){0}, &e), 0, "%s",
                 e.msg);
    *t = (struct result_trial){0};
    cr_assert_eq(experiment_trial(x, 0, t, &e), 0, "%s", e.msg);
    cr_assert_eq(trial_run(x, &task, &tools, &beat, t, &e), 0, "%s", e.msg);
    trial_tools_free(&tools);
    experiment_free(x);
    config_free(doc);
}

static double mean_wait_ms(const char *policy)
{
    struct result_trial t;
    double wait = -1;
    run(policy, &t);
    for (size_t i = 0; i < t.measures->n_sketch; i++)
        if (!strcmp(t.measures->sketch[i].name, "ttft"))
            wait = sketch_mean(t.measures->sketch[i].sketch);
    result_trial_clear(&t);
    return wait;
}

Test(policy_order, the_oracle_beats_the_learned_one_beats_the_heuristic_beats_fifo)
{
    double oracle = mean_wait_ms("\"oracle-sjf\""), learned = mean_wait_ms("\"sjf-mlp\"");
    double prompt = mean_wait_ms("\"shortest-prompt\""), fifo = mean_wait_ms("\"fifo\"");
    cr_expect(oracle < learned && learned < prompt && prompt < fifo,
              "mean time to first token: oracle %g, learned %g, shortest prompt %g, fifo %g ms",
              oracle, learned, prompt, fifo);
}

Test(policy_order, random_order_waits_as_long_as_fifo_on_average)
{
    /* Neither knows sizes: the mean wait is the same up to chance (conservation). */
    double random = mean_wait_ms("\"random-order\""), fifo = mean_wait_ms("\"fifo\"");
    cr_expect_float_eq(random, fifo, 0.1 * fifo, "random %g, fifo %g ms", random, fifo);
}

static bool ejected(const struct measures *m, const char *text_wanted)
{
    for (size_t i = 0; i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, "ejected") && strstr(m->incident[i].text, text_wanted))
            return *measures_find(m, "ejected") == 1;
    return false;
}

Test(policy_order, a_bad_answer_at_the_first_request_leaves_plain_fifo_behind)
{
    struct result_trial bad, fifo;
    run("{\"name\": \"" BUILD
        "/tests/policies/misbehaves.so\", \"params\": {\"how\": \"key\", \"at\": 1}}",
        &bad);
    run("\"fifo\"", &fifo);
    cr_expect(ejected(bad.measures, "serve_batch answered key"));
    cr_expect_eq(*measures_find(bad.measures, "makespan"),
                 *measures_find(fifo.measures, "makespan"));
    result_trial_clear(&bad);
    result_trial_clear(&fifo);
}

/* ---- what an ejection does to those who wait ---------------------------------------------- */

static int create(void **self, const struct policy_host *h)
{
    (void)self, (void)h;
    return 0;
}

static void destroy(void *self)
{
    (void)self;
}

/* Last come, first served, until the tenth request is one too many. */
static int64_t lifo(void *self, const struct policy_batch_obs *o)
{
    (void)self;
    return o->request.id == 9 ? INT64_MIN : -(int64_t)o->request.id;
}

Test(policy_order, an_ejection_ranks_those_who_wait_by_arrival)
{
    /* One place, 1 ms each, one more every 0.5 ms: at 4.5 ms requests 1, 3, 5, 7 still wait behind
     * the newer ones.  First come, first served from there on makes each of them and the tenth
     * wait 5.5 ms in all; with the old keys the second request would have taken 8.5 ms.        */
    static const struct policy_ops ops = {
        .name = "lifo", .create = create, .destroy = destroy, .serve_batch = lifo};
    struct bench_request r[10];
    for (uint64_t i = 0; i < 10; i++)
        r[i] = (struct bench_request){i * 500000, 1, 1};
    struct policy_slot slot = {.ops = &ops, .label = "lifo"};
    policy_slot_create(&slot, NULL, NULL, NULL);
    struct bench b = {.section = "{\"model\":\"toy\",\"max_running\":1,\"kv_fraction\":1}",
                      .dense_us = {1000, 1000},
                      .request = r,
                      .n = 10,
                      .policy = &slot,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    cr_expect_float_eq(sketch_max(bench_sketch(m, "ttft")), 5.5, 0.01, "got %g",
                       sketch_max(bench_sketch(m, "ttft")));
    cr_expect(ejected(m, "serve_batch answered key"));
    cr_expect_eq(bench_number(m, "policy_decisions"), 10);
    measures_free(m);
}
