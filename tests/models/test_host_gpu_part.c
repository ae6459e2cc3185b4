/* GPUs of a host that tenants share: turns, MPS, MIG, against arithmetic. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/models/host_rig.h"
#include "tests/sanitized.h"

/* Steps of 40 kernels of 1 ms, or more of them; nothing else. */
#define VM(name, gpu, more)                                                                        \
    "{'name':'" name "','vcpus':1,'tick_hz':0,'gpu':" gpu ",'workload':{'program':'training',"     \
    "'workers':0,'read_mib':0,'load_us':0,'batch_mib':0,'framework_us':0,'kernels':40,"            \
    "'kernel_us':1000,'jitter':0" more "}}"
#define HOST(gpus, vms) "{'cpus':4,'duration_s':4,'warmup_s':0.4," gpus "'vms':[" vms "]}"
#define TURNS           "'gpus':{'sharing':'time-slice'},"
#define MPS             "'gpus':{'sharing':'mps'},"
#define MIG             "'gpus':{'sharing':'mig'},"

static double step_ms(const char *section, const char *stack, const char *share, double *of_time)
{
    struct rig r = {.stack = stack, .seed = 1};
    struct host_result res;
    rig_run(&r, section, &res);
    const double ms = rig_number(&r, "a.1.op_mean");
    if (share)
        *of_time = rig_number(&r, share);
    rig_end(&r);
    return ms;
}

static double step(const char *section)
{
    return step_ms(section, NULL, NULL, NULL);
}

Test(host_gpu_part, alone_a_part_is_as_fast_as_a_gpu_of_its_own)
{
    static const char *const stacks[] = {"native", "kvm", "malv"};
    for (int i = SANITIZED ? 2 : 0; i < 3; i++) {
#define COPIES ",'batch_mib':64,'sync':'blocking'"
#define SHORT                                                                                      \
    "{'name':'a','vcpus':1,'tick_hz':0,'gpu':%s,'workload':{'program':'training',"                 \
    "'workers':0,'read_mib':0,'load_us':0,'framework_us':300,'kernels':3000,"                      \
    "'kernel_us':5,'jitter':0%s}}"
        static const char *const more[] = {"", COPIES};
        for (int k = 0; k < 2; k++) {
            char vm[512], own[700], part[700];
            snprintf(vm, sizeof vm, SHORT, "'passthrough'", more[k]);
            snprintf(own, sizeof own, "{'cpus':4,'duration_s':1,'vms':[%s]}", vm);
            snprintf(vm, sizeof vm, SHORT, "{'on':0}", more[k]);
            snprintf(part, sizeof part, "{'cpus':4,'duration_s':1," TURNS "'vms':[%s]}", vm);
            cr_expect_float_eq(step_ms(part, stacks[i], NULL, NULL) /
                                   step_ms(own, stacks[i], NULL, NULL),
                               1, 1e-4, "%s %d", stacks[i], k);
        }
    }
}

/* Turns of 1.024 ms and switches of 0.1 ms. */
Test(host_gpu_part, two_take_turns)
{
    double gpu;
    const double own = step(HOST("", VM("a", "'passthrough'", "")));
    const double both = step_ms(HOST(TURNS, VM("a", "{'on':0}", "") "," VM("b", "{'on':0}", "")),
                                NULL, "a.1.share_gpu", &gpu);
    cr_expect_float_eq(both / own, 2 * (1.024 + 0.1) / 1.024, 0.06, "%g", both / own);
    cr_expect_gt(gpu, 0.99, "all of it is waiting for the GPU");
    const double apart = step(HOST(TURNS, VM("a", "{'on':0}", "") "," VM("b", "{'on':1}", "")));
    cr_expect_float_eq(apart / own, 1, 1e-4, "another GPU: %g", apart / own);
}

Test(host_gpu_part, mps_divides_the_sms)
{
    const double own = step(HOST("", VM("a", "'passthrough'", "")));
    const double half = step(HOST(MPS, VM("a", "{'on':0,'percent':50}", "")));
    const double both = step(HOST(MPS, VM("a", "{'on':0}", "") "," VM("b", "{'on':0}", "")));
    const double small = step(HOST(
        MPS, VM("a", "{'on':0}", ",'kernel_sms':60") "," VM("b", "{'on':0}", ",'kernel_sms':60")));
    cr_expect_float_eq(half / own, 2, 0.02, "%g", half / own);
    cr_expect_float_eq(both / own, 2, 0.02, "%g", both / own);
    cr_expect_float_eq(small / own, 1, 0.01, "%g", small / own);
}

/* 48 of 132 SMs on three slices, whoever is on the other four. */
Test(host_gpu_part, a_neighbour_on_another_slice_changes_nothing)
{
    const double own = step(HOST("", VM("a", "'passthrough'", "")));
    const double alone = step(HOST(MIG, VM("a", "{'on':0,'slice':'3g.40gb'}", "")));
    const double both = step(HOST(MIG, VM("a", "{'on':0,'slice':'3g.40gb'}",
                                          "") "," VM("b", "{'on':0,'slice':'4g.40gb'}", "")));
    cr_expect_float_eq(both / alone, 1, 1e-6, "%g", both / alone);
    cr_expect_float_eq(alone / own, 132 / 48.0, 0.02, "%g", alone / own);
}
