/* io_steer.c - where a read goes.
 *
 * "volume": asked once, and the answer is the device.  "failover": what LAKE's
 * testbed did with LinnOS.  The predictor sits in front of each device and
 * judges bios, of which a large read is several.  A bio that is predicted to
 * be slow is failed; the others of its read are served all the same, and when
 * they are done the thread learns that its read failed and issues all of it to
 * the next device in turn, paying the way again (Linux 6.0, block/fops.c,
 * __blkdev_direct_IO waits for every bio).  When all have refused, the last
 * one gets it at offset 0, of which its kernel never asks, and whatever it
 * serves of it is taken for the read.                                       */
#include "models/blk/io_state.h"

static uint32_t bit(uint32_t device)
{
    return UINT32_C(1) << device;
}

static bool all_tried(const struct io *s, const struct io_req *q)
{
    return (q->tried | bit(q->device)) == (UINT32_C(1) << s->c.replicas) - 1;
}

/* A volume asks where there is a choice, once; a device in the way of bios asks but at offset 0. */
static bool asks(const struct io *s, const struct io_req *q)
{
    if (!policy_life_any(s->steer) || q->write)
        return false;
    return s->c.mode == IO_VOLUME ? !q->at && !all_tried(s, q) : q->offset + q->at > 0;
}

/* How much of the read the next bio, or question, is about. */
static uint64_t piece(const struct io *s, const struct io_req *q)
{
    const uint64_t left = q->bytes - q->at;
    return s->c.mode == IO_VOLUME || q->write || left < s->c.bio_bytes ? left : s->c.bio_bytes;
}

/* ---- the question --------------------------------------------------------------- */

static uint32_t ask(struct io *s, const struct io_req *q)
{
    struct policy_device seen[IO_REPLICAS];
    uint64_t truth[IO_REPLICAS];
    const uint64_t n = piece(s, q);
    struct policy_slot *p = policy_life_of(s->steer, q->ticket.version);
    const bool oracle = policy_slot_oracle(p);
    for (uint32_t i = 0; i < s->c.replicas; i++) {
        seen[i] = s->dev[i].seen;
        truth[i] = oracle ? ssd_foresee(s->dev[i].ssd, q->offset + q->at, n) : 0;
    }
    const struct policy_steer_obs o = {.now_ns = sim_now(s->sim),
                                       .id = s->n.bios,
                                       .tenant = q->tenant,
                                       .home = q->device,
                                       .n = s->c.replicas,
                                       .tried = q->tried,
                                       .offset = q->offset + q->at,
                                       .bytes = n,
                                       .device = seen,
                                       .oracle_latency_ns = truth};
    s->n.asked++;
    const uint32_t answer = policy_slot_steer(p, &o);
    policy_life_watch(s->steer, q->tenant);
    return answer;
}

static void turned_away(struct io *s, struct io_req *q)
{
    const uint64_t foreseen = ssd_foresee(s->dev[q->device].ssd, q->offset + q->at, piece(s, q));
    s->n.turned++;
    s->n.turned_fast += (double)foreseen / 1e3 < io_slow_us(s, q->device);
}

/* What an answer does to the bio it is about. */
static void apply(struct io *s, struct io_req *q, uint32_t answer)
{
    const uint64_t n = piece(s, q), id = s->n.bios++;
    const bool pass = answer == q->device;
    policy_life_answered(s->steer, q->tenant, &q->ticket);
    q->infer_ns += sim_now(s->sim) - q->asked;
    sketch_add(s->decision_us, (double)(sim_now(s->sim) - q->asked) / 1e3);
    if (!pass)
        turned_away(s, q);
    if (s->c.mode == IO_VOLUME)
        q->device = answer;
    else
        q->refused |= !pass;
    const uint64_t at = q->at;
    q->at += n;
    if (pass || s->c.mode == IO_VOLUME)
        io_enter(s, q, at, n, id, pass);
}

static void decided(void *ctx, uint64_t answer)
{
    struct io_req *q = ctx;
    apply(q->s, q, (uint32_t)answer);
    io_issue(q->s, q);
}

/* ---- a try ------------------------------------------------------------------------ */

static uint32_t next_in_turn(const struct io *s, const struct io_req *q)
{
    uint32_t d = q->device;
    do
        d = (d + 1) % s->c.replicas;
    while (q->tried & bit(d));
    return d;
}

void io_try_over(struct io *s, struct io_req *q)
{
    if (!q->refused || q->desperate) {
        io_return(s, q);
        return;
    }
    q->desperate = all_tried(s, q);
    q->tried |= bit(q->device);
    if (q->desperate)
        q->offset = 0;
    else
        q->device = next_in_turn(s, q);
    io_cross(s, q);
}

/* A step of the policy's life held the question back. */
static void asked_again(void *ctx, uint64_t arg)
{
    (void)arg;
    struct io_req *q = ctx;
    io_issue(q->s, q);
}

/* false: it waits. */
static bool may_ask(struct io *s, struct io_req *q)
{
    if (q->ticket.state == TICKET_NEW || q->ticket.state == TICKET_DONE) {
        q->ticket = (struct policy_ticket){.size = (double)piece(s, q)};
        q->asked = sim_now(s->sim);
    }
    return policy_life_ask(s->steer, q->tenant, &q->ticket, asked_again, q, 0);
}

void io_issue(struct io *s, struct io_req *q)
{
    while (q->at < q->bytes) {
        if (!asks(s, q)) {
            const uint64_t at = q->at, n = piece(s, q);
            q->at += n;
            if (!io_enter(s, q, at, n, s->n.bios++, false))
                return;
            continue;
        }
        if (!may_ask(s, q))
            return;
        mlaas_hook_begin(s->mlaas);
        mlaas_hook_group(s->mlaas, q->device);
        const uint32_t answer = mlaas_full(s->mlaas) ? q->device : ask(s, q);
        if (mlaas_hook_end(s->mlaas, decided, q, answer))
            return;
        apply(s, q, answer);
    }
    q->complete = true;
    if (!q->out)
        io_try_over(s, q);
}
