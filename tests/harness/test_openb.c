/* The openb cluster, where the trace is at hand: single seeds against the authors' own allocation
 * at 130 % (hkust-adsl/kubernetes-scheduler-simulator 8f3d641, expected_results), which has two
 * decimals. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/run/runner.h"

static const char text[] =
    "{\"schema\": \"malv-experiment/1\", \"name\": \"openb\", \"model\": \"packing\","
    "\"trace\": {\"import\": {\"format\": \"openb-pods\","
    " \"file\": \"data:alibaba-openb-2023/openb_pod_list_default.csv\"}},"
    "\"nodes\": {\"import\": {\"format\": \"openb-nodes\","
    " \"file\": \"data:alibaba-openb-2023/openb_node_list_gpu_node.csv\"}},"
    "\"packing\": {\"part\": \"memory\", \"draw\": \"go\"}, \"seed\": 43, \"trials\": 2,"
    "\"sweep\": {\"policy\": [\"gpu-clustering\", \"gpu-packing\", \"best-fit\", \"fgd\"]}}";
static const double published[] = {91.97, 91.88, 92.06, 92.10, 93.25, 93.09, 95.32, 95.44};

Test(openb, seeds_are_the_authors_to_the_last_digit, .timeout = 120)
{
    struct config *doc;
    struct experiment *x;
    struct result_set *rs;
    struct err e = {0};
    const struct runner_options o = {
        .jobs = 2, .backend = INFER_CPU, .policy_limit_s = 5, .quiet = true};
    cr_assert_eq(config_parse(&doc, "x.json", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_from(&x, doc, "x.json", NULL, &e), 0, "%s", e.msg);
    config_free(doc);
    if (experiment_check(x, &e)) {
        experiment_free(x);
        cr_assert(strstr(e.msg, "data:"), "%s", e.msg);
        cr_skip_test("the openb trace is not here (MALV_DATA or ../shared/traces)");
    }
    cr_assert_eq(experiment_run(x, &o, &rs, NULL, &e), 0, "%s", e.msg);
    cr_assert_eq(rs->n_trial, sizeof published / sizeof *published);
    for (size_t i = 0; i < rs->n_trial; i++) {
        const double *got = measures_find(rs->trial[i].measures, "allocation.130");
        cr_assert(got);
        cr_expect(fabs(*got - published[i]) < 0.0051, "trial %zu: %.4f, published %.2f", i, *got,
                  published[i]);
    }
    const double *pods = measures_find(rs->trial[0].measures, "pods");
    cr_expect(pods && *pods > 10000);
    results_free(rs);
    experiment_free(x);
}
