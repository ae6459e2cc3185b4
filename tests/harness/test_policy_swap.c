/* Policies that come and go while a server runs, good ones and bad ones. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/trials.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"

static struct experiment *served(const char *hook, const char *life, const char *more)
{
    char json[4096];
    snprintf(json, sizeof json,
             "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"seed\": 3, \"trials\": 2,"
             " \"model\": \"serve\", \"machine\": \"machines/h100-server.json\","
             " \"stack\": \"malv\", \"trace\": {\"synth\": {\"preset\": \"mixed\","
             " \"requests\": 150, \"rate_per_s\": 20}}, %s"
             " \"policies\": {\"%s\": %s}}",
             more, hook, life);
    return trials_made(json, NULL);
}

static struct result_set *serve(const char *hook, const char *life, const char *more, unsigned jobs)
{
    struct experiment *x = served(hook, life, more);
    struct result_set *rs = trials_ran(x, jobs);
    experiment_free(x);
    return rs;
}

#define FEW "\"serve\": {\"max_running\": 4},"

static void none_lost(const struct result_trial *t, const char *hook)
{
    char name[64];
    static const char *const each[] = {"lost", "twice"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "life.%s.%s", hook, each[i]);
        cr_expect_eq(trials_number(t, name), 0, "%s", name);
    }
    cr_expect_eq(trials_number(t, "completed") + trials_number(t, "rejected"), 150);
}

/* ---- who misbehaves on its way in, or later -------------------------------------------- */

static const struct {
    const char *bound, *hook, *how;
    int at;
    double undone, replaced;
    const char *kind, *text; /* an incident, and what is in it */
} cases[] = {
    {"serve.batch", "create", "crash", 0, 1, 0, "undone", "create crashed: signal 6"},
    {"serve.batch", "create", "hang", 0, 1, 0, "undone", "create did not return"},
    {"serve.batch", "restore", "crash", 0, 1, 0, "undone", "restore crashed: signal 6"},
    {"serve.batch", "restore", "hang", 0, 1, 0, "undone", "restore did not return"},
    {"serve.batch", "restore", "refuse", 0, 0, 1, "replaced", "refuses the state of 8 bytes"},
    {"serve.batch", "none", "none", 0, 0, 1, "replaced", "takes over 8 bytes of state"},
    {"serve.batch", "serve_batch", "bad", 3, 0, 2, "ejected", "serve_batch answered key"},
    {"serve.batch", "serve_batch", "crash", 3, 0, 2, "ejected", "serve_batch crashed"},
    {"serve.admit", "create", "crash", 0, 1, 0, "undone", "create crashed: signal 6"},
    {"serve.admit", "serve_admit", "bad", 9, 0, 2, "ejected", "serve_admit answered 7"},
    {"serve.admit", "serve_admit", "hang", 9, 0, 2, "ejected", "serve_admit did not return"},
};
#define N_CASES (sizeof cases / sizeof *cases)

ParameterizedTestParameters(swap, a_bad_newcomer_is_undone)
{
    static int row[N_CASES];
    for (size_t i = 0; i < N_CASES; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, N_CASES);
}

ParameterizedTest(int *row, swap, a_bad_newcomer_is_undone, .timeout = 100)
{
    char life[1024], name[64], *here = realpath(MISBEHAVES, NULL);
    cr_assert_not_null(here);
    snprintf(life, sizeof life,
             "{\"candidates\": [{\"name\": \"%s\", \"label\": \"old\", \"params\": {\"how\": "
             "\"none\"}}], \"swap\": [{\"at_ms\": 2000, \"to\": {\"name\": \"%s\", \"label\":"
             " \"new\", \"params\": {\"how\": \"%s\", \"hook\": \"%s\", \"at\": %d}}}]}",
             here, here, cases[*row].how, cases[*row].hook, cases[*row].at);
    free(here);
    struct experiment *x = served(cases[*row].bound, life, FEW);
    struct result_set *one = trials_ran(x, 1), *two = trials_ran(x, 2);
    experiment_free(x);
    cr_expect(trials_same(one, two), "%s: other results with two workers", life);
    for (size_t t = 0; t < one->n_trial; t++) {
        const char *said = trials_said(&one->trial[t], cases[*row].kind);
        none_lost(&one->trial[t], cases[*row].bound);
        snprintf(name, sizeof name, "life.%s.undone", cases[*row].bound);
        cr_expect_eq(trials_number(&one->trial[t], name), cases[*row].undone, "%s", life);
        snprintf(name, sizeof name, "life.%s.replaced", cases[*row].bound);
        cr_expect_eq(trials_number(&one->trial[t], name), cases[*row].replaced, "%s", life);
        cr_expect(strstr(said, cases[*row].text), "%s: said \"%s\"", life, said);
    }
    results_free(one);
    results_free(two);
}

/* ---- the order of the queue --------------------------------------------------------------- */

static struct result_set *mode(const char *infer, const char *leap, const char *swap)
{
    char life[512], more[256];
    snprintf(life, sizeof life, "{\"candidates\": [\"fifo\"], \"swap\": [%s]}", swap);
    snprintf(more, sizeof more,
             "\"serve\": {\"max_running\": 6, \"leap\": %s, \"infer\": {\"mode\": \"%s\"}},", leap,
             infer);
    return serve("serve.batch", life, more, 1);
}

static const char *const swaps[] = {
    "{\"at_ms\": 1500, \"to\": \"sjf-mlp\"}, {\"at_ms\": 4000, \"rollback\": true},"
    " {\"at_ms\": 5000, \"unload\": true}",
    "{\"at_ms\": 1500, \"to\": \"sjf-mlp\", \"quiesce\": false},"
    " {\"at_ms\": 1500, \"to\": \"oracle-sjf\", \"quiesce\": false}",
    "{\"at_ms\": 1000, \"load\": \"sjf-mlp\"}, {\"at_ms\": 1500, \"to\": \"sjf-mlp\", \"by\": "
    "\"hypercall\", \"vm\": 1}",
};

/* Nothing is lost in any mode of inference, and leaping over iterations changes nothing. */
Test(swap, no_mode_of_inference_loses_any, .timeout = 100)
{
    static const char *const modes[] = {"wait", "async", "free"};
    for (size_t s = 0; s < sizeof swaps / sizeof *swaps; s++)
        for (size_t m = 0; m < 3; m++) {
            struct result_set *leaps = mode(modes[m], "true", swaps[s]);
            struct result_set *steps = mode(modes[m], "false", swaps[s]);
            for (size_t t = 0; t < leaps->n_trial; t++) {
                none_lost(&leaps->trial[t], "serve.batch");
                cr_expect_geq(trials_number(&leaps->trial[t], "life.serve.batch.replaced"), 1);
                cr_expect_eq(trials_number(&leaps->trial[t], "makespan"),
                             trials_number(&steps->trial[t], "makespan"), "%s, %s", modes[m],
                             swaps[s]);
            }
            results_free(leaps);
            results_free(steps);
        }
}

/* A swap before anything comes is the other policy, but for the time of the steps. */
Test(swap, whoever_waits_is_ranked_by_the_new_policy, .timeout = 100)
{
    struct result_set *early = mode("free", "true", "{\"at_ms\": 0, \"to\": \"oracle-sjf\"}");
    struct result_set *late = mode("free", "true", "{\"at_ms\": 3000, \"to\": \"oracle-sjf\"}");
    struct result_set *only =
        serve("serve.batch", "\"oracle-sjf\"",
              "\"serve\": {\"max_running\": 6, \"infer\": {\"mode\": \"free\"}},", 1);
    for (size_t t = 0; t < early->n_trial; t++) {
        cr_expect_eq(trials_number(&early->trial[t], "makespan"),
                     trials_number(&only->trial[t], "makespan"));
        cr_expect_gt(trials_number(&late->trial[t], "life.serve.batch.asked"), 150,
                     "some are asked again");
    }
    results_free(early);
    results_free(late);
    results_free(only);
}

/* ---- several at once ------------------------------------------------------------------------ */

static const char *const together[] = {
    "{\"candidates\": [\"fifo\", \"sjf-mlp\", \"shortest-prompt\"], \"select_ms\": 300,"
    " \"select\": \"select-bandit\"}",
    "{\"candidates\": [\"fifo\", \"sjf-mlp\"], \"select\": {\"name\": \"select-rules\","
    " \"params\": {\"rules\": \"vm < 2: sjf-mlp; fifo\"}}, \"swap\": [{\"at_ms\": 900, \"to\":"
    " \"oracle-sjf\", \"vm\": 1, \"by\": \"hypercall\"}]}",
    "{\"candidates\": [\"fifo\"], \"per_vm\": {\"0\": \"sjf-mlp\", \"1\": {\"name\": \"sjf-mlp\","
    " \"label\": \"careful\", \"params\": {\"risk\": 1}}}}",
    "{\"candidates\": [\"random-order\", \"fifo\"], \"guard\": {\"baseline\": \"fifo\", \"every\": "
    "2,"
    " \"window\": 10}, \"watch\": {\"from_ms\": 0, \"width_ms\": 1000, \"windows\": 5}}",
};

/* Also when several versions answer side by side none is lost, at any hook of any inference. */
Test(swap, several_versions_answer_side_by_side, .timeout = 100)
{
    static const char *const modes[] = {"wait", "async", "free"};
    for (size_t i = 0; i < sizeof together / sizeof *together; i++)
        for (size_t m = 0; m < 3; m++) {
            char more[2][256];
            struct result_set *r[2];
            for (int k = 0; k < 2; k++) {
                snprintf(more[k], sizeof more[k],
                         "\"serve\": {\"max_running\": 6, \"leap\": %s, \"infer\": {\"mode\":"
                         " \"%s\"}},",
                         k ? "false" : "true", modes[m]);
                r[k] = serve("serve.batch", together[i], more[k], 1);
            }
            for (size_t t = 0; t < r[0]->n_trial; t++) {
                none_lost(&r[0]->trial[t], "serve.batch");
                cr_expect_eq(trials_number(&r[0]->trial[t], "makespan"),
                             trials_number(&r[1]->trial[t], "makespan"), "%s, %s", modes[m],
                             together[i]);
            }
            results_free(r[0]);
            results_free(r[1]);
        }
}

/* A VM's own binding answers it, and nobody else. */
Test(swap, a_binding_of_its_own, .timeout = 100)
{
    struct result_set *rs = serve("serve.batch", together[2], FEW, 1);
    const struct measures *m = rs->trial[0].measures;
    unsigned said = 0;
    for (size_t i = 0; i < m->n_incident; i++) {
        const char *text = m->incident[i].text;
        if (strcmp(m->incident[i].kind, "answers"))
            continue;
        const char *want = !strncmp(text, "VM 0:", 5)   ? "VM 0: sjf-mlp "
                           : !strncmp(text, "VM 1:", 5) ? "VM 1: careful "
                                                        : ": fifo ";
        cr_expect(strstr(text, want) && !strchr(text, ','), "%s", text);
        said++;
    }
    cr_expect_geq(said, 3);
    results_free(rs);
}

/* An oracle that selects is told what runs with each candidate alone would cost each VM. */
Test(swap, an_oracle_selects_what_was_best_before, .timeout = 100)
{
    struct result_set *rs =
        serve("serve.batch",
              "{\"candidates\": [\"random-order\", \"oracle-sjf\"], \"select_ms\": 200,"
              " \"select\": \"select-oracle\"}",
              FEW, 1);
    none_lost(&rs->trial[0], "serve.batch");
    cr_expect_gt(trials_number(&rs->trial[0], "life.serve.batch.switched"), 0);
    cr_expect(strstr(trials_said(&rs->trial[0], "oracle"), "truth"));
    results_free(rs);
}
