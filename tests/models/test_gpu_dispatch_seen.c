/* What a policy is told of the next kernel, and what the device makes of its answer. */
#include <criterion/criterion.h>

#include "models/gpu/dispatch.h"
#include "tests/models/gpu_world.h"
#include "tests/policies/guarded.h"

static struct policy_gpu_tenant seen;
static uint32_t sms;    /* answered */
static uint32_t beside; /* what binds the one that runs */

/* One kernel at a time. */
static void asked(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self;
    *a = (struct policy_dispatch){.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    if (o->tenant[0].running) {
        beside = o->tenant[0].running_bound;
        return;
    }
    seen = o->tenant[0];
    a->tenant = 0;
    a->sms = sms;
}

static const struct policy_ops ops = {
    .name = "test", .create = guarded_create, .destroy = guarded_destroy, .gpu_dispatch = asked};

struct bench {
    struct gpu_world w;
    struct policy_slot slot;
    struct gpu_tenant tenant;
    struct dispatch *x;
    struct dispatch_stream *stream[2];
};

static void begin(struct bench *b)
{
    const struct device_params p = gpu_params();
    const struct dispatch_params d = {.sms = p.sms};
    uint32_t number;
    struct err e = {0};
    gpu_world_begin(&b->w, &p, NULL);
    cr_assert_eq(
        device_partition(b->w.d, &(struct device_partition_want){0}, DEVICE_TOGETHER, &number, &e),
        0);
    b->slot = guarded(&ops);
    b->x = dispatch_new(b->w.sim, b->w.d, &d, &b->slot);
    b->tenant = (struct gpu_tenant){.weight = 1024, .context = gpu_context(&b->w, number)};
    struct dispatch_queue *q = dispatch_queue(b->x, &b->tenant, &e);
    for (int i = 0; i < 2; i++)
        cr_assert(b->stream[i] = dispatch_stream(q, 0, &e));
}

static void end(struct bench *b)
{
    guarded_expect_none(&b->slot);
    guarded_end(&b->slot);
    dispatch_free(b->x);
    gpu_world_end(&b->w);
}

static void submit(struct bench *b, int stream, uint64_t arg, const struct dispatch_profile *p)
{
    const struct device_work w = {.alone = 100 * SIM_MS, .sms = 80, .bandwidth = 300};
    const struct device_call call = gpu_logs(&b->w, arg);
    dispatch_submit(b->stream[stream], &w, p, &call);
}

Test(gpu_dispatch_seen, the_next_kernel_as_its_capture_has_it)
{
    struct bench b;
    sms = 0;
    begin(&b);
    submit(&b, 0, 0, &(struct dispatch_profile){.bound = POLICY_BOUND_MEMORY});
    sim_run(b.w.sim, SIM_NEVER);
    cr_expect_eq(seen.head_ns, 100000);
    cr_expect_eq(seen.head_sms, 80);
    cr_expect_eq(seen.head_milli, 300);
    cr_expect_eq(seen.head_bound, POLICY_BOUND_MEMORY);
    submit(&b, 0, 1, &(struct dispatch_profile){.bound = POLICY_BOUND_MEMORY, .unseen = true});
    sim_run(b.w.sim, SIM_NEVER);
    cr_expect(!seen.head_ns && !seen.head_sms && !seen.head_milli && !seen.head_bound);
    end(&b);
}

Test(gpu_dispatch_seen, it_runs_on_so_many_sms)
{
    struct bench b;
    sms = 40;
    begin(&b);
    submit(&b, 0, 0, NULL);
    sim_run(b.w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&b.w, 0), 200000);
    end(&b);
}

static void submit_later(void *ctx, uint64_t arg)
{
    submit(ctx, arg == 2, arg, NULL);
}

Test(gpu_dispatch_seen, what_binds_the_kernel_that_runs)
{
    struct bench b;
    sms = 0;
    begin(&b);
    beside = POLICY_BOUND_UNKNOWN;
    submit(&b, 0, 1, &(struct dispatch_profile){.bound = POLICY_BOUND_COMPUTE});
    sim_at(b.w.sim, 10000, 0, submit_later, &b, 2); /* the policy is asked while the first runs */
    sim_run(b.w.sim, SIM_NEVER);
    cr_expect_eq(beside, POLICY_BOUND_COMPUTE);
    end(&b);
}

Test(gpu_dispatch_seen, of_a_tenants_streams_the_one_that_has_waited_longest_goes)
{
    struct bench b;
    sms = 0;
    begin(&b);
    submit(&b, 0, 1, NULL);
    sim_at(b.w.sim, 10000, 0, submit_later, &b, 2); /* on the other stream */
    sim_at(b.w.sim, 20000, 0, submit_later, &b, 3);
    sim_run(b.w.sim, SIM_NEVER);
    cr_expect_eq(gpu_ended(&b.w, 2), 200000);
    cr_expect_eq(gpu_ended(&b.w, 3), 300000);
    end(&b);
}
