/* The host model against what follows on paper: sharing, launches, M/D/1, no free lunch. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "tests/models/host_rig.h"

#define CPU(n, over)                                                                               \
    "{'cpus':" n ",'duration_s':2,'warmup_s':0.2,'vms':[{'name':'a','count':2,'vcpus':1,"          \
    "'tick_hz':0,'footprint':0,'workload':{'program':'cpu','compute_us':500,'jitter':" over "}}]}"

/* Two tenants that only compute, on one CPU: each gets half, the other half is steal. */
Test(host_run, two_on_one_cpu_get_half_each)
{
    static const char *const stacks[] = {"native", "kvm", "lake", "malv"};
    for (int i = 0; i < 4; i++) {
        struct rig alone = {.stack = stacks[i], .seed = 1}, both = alone;
        struct host_result a, b;
        rig_run(&alone, CPU("4", "0"), &a);
        rig_run(&both, CPU("1", "0"), &b);
        cr_expect_float_eq(rig_number(&both, "throughput") / rig_number(&alone, "throughput"), 0.5,
                           0.01, "%s", stacks[i]);
        cr_expect_float_eq(rig_number(&both, "share.steal"), 0.5, 0.01, "%s", stacks[i]);
        cr_expect_float_eq(rig_number(&both, "cpu_util"), 1, 0.001);
        rig_end(&alone);
        rig_end(&both);
    }
}

/* Work that never leaves its CPU costs the same in a VM. */
Test(host_run, pure_compute_is_the_same_on_every_stack)
{
    static const char *const stacks[] = {"native", "kvm", "lake", "malv"};
    for (int i = 0; i < 4; i++) {
        struct rig r = {.stack = stacks[i], .seed = 1};
        struct host_result res;
        rig_run(&r, CPU("4", "0"), &res);
        cr_expect_float_eq(rig_number(&r, "a.1.op_mean"), 0.5, 1e-4, "%s", stacks[i]);
        rig_end(&r);
    }
}

#define STEP(kernels, us)                                                                          \
    "{'cpus':2,'duration_s':4,'vms':[{'name':'t','vcpus':1,'tick_hz':0,'workload':{'program':"     \
    "'training','steps':20,'workers':0,'read_mib':0,'load_us':0,'batch_mib':0,'framework_us':0,"   \
    "'kernels':" kernels ",'kernel_us':" us ",'jitter':0}}]}"

static double step_ms(const char *stack, const char *section)
{
    struct rig r = {.stack = stack, .seed = 1};
    struct host_result res;
    rig_run(&r, section, &res);
    const double ms = rig_number(&r, "t.1.op_mean");
    rig_end(&r);
    return ms;
}

/* machines/h100-server.json: a launch 2.427 us; on malv an exit (0.51) and a dispatch (1) more. */
Test(host_run, a_step_is_bound_by_launches_or_by_kernels)
{
    cr_expect_float_eq(step_ms("native", STEP("1000", "100")), 100, 0.02);
    cr_expect_float_eq(step_ms("kvm", STEP("1000", "100")), 100, 0.02);
    cr_expect_float_eq(step_ms("malv", STEP("1000", "100")), 100, 0.02);
    cr_expect_float_eq(step_ms("native", STEP("1000", "0.1")), 2.427, 0.01);
    cr_expect_float_eq(step_ms("kvm", STEP("1000", "0.1")), 2.427, 0.01);
    cr_expect_float_eq(step_ms("malv", STEP("1000", "0.1")), 3.937, 0.01);
}

#define SERVER(rate)                                                                               \
    "{'cpus':4,'duration_s':60,'warmup_s':2,'vms':[{'name':'s','vcpus':1,'tick_hz':0,'workload':{" \
    "'program':'inference','rate_per_s':" rate ",'batch':1,'batch_mib':0,'framework_us':0,"        \
    "'kernels':1,'kernel_us':1000,'jitter':0}}]}"

/* One server, constant service, Poisson arrivals: M/D/1, mean wait rho S / 2 (1 - rho). */
Test(host_run, an_inference_server_is_an_mg1_queue)
{
    static const char *const stacks[] = {"native", "kvm", "malv"};
    for (int i = 0; i < 3; i++) {
        struct rig idle = {.stack = stacks[i], .seed = 3}, busy = idle;
        struct host_result a, b;
        rig_run(&idle, SERVER("10"), &a);
        rig_run(&busy, SERVER("500"), &b);
        const double service = (double)a.ledger.total / (double)a.ledger.operations -
                               (double)a.ledger.ns[LEDGER_queue] / (double)a.ledger.operations;
        const double rho = 500e-9 * service;
        const double wait = (double)b.ledger.ns[LEDGER_queue] / (double)b.ledger.operations;
        cr_expect(wait > 0.92 * rho * service / 2 / (1 - rho), "%s: %g", stacks[i], wait);
        cr_expect(wait < 1.08 * rho * service / 2 / (1 - rho), "%s: %g of %g", stacks[i], wait,
                  rho * service / 2 / (1 - rho));
        rig_end(&idle);
        rig_end(&busy);
    }
}

#define LOCKS(pv)                                                                                  \
    "{'cpus':4,'duration_s':2,'warmup_s':0.2,'vms':[{'name':'l','count':2,'vcpus':3,'pv_lock':" pv \
    ",'workload':{'program':'cpu','threads':3,'compute_us':30,'lock_us':30}}]}"

/* Twice as many vCPUs as CPUs: who waits for a lock whose holder has no CPU burns his slice. */
Test(host_run, the_paravirtual_hint_helps_under_overcommit)
{
    struct rig without = {.stack = "kvm", .seed = 5}, with = without;
    struct host_result a, b;
    rig_run(&without, LOCKS("false"), &a);
    rig_run(&with, LOCKS("true"), &b);
    cr_expect_gt(rig_number(&without, "cpu_spin"), 0.05);
    cr_expect_lt(rig_number(&with, "cpu_spin"), rig_number(&without, "cpu_spin"));
    cr_expect_gt(rig_number(&with, "throughput"), rig_number(&without, "throughput"));
    rig_end(&without);
    rig_end(&with);
}

#define DISK(device)                                                                               \
    "{'cpus':4,'duration_s':1,'vms':[{'name':'d','vcpus':1,'device':'" device                      \
    "','tick_hz':0,'halt_poll_us':0,'workload':{'program':'io','io_kib':4,'think_us':0,'jitter':"  \
    "0}}]}"

/* A 4 KiB read takes 70 us in the drive; every stack adds its path, a disk of one's own less. */
Test(host_run, a_disk_of_its_own_is_nearer)
{
    struct rig metal = {.stack = "native", .seed = 1}, ring = {.stack = "kvm", .seed = 1},
               own = ring;
    struct host_result r;
    rig_run(&metal, DISK("virtio"), &r);
    rig_run(&ring, DISK("virtio"), &r);
    rig_run(&own, DISK("passthrough"), &r);
    const double a = rig_number(&metal, "d.1.op_mean"), b = rig_number(&ring, "d.1.op_mean"),
                 c = rig_number(&own, "d.1.op_mean");
    cr_expect(0.070 < a && a < 0.085, "%g", a);
    cr_expect(a < c && c < b && b < 0.115, "%g %g %g", a, c, b);
    rig_end(&metal);
    rig_end(&ring);
    rig_end(&own);
}

/* A round is so much of its own and one system call: the OS has the call, the tenant the rest. */
Test(host_run, cpu_time_of_the_os_is_what_the_program_did_not_do)
{
    static const char section[] =
        "{'cpus':2,'duration_s':1,'vms':[{'name':'a','vcpus':1,'tick_hz':0,'gpu':'none','workload':"
        "{'program':'ops','jitter':0,'crews':[{'name':'c','threads':1,'ops':[{'op':'loop',"
        "'count':0,'ops':[{'op':'begin'},{'op':'compute','us':50},{'op':'syscall'},"
        "{'op':'syscall'},{'op':'done'}]}]}]}}]}";
    static const char *const stacks[] = {"native", "kvm", "malv"};
    for (int i = 0; i < 3; i++) {
        struct rig r = {.stack = stacks[i], .seed = 1};
        struct host_result res;
        rig_run(&r, section, &res);
        cr_expect_float_eq(rig_number(&r, "os_cpu"), 0.2, 0.01, "%s: %g us", stacks[i],
                           rig_number(&r, "os_cpu"));
        rig_end(&r);
    }
}

static double constant(const char *name)
{
    struct config *c;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, "machines/h100-server.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    const struct machine_cost *k = machine_find(m, name);
    cr_assert(k, "no %s", name);
    const double value = k->value;
    machine_free(m);
    return value;
}

#define STAGE(pages, offload)                                                                      \
    "{'cpus':2,'duration_s':2,'vms':[{'name':'a','vcpus':1,'tick_hz':0,'pages':'" pages            \
    "'," offload                                                                                   \
    "'workload':{'program':'ops','jitter':0,'crews':[{'name':'c','threads':1,'ops':[{'op':'loop'," \
    "'count':0,'ops':[{'op':'begin'},{'op':'stage','kib':65536},{'op':'done'}]}]}]}}]}"

/* 64 MiB into what the GPU can fetch: a copy by the process, or a hypercall and so many pages. */
Test(host_run, staging_is_a_copy_or_pages_that_the_os_pins)
{
    struct rig r[3] = {{.stack = "malv", .seed = 1}, {.stack = "malv"}, {.stack = "malv"}};
    struct host_result res;
    const double bytes = 0x1p26,
                 call = constant("cost.vm_exit") + constant("cost.ipc_call") +
                        constant("cost.ipc_reply"),
                 pin = 2 * constant("cost.cap_invoke");
    rig_run(&r[0], STAGE("4k", ""), &res);
    rig_run(&r[1], STAGE("4k", "'offload':{'staging':'os'},"), &res);
    rig_run(&r[2], STAGE("2m", "'offload':{'staging':'os'},"), &res);
    const double copy = 1e15 / constant("host.copy") * bytes / 1e12; /* ms; B/s in the profile */
    cr_expect_float_eq(rig_number(&r[0], "a.1.op_mean"), copy, 0.01 * copy, "%g",
                       rig_number(&r[0], "a.1.op_mean"));
    for (int i = 1; i < 3; i++) {
        const double want = (call + pin * (i == 1 ? bytes / 4096 : bytes / 0x1p21)) / 1e9;
        cr_expect_float_eq(rig_number(&r[i], "a.1.op_mean"), want, 0.01 * want, "%g, want %g",
                           rig_number(&r[i], "a.1.op_mean"), want);
        cr_expect_gt(rig_number(&r[i], "a.1.staged_pinned"), 0);
        cr_expect_null(measures_find(r[i].out, "a.1.staged_copied"));
    }
    cr_expect_null(measures_find(r[0].out, "exits.stage"));
    for (int i = 0; i < 3; i++)
        rig_end(&r[i]);
}

#define LAUNCH(batch)                                                                              \
    "{'cpus':2,'duration_s':1,'vms':[{'name':'a','vcpus':1,'tick_hz':0,'offload':{'launches'"      \
    ":" batch                                                                                      \
    "},'workload':{'program':'ops','jitter':0,'crews':[{'name':'c','threads':1,'ops':[{'op':"      \
    "'loop','count':100,'ops':[{'op':'begin'},{'op':'launch','count':70,'us':0.1},{'op':'sync',"   \
    "'poll':true},{'op':'done'}]}]}]}}]}"

/* 70 launches of next to nothing: each is written and dispatched, and 1, 3 or 70 leave the guest.
 */
Test(host_run, launches_that_go_together_cross_together)
{
    static const struct {
        const char *section;
        double exits;
    } want[] = {{LAUNCH("1"), 70}, {LAUNCH("32"), 3}, {LAUNCH("256"), 1}};
    double alone = 0;
    for (int i = 0; i < 3; i++) {
        struct rig r = {.stack = "malv", .seed = 1};
        struct host_result res;
        rig_run(&r, want[i].section, &res);
        cr_expect_eq(rig_number(&r, "exits.launch"), 100 * want[i].exits, "%g",
                     rig_number(&r, "exits.launch"));
        const double ms = rig_number(&r, "a.1.op_mean");
        if (!i)
            alone = ms;
        const double saved = (70 - want[i].exits) * constant("cost.vm_exit") / 1e9;
        cr_expect(ms < alone - saved * 0.7 || !i, "%g ms, %g alone, %g saved", ms, alone, saved);
        cr_expect_float_eq(ms, alone - saved, 0.008, "%g ms, %g alone, %g saved", ms, alone, saved);
        rig_end(&r);
    }
}
