/* Inference behind gpu.dispatch: to the nanosecond, what waiting for it adds to the dispatcher. */
#include <criterion/criterion.h>

#include "models/gpu/dispatch.h"
#include "tests/models/mlaas_rig.h"
#include "tests/policies/guarded.h"

enum { SMS = 80, INFER = 10, HAND = 3 }; /* us: of a decision; of handing over */
#define US UINT64_C(1000000)             /* ps */

struct world {
    struct mlaas_rig r;
    struct device *device;
    struct dispatch *x;
    struct policy_slot slot;
    struct gpu_tenant tenant[2];
    struct dispatch_stream *stream[2];
    sim_time ended[16];
};
static struct mlaas_rig *rig;
static bool one_at_a_time;

static void asked(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self;
    rig->tap.called(rig->tap.ctx, 0, 1);
    *a = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    for (uint32_t i = 0; i < o->n; i++)
        if (one_at_a_time && o->tenant[i].running)
            return;
    for (uint32_t i = o->n; i-- > 0;)
        if (o->tenant[i].waiting)
            a->tenant = i;
}
static const struct policy_ops ops = {
    .name = "asks", .create = guarded_create, .destroy = guarded_destroy, .gpu_dispatch = asked};

static void begin(struct world *w, const char *infer, bool async)
{
    const struct device_params p = {.sms = SMS,
                                    .warps_per_sm = 64,
                                    .blocks_per_sm = 32,
                                    .registers_per_sm = 65536,
                                    .memory = UINT64_C(1) << 34,
                                    .bandwidth = 1e12,
                                    .timeslice = 1000 * US,
                                    .context_switch = 100 * US,
                                    .preempt = 50 * US,
                                    .copy_engines = 2,
                                    .link = 1e10,
                                    .duplex = 2e10,
                                    .pageable = 1e10,
                                    .peer = 1e10};
    uint32_t number;
    struct err e = {0};
    *w = (struct world){.r = {.infer = infer, .stack = "native"}};
    mlaas_rig_open(&w->r);
    rig = &w->r;
    const struct dispatch_params d = {
        .sms = SMS, .per_command = HAND * US, .infer = w->r.m, .async = async};
    cr_assert_eq(device_new(&w->device, w->r.sim, &p, &e), 0, "%s", e.msg);
    cr_assert_eq(device_partition(w->device, &(struct device_partition_want){0}, DEVICE_TOGETHER,
                                  &number, &e),
                 0, "%s", e.msg);
    w->slot = guarded(&ops);
    w->x = dispatch_new(w->r.sim, w->device, &d, &w->slot);
    for (uint32_t i = 0; i < 2; i++) {
        w->tenant[i] = (struct gpu_tenant){.id = i, .weight = 1024};
        w->tenant[i].context = device_context(w->device, &(struct device_context_want){0}, &e);
        cr_assert_not_null(w->tenant[i].context, "%s", e.msg);
        w->stream[i] = dispatch_stream(dispatch_queue(w->x, &w->tenant[i], &e), 0, &e);
        cr_assert_not_null(w->stream[i], "%s", e.msg);
    }
}

static void done(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    w->ended[arg] = sim_now(w->r.sim);
}

static void kernel(struct world *w, uint32_t t, uint64_t us, uint64_t mark)
{
    const struct device_work k = {.kind = DEVICE_KERNEL, .alone = us * US, .sms = SMS};
    const struct device_call call = {.done = done, .ctx = w, .arg = mark};
    dispatch_submit(w->stream[t], &k, NULL, &call);
}

static void end(struct world *w)
{
    guarded_expect_none(&w->slot);
    guarded_end(&w->slot);
    dispatch_free(w->x);
    device_free(w->device);
    mlaas_rig_close(&w->r);
}

/* Ten short kernels in a row: the dispatcher is what takes the time. */
Test(gpu_dispatch_infer, a_launch_waits_for_its_decision)
{
    static const struct {
        const char *infer;
        bool async;
        uint64_t each, cpu; /* us */
    } modes[] = {{"{}", false, INFER + HAND, 10 * INFER},
                 {"{'mode':'async'}", true, HAND, 10 * INFER},
                 {"{'mode':'free'}", false, HAND, 0}};
    for (size_t k = 0; k < 3; k++) {
        struct world w;
        struct mlaas_stats n;
        one_at_a_time = false;
        begin(&w, modes[k].infer, modes[k].async);
        for (uint64_t i = 0; i < 10; i++)
            kernel(&w, 0, 2, i);
        sim_run(w.r.sim, SIM_NEVER);
        for (uint64_t i = 0; i < 10; i++)
            cr_expect_eq(w.ended[i], ((i + 1) * modes[k].each + 2) * 1000, "mode %zu: %lu", k,
                         (unsigned long)w.ended[i]);
        mlaas_stats(w.r.m, &n);
        cr_expect_eq(n.calls, 10);
        cr_expect_eq(n.cpu_ps, modes[k].cpu * US);
        end(&w);
    }
}

/* "Nothing now" is asked again at once when what it was about has changed meanwhile, and else when
 * it does. */
Test(gpu_dispatch_infer, what_happens_during_a_decision_is_not_missed)
{
    static const struct {
        uint64_t kernel, first, second; /* us */
    } cases[] = {{50, 13 + 50, 13 + 50 + 13 + 50}, {5, 13 + 5, 13 + 10 + 13 + 5}};
    for (size_t k = 0; k < 2; k++) {
        struct world w;
        one_at_a_time = true;
        begin(&w, "{}", false);
        kernel(&w, 0, cases[k].kernel, 0);
        kernel(&w, 1, cases[k].kernel, 1);
        sim_run(w.r.sim, SIM_NEVER);
        cr_expect_eq(w.ended[0], cases[k].first * 1000, "%lu", (unsigned long)w.ended[0]);
        cr_expect_eq(w.ended[1], cases[k].second * 1000, "%lu", (unsigned long)w.ended[1]);
        end(&w);
    }
}
