/* Waits of an urgent kernel against arithmetic: requests fall anywhere in a command, so that what
 * is left of it is uniform.  The sketch's own error is 1 %. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/machine.h"
#include "models/model.h"

static struct machine *machine;

static void begin(void)
{
    struct config *c;
    struct err e = {0};
    static const char profile[] =
        "{\"schema\":\"malv-machine/1\",\"name\":\"m\",\"cpu\":{},\"cost\":{},"
        "\"link\":{\"pcie\":{\"value\":10,\"unit\":\"GB/s\",\"source\":\"s\",\"evidence\":"
        "\"assumed\"}},\"gpu\":{"
        "\"sms\":{\"value\":10,\"unit\":\"1\",\"source\":\"s\",\"evidence\":\"assumed\"},"
        "\"memory\":{\"value\":1,\"unit\":\"GiB\",\"source\":\"s\",\"evidence\":\"assumed\"},"
        "\"bandwidth\":{\"value\":100,\"unit\":\"GB/s\",\"source\":\"s\",\"evidence\":\"assumed\"},"
        "\"timeslice\":{\"value\":1,\"unit\":\"ms\",\"source\":\"s\",\"evidence\":\"assumed\"},"
        "\"context_switch\":{\"value\":100,\"unit\":\"us\",\"source\":\"s\",\"evidence\":"
        "\"assumed\"},"
        "\"preempt\":{\"value\":30,\"unit\":\"us\",\"source\":\"s\",\"evidence\":\"assumed\"}}}";
    cr_assert_eq(config_parse(&c, "m.json", profile, strlen(profile), &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&machine, c, &e), 0, "%s", e.msg);
    config_free(c);
}

static void end(void)
{
    machine_free(machine);
}

TestSuite(gpu_preempt, .init = begin, .fini = end, .timeout = 60);

struct waits {
    double latency, latency_p99, quiet, best_effort;
};

static struct waits waits(const char *section)
{
    struct config *c;
    struct err e = {0};
    struct measures *m = measures_new();
    const struct model_env env = {.seed = 3, .machine = machine, .exact = true};
    cr_assert_eq(config_parse(&c, "section", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_preempt.run(c, &env, m, &e), 0, "%s", e.msg);
    const struct waits w = {sketch_mean(m->sketch[0].sketch),
                            sketch_quantile(m->sketch[0].sketch, 0.99),
                            sketch_mean(m->sketch[1].sketch), *measures_find(m, "best_effort")};
    measures_free(m);
    config_free(c);
    return w;
}

/* Of k in flight, k - 1 wait whole and the one that runs is half done on average; the urgent
 * kernel pays the switch on top. */
Test(gpu_preempt, pending_commands_drain)
{
    const struct waits w = waits("{\"how\":\"pending\",\"in_flight\":5,\"command_us\":200}");
    cr_expect_float_eq(w.quiet, 900, 5);
    cr_expect_float_eq(w.latency, w.quiet + 100, 1);
    cr_expect_float_eq(w.latency_p99, 1098, 3);
}

Test(gpu_preempt, a_running_command_ends)
{
    const struct waits w = waits("{\"how\":\"queued\",\"command_us\":200}");
    cr_expect_float_eq(w.quiet, 100, 5);
    cr_expect_float_eq(w.latency, w.quiet + 100, 1);
}

/* Means: one request in 200 comes while the device still switches back. */
Test(gpu_preempt, a_stopped_one_is_saved)
{
    const struct waits w = waits("{\"how\":\"running\",\"command_us\":200}");
    cr_expect_float_eq(w.quiet, 30, 0.5);
    cr_expect_float_eq(w.latency, 30, 1);
    cr_expect_float_eq(w.latency_p99, 30, 1e-9); /* no switch: who was there is saved */
    const struct waits ahead = waits("{\"how\":\"running\",\"hint_us\":20}");
    cr_expect_float_eq(ahead.latency_p99, 10, 1e-9);
    cr_expect_float_eq(waits("{\"how\":\"running\",\"hint_us\":31}").latency_p99, 0, 1e-9);
}

/* Half a slice, and a switch; what a hint hides is its own length. */
Test(gpu_preempt, slices_end_and_contexts_switch)
{
    const struct waits w = waits("{\"how\":\"slice\",\"slice_us\":400}");
    cr_expect_float_eq(w.latency, 300, 8);
    cr_expect_float_eq(w.latency_p99, 496, 5);
    cr_expect_float_eq(waits("{\"how\":\"slice\",\"slice_us\":1,\"hint_us\":40}").latency, 60.5,
                       0.5);
    cr_expect_float_eq(waits("{\"how\":\"slice\",\"slice_us\":1,\"hint_us\":150}").latency_p99, 0,
                       0.01);
}

/* Every 10 ms: 100 us of switches and 50 us of urgent work, and the wait for the drain is idle for
 * nobody. */
Test(gpu_preempt, what_the_best_effort_work_loses)
{
    const struct waits w = waits("{\"how\":\"queued\",\"every_us\":10000,\"requests\":5000}");
    const double cycle = 10000 + 250 + 100 + 50; /* pause, drain, switch, urgent */
    cr_expect_float_eq(w.best_effort, (cycle - 250) / cycle, 0.003); /* two switches, urgent */
}
