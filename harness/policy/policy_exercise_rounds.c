/* policy_exercise_rounds.c - jobs that come to a cluster of several types of GPUs, run a while, and
 * go. */
#include "harness/policy/policy_exercise.h"

#define JOBS  40
#define TYPES 3
#define KINDS 6
#define S     UINT64_C(1000000000)

struct rounds {
    struct exercise *x;
    uint32_t n, types, gpus[TYPES];
    uint64_t ids;
    struct policy_round_job job[JOBS];
    double rate[TYPES * KINDS], beside[TYPES * KINDS * KINDS];
};

static double some_rate(struct exercise *x)
{
    return exercise_below(x, 12) ? 0.01 + 50 * rng_unit(&x->r) : 0;
}

static void make_rates(struct rounds *w)
{
    for (uint32_t i = 0; i < TYPES * KINDS; i++)
        w->rate[i] = some_rate(w->x);
    for (uint32_t k = 0; k < KINDS; k++) /* every kind runs somewhere */
        w->rate[k] = w->rate[k] > 0 ? w->rate[k] : 1;
    for (uint32_t t = 0; t < TYPES; t++)
        for (uint32_t a = 0; a < KINDS; a++)
            for (uint32_t b = 0; b < KINDS; b++)
                w->beside[(t * KINDS + a) * KINDS + b] =
                    exercise_below(w->x, 3) ? w->rate[t * KINDS + a] * rng_unit(&w->x->r) : 0;
}

static void come(struct rounds *w)
{
    struct exercise *x = w->x;
    const uint32_t kind = exercise_below(x, KINDS);
    w->job[w->n++] =
        (struct policy_round_job){.id = w->ids += 1 + exercise_below(x, 3),
                                  .arrived_ns = x->now_ns,
                                  .kind = kind,
                                  .gpus = 1u << kind % 3, /* jobs of one kind have as many */
                                  .weight = exercise_below(x, 5) ? 1 : 0.25 + 8 * rng_unit(&x->r),
                                  .steps = 1 + (double)exercise_size(x, 1000000)};
}

static void go(struct rounds *w, uint32_t i)
{
    w->n--;
    for (; i < w->n; i++)
        w->job[i] = w->job[i + 1];
}

static void ask(struct rounds *w, bool pairs)
{
    struct policy_part part[POLICY_PARTS_MAX(JOBS, TYPES)];
    const struct policy_round_obs o = {.now_ns = w->x->now_ns,
                                       .n = w->n,
                                       .types = w->types,
                                       .kinds = KINDS,
                                       .most = POLICY_PARTS_MAX(w->n, w->types),
                                       .job = w->job,
                                       .gpus = w->gpus,
                                       .rate = w->rate,
                                       .beside = pairs ? w->beside : NULL};
    const uint32_t n = policy_slot_parts(w->x->slot, &o, part);
    exercise_answer(w->x, n);
    for (uint32_t i = 0; i < n; i++) {
        exercise_answer(w->x, (int64_t)part[i].job << 32 | part[i].type);
        exercise_answer(w->x, part[i].beside);
        exercise_answer(w->x, (int64_t)(part[i].part * 0x1p40));
    }
}

void exercise_rounds(struct exercise *x, uint32_t steps)
{
    struct rounds w = {.x = x, .types = x->small ? 1 : TYPES};
    const uint32_t most = x->small ? 1 : JOBS;
    const bool pairs = exercise_below(x, 2);
    for (uint32_t t = 0; t < w.types; t++)
        w.gpus[t] = x->small ? 4 : 4 + exercise_below(x, 20);
    make_rates(&w);
    for (uint32_t k = 0; k < steps; k++) {
        exercise_wait(x, 2000000000);
        if (w.n == most || (w.n && exercise_below(x, 3) == 0))
            go(&w, exercise_below(x, w.n));
        else
            come(&w);
        for (uint32_t i = 0; i < w.n; i++)
            w.job[i].steps = 1 + w.job[i].steps * 0.99;
        if (w.n && k % 8 == 0)
            ask(&w, pairs);
    }
}
