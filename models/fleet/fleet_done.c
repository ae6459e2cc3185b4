/* fleet_done.c - first tokens and last ones: what is measured, and told to policies. */
#include "models/fleet/fleet_state.h"

static sim_cost sending(const struct fleet *f) /* from the engine to the wire */
{
    return f->token_out.cpu_before + f->token_out.wire_before;
}

static double out_ms(const struct fleet *f)
{
    return (double)sending(f) / 1e9;
}

void fleet_done_first(struct engine *e, uint32_t slot)
{
    struct fleet *f = e->f;
    struct seq *q = &f->seq[slot];
    q->first_token = sim_now(f->sim);
    request_parts_first(&f->parts, &q->clock, sending(f));
    sketch_add(f->ttft, (double)(q->first_token - q->arrived) / 1e6 + out_ms(f));
}

static void tell(struct fleet *f, const struct seq *q, sim_time now)
{
    struct policy_slot *route = policy_life_of(f->routes, q->came.version);
    struct policy_slot *admit = policy_life_of(f->admits, q->let);
    policy_life_done(f->routes, q->tenant, &q->came, now - q->arrived);
    if (!route && !admit && !f->batch)
        return;
    struct policy_done d = {.now_ns = now,
                            .output_tokens = q->output,
                            .engine = q->home,
                            .first_token_ns = q->first_token,
                            .last_token_ns = now};
    fleet_request(q, &d.request);
    policy_slot_done(route, &d);
    if (admit != route)
        policy_slot_done(admit, &d);
    if (f->batch != route && f->batch != admit)
        policy_slot_done(f->batch, &d);
    fleet_order_watch(f);
}

void fleet_done_last(struct engine *e, uint32_t slot)
{
    struct fleet *f = e->f;
    struct seq *q = &f->seq[slot];
    const sim_time now = sim_now(f->sim);
    request_enters(&q->clock, PART_DECODE, now);
    request_parts_last(&f->parts, &q->clock, sending(f));
    const double ttft = (double)(q->first_token - q->arrived) / 1e6 + out_ms(f);
    const double decode = (double)(now - q->first_token) / 1e6;
    const double tpot = q->output > 1 ? decode / (q->output - 1) : 0;
    sketch_add(f->e2e, (double)(now - q->arrived) / 1e6 + out_ms(f));
    if (q->output > 1)
        sketch_add(f->tpot, tpot);
    const bool good = ttft <= f->c.slo_ttft_ms && tpot <= f->c.slo_tpot_ms;
    f->n.completed++;
    f->n.good += good;
    f->n.good_ttft += ttft <= f->c.slo_ttft_ms;
    f->n.good_tpot += tpot <= f->c.slo_tpot_ms;
    f->n.last_done = now;
    e->pool->done++;
    e->pool->good += good;
    tell(f, q, now);
    fleet_release(f, slot);
}
