/* policy_exercise_io.c - reads that could go to any of a few replicas, some of them slow today. */
#include "harness/policy/policy_exercise.h"

#include <string.h>

#define DEVICES 5

struct disks {
    struct exercise *x;
    uint32_t n;
    struct policy_device device[DEVICES];
};

static void complete(struct disks *w, uint32_t d, const struct policy_io_done *done)
{
    struct policy_device *v = &w->device[d];
    size_t older = (POLICY_IO_HISTORY - 1) * sizeof v->latency_us[0];
    policy_slot_io_done(w->x->slot, done);
    if (done->write)
        return;
    memmove(v->latency_us + 1, v->latency_us, older);
    memmove(v->then_pending_pages + 1, v->then_pending_pages, older);
    v->latency_us[0] = (uint32_t)(done->latency_ns / 1000);
    v->then_pending_pages[0] = done->then_pending_pages;
}

static void read_one(struct disks *w, uint64_t id)
{
    struct exercise *x = w->x;
    uint64_t truth[DEVICES];
    struct policy_steer_obs o = {.now_ns = x->now_ns, .id = id, .n = w->n, .device = w->device};
    for (uint32_t d = 0; d < w->n; d++) {
        w->device[d].pending = exercise_size(x, 32);
        w->device[d].pending_pages = exercise_size(x, 256);
        truth[d] = 50000 + rng_below(&x->r, rng_below(&x->r, 20) ? 100000 : 20000000);
    }
    o.tenant = exercise_size(x, 8);
    o.home = exercise_below(x, w->n);
    o.bytes = 4096u << exercise_below(x, 9);
    o.offset = rng_below(&x->r, UINT64_C(1) << 40);
    o.oracle_latency_ns = truth;
    uint32_t d = policy_slot_steer(x->slot, &o);
    exercise_answer(x, d);
    if (!rng_below(&x->r, 8)) { /* turned away: once more */
        o.tried = 1u << d;
        d = policy_slot_steer(x->slot, &o);
        exercise_answer(x, d);
    }
    struct policy_io_done done = {.now_ns = x->now_ns + truth[d],
                                  .id = id,
                                  .latency_ns = truth[d],
                                  .bytes = o.bytes,
                                  .device = d,
                                  .write = exercise_below(x, 4) == 0,
                                  .then_pending_pages = w->device[d].pending_pages};
    complete(w, d, &done);
}

void exercise_io(struct exercise *x, uint32_t steps)
{
    struct disks w = {.x = x, .n = x->small ? 1 : DEVICES};
    for (uint32_t id = 0; id < steps; id++) {
        exercise_wait(x, 1000000);
        read_one(&w, id);
    }
}
