/* policy_exercise_serve.c - an afternoon of a server: arrivals, ranks, preempted requests that come
 * back, completions. */
#include "harness/policy/policy_exercise.h"

#define RUNNING 64

struct server {
    struct exercise *x;
    struct policy_server seen;
    struct policy_request running[RUNNING];
};

static void look_around(struct server *w)
{
    struct policy_server *s = &w->seen;
    exercise_wait(w->x, 100000000);
    s->now_ns = w->x->now_ns;
    s->waiting = exercise_size(w->x, 100);
    s->running = exercise_below(w->x, s->max_running + 1);
    s->waiting_prompt_tokens = (uint64_t)s->waiting * 700;
    s->kv_blocks_free = exercise_below(w->x, s->kv_blocks_total + 1);
}

static void rank(struct server *w, const struct policy_request *r)
{
    struct policy_batch_obs o = {*r, w->seen, 0};
    exercise_answer(w->x, policy_slot_batch(w->x->slot, &o));
}

static void finish(struct server *w, const struct policy_request *r)
{
    struct policy_done d = {.request = *r, .now_ns = w->seen.now_ns};
    d.output_tokens = exercise_size(w->x, 1000);
    d.first_token_ns = r->arrived_ns;
    d.last_token_ns = d.now_ns;
    policy_slot_done(w->x->slot, &d);
}

static void arrive(struct server *w, uint64_t id)
{
    struct exercise *x = w->x;
    struct policy_request r = {.id = id, .arrived_ns = w->seen.now_ns};
    r.tenant = exercise_size(x, 8);
    r.model = exercise_size(x, 3);
    r.prompt_tokens = exercise_size(x, 4000);
    r.cached_tokens = (uint32_t)rng_below(&x->r, (uint64_t)r.prompt_tokens + 1);
    r.oracle_output_tokens = exercise_size(x, 1000);
    struct policy_admit_obs o = {.request = r, .server = w->seen};
    int verdict = policy_slot_admit(x->slot, &o);
    exercise_answer(x, verdict);
    if (verdict != POLICY_ADMIT)
        return;
    rank(w, &r);
    if (!rng_below(&x->r, 20)) {
        r.preempted++;
        rank(w, &r);
    }
    struct policy_request *place = &w->running[rng_below(&x->r, RUNNING)];
    if (place->arrived_ns)
        finish(w, place);
    *place = r;
}

void exercise_serve(struct exercise *x, uint32_t steps)
{
    struct server w = {.x = x,
                       .seen = {.kv_blocks_total = x->small ? 1 : 4096,
                                .block_tokens = 16,
                                .max_running = x->small ? 1 : 256}};
    for (uint64_t id = 0; id < steps; id++) {
        look_around(&w);
        arrive(&w, id);
    }
}
