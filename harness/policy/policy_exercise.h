/* policy_exercise.h - a made-up machine that asks a policy everything it has an answer for.
 *
 * A family of hooks has a small world of its own (policy_exercise_serve.c, _route.c, _cpu.c and so
 * on): plausible, and now and then at the ends of a range. */
#ifndef HARNESS_POLICY_POLICY_EXERCISE_H
#define HARNESS_POLICY_POLICY_EXERCISE_H

#include "models/policy_slot.h"
#include "sim/rng.h"

/* A hash of all answers: the same policy, seed and length give the same.  An even seed makes the
 * worlds as small as they can be: one frame, one CPU, one device. */
uint64_t policy_exercise(struct policy_slot *slot, uint64_t seed, uint32_t steps);

/* ---- between policy_exercise*.c only ---- */

struct exercise {
    struct policy_slot *slot;
    struct rng r;
    uint64_t now_ns, hash;
    bool small;
};

static inline void exercise_answer(struct exercise *x, int64_t v)
{
    x->hash = (x->hash ^ (uint64_t)v) * UINT64_C(0x100000001b3); /* FNV-1a, a word at a time */
}

static inline uint32_t exercise_below(struct exercise *x, uint32_t n)
{
    return (uint32_t)rng_below(&x->r, n);
}

/* Mostly what production sees, now and then the ends of the range. */
uint32_t exercise_size(struct exercise *x, uint32_t usual);
/* Time passes, or not. */
void exercise_wait(struct exercise *x, uint32_t up_to_ns);

void exercise_serve(struct exercise *x, uint32_t steps);
void exercise_route(struct exercise *x, uint32_t steps);
void exercise_cpu(struct exercise *x, uint32_t steps);
void exercise_mem(struct exercise *x, uint32_t steps);
void exercise_io(struct exercise *x, uint32_t steps);
void exercise_gpu(struct exercise *x, uint32_t steps);
void exercise_order(struct exercise *x, uint32_t steps);
void exercise_place(struct exercise *x, uint32_t steps);
void exercise_rounds(struct exercise *x, uint32_t steps);
void exercise_select(struct exercise *x, uint32_t steps);

#endif
