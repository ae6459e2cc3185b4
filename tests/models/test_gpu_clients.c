/* Contexts that run together (MPS): by priority, and evenly among equals; against arithmetic. */
#include <criterion/criterion.h>

#include "models/gpu/device.h"

enum { SMS = 80 };

static sim_time ended[4];
static struct sim *sim;

static void done(void *ctx, uint64_t i)
{
    (void)ctx;
    ended[i] = sim_now(sim);
}

/* So many clients, one kernel each: us alone, on so many SMs. */
static void run(uint32_t n, const int32_t *prio, const uint64_t *us, const uint32_t *sms)
{
    struct device_params p = {.sms = SMS,
                              .warps_per_sm = 64,
                              .blocks_per_sm = 32,
                              .memory = UINT64_C(1) << 34,
                              .bandwidth = 1e12,
                              .timeslice = UINT64_C(1000000000),
                              .copy_engines = 2,
                              .link = 1e10,
                              .duplex = 2e10,
                              .pageable = 1e10,
                              .peer = 1e10};
    struct device *d;
    uint32_t number;
    struct err e = {0};
    sim = sim_new(NULL);
    cr_assert_eq(device_new(&d, sim, &p, &e), 0, "%s", e.msg);
    cr_assert_eq(
        device_partition(d, &(struct device_partition_want){0}, DEVICE_TOGETHER, &number, &e), 0);
    for (uint32_t i = 0; i < n; i++) {
        struct device_context *c =
            device_context(d, &(struct device_context_want){.prio = prio[i]}, &e);
        struct device_work k = {.kind = DEVICE_KERNEL, .alone = us[i] * 1000000, .sms = sms[i]};
        struct device_call call = {.done = done, .arg = i};
        device_submit(device_stream(c, 0, &e), &k, &call);
    }
    sim_run(sim, SIM_NEVER);
    device_free(d);
    sim_free(sim);
}

static void expect_ends(uint32_t i, uint64_t us)
{
    cr_expect_eq(ended[i], us * 1000, "client %u: %lu", i, (unsigned long)ended[i]);
}

Test(gpu_clients, equals_share_the_sms_evenly)
{
    run(2, (int32_t[]){0, 0}, (uint64_t[]){1000, 1000}, (uint32_t[]){SMS, SMS});
    expect_ends(0, 2000); /* processor sharing */
    expect_ends(1, 2000);
    run(2, (int32_t[]){0, 0}, (uint64_t[]){1000, 3000}, (uint32_t[]){SMS, SMS});
    expect_ends(0, 2000);
    expect_ends(1, 4000);
}

Test(gpu_clients, who_wants_less_than_its_part_gets_that_and_leaves_the_rest)
{
    /* 16 for the small one, 32 for each of the others until it ends; then 40 each. */
    run(3, (int32_t[]){0, 0, 0}, (uint64_t[]){500, 1000, 1000}, (uint32_t[]){16, SMS, SMS});
    expect_ends(0, 500);
    expect_ends(1, 500 + 1600);
    expect_ends(2, 500 + 1600);
}

Test(gpu_clients, priority_goes_before_evenness)
{
    run(2, (int32_t[]){0, 1}, (uint64_t[]){1000, 500}, (uint32_t[]){SMS, 60});
    expect_ends(1, 500);                        /* all that it can fill */
    expect_ends(0, 500 + 1000 - 500 * 20 / 80); /* the other 20 SMs meanwhile */
}
