/* test_host_ahead.c - batches of input, read by the process or by the OS ahead of it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "tests/models/host_rig.h"
#include "tests/sanitized.h"

static double constant(const char *name)
{
    static struct machine *m;
    struct config *c;
    struct err e = {0};
    if (!m) {
        cr_assert_eq(profile_load(&c, "machines/h100-server.json", &e), 0, "%s", e.msg);
        cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
        config_free(c);
    }
    return machine_find(m, name)->value;
}

#define PAGES 64 /* of 4 KiB in a batch: 16 samples of 16 KiB */

/* A step: a batch, then so long to compute.  On four CPUs, so that whoever reads has one. */
static void steps(struct rig *r, const char *offload, double compute_us)
{
    char section[800];
    struct host_result res;
    snprintf(section, sizeof section,
             "{'cpus':4,'duration_s':%g,'warmup_s':0.2,'vms':[{'name':'a','vcpus':1,'tick_hz':0,"
             "'halt_poll_us':0,%s'workload':{'program':'ops','jitter':0,'crews':[{'name':'c',"
             "'ops':[{'op':'loop','count':0,'ops':[{'op':'begin'},"
             "{'op':'fetch','kib':16,'count':16},{'op':'compute','us':%g},{'op':'done'}]}]}]}}]}",
             SANITIZED ? 0.8 : 2.0, offload, compute_us);
    rig_run(r, section, &res);
}

#define OS "'offload':{'prefetch':'os'},"

/* What one takes ahead hides behind what the other computes: the longer of the two is the step.
 * Read by the thread itself they add up. */
Test(host_ahead, a_step_is_the_longer_of_loading_and_computing)
{
    static const char *const stacks[] = {"native", "kvm", "malv"};
    static const double factor[] = {0.2, 0.5, 0.9, 1.2, 2, 5};
    for (size_t s = SANITIZED ? 2 : 0; s < 3; s++) {
        struct rig r = {.stack = stacks[s], .seed = 3};
        steps(&r, OS, 0.001);
        const double load = rig_number(&r, "a.1.op_mean");
        steps(&r, "", 0.001);
        const double alone = rig_number(&r, "a.1.op_mean");
        steps(&r, OS, 100000 * load); /* what taking a batch costs that is there */
        const double take = rig_number(&r, "a.1.op_mean") - 100 * load;
        cr_expect(take > 0 && take < load, "%g of %g ms", take, load);
        for (size_t i = 0; i < sizeof factor / sizeof *factor; i += SANITIZED ? 3 : 1) {
            const double compute = factor[i] * load;
            const double want = load > compute + take ? load : compute + take;
            steps(&r, OS, compute * 1000);
            cr_expect_float_eq(rig_number(&r, "a.1.op_mean"), want, 0.03 * want,
                               "%s, %g of loading: %g, want %g", stacks[s], factor[i],
                               rig_number(&r, "a.1.op_mean"), want);
            steps(&r, "", compute * 1000);
            cr_expect_float_eq(rig_number(&r, "a.1.op_mean"), alone + compute,
                               0.03 * (alone + compute), "%s, %g of loading: %g, want %g",
                               stacks[s], factor[i], rig_number(&r, "a.1.op_mean"),
                               alone + compute);
        }
        rig_end(&r);
    }
}

/* A batch that is there: a call and mapped pages on malv, a system call and a copy elsewhere. */
Test(host_ahead, taking_a_batch_is_one_crossing)
{
    struct rig r = {.stack = "malv", .seed = 1};
    steps(&r, OS, 20000);
    const double call = constant("cost.vm_exit") + constant("cost.ipc_call") +
                        constant("cost.ipc_reply"),
                 pages = PAGES * 2 * constant("cost.cap_invoke");
    const double steps_done = rig_number(&r, "a.1.batch_mapped") / (PAGES * 4096);
    cr_expect_float_eq(rig_number(&r, "a.1.op_mean"), 20 + (call + pages) / 1e9, 1e-4);
    cr_expect_float_eq(rig_number(&r, "exits.ahead"), steps_done, 1);
    cr_expect_null(measures_find(r.out, "exits.read"));
    cr_expect_null(measures_find(r.out, "a.1.batch_copied"));
    rig_end(&r);
    r.stack = "native";
    steps(&r, OS, 20000);
    const double copy = PAGES * 4096 / constant("host.copy") * 1e3; /* ms */
    cr_expect_float_eq(rig_number(&r, "a.1.op_mean"), 20 + copy + constant("cost.syscall") / 1e9,
                       1e-4, "%g", rig_number(&r, "a.1.op_mean"));
    cr_expect_gt(rig_number(&r, "a.1.batch_copied"), 0);
    rig_end(&r);
    r.stack = "malv";
    steps(&r, "", 20000); /* 16 reads a batch, each a kick of the ring, and a copy of them all */
    cr_expect_float_eq(rig_number(&r, "exits.read"),
                       16 * rig_number(&r, "a.1.batch_copied") / (PAGES * 4096), 16);
    rig_end(&r);
}

/* Memory is what the window says, and never more; a slow reader is waited for at every step. */
Test(host_ahead, the_window_is_all_the_memory_it_takes)
{
    static const int window[] = {1, 2, 7};
    struct rig r = {.stack = "malv", .seed = 1};
    for (size_t i = 0; i < 3; i++) {
        char offload[80];
        snprintf(offload, sizeof offload, "'offload':{'prefetch':'os','window':%d},", window[i]);
        steps(&r, offload, 20000);
        cr_expect_eq(rig_number(&r, "a.1.ahead_memory"), window[i] * PAGES * 4096.0);
        cr_expect_leq(rig_number(&r, "a.1.ahead_waited"), 1);
    }
    steps(&r, OS, 1);
    cr_expect_geq(rig_number(&r, "a.1.ahead_waited"), rig_number(&r, "a.1.ahead_batches") - 1);
    cr_expect_eq(rig_number(&r, "a.1.ahead_memory"), PAGES * 4096.0);
    rig_end(&r);
}

/* Loader threads of the process hide loading as well; what they take of CPUs and crossings stays.
 */
Test(host_ahead, loader_threads_hide_it_too_and_cross_for_each_sample)
{
#define TRAIN(offload, workers)                                                                    \
    "{'cpus':4,'duration_s':2,'warmup_s':0.2,'vms':[{'name':'a','vcpus':2,'tick_hz':0," offload    \
    "'workload':{'program':'training','workers':" workers                                          \
    ",'samples':16,'read_mib':0.25,'load_us':0,'batch_mib':0,'kernels':20,'kernel_us':1000,"       \
    "'framework_us':100,'memory_bound':0,'jitter':0}}]}"
    struct rig r = {.stack = "malv", .seed = 1};
    struct host_result res;
    rig_run(&r, TRAIN("", "0"), &res);
    const double alone = rig_number(&r, "a.1.op_mean");
    rig_run(&r, TRAIN("", "1"), &res);
    const double loader = rig_number(&r, "a.1.op_mean"), exits = rig_number(&r, "exits.read");
    rig_run(&r, TRAIN("'offload':{'prefetch':'os'},", "0"), &res);
    const double os = rig_number(&r, "a.1.op_mean");
    cr_expect(alone > 1.03 * loader, "%g and %g ms", alone, loader);
    cr_expect_float_eq(os, loader, 0.01 * loader, "%g and %g ms", os, loader);
    cr_expect_null(measures_find(r.out, "exits.read"));
    cr_expect_float_eq(exits / rig_number(&r, "exits.ahead"), 16, 1);
    rig_end(&r);
}
