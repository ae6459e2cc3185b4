/* malv calibrate: a quick look at this machine gives a profile that loads and makes sense. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/profile.h"
#include "harness/calibrate/calibrate.h"
#include "harness/calibrate/calibrate_write.h"
#include "harness/calibrate/pingpong.h"
#include "models/machine.h"

static struct calibration quick(void)
{
    return (struct calibration){.quick = true, .repeats = 3, .cpu = 0, .other = 0};
}

static struct machine *as_machine(const struct calibration *c, const struct config *base)
{
    struct config *profile;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(calibrate_profile(c, "here", base, &profile, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, profile, &e), 0, "%s", e.msg);
    config_free(profile);
    return m;
}

static double value(const struct machine *m, const char *name)
{
    const struct machine_cost *c = machine_find(m, name);
    cr_assert_not_null(c, "%s", name);
    cr_expect_eq(c->evidence, EVIDENCE_MEASURED);
    return c->value;
}

/* Ranges that hold on anything that runs Linux; times in ps. */
Test(calibrate, the_kernel_costs_what_kernels_cost)
{
    struct calibration c = quick();
    struct err e = {0};
    cr_assert_eq(calibrate_kernel(&c, &e), 0, "%s", e.msg);
    struct machine *m = as_machine(&c, NULL);
    cr_expect_gt(value(m, "cost.syscall"), 1e4);
    cr_expect_gt(value(m, "kernel.signal"), value(m, "cost.syscall"));
    cr_expect_gt(value(m, "kernel.timer_late"), 0);
    cr_expect_null(machine_find(m, "cost.wake"), "one CPU cannot wake another");
    machine_free(m);
    free(c.row);
}

Test(calibrate, memory_far_away_is_slower)
{
    struct calibration c = quick();
    struct err e = {0};
    cr_assert_eq(calibrate_memory(&c, &e), 0, "%s", e.msg);
    struct machine *m = as_machine(&c, NULL);
    const struct machine_cost *chase = machine_find(m, "mem.chase_4k");
    cr_assert_not_null(chase);
    cr_assert_gt(chase->n, 4);
    cr_expect_gt(chase->y[chase->n - 1], chase->y[0]);
    cr_expect_gt(value(m, "mem.fault_4k"), 1e4);
    cr_expect_gt(value(m, "mem.copy_bandwidth"), 1e8);
    machine_free(m);
    free(c.row);
}

Test(calibrate, a_wake_up_across_a_pipe_takes_longer_than_the_calls)
{
    double ns[3];
    struct err e = {0};
    for (int by = PINGPONG_PIPE; by <= PINGPONG_FUTEX; by++) {
        cr_assert_eq(pingpong((enum pingpong_by)by, 0, 0, 200, ns, 3, &e), 0, "%s", e.msg);
        cr_expect_gt(calibrate_median(ns, 3), 100.0);
    }
}

Test(calibrate, what_is_measured_stands_in_the_base)
{
    struct calibration c = quick();
    struct config *base;
    struct err e = {0};
    double sample[] = {3, 1, 2};
    calibrate_add(&c, "cost.syscall", "us", sample, 3, "made up");
    calibrate_skip(&c, "cost.vm_exit", "not here");
    cr_assert_eq(profile_load(&base, "machines/h100-server.json", &e), 0, "%s", e.msg);
    struct machine *m = as_machine(&c, base);
    cr_expect_eq(value(m, "cost.syscall"), 2e6);
    cr_expect_eq(machine_find(m, "cost.vm_exit")->evidence, EVIDENCE_PUBLISHED);
    cr_expect_not_null(machine_find(m, "llm.llama-3.1-8b.dense"));
    cr_expect_str_eq(m->name, "here");
    config_free(base);
    machine_free(m);
    free(c.row);
}

/* Where KVM works there is a number, where it does not there is a reason. */
Test(calibrate, a_guest_exits_or_the_reason_is_given)
{
    struct calibration c = quick();
    struct err e = {0};
    cr_assert_eq(calibrate_kvm(&c, &e), 0, "%s", e.msg);
    cr_assert_geq(c.rows, 1);
    for (size_t i = 0; i < c.rows; i++) {
        cr_expect((c.row[i].skipped[0] != 0) != (c.row[i].value > 0));
        cr_log_info("%s: %g us %s", c.row[i].name, c.row[i].value, c.row[i].skipped);
    }
    free(c.row);
}
