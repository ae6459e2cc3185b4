/* Parts of a GPU over time: what the policy says is what the device gives. */
#include <criterion/criterion.h>

#include "models/gpu/share.h"
#include "tests/policies/guarded.h"

enum { SMS = 80 };
static uint32_t first_part, later_part, asked, shown;
static uint64_t busy;

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    (void)self;
    asked++;
    shown = o->n;
    busy = o->busy;
    for (uint32_t i = 0; i < o->n; i++)
        milli[i] = i ? 1000 - (o->period ? later_part : first_part)
                     : (o->period ? later_part : first_part);
}

static const struct policy_ops ops = {
    .name = "share", .create = guarded_create, .destroy = guarded_destroy, .gpu_share = share};

struct world {
    struct sim *sim;
    struct device *device;
    struct share *x;
    struct policy_slot slot;
    struct gpu_tenant tenant[2];
    sim_time ended[2];
};

static void begin(struct world *w, enum policy_share_of of, sim_time period)
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
    struct share_params s = {.of = of, .sms = SMS, .period = period, .turn = 100000};
    uint32_t number;
    struct err e = {0};
    *w = (struct world){.sim = sim_new(NULL), .slot = guarded(&ops)};
    cr_assert_eq(device_new(&w->device, w->sim, &p, &e), 0, "%s", e.msg);
    enum device_turns turns = of == POLICY_SHARE_SMS ? DEVICE_TOGETHER : DEVICE_TURNS;
    cr_assert_eq(
        device_partition(w->device, &(struct device_partition_want){0}, turns, &number, &e), 0);
    w->x = share_new(w->sim, w->device, &s, &w->slot);
    asked = 0;
    for (uint32_t i = 0; i < 2; i++) {
        w->tenant[i] = (struct gpu_tenant){.id = i, .weight = 1024};
        w->tenant[i].context = device_context(w->device, &(struct device_context_want){0}, &e);
        cr_assert_not_null(w->tenant[i].context, "%s", e.msg);
        cr_assert_eq(share_come(w->x, &w->tenant[i], 0, &e), 0);
    }
}

static void done(void *ctx, uint64_t i)
{
    struct world *w = ctx;
    w->ended[i] = sim_now(w->sim);
    if (w->ended[!i])
        share_stop(w->x);
}

/* Each one kernel, so many us alone, that can fill everything. */
static void go(struct world *w, const uint64_t us[2])
{
    struct err e = {0};
    for (uint32_t i = 0; i < 2; i++) {
        struct device_stream *s = device_stream(w->tenant[i].context, 0, &e);
        struct device_work k = {.kind = DEVICE_KERNEL, .alone = us[i] * 1000000, .sms = SMS};
        struct device_call call = {.done = done, .ctx = w, .arg = i};
        device_submit(s, &k, &call);
    }
    sim_run(w->sim, SIM_NEVER);
}

static void end(struct world *w)
{
    guarded_expect_none(&w->slot);
    guarded_end(&w->slot);
    share_free(w->x);
    device_free(w->device);
    sim_free(w->sim);
}

Test(gpu_share, parts_of_sms_are_what_kernels_get)
{
    struct world w;
    first_part = 250;
    begin(&w, POLICY_SHARE_SMS, 0);
    cr_expect(asked == 2 && shown == 2, "asked when somebody comes");
    go(&w, (uint64_t[]){1000, 1500});
    cr_expect_eq(w.ended[0], 4000000, "a quarter: %lu", (unsigned long)w.ended[0]);
    cr_expect_eq(w.ended[1], 2000000, "three quarters: %lu", (unsigned long)w.ended[1]);
    share_go(w.x, &w.tenant[0]);
    cr_expect(asked == 3 && shown == 1, "and when somebody goes");
    end(&w);
}

Test(gpu_share, the_policy_is_asked_again_every_period)
{
    struct world w;
    first_part = 250;
    later_part = 750;
    begin(&w, POLICY_SHARE_SMS, 1000000);
    go(&w, (uint64_t[]){1000, 1000});
    /* A quarter of the first ms, three quarters of the second; the other the other way round. */
    cr_expect_eq(w.ended[0], 2000000, "%lu", (unsigned long)w.ended[0]);
    cr_expect_eq(w.ended[1], 2000000, "%lu", (unsigned long)w.ended[1]);
    cr_expect_geq(asked, 3);
    cr_expect_eq(busy, 1000, "%lu", (unsigned long)busy);
    end(&w);
}

Test(gpu_share, parts_of_time_are_turns_in_proportion)
{
    struct world w;
    first_part = 200;
    begin(&w, POLICY_SHARE_TIME, 0);
    go(&w,
       (uint64_t[]){1000, 4000}); /* 20 us and 80 us in turn, no switch to pay: both done at once */
    uint64_t apart = w.ended[0] > w.ended[1] ? w.ended[0] - w.ended[1] : w.ended[1] - w.ended[0];
    cr_expect_leq(apart, 100000, "%lu, %lu", (unsigned long)w.ended[0], (unsigned long)w.ended[1]);
    cr_expect(w.ended[0] == 5000000 || w.ended[1] == 5000000);
    end(&w);
}
