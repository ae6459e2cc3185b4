/* KML's readahead: features, the shipped weights, and the policy on files it never saw. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_ahead.h"
#include "harness/learn/model_file.h"
#include "harness/learn/train_machine.h"
#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/model.h"
#include "policies/kml_features.h"
#include "traces/source.h"
#include "tests/policies/retrain.h"
#include "tests/sanitized.h"

Test(kml, octaves_are_exact_at_powers_of_two_and_near_the_logarithm_between)
{
    for (int k = 0; k < 40; k++)
        cr_expect_eq(kml_octaves((float)((UINT64_C(1) << k) - 1)), (float)k, "2^%d - 1", k);
    for (double v = 0.01; v < 1e12; v *= 1.37)
        cr_expect_float_eq((double)kml_octaves((float)v), log2(1 + v), 0.1, "%g", v);
    cr_expect_lt(kml_octaves(1e30f), 64);
}

Test(kml, a_window_is_new_when_something_in_it_is)
{
    static struct kml_stream table[KML_STREAMS];
    struct policy_readahead_obs o = {.stream = 3};
    cr_expect_not(kml_new_window(table, &o), "no window was ever full");
    o.feature[0] = 100;
    cr_expect(kml_new_window(table, &o));
    cr_expect_not(kml_new_window(table, &o));
    o.feature[4] = 8; /* the readahead alone changes with every answer */
    cr_expect_not(kml_new_window(table, &o));
    o.feature[3] = 2;
    cr_expect(kml_new_window(table, &o));
    o.stream = 3 + KML_STREAMS;
    cr_expect(kml_new_window(table, &o), "another stream in the same place");
}

Test(kml, the_command_of_the_provenance_makes_the_shipped_bytes, .timeout = 180)
{
    retrain("kml", "--requests 3000 --epochs 2");
}

/* ---- on runs of seeds that it never saw ------------------------------------------------ */

static struct machine *the_machine(void)
{
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(train_machine(&m, AHEAD_MACHINE, &e), 0, "%s", e.msg);
    return m;
}

Test(kml, the_shipped_network_knows_most_windows_of_other_seeds, .timeout = 60)
{
    char why[256];
    struct err e = {0};
    struct machine *m = the_machine();
    struct model_file *file;
    struct infer *runtime;
    struct infer_model *net;
    struct class_rows all = {.n_in = KML_N};
    struct class_score s;
    const struct ahead_workload *w;
    cr_assert_eq(model_file_open(&file, "kml", &e), 0, "%s", e.msg);
    cr_expect_str_eq(model_file_meta(file, "features"), "kml/1");
    cr_assert_eq(infer_open(&runtime, INFER_CPU, why, sizeof why), 0);
    cr_assert_eq(infer_load(runtime, model_file_net(file), &net, why, sizeof why), 0);
    for (size_t i = 0; (w = model_ahead_workload(i)); i++) {
        struct class_run run;
        cr_assert_eq(model_ahead_run(&run, w, m, 20000, 900 + i, &e), 0, "%s", e.msg);
        cr_assert(class_rows_append(&all, &run.rows, 0, run.rows.n));
        class_runs_free(&run, 1);
    }
    const struct class_net asked = {.model = net, .n_out = KML_CLASSES};
    cr_assert_eq(class_score(&s, &asked, &all, 0, all.n, 1, &e), 0, "%s", e.msg);
    cr_expect_gt(s.accuracy, 0.93, "%g", s.accuracy);
    cr_expect_lt(s.calibration_error, 0.05, "%g", s.calibration_error);
    uint64_t counted = 0, binned = 0;
    for (uint32_t i = 0; i < s.classes; i++)
        for (uint32_t k = 0; k < s.classes; k++)
            counted += s.confusion[i][k];
    for (int i = 0; i < CLASS_BINS; i++)
        binned += s.bin[i].n;
    cr_expect(counted == all.n && binned == all.n);
    class_rows_free(&all);
    infer_unload(net);
    infer_close(runtime);
    model_file_free(file);
    machine_free(m);
}

/* Files whose ways change: seconds of the model "memory" under a policy. */
static double seconds_of(const char *name, const char *params, uint64_t seed)
{
    static const char trace[] =
        "{\"synth\":{\"table\":\"pages\",\"pattern\":\"files\",\"gap_ns\":50000,"
        "\"mode_accesses\":20000,\"rows\":400000}}",
                      cache[] = "{\"cache\":{\"frames\":32768,\"readahead\":true}}";
    struct err e = {0};
    struct config *t, *c, *p;
    struct row_source *rows;
    struct trace_about about;
    struct policy *policy;
    struct infer_host *infer;
    struct policy_session *session;
    struct machine *m = the_machine();
    struct measures *out = measures_new();
    cr_assert(!config_parse(&t, "t", trace, strlen(trace), &e) &&
              !config_parse(&c, "c", cache, strlen(cache), &e) &&
              !config_parse(&p, "p", params, strlen(params), &e));
    cr_assert_eq(
        trace_rows_open(t, 1u << TRACE_PAGES, seed, &(struct trace_places){0}, &rows, &about, &e),
        0, "%s", e.msg);
    cr_assert_eq(policy_load(&policy, name, &e), 0, "%s", e.msg);
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(policy), .label = name};
    struct policy_session_want want = {.params = p, .infer = infer_host_face(infer)};
    cr_assert_eq(policy_host_open(&session, &slot, &want, &e), 0, "%s", e.msg);
    struct model_env env = {.seed = seed, .machine = m, .rows = rows};
    env.bound[POLICY_HOOK_MEM_READAHEAD] = &slot;
    cr_assert_eq(model_memory.run(c, &env, out, &e), 0, "%s", e.msg);
    const double *time = measures_find(out, "time");
    cr_assert(time);
    const double seconds = *time;
    cr_expect_eq(slot.ejected, EJECT_NONE);
    cr_expect_eq(policy_host_close(session, &e), 0);
    infer_host_close(infer);
    policy_unload(policy);
    rows->close(rows);
    measures_free(out);
    machine_free(m);
    config_free(t);
    config_free(c);
    config_free(p);
    return seconds;
}

Test(kml, on_files_that_change_their_ways_it_beats_every_fixed_amount_and_linux, .timeout = 60)
{
    static const char *const fixed[] = {"{\"pages\":8}", "{\"pages\":32}", "{\"pages\":256}"};
    for (uint64_t seed = 1; seed <= (SANITIZED ? 1 : 2); seed++) {
        const double kml = seconds_of("kml", "{}", seed);
        for (int i = 0; i < 3; i++)
            cr_expect_lt(kml, seconds_of("readahead-fixed", fixed[i], seed), "seed %d, %s",
                         (int)seed, fixed[i]);
        cr_expect_lt(kml, seconds_of("readahead-none", "{}", seed));
        cr_expect_lt(kml, seconds_of("readahead-doubling", "{}", seed));
        cr_expect_lt(kml, seconds_of("readahead-random", "{}", seed));
        cr_expect_gt(kml, seconds_of("readahead-oracle", "{}", seed));
    }
}
