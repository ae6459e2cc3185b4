/* fleet_intake.c - from the trace to the router. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "models/fleet/fleet_state.h"

#define PRIO_ARRIVAL  (-1) /* after all else at its time: what ends then has ended */
#define REFUSALS_SAID 8

void fleet_request(const struct seq *q, struct policy_request *o)
{
    *o = (struct policy_request){
        .id = q->id,
        .arrived_ns = q->arrived,
        .tenant = q->tenant,
        .model = q->model,
        .prompt_tokens = q->prompt,
        .oracle_output_tokens = q->output,
        .preempted = q->preempted,
    };
}

void fleet_refuse(struct fleet *f, uint32_t slot, const char *why)
{
    const struct seq *q = &f->seq[slot];
    if (f->refused_said++ < REFUSALS_SAID) {
        char line[200];
        snprintf(line, sizeof line, "request %" PRIu64 " (%u + %u tokens) refused: %s", q->id,
                 q->prompt, q->output, why);
        measures_incident(f->out, "rejected", "fleet", sim_now(f->sim), 0, line);
    }
    fleet_release(f, slot);
}

const char *pool_impossible(const struct pool *p, uint64_t prompt, uint64_t output)
{
    const bool ships = p->c->role == POLICY_PREFILL && output > 1;
    if (prompt + output > p->c->max_context)
        return "longer than max_context";
    if (kv_blocks(ships ? prompt : prompt + output) > p->kv_blocks)
        return "longer than the whole KV cache";
    return NULL;
}

/* Fits nowhere, even alone?  It would wait for ever. */
static const char *impossible(const struct fleet *f, const struct seq *q)
{
    const char *why = NULL;
    bool in = false, ships = false, out = false;
    for (uint32_t i = 0; i < f->c.pools; i++) {
        const struct pool *p = &f->pool[i];
        const char *not_here = pool_impossible(p, q->prompt, q->output);
        if (not_here && !why)
            why = not_here;
        if (p->c->role == POLICY_DECODE)
            out |= !not_here;
        else
            in |= !not_here;
        ships |= p->c->role == POLICY_PREFILL;
    }
    return in && (!ships || out || q->output == 1) ? NULL : why;
}

static void arrive(void *ctx, uint64_t arg);

/* Pulls the next record, if there is one, and books its arrival. */
static int pull(struct fleet *f)
{
    int rc = fleet_ahead_next(f, &f->next);
    f->trace_over = rc == 0;
    if (rc <= 0)
        return rc;
    if (f->next.time_ns < sim_now(f->sim))
        return err_set(f->e, ERR_EPARSE,
                       "trace: request %" PRIu64 " comes before the one ahead of it",
                       f->n.requests);
    sim_at(f->sim, f->next.time_ns, PRIO_ARRIVAL, arrive, f, 0);
    return 1;
}

static void to_router(struct fleet *f, uint32_t slot)
{
    if (!f->uses_machine) {
        fleet_route_new(f, slot);
        return;
    }
    sim_time delay = carry_ns(&f->intake_carry, f->in.cpu_before);
    delay += carry_ns(&f->intake_carry, f->in.wire_before);
    sim_after(f->sim, delay, 0, fleet_route_new, f, slot);
}

static void arrive(void *ctx, uint64_t arg)
{
    (void)arg;
    struct fleet *f = ctx;
    uint32_t slot;
    if (!fleet_slot(f, &slot))
        return;
    const struct trace_request *r = &f->next;
    struct seq *q = &f->seq[slot];
    *q = (struct seq){.id = f->n.requests,
                      .arrived = sim_now(f->sim),
                      .clock.since = sim_now(f->sim),
                      .tenant = r->tenant,
                      .model = r->model,
                      .left = LEFT_NOBODY};
    q->prompt = r->prompt_tokens ? r->prompt_tokens : 1;
    q->output = r->output_tokens ? r->output_tokens : 1; /* a prompt's end always yields a token */
    q->goal = q->prompt;
    if (!f->n.requests++)
        f->n.first_arrival = q->arrived;
    f->n.last_arrival = q->arrived;
    f->n.in_system++;
    const char *why = impossible(f, q);
    if (why) {
        f->n.impossible++;
        fleet_refuse(f, slot, why);
    } else {
        f->n.prompt_sum += q->prompt;
        f->n.output_sum += q->output;
        if (reuse_seq_begin(&q->reuse, f->c.prefix_block, r, q->prompt))
            to_router(f, slot);
        else
            fleet_fail(f, err_set(f->e, ERR_ENOMEM, "fleet: out of memory"));
    }
    int rc = pull(f);
    if (rc < 0)
        fleet_fail(f, rc);
}

int fleet_intake_begin(struct fleet *f)
{
    return pull(f);
}
