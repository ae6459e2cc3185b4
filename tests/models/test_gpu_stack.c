/* test_gpu_stack.c - a captured program under every stack, against sums of the profile. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/stack.h"
#include "tests/models/gpu_ops.h"

#define US      UINT64_C(1000)
#define MACHINE "machines/h100-server.json"
enum { LAUNCHES = 10, ROWS = 2 * LAUNCHES + 1 };

/* So many launches of 5 us, each with a kernel of `us`; then the thread waits. */
static void program(struct trace_op *op, uint64_t us, const uint64_t *last)
{
    const uint64_t launch = 5 * US;
    uint64_t n = 0, free = 0;
    for (uint64_t i = 0; i < LAUNCHES; i++) {
        uint64_t at = i * launch + 3 * US;
        at = at > free ? at : free;
        free = at + us * US;
        op[n++] = op_launch(i * launch, launch, i + 1);
        op[n] = op_kernel(at, us * US, 7);
        op[n++].correlation = i + 1;
    }
    op[n] = op_launch(LAUNCHES * launch, free + 4 * US - LAUNCHES * launch, 0);
    op[n].kind = TRACE_OP_SYNC;
    op[n].n_depends = 1;
    op[n].depends = last;
    for (uint64_t i = 1; i < ROWS; i++) /* in time order */
        for (uint64_t k = i; k && op[k].time_ns < op[k - 1].time_ns; k--) {
            struct trace_op swap = op[k];
            op[k] = op[k - 1];
            op[k - 1] = swap;
        }
}

static double iteration(const char *stack, const char *section, uint64_t us)
{
    static const uint64_t last = LAUNCHES;
    struct trace_op op[ROWS];
    program(op, us, &last);
    struct measures *m = gpu_go(&(struct gpu_case){.section = section,
                                                   .op = op,
                                                   .n = ROWS,
                                                   .programs = true,
                                                   .stack = stack,
                                                   .machine = MACHINE});
    double ms = sketch_mean(gpu_sketch(m, "p.latency"));
    measures_free(m);
    return ms * 1e6; /* ns */
}

/* Sum of costs of the profile, ns; names apart by blanks. */
static double sum(const struct machine *m, const char *names)
{
    char text[400], *save = NULL;
    double ps = 0;
    snprintf(text, sizeof text, "%s", names);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char name[64];
        snprintf(name, sizeof name, "cost.%s", w);
        const struct machine_cost *c = machine_find(m, name);
        cr_assert(c, "no %s", name);
        ps += c->value;
    }
    return ps / 1000;
}

#define CALL   "remote_stub syscall net_xmit vm_exit vhost wake softirq_net syscall remote_dispatch"
#define ANSWER "remote_stub syscall net_xmit vhost posted_irq softirq_net syscall wake"
static const struct {
    const char *name, *sharing, *launch, *woken; /* more than on native; woken: instead of "irq" */
} stacks[] = {
    {"native", "'time-slice'", "", "irq"},
    {"lake", "'time-slice'", "", "irq"},
    {"kvm", "'exclusive'", "", "posted_irq"},
    {"kvm-vgpu", "'vgpu-equal'", "", "irq gpu_intr posted_irq"},
    {"kvm-mig", "'mig','partitions':[{'sms':132,'memory_milli':1000}]", "", "posted_irq"},
    {"kvm-mps", "'mps'", "", "posted_irq"},
    {"malv", "'time-slice'", "vm_exit gpu_dispatch", "irq gpu_dispatch posted_irq"},
    {"kvm-remote", "'time-slice'", CALL, "irq " ANSWER},
};
#define RUN "{'sharing':%s%s,'tenants':[{'program':'p','count':3}]}"

static struct machine *shipped(void)
{
    struct config *c;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, MACHINE, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    return m;
}

/* Bound by launches: each costs what its path has more, and the wait finds all done. Bound by
 * kernels: the first launch does, and the thread that waits is woken as the stack does it. */
Test(gpu_stack, a_program_pays_for_its_calls)
{
    struct machine *m = shipped();
    const double few = iteration(NULL, "{'tenants':[{'program':'p','count':3}]}", 1),
                 many = iteration(NULL, "{'tenants':[{'program':'p','count':3}]}", 100);
    cr_expect_float_eq(few, 45e3 + 3e3 + 1e3 + 4e3, 1, "%g ns", few);
    cr_expect_float_eq(many, 3e3 + 1000e3 + 4e3, 1, "%g ns", many);
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        char section[300];
        snprintf(section, sizeof section, RUN, stacks[i].sharing, "");
        double launch = sum(m, stacks[i].launch), woken = sum(m, stacks[i].woken) - sum(m, "irq");
        const char *look = strcmp(stacks[i].name, "kvm-remote") ? "" : CALL " " ANSWER;
        double got = iteration(stacks[i].name, section, 1) - few,
               want = LAUNCHES * launch + sum(m, look);
        cr_expect_float_eq(got, want, LAUNCHES, "%s: %g ns, want %g", stacks[i].name, got, want);
        got = iteration(stacks[i].name, section, 100) - many;
        want = launch + woken;
        cr_expect_float_eq(got, want, 2, "%s: %g ns, want %g", stacks[i].name, got, want);
    }
    machine_free(m);
}

/* Threads that poll are woken by nobody; what was captured under a stack is not charged for it. */
Test(gpu_stack, polling_and_captures_of_guests)
{
    struct machine *m = shipped();
    char section[300];
    const double native = iteration(NULL, "{'tenants':[{'program':'p','count':3}]}", 100);
    snprintf(section, sizeof section, RUN, "'time-slice'", ",'waits':'poll'");
    cr_expect_float_eq(iteration("malv", section, 100) - native, sum(m, "vm_exit gpu_dispatch"), 2);
    cr_expect_float_eq(iteration("kvm-remote", section, 100) - native, sum(m, CALL " " ANSWER), 2);
    snprintf(section, sizeof section, RUN, "'time-slice'", ",'captured_under':'malv'");
    cr_expect_float_eq(iteration("malv", section, 100), native, 1e-6);
    double back = native - iteration("native", section, 100);
    cr_expect_float_eq(back, sum(m, "vm_exit gpu_dispatch gpu_dispatch posted_irq"), 2, "%g", back);
    machine_free(m);
}

/* 1 MB goes over the channel before the link has it. */
Test(gpu_stack, bytes_of_a_remoted_gpu_go_through_the_channel)
{
    struct trace_op op[] = {op_launch(0, 5 * US, 1), op_kernel(3 * US, 100 * US, 7)};
    op[1].correlation = 1;
    op[1].kind = TRACE_OP_H2D;
    op[1].bytes = 1000000;
    struct machine *m = shipped();
    struct gpu_case c = {.section = "{}", .op = op, .n = 2, .machine = MACHINE};
    struct measures *here = gpu_go(&c);
    c.stack = "kvm-remote";
    struct measures *there = gpu_go(&c);
    const struct machine_cost *way = machine_find(m, "remote.tcp.bandwidth");
    cr_expect_float_eq(gpu_number(there, "copy_time") - gpu_number(here, "copy_time"),
                       1e6 / way->value, 2e-9);
    cr_expect_float_eq(gpu_number(there, "span") - gpu_number(here, "span"),
                       1e6 / way->value + sum(m, CALL) / 1e9, 2e-9);
    measures_free(here);
    measures_free(there);
    machine_free(m);
}

/* ---- who dispatches ------------------------------------------------------------------------ */

static struct {
    uint64_t asked, deadlines;
} seen;

/* A request at 0 is told as one at 1: 0 says that there is none. */
static void oldest(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self;
    *a = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    seen.asked++;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        seen.deadlines += t->request_ns && t->deadline_ns + 1 - t->request_ns - 2 * US * 1000 <= 1;
        if (t->waiting && a->tenant == POLICY_NONE)
            a->tenant = i;
    }
}
static const struct policy_ops oldest_first = {
    .abi = POLICY_ABI, .name = "oldest", .gpu_dispatch = oldest};

static double dispatched(const char *stack, uint64_t us)
{
    static const uint64_t last = LAUNCHES;
    struct trace_op op[ROWS];
    program(op, us, &last);
    seen.asked = seen.deadlines = 0;
    struct measures *m = gpu_go(&(struct gpu_case){
        .section = "{'sharing':'dispatch','tenants':[{'program':'p','count':3,'deadline_ms':2}]}",
        .op = op,
        .n = ROWS,
        .programs = true,
        .stack = stack,
        .policy = &oldest_first,
        .machine = MACHINE});
    double ns = sketch_mean(gpu_sketch(m, "p.latency")) * 1e6;
    measures_free(m);
    cr_expect_eq(seen.asked, 3 * LAUNCHES);
    cr_expect_eq(seen.deadlines, seen.asked, "%lu", (unsigned long)seen.deadlines);
    return ns;
}

/* A library in the process costs the dispatcher more for a command and the thread nothing; the
 * hypervisor's part of a launch is the thread's, and it is the hypervisor that hears of ends. */
Test(gpu_stack, a_hypervisor_and_a_library_dispatch)
{
    struct machine *m = shipped();
    const double library = dispatched("native", 100), hypervisor = dispatched("malv", 100);
    const double bare = 3e3 + LAUNCHES * 100e3 + 4e3;
    cr_expect_float_eq(library - bare, sum(m, "gpu_intercept"), 2, "%g", library - bare);
    cr_expect_float_eq(hypervisor - bare,
                       sum(m, "vm_exit gpu_dispatch gpu_dispatch gpu_dispatch posted_irq"), 2, "%g",
                       hypervisor - bare);
    const double few = dispatched("native", 1), guest = dispatched("malv", 1);
    cr_expect_float_eq(guest - few, LAUNCHES * sum(m, "vm_exit gpu_dispatch"), LAUNCHES, "%g",
                       guest - few);
    machine_free(m);
}

/* What the OS takes for an iteration is its calls' paths, whatever hides them; the dispatcher's
 * thread is its commands. */
Test(gpu_stack, cpu_time_of_the_os_is_the_sum_of_its_calls)
{
    static const struct {
        const char *stack, *launch, *sync;
    } want[] = {
        {"native", "launch", "syscall irq gpu_intr"},
        {"kvm", "launch", "syscall posted_irq gpu_intr"},
        {"malv", "launch vm_exit gpu_dispatch", "syscall irq gpu_dispatch posted_irq gpu_intr"},
    };
    static const uint64_t last = LAUNCHES;
    struct machine *m = shipped();
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        for (int dispatched = 0; dispatched < 2; dispatched++) {
            struct trace_op op[ROWS];
            program(op, 100, &last);
            struct measures *got = gpu_go(&(struct gpu_case){
                .section = dispatched
                               ? "{'sharing':'dispatch','tenants':[{'program':'p','count':3}]}"
                               : "{'tenants':[{'program':'p','count':3}]}",
                .op = op,
                .n = ROWS,
                .programs = true,
                .stack = want[i].stack,
                .machine = MACHINE});
            const double os = LAUNCHES * sum(m, want[i].launch) + sum(m, want[i].sync);
            cr_expect_float_eq(*measures_find(got, "os_cpu"), os / 1e3, 1e-6, "%s", want[i].stack);
            const double *policy = measures_find(got, "policy_time");
            cr_expect_eq(policy != NULL, dispatched);
            if (policy)
                cr_expect_float_eq(
                    *policy,
                    LAUNCHES *
                        sum(m, strcmp(want[i].stack, "malv") ? "gpu_intercept" : "gpu_dispatch") /
                        1e3,
                    1e-6, "%s", want[i].stack);
            measures_free(got);
        }
    machine_free(m);
}
