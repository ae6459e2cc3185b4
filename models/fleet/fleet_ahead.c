/* fleet_ahead.c - the trace read on beyond the request that comes next, for an oracle at
 * serve.scale.  As much is held as comes in a cold start and a period. */
#include <stdlib.h>
#include <string.h>

#include "models/fleet/fleet_state.h"

struct fleet_ahead {
    struct trace_request *ring; /* [room], a power of two; each owns its prefix */
    uint64_t first, end, room;
    uint64_t *given; /* the prefix of the request given last */
    bool over;
};

int fleet_ahead_open(struct fleet *f)
{
    const bool alone = policy_slot_oracle(f->scale) && f->scale->ops->serve_scale;
    if (!alone && !policy_plan_oracle(f->env->plan[POLICY_HOOK_SERVE_SCALE]))
        return 0;
    f->ahead = calloc(1, sizeof *f->ahead);
    return f->ahead ? 0 : err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
}

void fleet_ahead_close(struct fleet *f)
{
    struct fleet_ahead *a = f->ahead;
    if (!a)
        return;
    for (uint64_t i = a->first; i < a->end; i++)
        free((void *)a->ring[i % a->room].prefix);
    free(a->given);
    free(a->ring);
    free(a);
    f->ahead = NULL;
}

static bool grow(struct fleet_ahead *a)
{
    const uint64_t room = a->room ? 2 * a->room : 256;
    struct trace_request *ring = malloc(room * sizeof *ring);
    if (!ring)
        return false;
    for (uint64_t i = a->first; i < a->end; i++)
        ring[i % room] = a->ring[i % a->room];
    free(a->ring);
    a->ring = ring;
    a->room = room;
    return true;
}

/* One more into the ring: 1, 0 at the end, negative. */
static int read_on(struct fleet *f)
{
    struct fleet_ahead *a = f->ahead;
    struct trace_request r;
    if (a->over)
        return 0;
    int got = f->env->requests->next(f->env->requests, &r, f->e);
    a->over = got == 0;
    if (got <= 0)
        return got;
    if (r.n_prefix) {
        uint64_t *own = malloc(r.n_prefix * sizeof *own);
        if (!own)
            return err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
        memcpy(own, r.prefix, r.n_prefix * sizeof *own);
        r.prefix = own;
    } else {
        r.prefix = NULL;
    }
    if (a->end - a->first == a->room && !grow(a)) {
        free((void *)r.prefix);
        return err_set(f->e, ERR_ENOMEM, "fleet: out of memory");
    }
    a->ring[a->end++ % a->room] = r;
    return 1;
}

int fleet_ahead_next(struct fleet *f, struct trace_request *out)
{
    struct fleet_ahead *a = f->ahead;
    if (!a)
        return f->env->requests->next(f->env->requests, out, f->e);
    int got = a->first < a->end ? 1 : read_on(f);
    if (got <= 0)
        return got;
    *out = a->ring[a->first++ % a->room];
    free(a->given);
    a->given = (uint64_t *)out->prefix;
    return 1;
}

static void count(const struct trace_request *r, sim_time middle, sim_time end,
                  struct policy_coming coming[2])
{
    if (r->time_ns >= end)
        return;
    struct policy_coming *c = &coming[r->time_ns >= middle];
    c->requests++;
    c->prompt_tokens += r->prompt_tokens ? r->prompt_tokens : 1;
    c->output_tokens += r->output_tokens ? r->output_tokens : 1;
}

int fleet_ahead_look(struct fleet *f, sim_time middle, sim_time end, struct policy_coming coming[2])
{
    struct fleet_ahead *a = f->ahead;
    int got = 1;
    coming[0] = coming[1] = (struct policy_coming){0};
    while (got > 0 && (a->first == a->end || a->ring[(a->end - 1) % a->room].time_ns < end))
        got = read_on(f);
    if (!f->trace_over) /* the one that is booked */
        count(&f->next, middle, end, coming);
    for (uint64_t i = a->first; i < a->end; i++)
        count(&a->ring[i % a->room], middle, end, coming);
    return got < 0 ? got : 0;
}
