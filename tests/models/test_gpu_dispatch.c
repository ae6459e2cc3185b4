/* The dispatcher on a device: what it adds to the device's own times, to the nanosecond. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/gpu/dispatch.h"
#include "sim/rng.h"
#include "tests/policies/guarded.h"

enum { SMS = 80, TENANTS = 4, STREAMS = 3 };
#define US UINT64_C(1000000) /* ps */

static struct policy_dispatch (*decide)(const struct policy_dispatch_obs *o);

static void asked(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    (void)self;
    *a = decide(o);
}

static const struct policy_ops ops = {
    .name = "test", .create = guarded_create, .destroy = guarded_destroy, .gpu_dispatch = asked};

struct world {
    struct sim *sim;
    struct device *device;
    struct dispatch *x;
    struct policy_slot slot;
    struct gpu_tenant tenant[TENANTS];
    struct dispatch_queue *queue[TENANTS];
    struct dispatch_stream *stream[TENANTS];
};

static void begin(struct world *w, sim_cost per_command, sim_cost gap,
                  struct policy_dispatch (*how)(const struct policy_dispatch_obs *o))
{
    struct device_params p = {.sms = SMS,
                              .warps_per_sm = 64,
                              .blocks_per_sm = 32,
                              .registers_per_sm = 65536,
                              .memory = UINT64_C(1) << 34,
                              .bandwidth = 1e12,
                              .gap = gap,
                              .timeslice = 1000 * US,
                              .context_switch = 100 * US,
                              .preempt = 50 * US,
                              .copy_engines = 2,
                              .link = 1e10,
                              .duplex = 2e10,
                              .pageable = 1e10,
                              .peer = 1e10};
    struct dispatch_params d = {.sms = SMS, .per_command = per_command};
    uint32_t number;
    struct err e = {0};
    memset(w, 0, sizeof *w);
    w->sim = sim_new(NULL);
    cr_assert_eq(device_new(&w->device, w->sim, &p, &e), 0, "%s", e.msg);
    cr_assert_eq(device_partition(w->device, &(struct device_partition_want){0}, DEVICE_TOGETHER,
                                  &number, &e),
                 0, "%s", e.msg);
    decide = how;
    w->slot = how ? guarded(&ops) : (struct policy_slot){0};
    w->x = dispatch_new(w->sim, w->device, &d, how ? &w->slot : NULL);
    for (uint32_t i = 0; i < TENANTS; i++) {
        struct gpu_tenant *t = &w->tenant[i];
        *t = (struct gpu_tenant){.id = i * 2, .prio = i == 0, .weight = 1024};
        t->context = device_context(w->device, &(struct device_context_want){.prio = t->prio}, &e);
        cr_assert_not_null(t->context, "%s", e.msg);
        w->queue[i] = dispatch_queue(w->x, t, &e);
        w->stream[i] = dispatch_stream(w->queue[i], t->prio, &e);
        cr_assert_not_null(w->stream[i], "%s", e.msg);
    }
}

static void end(struct world *w)
{
    if (decide) {
        guarded_expect_none(&w->slot);
        guarded_end(&w->slot);
    }
    dispatch_free(w->x);
    device_free(w->device);
    sim_free(w->sim);
}

static sim_time ended[64];

static void done(void *ctx, uint64_t arg)
{
    ended[arg] = sim_now(ctx);
}

/* A kernel of tenant t, so many us alone on all SMs; its end is ended[mark]. */
static uint64_t kernel(struct world *w, uint32_t t, uint64_t us, uint32_t waves, uint64_t mark)
{
    struct device_work k = {.kind = DEVICE_KERNEL, .alone = us * US, .sms = SMS, .waves = waves};
    struct device_call call = {.done = done, .ctx = w->sim, .arg = mark};
    return dispatch_submit(w->stream[t], &k, NULL, &call);
}

Test(gpu_dispatch, one_after_the_other_and_a_command_costs_its_handing_over)
{
    struct world w;
    begin(&w, 3 * US, 2 * US, NULL);
    for (uint64_t i = 0; i < 10; i++)
        kernel(&w, 1, 50, 0, i);
    sim_run(w.sim, SIM_NEVER);
    for (uint64_t i = 0; i < 10; i++)
        cr_expect_eq(ended[i], 3000 + (i + 1) * 50000 + i * 2000, "%lu", (unsigned long)ended[i]);
    struct dispatch_use u;
    dispatch_used(w.x, &u);
    cr_expect(u.commands == 10 && u.pieces == 10 && u.busy == 30 * US);
    end(&w);
    begin(&w, 60 * US, 0, NULL); /* slower than the kernels: it is what takes the time */
    for (uint64_t i = 0; i < 10; i++)
        kernel(&w, 1, 50, 0, i);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(ended[9], 10 * 60000 + 50000);
    end(&w);
}

static struct policy_dispatch pieces(const struct policy_dispatch_obs *o)
{
    struct policy_dispatch a = {.tenant = POLICY_NONE, .preempt = POLICY_NONE, .piece_ns = 100000};
    for (uint32_t i = 0; i < o->n; i++)
        if (o->tenant[i].prio > 0 && o->tenant[i].waiting) {
            a.tenant = i;
            a.piece_ns = 0;
            return a;
        }
    for (uint32_t i = 0; i < o->n; i++) {
        if (o->tenant[i].running)
            return a;
        a.tenant = o->tenant[i].waiting ? i : a.tenant;
    }
    return a;
}

Test(gpu_dispatch, a_kernel_in_pieces_pays_for_each)
{
    struct world w;
    struct dispatch_use u;
    begin(&w, 3 * US, 0, pieces);
    kernel(&w, 1, 1000, 0, 0);
    sim_run(w.sim, SIM_NEVER);
    dispatch_used(w.x, &u);
    cr_expect_eq(ended[0], 1000000 + 10 * 3000, "%lu", (unsigned long)ended[0]);
    cr_expect(u.pieces == 10 && u.commands == 1);
    end(&w);
    begin(&w, 3 * US, 0, pieces);
    kernel(&w, 1, 1000, 4, 0); /* no block ends sooner than a wave */
    sim_run(w.sim, SIM_NEVER);
    dispatch_used(w.x, &u);
    cr_expect_eq(ended[0], 1000000 + 4 * 3000, "%lu", (unsigned long)ended[0]);
    cr_expect_eq(u.pieces, 4);
    end(&w);
}

static void submit_critical(void *ctx, uint64_t mark)
{
    kernel(ctx, 0, 20, 0, mark);
}

Test(gpu_dispatch, critical_work_waits_for_one_piece_at_most)
{
    struct world w;
    begin(&w, 0, 0, pieces);
    kernel(&w, 1, 1000, 0, 0);
    sim_at(w.sim, 330000, 0, submit_critical, &w, 1);
    sim_run(w.sim, SIM_NEVER);
    cr_expect_eq(ended[1], 350000, "%lu", (unsigned long)ended[1]); /* beside it, by priority */
    cr_expect_eq(ended[0], 1020000, "%lu", (unsigned long)ended[0]);
    end(&w);
}

static struct policy_dispatch preempts(const struct policy_dispatch_obs *o)
{
    struct policy_dispatch a = {.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    uint32_t critical = POLICY_NONE;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        if (t->prio > 0)
            critical = i;
        else if (t->running)
            a.preempt = i;
        a.tenant = t->waiting && a.tenant == POLICY_NONE ? i : a.tenant;
    }
    if (critical == POLICY_NONE)
        a.preempt = POLICY_NONE;
    else if (a.tenant != critical)
        a.tenant = a.preempt = POLICY_NONE;
    return a;
}

Test(gpu_dispatch, who_is_preempted_goes_on_where_it_was)
{
    struct world w;
    struct dispatch_use u;
    begin(&w, 0, 0, preempts);
    kernel(&w, 1, 1000, 0, 0);
    kernel(&w, 1, 10, 0, 2);
    sim_at(w.sim, 330000, 0, submit_critical, &w, 1);
    sim_run(w.sim, SIM_NEVER);
    dispatch_used(w.x, &u);
    cr_expect_eq(u.preempted, 1);
    cr_expect(ended[1] >= 350000 && ended[1] <= 400000, "%lu", (unsigned long)ended[1]);
    cr_expect(ended[0] >= 1020000 && ended[0] <= 1120000, "%lu", (unsigned long)ended[0]);
    cr_expect_eq(ended[2], ended[0] + 10000);
    end(&w);
}

Test(gpu_dispatch, stops_and_copies_keep_their_place)
{
    struct world w;
    struct device_work copy = {.kind = DEVICE_H2D, .bytes = 1000000};
    struct device_call call = {.done = done, .ctx = NULL, .arg = 5};
    begin(&w, 0, 0, NULL);
    call.ctx = w.sim;
    uint64_t first = kernel(&w, 1, 100, 0, 0);
    dispatch_wait(w.stream[2], w.stream[1], first);
    kernel(&w, 2, 10, 0, 1); /* not before the other has ended */
    dispatch_submit(w.stream[2], &copy, NULL, &call);
    kernel(&w, 2, 10, 0, 2); /* not before the copy has: 0.1 ms at 10 GB/s */
    cr_expect_eq(dispatch_queued(w.stream[2]), 3);
    sim_run(w.sim, SIM_NEVER);
    cr_expect(ended[0] == 100000 && ended[1] == 110000, "%lu", (unsigned long)ended[1]);
    cr_expect(ended[5] == 210000 && ended[2] == 220000, "%lu", (unsigned long)ended[2]);
    cr_expect(dispatch_ended(w.stream[2]) == 3 && !dispatch_queued(w.stream[2]));
    end(&w);
}

/* ---- by chance ------------------------------------------------------------------------------- */

static struct rng dice;

/* Anything that is allowed. */
static struct policy_dispatch anything(const struct policy_dispatch_obs *o)
{
    struct policy_dispatch a = {.tenant = POLICY_NONE, .preempt = POLICY_NONE};
    uint32_t i = (uint32_t)rng_below(&dice, o->n), k = (uint32_t)rng_below(&dice, o->n);
    if (o->tenant[i].waiting && rng_below(&dice, 4))
        a.tenant = i;
    if (o->tenant[k].running && k != i && !rng_below(&dice, 8))
        a.preempt = k;
    a.piece_ns = rng_below(&dice, 2) ? 1000 + rng_below(&dice, 50000) : 0;
    a.sms = (uint32_t)rng_below(&dice, SMS + 1);
    a.again_ns = a.tenant == POLICY_NONE ? 1000 + rng_below(&dice, 20000) : 0;
    return a;
}

struct stress {
    struct dispatch_stream *stream[TENANTS][STREAMS];
    uint64_t sent[TENANTS][STREAMS], ended[TENANTS][STREAMS];
    uint64_t after[TENANTS][STREAMS][64]; /* of the next stream, what this command stops for */
};
static struct stress st;

static void one_ended(void *ctx, uint64_t arg)
{
    uint64_t t = arg >> 32, s = arg >> 16 & 0xffff, n = arg & 0xffff;
    (void)ctx;
    cr_expect_eq(++st.ended[t][s], n, "in order");
    cr_expect_geq(st.ended[t][(s + 1) % STREAMS], st.after[t][s][n], "not before its stop");
}

static void send(uint32_t t, uint32_t s)
{
    struct device_work k = {.kind = rng_below(&dice, 5) ? DEVICE_KERNEL : DEVICE_H2D,
                            .alone = rng_below(&dice, 200) * US,
                            .bytes = rng_below(&dice, 100000)};
    uint64_t n = ++st.sent[t][s];
    k.alone = k.kind == DEVICE_H2D ? 0 : k.alone + US;
    k.sms = k.kind == DEVICE_H2D ? 0 : 1 + (uint32_t)rng_below(&dice, SMS);
    k.waves = k.kind == DEVICE_H2D ? 0 : (uint32_t)rng_below(&dice, 6);
    uint32_t other = (s + 1) % STREAMS;
    if (st.sent[t][other] && other > s && !rng_below(&dice, 3)) {
        st.after[t][s][n] = 1 + rng_below(&dice, st.sent[t][other]);
        dispatch_wait(st.stream[t][s], st.stream[t][other], st.after[t][s][n]);
    }
    struct device_call call = {.done = one_ended, .arg = (uint64_t)t << 32 | s << 16 | n};
    cr_assert_eq(dispatch_submit(st.stream[t][s], &k, NULL, &call), n);
}

Test(gpu_dispatch, whatever_the_policy_says_nothing_is_lost_or_out_of_order, .timeout = 60)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world w;
        struct err e = {0};
        rng_init(&dice, seed, "test", "dispatch");
        memset(&st, 0, sizeof st);
        begin(&w, seed % 3 ? 2 * US : 0, seed % 2 ? US : 0, anything);
        for (uint32_t t = 0; t < TENANTS; t++)
            for (uint32_t s = 0; s < STREAMS; s++)
                cr_assert(st.stream[t][s] = dispatch_stream(w.queue[t], (int32_t)s, &e));
        for (int i = 0; i < 300; i++) {
            uint32_t t = (uint32_t)rng_below(&dice, TENANTS),
                     s = (uint32_t)rng_below(&dice, STREAMS);
            if (st.sent[t][s] < 60)
                send(t, s);
            if (!rng_below(&dice, 4))
                sim_run(w.sim, sim_now(w.sim) + rng_below(&dice, 100000));
        }
        sim_run(w.sim, SIM_NEVER);
        for (uint32_t t = 0; t < TENANTS; t++)
            for (uint32_t s = 0; s < STREAMS; s++)
                cr_expect(st.ended[t][s] == st.sent[t][s] && !dispatch_queued(st.stream[t][s]),
                          "seed %lu: %lu of %lu", (unsigned long)seed,
                          (unsigned long)st.ended[t][s], (unsigned long)st.sent[t][s]);
        end(&w);
    }
}
