/* test_calibrate_gpu.c - malv calibrate --gpu on a device of known times finds these times. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/profile.h"
#include "harness/calibrate/calibrate_gpu.h"
#include "harness/calibrate/calibrate_write.h"
#include "models/machine.h"
#include "tests/calibrate/fake/fake_gpu.h"

#define FAKE BUILD "/tests/calibrate/fake/libcuda.so.1"

static struct calibrate_gpu g;

static struct calibration measured(void)
{
    static struct calibration c;
    struct err e = {0};
    setenv("MALV_LIBCUDA", FAKE, 1);
    void *fake = dlopen(FAKE, RTLD_NOW | RTLD_LOCAL), *now = fake ? dlsym(fake, "fake_now") : NULL;
    cr_assert(now, "%s", dlerror());
    c = (struct calibration){.quick = true, .repeats = 3};
    g = (struct calibrate_gpu){.c = &c};
    memcpy(&g.now, &now, sizeof now);
    cr_assert_eq(calibrate_gpu_with(&g, &e), 0, "%s", e.msg);
    return c;
}

static const struct machine_cost *leaf(const struct machine *m, const char *name)
{
    const struct machine_cost *c = machine_find(m, name);
    cr_assert(c, "no %s", name);
    cr_expect_eq(c->evidence, EVIDENCE_MEASURED, "%s", name);
    return c;
}

static struct machine *as_machine(const struct calibration *c)
{
    struct config *profile, *base;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&base, "machines/t4-server.json", &e), 0, "%s", e.msg);
    cr_assert_eq(calibrate_profile(c, "here", base, &profile, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, profile, &e), 0, "%s", e.msg);
    config_free(profile);
    config_free(base);
    return m;
}

/* Times in ps, rates in bytes/s; what is allowed beside is the host's share of a measurement. */
static const struct {
    const char *name;
    double want, tolerance;
} known[] = {
    {"gpu.sms", FAKE_SMS, 0},
    {"gpu.warps_per_sm", 32, 0},
    {"gpu.blocks_per_sm", 16, 0},
    {"gpu.smem_per_sm", 65536, 0},
    {"gpu.copy_engines", 3, 0},
    {"gpu.memory", 17179869184.0, 0},
    {"cost.launch", 2000e3, 0.02},
    {"gpu.launch_sync", 5700e3, 0.001},
    {"gpu.gap", FAKE_GAP_NS * 1e3, 0.01},
    {"gpu.graph_gap", FAKE_GRAPH_GAP_NS * 1e3, 0.02},
    {"gpu.timeslice", FAKE_SLICE_NS * 1e3, 0.001},
    {"gpu.context_switch", FAKE_SWITCH_NS * 1e3, 0.01},
    {"gpu.bandwidth", FAKE_BANDWIDTH, 0.001},
    {"link.pcie", FAKE_LINK, 0.001},
    {"link.pcie_back", FAKE_LINK, 0.001},
    {"link.pageable", FAKE_PAGEABLE, 0.001},
    {"link.duplex", FAKE_DUPLEX, 0.03},
    {"link.copy_latency", FAKE_COPY_NS * 1e3, 0.01},
};

static void check_tables(const struct machine *m)
{
    const struct machine_cost *together = leaf(m, "gpu.concurrent"), *chase = leaf(m, "gpu.chase"),
                              *reach = leaf(m, "gpu.reach"), *h2d = leaf(m, "link.h2d");
    cr_expect_eq(together->n, 8);
    cr_expect_lt(fabs((double)machine_table_at(together, 32) / 1e9 - 1), 0.15);
    cr_expect_lt(fabs((double)machine_table_at(together, 128) / 1e9 - 4), 0.3);
    cr_expect_eq(machine_table_at(chase, FAKE_CACHE), FAKE_NEAR_NS * 1000);
    cr_expect_eq(machine_table_at(chase, 2 * FAKE_CACHE), FAKE_FAR_NS * 1000);
    cr_expect_eq(machine_table_at(reach, 1000), 1000);
    cr_expect_eq(machine_table_at(reach, 0), 0);
    for (uint64_t x = 125; x <= 500; x += 125)
        cr_expect_lt(fabs((double)machine_table_at(reach, x) - 2 * (double)x), 0.01 * (double)x,
                     "%lu", (unsigned long)x);
    cr_expect_gt(h2d->n, 4);
}

Test(calibrate_gpu, a_device_of_known_times_is_measured)
{
    struct calibration c = measured();
    struct machine *m = as_machine(&c);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double got = leaf(m, known[i].name)->value;
        cr_expect_leq(fabs(got / known[i].want - 1), known[i].tolerance, "%s: %g, want %g",
                      known[i].name, got, known[i].want);
    }
    check_tables(m);
    const char *source = leaf(m, "gpu.gap")->source;
    cr_expect(strstr(source, "device of known times, driver for CUDA 12.4"), "%s", source);
    machine_free(m);
    free(c.row);
}

/* Two that spin for slices of 300 and 500 us with 20 us between; the first is off at the end. */
Test(calibrate_gpu, turns_are_found_in_what_two_contexts_saw)
{
    static struct probe_spins a, b;
    double slice, gap;
    uint64_t t = 5000;
    a.begin = t;
    b.begin = t + 320000;
    for (int i = 0; i < 50; i++, t += 840000) {
        a.gap[i].off = t + 300000;
        a.gap[i].on = t + 840000;
        b.gap[i].off = t + 820000;
        b.gap[i].on = t + 1160000;
    }
    a.gaps = b.gaps = 50;
    a.end = t + 300000;
    b.end = t + 800000;
    cr_assert(calibrate_gpu_turns(&a, &b, &slice, &gap));
    cr_expect_float_eq(slice, 500, 1e-9);
    cr_expect_float_eq(gap, 20, 1e-9);
    cr_assert(calibrate_gpu_turns(&b, &a, &slice, &gap));
    cr_expect_float_eq(slice, 300, 1e-9);
    a.gaps = 0; /* they ran together */
    cr_expect_not(calibrate_gpu_turns(&a, &b, &slice, &gap));
}

static int command(const char *env, const char *options, char said[1024])
{
    char line[512];
    snprintf(line, sizeof line, "%s " BUILD "/malv calibrate --quick -q %s 2>&1", env, options);
    FILE *f = popen(line, "r");
    cr_assert(f);
    said[fread(said, 1, 1023, f)] = 0;
    return WEXITSTATUS(pclose(f));
}

Test(calibrate_gpu, what_can_not_be_measured_is_said)
{
    static const struct {
        const char *env, *options, *says;
    } cases[] = {
        {"MALV_LIBCUDA=/none/libcuda.so.1", "--gpu",
         "malv calibrate: no GPU to measure: no NVIDIA driver library"},
        {"FAKE_GPU=none MALV_LIBCUDA=" FAKE, "--only gpu",
         "malv calibrate: no GPU to measure: cuInit says CUDA_ERROR_NO_DEVICE"},
        {"FAKE_GPU=broken MALV_LIBCUDA=" FAKE, "--only gpu",
         "malv calibrate: no GPU to measure: launching a kernel on device of known times failed: "
         "CUDA_ERROR_LAUNCH_FAILED"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[1024];
        cr_expect_eq(command(cases[i].env, cases[i].options, said), 1, "%zu: %s", i, said);
        cr_expect(strstr(said, cases[i].says), "%zu: %s", i, said);
    }
}

Test(calibrate_gpu, without_being_asked_there_is_no_gpu)
{
    char said[1024];
    cr_expect_eq(command("MALV_LIBCUDA=/none", "--only cpu", said), 0, "%s", said);
}
