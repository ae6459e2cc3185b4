/* policy_exercise_route.c - a fleet: requests come to engines of which some take none, are done,
 * and once in a while somebody asks how many engines there shall be. */
#include "harness/policy/policy_exercise.h"

#define ENGINES 37

struct fleet {
    struct exercise *x;
    uint32_t n, next;
    struct policy_engine engine[ENGINES];
    uint32_t changed[ENGINES];
};

static void stir(struct fleet *w, uint32_t at)
{
    struct exercise *x = w->x;
    struct policy_engine *e = &w->engine[at];
    e->waiting = exercise_size(x, 50);
    e->running = exercise_below(x, e->max_running + 1);
    e->waiting_prompt_tokens = (uint64_t)e->waiting * exercise_below(x, 2000);
    e->cached_tokens = (uint64_t)e->running * exercise_below(x, 2000);
    e->shipped_tokens = (uint64_t)e->waiting * exercise_below(x, 2000);
    e->takes = at == 0 || exercise_below(x, 8) != 0;
}

static void request(struct fleet *w, uint32_t id, struct policy_request *r)
{
    struct exercise *x = w->x;
    *r = (struct policy_request){.id = id, .arrived_ns = x->now_ns};
    r->tenant = exercise_size(x, 8);
    r->prompt_tokens = exercise_size(x, 4000);
    r->oracle_output_tokens = exercise_size(x, 1000);
}

static void route(struct fleet *w, uint32_t id)
{
    struct exercise *x = w->x;
    struct policy_route_obs o = {.now_ns = x->now_ns,
                                 .stage = id % 3 ? POLICY_COMES : POLICY_PREFILLED,
                                 .n = w->n,
                                 .engine = w->engine,
                                 .n_changed = w->n, /* two stages ask: to each, all may be new */
                                 .changed = w->changed};
    for (uint32_t i = 0; i < 3; i++)
        stir(w, exercise_below(x, w->n));
    for (uint32_t i = 0; i < w->n; i++)
        w->engine[i].prefix_tokens = exercise_below(x, 500);
    request(w, id, &o.request);
    const uint32_t at = policy_slot_route(x->slot, &o, &w->next);
    exercise_answer(x, at);
    w->engine[at].routed++;
    struct policy_done d = {.request = o.request, .now_ns = x->now_ns + 1000000, .engine = at};
    d.output_tokens = d.request.oracle_output_tokens;
    d.first_token_ns = d.last_token_ns = d.now_ns;
    if (exercise_below(x, 2))
        policy_slot_done(x->slot, &d);
}

static void scale(struct fleet *w, uint32_t period)
{
    struct exercise *x = w->x;
    struct policy_scale_obs o = {.now_ns = x->now_ns, .period = period, .period_ns = 1000000000};
    o.least = 1 + exercise_below(x, 4);
    o.most = o.least + exercise_below(x, ENGINES);
    o.serving = 1 + exercise_below(x, o.most);
    o.starting = exercise_below(x, 3);
    o.ending = exercise_below(x, 3);
    o.waiting = exercise_size(x, 100);
    o.running = exercise_size(x, 1000);
    o.arrived = exercise_size(x, 1000);
    o.arrived_tokens = o.arrived * 1000;
    o.done = exercise_size(x, 1000);
    o.good = o.done / 2;
    o.busy_milli = exercise_below(x, 1001);
    o.start_ns = UINT64_C(30000000000);
    const struct policy_coming coming[2] = {{30 * o.arrived, 30 * o.arrived_tokens, o.done},
                                            {o.done, o.done * 1000, o.done * 200}};
    o.oracle = coming;
    exercise_answer(x, policy_slot_scale(x->slot, &o));
}

void exercise_route(struct exercise *x, uint32_t steps)
{
    struct fleet w = {.x = x, .n = x->small ? 1 : ENGINES};
    for (uint32_t i = 0; i < w.n; i++) {
        w.engine[i] = (struct policy_engine){.id = i, .kv_tokens = 100000};
        w.engine[i].max_running = x->small ? 1 : 256;
        w.changed[i] = i;
        stir(&w, i);
    }
    for (uint32_t id = 0; id < steps; id++) {
        exercise_wait(x, 100000000);
        route(&w, id);
        if (id % 16 == 0)
            scale(&w, id / 16);
    }
}
