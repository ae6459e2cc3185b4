/* policy_exercise_order.c - jobs that come, run, lose their GPUs and end, and what their keys are
 * when all that is asked for again. */
#include "harness/policy/policy_exercise.h"

#define JOBS 24
#define S    UINT64_C(1000000000)

struct jobs {
    struct exercise *x;
    uint32_t n;
    uint64_t ids;
    struct policy_job job[JOBS];
    struct policy_order had[JOBS]; /* the last answer */
};

static struct policy_cluster cluster(const struct jobs *w)
{
    struct policy_cluster c = {.now_ns = w->x->now_ns, .gpu_milli = UINT64_C(8000) * JOBS};
    for (uint32_t i = 0; i < w->n; i++) {
        c.running += w->job[i].running;
        c.waiting += !w->job[i].running;
    }
    c.gpu_milli_free = exercise_below(w->x, 1 + (uint32_t)c.gpu_milli);
    return c;
}

static void ask(struct jobs *w, uint32_t i, uint32_t why)
{
    const struct policy_order_obs o = {.job = w->job[i],
                                       .cluster = cluster(w),
                                       .why = why,
                                       .user_micro = exercise_below(w->x, 1000001),
                                       .key = why == POLICY_NEW ? 0 : w->had[i].key};
    policy_slot_order(w->x->slot, &o, &w->had[i]);
    exercise_answer(w->x, w->had[i].key);
    exercise_answer(w->x, (int64_t)(w->had[i].at_service_ns ^ w->had[i].after_ns));
    exercise_answer(w->x, (int64_t)w->had[i].predicted_ns);
}

static void come(struct jobs *w, uint32_t i)
{
    struct exercise *x = w->x;
    const uint32_t gpus = exercise_below(x, 20) ? 1u << exercise_below(x, 5) : 0;
    const uint64_t runs = (1 + exercise_size(x, 100000)) * S / 7;
    w->job[i] = (struct policy_job){
        .id = ++w->ids,
        .arrived_ns = x->now_ns,
        .since_ns = x->now_ns,
        .tenant = exercise_below(x, 4),
        .user = exercise_below(x, 3) ? exercise_below(x, 9) : POLICY_NONE,
        .group = exercise_below(x, 5) ? exercise_below(x, 5) : POLICY_NONE,
        .gpus = gpus,
        .gpus_min = gpus,
        .gpus_max = gpus,
        .gpu_milli = gpus == 1 && !exercise_below(x, 3) ? 1 + exercise_below(x, 999) : 1000,
        .gpu_models = exercise_below(x, 2) ? POLICY_ANY_MODEL : 1 + rng_below(&x->r, 255),
        .cpu_milli = exercise_size(x, 64000),
        .mem_bytes = rng_below(&x->r, UINT64_C(1) << 40),
        .prio = (int32_t)exercise_below(x, 5) - 2,
        .predicted_ns = exercise_below(x, 2) ? runs : 0,
        .oracle_ns = runs};
    ask(w, i, POLICY_NEW);
}

static void serve(struct jobs *w, uint32_t i, uint64_t ns)
{
    struct policy_job *j = &w->job[i];
    j->ran_ns += ns;
    j->service_ns += ns * j->gpus;
}

static void run_on(struct jobs *w, uint32_t i)
{
    struct policy_job *j = &w->job[i];
    const uint64_t at = w->had[i].at_service_ns;
    if (at > j->service_ns && j->gpus && exercise_below(w->x, 2)) {
        serve(w, i, (at - j->service_ns + j->gpus - 1) / j->gpus);
        ask(w, i, POLICY_SERVED);
        return;
    }
    serve(w, i, rng_below(&w->x->r, 3600 * S));
    if (exercise_below(w->x, 3)) {
        const struct policy_job_done d = {
            .job = *j, .now_ns = w->x->now_ns, .duration_ns = j->oracle_ns};
        policy_slot_job_done(w->x->slot, &d);
        come(w, i);
        return;
    }
    j->running = 0;
    j->lost++;
    j->since_ns = w->x->now_ns;
    ask(w, i, POLICY_BACK);
}

static void wait_on(struct jobs *w, uint32_t i)
{
    if (w->had[i].after_ns && exercise_below(w->x, 2)) {
        w->x->now_ns += w->had[i].after_ns % (1000 * S);
        ask(w, i, POLICY_LATER);
    } else if (w->had[i].follows_sharing && exercise_below(w->x, 2)) {
        ask(w, i, POLICY_SHARED);
    } else if (!exercise_below(w->x, 30)) {
        ask(w, i, POLICY_OTHER);
    } else {
        w->job[i].running = 1;
        w->job[i].since_ns = w->x->now_ns;
    }
}

void exercise_order(struct exercise *x, uint32_t steps)
{
    struct jobs w = {.x = x, .n = x->small ? 1 : JOBS};
    for (uint32_t i = 0; i < w.n; i++)
        come(&w, i);
    for (uint32_t k = 0; k < steps; k++) {
        const uint32_t i = exercise_below(x, w.n);
        exercise_wait(x, 2000000000);
        if (w.job[i].running)
            run_on(&w, i);
        else
            wait_on(&w, i);
    }
}
