/* Numbering of trials, edits, and the values a sweep puts in. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/experiment.h"

static const char text[] =
    "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"model\": \"serve\", \"stack\": \"kvm\","
    " \"seed\": 5, \"trials\": 2,"
    " \"sweep\": {\"stack\": [\"kvm\", \"malv\"],"
    "             \"policy\": [\"fifo\", {\"name\": \"template\", \"label\": \"old\","
    "                          \"params\": {\"aging\": 2}}, {\"name\": \"sjf-mlp\"}],"
    "             \"serve.max_running\": [64, 1e3]}}";

static struct experiment *experiment(const struct experiment_edits *edits)
{
    struct err e = {0};
    struct config *doc;
    struct experiment *x;
    cr_assert_eq(config_parse(&doc, "x.json", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_from(&x, doc, "x.json", edits, &e), 0, "%s", e.msg);
    config_free(doc);
    return x;
}

static const struct {
    uint64_t index, seed;
    const char *factors;
} trials[] = {
    {0, 5, "kvm fifo 64"},   {1, 6, "kvm fifo 64"},        {2, 5, "kvm fifo 1000"},
    {4, 5, "kvm old 64"},    {8, 5, "kvm sjf-mlp 64"},     {11, 6, "kvm sjf-mlp 1000"},
    {12, 5, "malv fifo 64"}, {23, 6, "malv sjf-mlp 1000"},
};

ParameterizedTestParameters(experiment, trial_number_means)
{
    static int row[sizeof trials / sizeof *trials];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, experiment, trial_number_means)
{
    struct err e = {0};
    struct result_trial t;
    struct experiment *x = experiment(NULL);
    cr_expect_eq(x->planned, 24);
    cr_assert_eq(experiment_trial(x, trials[*row].index, &t, &e), 0, "%s", e.msg);
    char got[128];
    snprintf(got, sizeof got, "%s %s %s", t.factor[0].value, t.factor[1].value, t.factor[2].value);
    cr_expect_str_eq(got, trials[*row].factors);
    cr_expect_eq(t.seed, trials[*row].seed);
    result_trial_clear(&t);
    experiment_free(x);
}

Test(experiment, a_combination_is_a_document_of_its_own)
{
    struct err e = {0};
    struct config *doc;
    struct experiment *x = experiment(NULL);
    cr_assert_eq(experiment_combination(x, 9, &doc, &e), 0, "%s", e.msg); /* malv old 1000 */
    char *got = config_text(doc);
    cr_expect(strstr(got, "\"stack\":\"malv\""), "%s", got);
    cr_expect(
        strstr(got,
               "\"policy\":{\"name\":\"template\",\"label\":\"old\",\"params\":{\"aging\":2}}"),
        "%s", got);
    cr_expect(strstr(got, "\"serve\":{\"max_running\":1000}"), "%s", got);
    free(got);
    config_free(doc);
    char with[64];
    experiment_describe(x, 9, with, sizeof with);
    cr_expect_str_eq(with, "stack=malv policy=old serve.max_running=1000");
    experiment_free(x);
}

Test(experiment, what_is_set_is_no_longer_swept)
{
    static const struct experiment_set set[] = {{"policy", "sjf-mlp"}, {"serve.max_running", "7"}};
    struct experiment_edits edits = {.set = set, .n_set = 2, .seed = "40", .trials = "3"};
    struct experiment *x = experiment(&edits);
    struct err e = {0};
    struct config *doc;
    struct result_trial t;
    cr_expect_eq(x->planned, 6);
    cr_expect_eq(x->n_axis, 1);
    cr_assert_eq(experiment_trial(x, 4, &t, &e), 0, "%s", e.msg);
    cr_expect_str_eq(t.factor[0].value, "malv");
    cr_expect_eq(t.seed, 41);
    result_trial_clear(&t);
    cr_assert_eq(experiment_combination(x, 0, &doc, &e), 0, "%s", e.msg);
    char *got = config_text(doc);
    cr_expect(strstr(got, "\"serve\":{\"max_running\":7}"), "%s", got);
    free(got);
    config_free(doc);
    experiment_free(x);
}
