/* Several policies in one experiment: each behind a guard of its own. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/setup.h"
#include "tests/harness/trials.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"

static const char text[] =
    "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"model\": \"serve\","
    "\"machine\": \"machines/h100-server.json\", \"seed\": 3, \"trials\": 2,"
    "\"trace\": {\"synth\": {\"preset\": \"azure-code\"}, \"limit\": 100},"
    "\"serve\": {\"max_running\": 4}, %s}";

static struct experiment *made(const char *more, const struct experiment_edits *edits)
{
    char json[4096];
    snprintf(json, sizeof json, text, more);
    return trials_made(json, edits);
}

static struct result_set *ran(const struct experiment *x, unsigned jobs)
{
    struct result_set *rs = trials_ran(x, jobs);
    for (size_t i = 0; i < rs->n_trial; i++)
        cr_assert(!rs->trial[i].failed, "%s", rs->trial[i].why);
    return rs;
}

static struct result_set *results(const char *more, unsigned jobs)
{
    struct experiment *x = made(more, NULL);
    struct result_set *rs = ran(x, jobs);
    experiment_free(x);
    return rs;
}

static double number(const struct result_set *rs, size_t trial, const char *name)
{
    return trials_number(&rs->trial[trial], name);
}

static const char *said_of(const struct result_set *rs, size_t trial, const char *who)
{
    const struct measures *m = rs->trial[trial].measures;
    for (size_t i = 0; i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, "ejected") && !strcmp(m->incident[i].who, who))
            return m->incident[i].text;
    return "nothing";
}

/* {"serve": {"admit": rogue, "batch": rogue}}, each misbehaving in its way. */
static const char *rogues(const char *admit, int at_admit, const char *batch, int at_batch)
{
    static char json[2048];
    char *here = realpath(MISBEHAVES, NULL);
    cr_assert_not_null(here);
    snprintf(json, sizeof json,
             "\"policies\": {\"serve\": {\"admit\": {\"name\": \"%s\", \"label\": \"a\","
             " \"params\": {\"how\": \"%s\", \"at\": %d, \"hook\": \"serve_admit\"}},"
             " \"batch\": {\"name\": \"%s\", \"label\": \"b\","
             " \"params\": {\"how\": \"%s\", \"at\": %d, \"hook\": \"serve_batch\"}}}}",
             here, admit, at_admit, here, batch, at_batch);
    free(here);
    return json;
}

static const struct {
    const char *admit, *batch;
    int at_admit, at_batch;
    double ejected;
    const char *of_a, *of_b;
} cases[] = {
    {"none", "none", 0, 0, 0, "nothing", "nothing"},
    {"crash", "none", 30, 0, 1, "serve_admit crashed: signal 6 (Aborted)", "nothing"},
    {"none", "crash", 0, 30, 1, "nothing", "serve_batch crashed: signal 6 (Aborted)"},
    {"crash", "crash", 20, 40, 2, "serve_admit crashed: signal 6 (Aborted)",
     "serve_batch crashed: signal 6 (Aborted)"},
    {"crash", "crash", 40, 20, 2, "serve_admit crashed: signal 6 (Aborted)",
     "serve_batch crashed: signal 6 (Aborted)"},
    {"bad", "crash", 10, 11, 2, "serve_admit answered 7, want 0 (admit) or 1 (reject)",
     "serve_batch crashed: signal 6 (Aborted)"},
    {"crash", "hang", 15, 25, 2, "serve_admit crashed: signal 6 (Aborted)",
     "serve_batch did not return: not back after 0.5 s"},
};

Test(policies, one_that_crashes_leaves_the_others_where_they_are, .timeout = 200)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *json =
            rogues(cases[i].admit, cases[i].at_admit, cases[i].batch, cases[i].at_batch);
        struct result_set *one = results(json, 1), *two = results(json, 2);
        cr_expect(trials_same(one, two), "row %zu: other results with two workers", i);
        for (size_t t = 0; t < one->n_trial; t++) {
            cr_expect_eq(number(one, t, "ejected"), cases[i].ejected, "row %zu", i);
            cr_expect_eq(number(one, t, "completed"), 100);
            cr_expect_str_eq(said_of(one, t, "a (serve.admit)"), cases[i].of_a);
            cr_expect_str_eq(said_of(one, t, "b (serve.batch)"), cases[i].of_b);
        }
        results_free(one);
        results_free(two);
    }
}

Test(policies, the_one_that_stays_is_asked_to_the_end, .timeout = 100)
{
    struct result_set *both = results(rogues("none", 0, "none", 0), 1);
    struct result_set *left = results(rogues("crash", 30, "none", 0), 1);
    for (size_t t = 0; t < both->n_trial; t++) /* 70 admissions were not asked for */
        cr_expect_eq(number(both, t, "policy_decisions") - number(left, t, "policy_decisions"), 70);
    results_free(both);
    results_free(left);
}

Test(policies, a_hook_of_its_own_goes_before_policy, .timeout = 100)
{
    struct result_set *alone = results("\"policy\": \"oracle-sjf\"", 1);
    struct result_set *bound =
        results("\"policy\": \"fifo\", \"policies\": {\"serve.batch\": \"oracle-sjf\"}", 1);
    struct result_set *nested =
        results("\"policies\": {\"serve\": {\"batch\": \"oracle-sjf\"}}", 1);
    struct result_set *fifo = results("\"policy\": \"fifo\"", 1);
    for (size_t t = 0; t < alone->n_trial; t++) {
        cr_expect_eq(number(alone, t, "makespan"), number(bound, t, "makespan"));
        cr_expect_eq(number(alone, t, "makespan"), number(nested, t, "makespan"));
        cr_expect_neq(number(alone, t, "makespan"), number(fifo, t, "makespan"));
    }
    results_free(alone);
    results_free(bound);
    results_free(nested);
    results_free(fifo);
}

static void expect_policies(const struct experiment *x, uint64_t combination, const char *want)
{
    struct config *doc;
    struct err e = {0};
    cr_assert_eq(experiment_combination(x, combination, &doc, &e), 0, "%s", e.msg);
    char *got = config_text(config_get(doc, "policies"));
    cr_expect_str_eq(got, want);
    free(got);
    config_free(doc);
}

Test(policies, both_spellings_are_one_path_for_set_and_sweep)
{
    static const char *const spelled[] = {"\"policies\": {\"serve.batch\": \"fifo\"}",
                                          "\"policies\": {\"serve\": {\"batch\": \"fifo\"}}"};
    static const struct experiment_set set[] = {{"policies.serve.batch", "oracle-sjf"}};
    static const struct experiment_edits edits = {.set = set, .n_set = 1};
    for (size_t i = 0; i < 2; i++) {
        char swept[512];
        struct experiment *x = made(spelled[i], &edits);
        expect_policies(x, 0, "{\"serve\":{\"batch\":\"oracle-sjf\"}}");
        experiment_free(x);
        snprintf(swept, sizeof swept,
                 "%s, \"sweep\": {\"policies.serve.batch\": [\"fifo\", {\"name\": \"sjf-mlp\","
                 " \"label\": \"learned\"}]}",
                 spelled[i]);
        x = made(swept, NULL);
        cr_expect_eq(x->combinations, 2);
        cr_expect_str_eq(x->axis[0].label[1], "learned");
        expect_policies(x, 0, "{\"serve\":{\"batch\":\"fifo\"}}");
        expect_policies(x, 1,
                        "{\"serve\":{\"batch\":{\"name\":\"sjf-mlp\",\"label\":\"learned\"}}}");
        experiment_free(x);
    }
    struct experiment *x = made("\"sweep\": {\"policies\": [{\"serve.batch\": \"fifo\"}]}", NULL);
    expect_policies(x, 0, "{\"serve\":{\"batch\":\"fifo\"}}");
    experiment_free(x);
}

Test(policies, two_of_one_kind_draw_from_streams_of_their_own, .timeout = 100)
{
    char *here = realpath(MISBEHAVES, NULL), json[1024];
    snprintf(json, sizeof json, "\"policy\": {\"name\": \"%s\", \"params\": {\"how\": \"random\"}}",
             here);
    struct result_set *all = results(json, 1);
    snprintf(json, sizeof json,
             "\"policies\": {\"serve.batch\": {\"name\": \"%s\", \"params\": {\"how\":"
             " \"random\"}}}",
             here);
    struct result_set *bound = results(json, 1), *again = results(json, 1);
    cr_expect(trials_same(bound, again));
    cr_expect(!trials_same(all, bound));
    results_free(all);
    results_free(bound);
    results_free(again);
    free(here);
}

/* A policy that one section of a sweep leaves without a question, and another asks. */
Test(policies, a_sweep_may_ask_one_in_part)
{
    struct result_set *rs = trials_of(
        "{\"schema\": \"malv-experiment/1\", \"name\": \"part\", \"model\": \"serve\", "
        "\"machine\": "
        "\"machines/h100-server.json\", \"trace\": {\"synth\": {\"preset\": \"mooncake\", "
        "\"requests\": 40}}, \"policies\": {\"mem.evict\": \"lfu\"}, \"seed\": 1, \"trials\": 1, "
        "\"sweep\": {\"serve.prefix_block\": [0, 512]}}",
        1);
    cr_assert_eq(rs->n_trial, 2);
    for (size_t i = 0; i < 2; i++)
        cr_expect_gt(trials_number(&rs->trial[i], "completed"), 0, "%zu", i);
    results_free(rs);
}
