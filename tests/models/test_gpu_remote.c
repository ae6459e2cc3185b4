/* API remoting: the pipeline against closed forms, and the order of the channels. */
#include <criterion/criterion.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/gpu/remote.h"
#include "models/stack.h"

#define US UINT64_C(1000000)

static const struct remote_channel plain = {.stub = 1 * US,
                                            .dispatch = 2 * US,
                                            .send = 3 * US,
                                            .wire = 10 * US,
                                            .receive = 4 * US,
                                            .byte = 1000,
                                            .coalesce = 1};

static struct remote_cost run(const struct remote_channel *c, struct remote_work w)
{
    struct remote_cost out;
    remote_run(c, &w, &out);
    return out;
}

/* What comes after the last call: a synchronization, there and back. */
static sim_cost tail(const struct remote_channel *c)
{
    return 2 * c->stub + c->dispatch + 2 * (c->send + c->wire + c->receive);
}

Test(gpu_remote, without_a_channel_it_is_native)
{
    struct remote_channel none = {.coalesce = 1};
    struct remote_work w = {
        .calls = 777, .sync_calls = 7, .in = 1 << 20, .out = 99, .local = 123457};
    cr_expect_eq(run(&none, w).time, 123457);
}

/* n calls through a server that takes 6 us for each (the guest takes 4): it is never idle. */
Test(gpu_remote, many_small_calls_are_bound_by_the_slowest_stage)
{
    for (uint64_t n = 1; n <= 10000; n *= 10) {
        struct remote_cost c = run(&plain, (struct remote_work){.calls = n});
        /* first call reaches the server after 4 + 10 us; then the synchronization queues there */
        cr_expect_eq(c.time, 14 * US + n * 6 * US + 6 * US + (1 + 3 + 10 + 4) * US, "%lu",
                     (unsigned long)n);
        cr_expect_eq(c.server, (n + 1) * 6 * US + 4 * US);
        cr_expect_eq(c.messages, n + 2);
    }
}

/* Long kernels hide the calls: only the way to the first and back from the last is left. */
Test(gpu_remote, a_busy_gpu_hides_the_calls)
{
    struct remote_work w = {.calls = 100, .local = 100 * 1000 * US};
    struct remote_cost c = run(&plain, w);
    cr_expect_eq(c.time, w.local + (4 + 10 + 6) * US + (1 + 3 + 10 + 4) * US);
}

Test(gpu_remote, synchronous_calls_pay_the_way_there_and_back_each)
{
    struct remote_work w = {.calls = 50, .sync_calls = 50};
    cr_expect_eq(run(&plain, w).time, 51 * tail(&plain));
    cr_expect_eq(remote_sync(&plain), tail(&plain));
    w.sync_calls = 25; /* every other one takes the one before along */
    cr_expect_lt(run(&plain, w).time, 51 * tail(&plain));
    cr_expect_gt(run(&plain, w).time, 26 * tail(&plain));
}

Test(gpu_remote, payload_is_waited_for)
{
    struct remote_work w = {.calls = 1, .in = 1000000, .out = 500};
    struct remote_cost without = run(&plain, (struct remote_work){.calls = 1});
    struct remote_cost c = run(&plain, w);
    cr_expect_eq(c.payload, 1000500 * UINT64_C(1000));
    cr_expect_eq(c.time,
                 without.time + c.payload + tail(&plain)); /* the copy in is a call of its own */
    cr_expect_eq(remote_copy(&plain, 1000500), tail(&plain) + c.payload);
}

/* k calls a message: the sending and the receiving side are paid once for k. */
Test(gpu_remote, messages_of_many_calls_cost_less)
{
    struct remote_channel c = plain;
    sim_cost before = run(&plain, (struct remote_work){.calls = 1000}).time;
    for (c.coalesce = 2; c.coalesce <= 64; c.coalesce *= 2) {
        struct remote_cost r = run(&c, (struct remote_work){.calls = 1000});
        cr_expect_eq(r.messages, (1000 + c.coalesce - 1) / c.coalesce + 2);
        cr_expect_lt(r.time, before);
        cr_expect_eq(remote_async(&c), 1 * US + 3 * US / c.coalesce);
        cr_expect_eq(remote_behind(&c), 2 * US + 4 * US / c.coalesce);
        before = r.time;
    }
}

/* Less software on the way, less to pay; and the stack's launch is the same story. */
Test(gpu_remote, channels_stand_in_the_order_of_their_software)
{
    static const enum remote_kind order[] = {REMOTE_TCP, REMOTE_VIRTIO, REMOTE_RING};
    struct config *doc;
    struct machine *m;
    struct machine_use u;
    struct err e = {0};
    sim_cost before = UINT64_MAX;
    cr_assert_eq(profile_load(&doc, "machines/v100-node.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, doc, &e), 0, "%s", e.msg);
    config_free(doc);
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (size_t i = 0; i < 3; i++) {
        struct remote_channel c;
        cr_assert_eq(remote_channel_read(&c, order[i], &u, &e), 0, "%s", e.msg);
        cr_expect_lt(remote_sync(&c), before);
        before = remote_sync(&c);
    }
    struct remote_channel tcp;
    struct stack_cost remote, native;
    sim_cost calls = 0;
    cr_assert_eq(remote_channel_read(&tcp, REMOTE_TCP, &u, &e), 0);
    cr_assert_eq(stack_cost(stack_find("kvm-remote", &e), STACK_launch, &u, &remote, &e), 0);
    cr_assert_eq(stack_cost(stack_find("native", &e), STACK_launch, &u, &native, &e), 0);
    calls = tcp.stub + tcp.send + tcp.wire + tcp.receive + tcp.dispatch;
    cr_expect_eq(remote.cpu_before + remote.wire_before,
                 native.cpu_before + native.wire_before + calls);
    machine_use_end(&u);
    machine_free(m);
}

/* AvA, MLPerf offline: what a program loses by calls goes away with the batch, what it loses by
 * bytes does not.  All in one: loss by batch for local times that grow with it. */
Test(gpu_remote, calls_are_lost_at_small_batches_and_bytes_at_large_ones)
{
    double calls_before = 1, bytes_before = -1;
    for (uint64_t b = 1; b <= 128; b *= 2) {
        sim_cost local = (2000 + 100 * b) * US;
        struct remote_work by_calls = {.calls = 1000, .local = local};
        struct remote_work by_bytes = {.calls = 1, .in = b * 300000, .local = local};
        double c = 1 - (double)local / (double)run(&plain, by_calls).time;
        double p = 1 - (double)local / (double)run(&plain, by_bytes).time;
        cr_expect_leq(c, calls_before);
        cr_expect_gt(p, bytes_before);
        calls_before = c;
        bytes_before = p;
    }
    cr_expect_lt(calls_before, 0.01);
    cr_expect_gt(bytes_before, 0.6);
}
