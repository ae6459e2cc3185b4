/* Whole experiments in this process: policies that misbehave, jobs, interruptions. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/trials.h"
#include "tests/sanitized.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"

static const struct {
    const char *how;
    int at;
    double ejected;
    const char *text; /* of the incident; NULL: none */
} cases[] = {
    {"none", 50, 0, NULL},
    {"static", 50, 0, NULL},
    {"key", 51, 1,
     "serve_batch answered key -9223372036854775808, want one within +-4611686018427387903"},
    {"verdict", 50, 1, "serve_admit answered 7, want 0 (admit) or 1 (reject)"},
    {"crash", 51, 1, "serve_batch crashed: signal 6 (Aborted)"},
    {"exit", 50, 1, "serve_admit crashed: exit with status 0"},
    {"hang", 50, 1, "serve_admit did not return: not back after 0.5 s"},
    {"create", 0, 1, "create failed: the moon is in the wrong quarter"},
};
#define N_CASES (sizeof cases / sizeof *cases)

static struct experiment *experiment(const char *policy)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"model\": \"serve\","
             "\"machine\": \"machines/h100-server.json\", \"seed\": 3, \"trials\": 2,"
             "\"trace\": {\"synth\": {\"preset\": \"azure-code\"}, \"limit\": 100},"
             "\"policy\": %s, \"sweep\": {\"stack\": [\"kvm\", \"malv\"]}}",
             policy);
    return trials_made(text, NULL);
}

ParameterizedTestParameters(runner, a_policy_that_misbehaves)
{
    static int row[N_CASES];
    for (size_t i = 0; i < N_CASES; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, N_CASES);
}

ParameterizedTest(int *row, runner, a_policy_that_misbehaves, .timeout = 100)
{
    if (SANITIZED && !strcmp(cases[*row].how, "exit"))
        cr_skip_test("at an exit LeakSanitizer may or may not turn it into an abort");
    char policy[512], *here = realpath(MISBEHAVES, NULL);
    cr_assert_not_null(here);
    snprintf(policy, sizeof policy,
             "{\"name\": \"%s\", \"label\": \"rogue\", \"params\": {\"how\": \"%s\", \"at\": %d}}",
             here, cases[*row].how, cases[*row].at);
    free(here);
    struct experiment *x = experiment(policy);
    struct result_set *one = trials_ran(x, 1), *two = trials_ran(x, 2);
    cr_expect_eq(one->n_trial, 4);
    cr_expect(trials_same(one, two), "%s: other results with two workers", cases[*row].how);
    for (size_t i = 0; i < one->n_trial; i++) {
        const struct result_trial *t = &one->trial[i];
        const struct measure_incident *why = trials_incident(t, "ejected");
        const double *ejected = measures_find(t->measures, "ejected");
        cr_assert(!t->failed, "%s", t->why);
        cr_assert_not_null(ejected);
        cr_expect_eq(*ejected, cases[*row].ejected);
        cr_expect_str_eq(why ? why->text : "", cases[*row].text ? cases[*row].text : "");
        cr_expect(!why || !strcmp(why->who, "rogue"));
        cr_expect_eq(*measures_find(t->measures, "completed"), 100);
    }
    results_free(one);
    results_free(two);
    experiment_free(x);
}

Test(runner, an_ejected_policy_leaves_the_defaults_behind, .timeout = 100)
{
    /* It ranks by its own order until call 51, and first come first served is what it did before.
     */
    char policy[512], *here = realpath(MISBEHAVES, NULL);
    snprintf(policy, sizeof policy,
             "{\"name\": \"%s\", \"params\": {\"how\": \"crash\", \"at\": 0}}", here);
    free(here);
    struct experiment *x = experiment(policy), *y = experiment("\"fifo\"");
    struct result_set *rogue = trials_ran(x, 1), *fifo = trials_ran(y, 1);
    for (size_t i = 0; i < fifo->n_trial; i++) {
        const struct measures *a = rogue->trial[i].measures, *b = fifo->trial[i].measures;
        cr_expect_eq(*measures_find(a, "makespan"), *measures_find(b, "makespan"));
        cr_expect_eq(*measures_find(a, "goodput"), *measures_find(b, "goodput"));
    }
    results_free(rogue);
    results_free(fifo);
    experiment_free(x);
    experiment_free(y);
}

Test(runner, a_trial_that_fails_is_recorded_and_the_next_one_runs, .timeout = 100)
{
    struct experiment *x = experiment("\"fifo\"");
    struct err e = {0};
    cr_assert_eq(config_set(x->doc, "policy", "nosuch", &e),
                 0); /* after the check, behind its back */
    struct result_set *rs = trials_ran(x, 2);
    cr_expect_eq(rs->n_trial, 4);
    for (size_t i = 0; i < rs->n_trial; i++) {
        cr_expect(rs->trial[i].failed);
        cr_expect(strstr(rs->trial[i].why, "x.json: policy: no policy \"nosuch\""), "%s",
                  rs->trial[i].why);
        cr_expect_eq(rs->trial[i].n_factor, 1);
        cr_expect_eq(rs->trial[i].measures->n_number, 0);
    }
    results_free(rs);
    experiment_free(x);
}

Test(runner, seeds_are_paired_across_the_sweep, .timeout = 100)
{
    struct experiment *x = experiment("\"fifo\"");
    struct result_set *rs = trials_ran(x, 1);
    cr_expect_eq(rs->trial[0].seed, 3);
    cr_expect_eq(rs->trial[2].seed, 3);
    cr_expect_str_eq(rs->trial[0].factor[0].value, "kvm");
    cr_expect_str_eq(rs->trial[2].factor[0].value, "malv");
    /* the same requests arrive; another seed brings others */
    cr_expect_eq(*measures_find(rs->trial[0].measures, "requests"), 100);
    cr_expect_neq(*measures_find(rs->trial[0].measures, "makespan"),
                  *measures_find(rs->trial[1].measures, "makespan"));
    results_free(rs);
    experiment_free(x);
}
