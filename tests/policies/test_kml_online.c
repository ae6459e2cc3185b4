/* kml-online: what it learns while a page cache runs, and what that costs. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/learn/model_ahead.h"
#include "harness/learn/train_machine.h"
#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/model.h"
#include "traces/source.h"

/* Files read in runs of 2 to 64 pages, before, while and after the device moves pages 25 times as
 * slowly; each time twice, for there is first something to learn. */
#define PHASES_SAID                                                                                \
    "[{\"from_s\":0},{\"from_s\":12,\"page\":25},{\"from_s\":24,\"page\":25},{\"from_s\":36},{"    \
    "\"from_s\":48}]"
enum { PHASES = 5, BEFORE = 0, DURING = 2, AFTER = 4, SOME = 15, ALL = 60 }; /* seconds */

struct outcome {
    struct measures *m;
    double us[PHASES]; /* of the device per access */
};

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "%s", name);
    return *v;
}

static struct config *parsed(const char *text)
{
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), &e), 0, "%s", e.msg);
    return c;
}

static struct outcome run(const char *policy_name, const char *params, const char *more,
                          uint64_t seed, int seconds)
{
    struct outcome o = {.m = measures_new()};
    struct err e = {0};
    struct row_source *rows;
    struct trace_about about;
    struct policy *policy;
    struct infer_host *infer;
    struct policy_session *session;
    struct machine *m;
    char text[512];
    snprintf(text, sizeof text,
             "{\"synth\":{\"table\":\"pages\",\"pattern\":\"files\",\"files\":8,\"mode\":\"runs\","
             "\"gap_ns\":50000,\"mode_accesses\":10000,\"rows\":%d}}",
             seconds * 20000);
    struct config *t = parsed(text), *p = parsed(params), *c;
    snprintf(text, sizeof text,
             "{\"cache\":{\"frames\":65536,\"readahead\":true,\"window_s\":0.1,\"device\":%s%s}}",
             PHASES_SAID, more);
    c = parsed(text);
    cr_assert_eq(train_machine(&m, AHEAD_MACHINE, &e), 0, "%s", e.msg);
    cr_assert_eq(
        trace_rows_open(t, 1u << TRACE_PAGES, seed, &(struct trace_places){0}, &rows, &about, &e),
        0, "%s", e.msg);
    cr_assert_eq(policy_load(&policy, policy_name, &e), 0, "%s", e.msg);
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(policy), .label = policy_name};
    const struct policy_session_want want = {
        .seed = seed, .params = p, .infer = infer_host_face(infer)};
    cr_assert_eq(policy_host_open(&session, &slot, &want, &e), 0, "%s", e.msg);
    struct model_env env = {.seed = seed, .machine = m, .rows = rows};
    env.infer = infer_host_face(infer);
    env.bound[POLICY_HOOK_MEM_READAHEAD] = &slot;
    slot.out = o.m;
    cr_assert_eq(model_memory.run(c, &env, o.m, &e), 0, "%s", e.msg);
    cr_expect_eq(slot.ejected, EJECT_NONE);
    cr_expect_eq(policy_host_close(session, &e), 0, "%s", e.msg);
    for (int i = 0; i < PHASES; i++) {
        snprintf(text, sizeof text, "device.%d.io_per_access", i);
        const double *us = measures_find(o.m, text);
        o.us[i] = us ? *us : 0; /* not that far */
    }
    infer_host_close(infer);
    policy_unload(policy);
    rows->close(rows);
    machine_free(m);
    config_free(t);
    config_free(c);
    config_free(p);
    return o;
}

static double done(struct outcome *o)
{
    const double time = number(o->m, "time");
    measures_free(o->m);
    return time;
}

/* The device at which the shipped weights are wrong: what learns beats what does not, and Linux;
 * nobody beats the oracle.  On the one that they were trained for it costs little. */
Test(kml_online, it_recovers_when_the_device_changes_and_when_it_changes_back, .timeout = 120)
{
    struct outcome kml = run("kml", "{}", "", 1, ALL), online = run("kml-online", "{}", "", 1, ALL),
                   linux_ = run("readahead-doubling", "{}", "", 1, ALL),
                   oracle = run("readahead-oracle", "{\"gap\":1}", "", 1, ALL);
    cr_expect_lt(online.us[BEFORE], 1.1 * kml.us[BEFORE], "%g, fixed %g", online.us[BEFORE],
                 kml.us[BEFORE]);
    cr_expect_lt(online.us[DURING], 0.9 * kml.us[DURING], "%g, fixed %g", online.us[DURING],
                 kml.us[DURING]);
    cr_expect_lt(online.us[DURING], linux_.us[DURING]);
    cr_expect_gt(online.us[DURING], oracle.us[DURING]);
    cr_expect_lt(online.us[AFTER], 1.3 * kml.us[AFTER], "%g, fixed %g", online.us[AFTER],
                 kml.us[AFTER]);
    cr_expect_lt(online.us[AFTER], linux_.us[AFTER]);
    (void)done(&kml), (void)done(&online), (void)done(&linux_), (void)done(&oracle);
}

/* Without trials there are no labels, and nothing is learned: it is kml to the last request. */
Test(kml_online, without_trials_it_is_kml)
{
    struct outcome kml = run("kml", "{}", "", 3, SOME),
                   still = run("kml-online", "{\"trials\":0}", "", 3, SOME);
    cr_expect_null(measures_find(still.m, "train_pieces"));
    for (int i = 0; i < PHASES; i++)
        cr_expect_eq(still.us[i], kml.us[i], "phase %d", i);
    const double time = done(&still), fixed = done(&kml);
    cr_expect_eq(time, fixed);
}

/* Who does the training pays: a core of its own, or the reader; the answers are the same, but for
 * the time at which they are there. */
Test(kml_online, training_is_on_the_bill)
{
    struct outcome aside = run("kml-online", "{}", "", 4, SOME),
                   reader = run("kml-online", "{}", ",\"train_on\":\"reader\"", 4, SOME);
    const double cpu = number(aside.m, "train_cpu_time"), pieces = number(aside.m, "train_pieces");
    cr_expect_gt(pieces, 10);
    cr_expect_gt(cpu, 0);
    cr_expect_eq(number(reader.m, "train_cpu_time"), cpu);
    cr_expect_gt(number(aside.m, "infer_wait_time"), 0);
    const double less = done(&aside), more = done(&reader);
    cr_expect_float_eq(more - less, cpu, 1e-9);
}

/* The same seed gives the same bytes; another one tries at other times. */
Test(kml_online, a_run_is_a_function_of_its_seed)
{
    struct buf bytes[3] = {{0}};
    for (int i = 0; i < 3; i++) {
        struct outcome o = run("kml-online", "{}", "", i < 2 ? 5 : 6, SOME);
        measures_pack(o.m, &bytes[i]);
        (void)done(&o);
    }
    cr_expect(bytes[0].len == bytes[1].len && !memcmp(bytes[0].data, bytes[1].data, bytes[0].len));
    cr_expect(bytes[0].len != bytes[2].len || memcmp(bytes[0].data, bytes[2].data, bytes[0].len));
    for (int i = 0; i < 3; i++)
        buf_free(&bytes[i]);
}
