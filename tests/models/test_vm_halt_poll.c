/* Halt polling: the rule of KVM, step by step, and what it does to a guest that wakes by period. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "models/model.h"
#include "models/vm/halt_poll.h"

static const struct halt_poll_rule documented = {200000, 10000, 2, 0};

/* Each halt in turn, and the interval behind it, by Documentation/virt/kvm/halt-polling. */
Test(vm_halt_poll, the_interval_follows_the_documented_rule)
{
    static const struct {
        sim_time halt, interval;
    } rows[] = {
        {1000000, 0},   /* longer than the cap, but there is nothing to shrink */
        {50000, 10000}, /* short: begins at grow_start */
        {9999, 10000},  /* polling met it: stays */
        {10000, 10000}, /* to the nanosecond */
        {10001, 20000}, /* a little too short: doubles */
        {150000, 40000},  {150000, 80000},  {150000, 160000}, {170000, 200000}, /* the cap */
        {199999, 200000}, {200000, 200000}, {200001, 0}, /* longer than any polling: reset */
        {200000, 0}, /* neither shorter nor longer than the cap */
    };
    struct halt_poll h = {.rule = &documented};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sim_time poll = halt_poll_begin(&h);
        bool slept = rows[i].halt > poll;
        halt_poll_end(&h, rows[i].halt, slept ? poll : rows[i].halt, slept);
        cr_assert_eq(h.interval, rows[i].interval, "halt %zu: %lu", i, (unsigned long)h.interval);
    }
    cr_assert_eq(h.grown, 6);
    cr_assert_eq(h.shrunk, 1);
}

/* The message of kernel commit 313f636d5c49: a cap of 11000 is never passed. */
Test(vm_halt_poll, growing_stops_at_the_cap)
{
    struct halt_poll_rule r = {11000, 10000, 2, 0};
    struct halt_poll h = {.rule = &r};
    halt_poll_end(&h, 5000, 0, true);
    cr_assert_eq(h.interval, 10000);
    halt_poll_end(&h, 10500, 10000, true);
    cr_assert_eq(h.interval, 11000);
    r.cap = 5000; /* lowered by an administrator while it runs */
    cr_assert_eq(halt_poll_begin(&h), 5000);
    r.cap = 0;
    halt_poll_end(&h, 1, 0, false);
    cr_assert_eq(h.interval, 0);
}

Test(vm_halt_poll, shrinking_divides_and_forgets_what_is_below_the_start)
{
    const struct halt_poll_rule r = {100000, 10000, 2, 2};
    struct halt_poll h = {.rule = &r, .interval = 40000};
    sim_time want[] = {20000, 10000, 0};
    for (int i = 0; i < 3; i++) {
        halt_poll_end(&h, 200000, 0, true);
        cr_assert_eq(h.interval, want[i]);
    }
}

/* ---- in a guest ---- */

static double measure_with(const char *settings, const char *what, bool shuffle)
{
    char text[256];
    struct config *profile, *c;
    struct machine *m;
    struct err e = {0};
    struct measures *out = measures_new();
    snprintf(text, sizeof text, "{\"gap_us\":1,\"count\":2000,%s%s}",
             strstr(settings, "operation") ? "" : "\"operation\":\"timer_halt\",", settings);
    cr_assert_eq(profile_load(&profile, "machines/skylake-kvm.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, profile, &e), 0, "%s", e.msg);
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), &e), 0, "%s", e.msg);
    const struct sim_options sim = {.shuffle_ties = shuffle, .shuffle_seed = 7};
    const struct model_env env = {.seed = 1, .machine = m, .sim = sim};
    cr_assert_eq(model_hypervisor.run(c, &env, out, &e), 0, "%s", e.msg);
    const double *v = measures_find(out, what);
    cr_assert(v, "%s", what);
    double value = *v;
    measures_free(out);
    config_free(c);
    machine_free(m);
    config_free(profile);
    return value;
}

static double measure(const char *settings, const char *what)
{
    return measure_with(settings, what, false);
}

/* LKML: a guest that wakes every 200 us or a little less keeps the host at 100 %. */
Test(vm_halt_poll, a_period_just_under_the_cap_burns_the_cpu_and_one_above_does_not)
{
    double under = measure("\"halt_poll_us\":200,\"period_us\":190", "cpu_busy");
    double above = measure("\"halt_poll_us\":200,\"period_us\":215", "cpu_busy");
    double off = measure("\"halt_poll_us\":0,\"period_us\":190", "cpu_busy");
    cr_expect_gt(under, 0.98);
    cr_expect_lt(above, 0.05);
    cr_expect_lt(off, 0.05);
}

/* Documentation: "on the order of a few micro-seconds". */
Test(vm_halt_poll, polling_saves_a_few_microseconds_of_each_wake_up)
{
    double polled = measure("\"halt_poll_us\":200,\"period_us\":100", "latency_mean");
    double slept = measure("\"halt_poll_us\":0,\"period_us\":100", "latency_mean");
    cr_expect_gt(slept - polled, 1000);
    cr_expect_lt(slept - polled, 10000);
    cr_expect_gt(measure("\"halt_poll_us\":200,\"period_us\":100", "poll_hits"), 0.99);
}

/* Events at one time may fire in any order: what an operation takes is the same. */
Test(vm_halt_poll, the_order_of_ties_does_not_matter)
{
    static const char *const settings[] = {
        "\"halt_poll_us\":200,\"period_us\":200",
        "\"halt_poll_us\":200,\"period_us\":100,\"timer_advance\":true",
        "\"operation\":\"ipi\",\"target\":\"halted\",\"halt_poll_us\":100",
        "\"operation\":\"io_virtio\",\"device_us\":10",
        "\"operation\":\"io_virtio\",\"target\":\"halted\",\"posted\":false",
        "\"operation\":\"cyclictest\",\"nested\":1",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        double plain = measure_with(settings[i], "latency_mean", false);
        cr_expect_gt(plain, 0);
        cr_expect_eq(plain, measure_with(settings[i], "latency_mean", true), "%s", settings[i]);
    }
}
