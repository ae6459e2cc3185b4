/* io_steer.c - where a read goes.
 *
 * "volume": asked once, and the answer is the device.  "failover": what LAKE's
 * testbed did with LinnOS.  The predictor sits in front of each device; one
 * that is predicted to be slow fails the read back to the thread, which issues
 * it to the next device in turn and pays the way again.  The last one takes it
 * unasked.                                                                  */
#include "models/blk/io_state.h"

static uint32_t bit(uint32_t device)
{
    return UINT32_C(1) << device;
}

/* Devices that may still be asked, beside this one. */
static bool last_one(const struct io *s, const struct io_req *q)
{
    return (q->tried | bit(q->device)) == (UINT32_C(1) << s->c.replicas) - 1;
}

static uint32_t next_in_turn(const struct io *s, const struct io_req *q)
{
    uint32_t d = q->device;
    do
        d = (d + 1) % s->c.replicas;
    while (q->tried & bit(d));
    return d;
}

static void turn_away(struct io *s, struct io_req *q)
{
    const double foreseen =
        (double)ssd_foresee(s->dev[q->device].ssd, q->drive.offset, q->drive.bytes) / 1e3;
    s->n.turned++;
    s->n.turned_fast += foreseen < io_slow_us(s, q->device);
}

/* q->device holds the answer's other half: where it was asked. */
static void decided(void *ctx, uint64_t answer)
{
    struct io_req *q = ctx;
    struct io *s = q->drive.ctx;
    q->infer_ns += sim_now(s->sim) - q->asked;
    sketch_add(s->decision_us, (double)(sim_now(s->sim) - q->asked) / 1e3);
    if (answer == q->device) {
        q->judged = true;
        io_enter(s, q);
        return;
    }
    turn_away(s, q);
    if (s->c.mode == IO_VOLUME) {
        q->device = (uint32_t)answer;
        io_enter(s, q);
        return;
    }
    q->tried |= bit(q->device);
    q->device = next_in_turn(s, q);
    io_cross(s, q);
}

static uint32_t ask(struct io *s, const struct io_req *q)
{
    struct policy_device seen[IO_REPLICAS];
    uint64_t truth[IO_REPLICAS];
    const bool oracle = s->policy->ops && s->policy->ops->oracle;
    for (uint32_t i = 0; i < s->c.replicas; i++) {
        seen[i] = s->dev[i].seen;
        truth[i] = oracle ? ssd_foresee(s->dev[i].ssd, q->drive.offset, q->drive.bytes) : 0;
    }
    const struct policy_steer_obs o = {.now_ns = sim_now(s->sim),
                                       .id = q->id,
                                       .tenant = q->tenant,
                                       .home = q->device,
                                       .n = s->c.replicas,
                                       .tried = q->tried,
                                       .offset = q->drive.offset,
                                       .bytes = q->drive.bytes,
                                       .device = seen,
                                       .oracle_latency_ns = truth};
    s->n.asked++;
    return policy_slot_steer(s->policy, &o);
}

void io_steer(struct io *s, struct io_req *q)
{
    if (!s->policy || last_one(s, q)) {
        io_enter(s, q);
        return;
    }
    q->asked = sim_now(s->sim);
    q->drive.ctx = s; /* the drive's own later */
    mlaas_hook_begin(s->mlaas);
    mlaas_hook_group(s->mlaas, q->device);
    const uint32_t answer = ask(s, q);
    if (!mlaas_hook_end(s->mlaas, decided, q, answer))
        decided(q, answer);
}
