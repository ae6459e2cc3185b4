/* test_cpu_vcpus.c - model "vcpus": closed forms, and what must not matter. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "models/model.h"
#include "tests/models/cpu_world.h"

static struct config *doc;

/* A machine of 8 CPUs where nothing costs anything but what the program does. */
static struct machine *machine_with(const char *program)
{
    static const char cpu[] = "\"cpu\":{";
    static const char *const leaf[][3] = {
        {"sockets", "1", "1"},          {"cores_per_socket", "8", "1"},
        {"threads_per_core", "1", "1"}, {"context_switch", "0", "us"},
        {"wake_cross", "0", "us"},      {"wake_same", "0", "us"},
        {"migrate_core", "0", "us"},    {"migrate_node", "0", "us"},
        {"remote_slowdown", "1", "1"},  {"smt_speed", "1", "1"},
        {"balance_period", "4", "ms"}};
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"schema\":\"malv-machine/1\",\"name\":\"m\",\"gpu\":{},%s", cpu);
    for (size_t i = 0; i < sizeof leaf / sizeof *leaf; i++)
        n +=
            (size_t)snprintf(text + n, sizeof text - n,
                             "%s\"%s\":{\"value\":%s,\"unit\":\"%s\",\"source\":\"s\",\"evidence\":"
                             "\"assumed\"}",
                             i ? "," : "", leaf[i][0], leaf[i][1], leaf[i][2]);
    snprintf(text + n, sizeof text - n, "},\"guest\":{%s}}", program);
    struct machine *m = NULL;
    struct err e = {0};
    cr_assert_eq(config_parse(&doc, "m.json", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, doc, &e), 0, "%s", e.msg);
    return m;
}

#define US(name, v)                                                                                \
    "\"" name "\":{\"value\":" v ",\"unit\":\"us\",\"source\":\"s\",\"evidence\":\"assumed\"}"
#define N(name, v)                                                                                 \
    "\"" name "\":{\"value\":" v ",\"unit\":\"1\",\"source\":\"s\",\"evidence\":\"assumed\"}"
#define LOCK                                                                                       \
    "\"lock\":{" US("handover", "0.2") "," US("block", "1") "," US("wake", "1") "," US(            \
        "handoff_after", "4000") "," US("patience", "4000") "," US("yield_after", "2") "}"
#define WORK     "\"work\":{" US("outside", "100") "," N("sections", "0") "}"
#define NO_SPINS N("zone", "0") "," N("lru", "0") "," N("tasklist", "0")
#define LOCKED                                                                                     \
    "\"locked\":{" US("outside", "3") "," US("inside", "1") "," N(                                 \
        "sections", "1") "," NO_SPINS "," N("files", "1") "}"
#define SPINNING                                                                                   \
    "\"spinning\":{" US("outside", "10") "," US("inside", "1") "," US("spin_inside", "1") "," N(   \
        "sections", "1") "," N("zone", "2") "," N("lru", "6") "," N("tasklist",                    \
                                                                    "1") "," N("files", "1") "}"

static struct measures *run_on(struct machine *m, const char *section, bool shuffle)
{
    struct policy_slot pick = {.ops = cpu_policy("cfs")};
    struct config *c = NULL;
    struct err e = {0};
    cpu_policy_create(&pick);
    struct model_env env = {.seed = 3, .machine = m, .policy = &pick};
    env.sim.shuffle_ties = shuffle;
    struct measures *out = measures_new();
    cr_assert_eq(config_parse(&c, "v.json", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_vcpus.run(c, &env, out, &e), 0, "%s", e.msg);
    policy_slot_destroy(&pick);
    machine_free(m);
    config_free(c);
    config_free(doc);
    return out;
}

static struct measures *run(const char *section, bool shuffle)
{
    return run_on(machine_with(LOCK "," WORK "," LOCKED), section, shuffle);
}

static double of(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "no %s", name);
    return *v;
}

static double shares(const struct measures *m)
{
    return of(m, "share.compute") + of(m, "share.lock") + of(m, "share.steal") +
           of(m, "share.migrate") + of(m, "share.idle");
}

Test(cpu_vcpus, work_alone_gets_what_the_cpus_have)
{
    struct measures *m =
        run("{\"program\":\"work\",\"cpus\":8,\"vcpus\":16,\"pv\":\"both\",\"spread\":0}", false);
    cr_expect_float_eq(of(m, "ops_per_s"), 80000, 20); /* 8 CPUs, 100 us each */
    cr_expect_float_eq(of(m, "share.steal"), 0.5, 1e-4);
    cr_expect_float_eq(of(m, "hint_gain"), 1, 1e-3);
    cr_expect_float_eq(shares(m), 1, 1e-9);
    measures_free(m);
}

/* A hint about preemption is worth nothing to those who are never preempted. */
Test(cpu_vcpus, without_overcommit_the_hint_changes_nothing)
{
    struct measures *m =
        run("{\"program\":\"locked\",\"cpus\":8,\"vcpus\":8,\"pv\":\"both\",\"spread\":0}", false);
    cr_expect_float_eq(of(m, "hint_gain"), 1, 1e-3);
    cr_expect_float_eq(of(m, "ops_per_s"), 1e9 / 1200, 100); /* inside and handover, saturated */
    cr_expect_eq(of(m, "share.steal"), 0);
    cr_expect_float_eq(shares(m), 1, 1e-9);
    measures_free(m);
}

Test(cpu_vcpus, overcommitted_it_pays)
{
    struct measures *m = run("{\"program\":\"locked\",\"cpus\":4,\"vcpus\":8,\"pv\":\"both\","
                             "\"restarts\":8,\"duration_s\":0.2}",
                             false);
    cr_expect_gt(of(m, "hint_gain"), 1.5);
    cr_expect_lt(of(m, "cpu_spin"), of(m, "lock_plain"));
    cr_expect_float_eq(shares(m), 1, 1e-9);
    measures_free(m);
}

/* Eight CPUs do 80000 operations of 100 us a second, however long one looks. */
Test(cpu_vcpus, less_time_with_the_hint_measures_the_same)
{
    struct measures *m = run("{\"program\":\"work\",\"cpus\":8,\"vcpus\":16,\"pv\":\"both\","
                             "\"spread\":0,\"warmup_s\":0.4,\"hint_time\":0.25}",
                             false);
    cr_expect_float_eq(of(m, "ops_per_s_plain"), 80000, 20);
    cr_expect_float_eq(of(m, "ops_per_s"), 80000, 80);
    cr_expect_float_eq(shares(m), 1, 1e-9);
    measures_free(m);
}

/* Three spin locks of a program that has nothing else: each gets its share, and no more are taken
 * than there are. */
Test(cpu_vcpus, spin_locks_are_taken_as_often_as_the_profile_says)
{
    struct measures *m =
        run_on(machine_with(LOCK "," SPINNING),
               "{\"program\":\"spinning\",\"cpus\":1,\"vcpus\":1,\"spread\":0}", false);
    cr_expect_float_eq(of(m, "ops_per_s"), 1e6 / 20, 5); /* 10 us, and ten sections of 1 us */
    cr_expect_eq(of(m, "contended_per_op"), 0);
    measures_free(m);
}

/* What docs/cpu.md says of execl: the host preempts in mid-section whom a spinner's turn costs its
 * CPU, and with the hint those behind it sleep. */
Test(cpu_vcpus, who_execs_sleeps_with_the_hint, .timeout = 60)
{
    struct machine *machine = NULL;
    struct err e = {0};
    cr_assert_eq(profile_load(&doc, "machines/kunpeng-guest.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&machine, doc, &e), 0, "%s", e.msg);
    struct measures *m = run_on(machine,
                                "{\"program\":\"exec\",\"cpus\":8,\"vcpus\":16,\"pv\":\"hint\","
                                "\"warmup_s\":0.02,\"duration_s\":0.1}",
                                false);
    cr_expect_gt(of(m, "yields_per_op"), 1);
    cr_expect_gt(of(m, "sleeps_per_op"), 0);
    cr_expect_gt(of(m, "share.idle"), 0.01);
    cr_expect_float_eq(shares(m), 1, 1e-9);
    measures_free(m);
}

Test(cpu_vcpus, who_begins_first_at_one_moment_does_not_matter_to_work)
{
    static const char s[] =
        "{\"program\":\"work\",\"cpus\":3,\"vcpus\":7,\"spread\":0,\"duration_s\":0.5}";
    struct measures *a = run(s, false), *b = run(s, true);
    cr_expect_float_eq(of(a, "ops_per_s"), of(b, "ops_per_s"), 20);
    cr_expect_float_eq(of(a, "share.steal"), of(b, "share.steal"), 1e-3);
    measures_free(a);
    measures_free(b);
}
