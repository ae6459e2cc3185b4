/* serve_intake.c - from the wire to the waiting queue, past the policy. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "models/serve/serve_state.h"

#define PRIO_ARRIVAL  (-1) /* after all else at its time: what ends then has ended */
#define REFUSALS_SAID 8

void intake_server(const struct serve *s, struct policy_server *o)
{
    *o = (struct policy_server){
        .now_ns = sim_now(s->sim),
        .waiting = (uint32_t)s->waiting.n,
        .running = s->n_running,
        .waiting_prompt_tokens = s->waiting_tokens,
        .kv_blocks_total = (uint32_t)s->kv.total,
        .kv_blocks_free = (uint32_t)s->kv.free,
        .block_tokens = KV_BLOCK,
        .max_running = s->c.max_running,
    };
}

void intake_request(const struct serve *s, const struct seq *q, struct policy_request *o)
{
    (void)s;
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

/* The keys of a policy that was put out mean nothing beside the default's: all that wait, or will
 * come back, are ranked by arrival again.                                   */
void intake_watch_policy(struct serve *s)
{
    const struct policy_slot *p = s->ranks_by;
    if (!p || p->ejected == EJECT_NONE || s->ranks_dropped)
        return;
    s->ranks_dropped = true;
    for (uint32_t slot = 0; slot < s->slots; slot++) {
        s->seq[slot].key = 0;
        if (slot_heap_has(&s->waiting, slot))
            slot_heap_rekey(&s->waiting, slot, 0);
    }
}

static void enqueue(struct serve *s, uint32_t slot, int64_t key)
{
    struct seq *q = &s->seq[slot];
    q->key = key;
    s->inside--;
    slot_heap_push(&s->waiting, key, q->id, slot);
    s->waiting_tokens += q->goal;
    series_level(s->s_waiting, sim_now(s->sim), (double)s->waiting.n);
    engine_kick(s);
}

static void refuse(struct serve *s, uint32_t slot, const char *why)
{
    struct seq *q = &s->seq[slot];
    s->inside--;
    s->n.rejected++;
    if (s->refused_said++ < REFUSALS_SAID) {
        char line[200];
        snprintf(line, sizeof line, "request %" PRIu64 " (%u + %u tokens) refused: %s", q->id,
                 q->prompt, q->output, why);
        measures_incident(s->out, "rejected", "serve", sim_now(s->sim), 0, line);
    }
    serve_release(s, slot);
}

static void take_effect(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    sim_time now = sim_now(s->sim);
    if (s->admits_by || s->ranks_by) {
        sketch_add(s->decision, (double)(now - q->ready) / 1e6);
        spans_slice(s->env->sim.spans, s->track_policy, "decide", q->ready, now);
    }
    if (q->admitted)
        enqueue(s, slot, q->key);
    else
        refuse(s, slot, "the policy said so");
}

/* The inference behind a decision is done. */
static void decided(void *ctx, uint64_t slot)
{
    take_effect(ctx, (uint32_t)slot);
}

/* The same for a request that went ahead without waiting for the answer: if it still waits, the
 * answer counts from now on. */
static void corrected(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    uint32_t slot = (uint32_t)arg;
    struct seq *q = &s->seq[slot];
    sketch_add(s->decision, (double)(sim_now(s->sim) - q->ready) / 1e6);
    q->pinned = false;
    if (q->gone) {
        serve_release(s, slot);
    } else if (slot_heap_has(&s->waiting, slot) && q->admitted) {
        slot_heap_rekey(&s->waiting, slot, q->key);
    } else if (slot_heap_has(&s->waiting, slot)) {
        slot_heap_remove(&s->waiting, slot);
        s->waiting_tokens -= q->goal;
        s->inside++;
        refuse(s, slot, "the policy said so");
    }
}

/* The request has reached the server: the policy decides. */
static void ready(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    uint32_t slot = (uint32_t)arg;
    struct seq *q = &s->seq[slot];
    struct policy_admit_obs a;
    q->ready = sim_now(s->sim);
    intake_request(s, q, &a.request);
    intake_server(s, &a.server);
    struct policy_batch_obs b = {a.request, a.server};
    bool async = s->c.infer.mode == MLAAS_ASYNC;
    mlaas_hook_begin(s->mlaas);
    q->admitted = policy_slot_admit(s->admits_by, &a) == POLICY_ADMIT;
    q->key = q->admitted ? policy_slot_batch(s->ranks_by, &b) : 0;
    intake_watch_policy(s);
    bool charged = mlaas_hook_end(s->mlaas, async ? corrected : decided, s, slot);
    if (!charged)
        take_effect(s, slot);
    if (!charged || !async)
        return;
    q->pinned = true;
    int64_t key = q->key;
    enqueue(s, slot, 0);
    s->seq[slot].key = key;
}

static void parsed(void *ctx, uint64_t slot)
{
    struct serve *s = ctx;
    sim_after(s->sim, carry_ns(&s->intake_carry, s->in.wire_before), 0, ready, s, slot);
}

/* Fits even when alone?  A request that never can would wait for ever. */
static const char *impossible(const struct serve *s, const struct seq *q)
{
    if ((uint64_t)q->prompt + q->output > s->c.max_context)
        return "longer than max_context";
    if (kv_blocks((uint64_t)q->prompt + q->output) > s->kv.total)
        return "longer than the whole KV cache";
    return NULL;
}

static void arrive(void *ctx, uint64_t arg);

/* Pulls the next record, if there is one, and books its arrival. */
static int pull(struct serve *s)
{
    int rc = s->env->requests->next(s->env->requests, &s->next, s->e);
    if (rc <= 0)
        return rc;
    if (s->next.time_ns < sim_now(s->sim))
        return err_set(s->e, ERR_EPARSE,
                       "trace: request %" PRIu64 " comes before the one ahead of it",
                       s->n.requests);
    sim_at(s->sim, s->next.time_ns, PRIO_ARRIVAL, arrive, s, 0);
    return 1;
}

static void arrive(void *ctx, uint64_t arg)
{
    (void)arg;
    struct serve *s = ctx;
    uint32_t slot;
    engine_interrupt(s);
    if (!serve_slot(s, &slot))
        return;
    const struct trace_request *r = &s->next;
    struct seq *q = &s->seq[slot];
    *q = (struct seq){
        .id = s->n.requests, .arrived = sim_now(s->sim), .tenant = r->tenant, .model = r->model};
    q->prompt = r->prompt_tokens ? r->prompt_tokens : 1;
    q->output =
        r->output_tokens ? r->output_tokens : 1; /* the prompt's end always yields a token */
    q->goal = q->prompt;
    if (!s->n.requests++)
        s->n.first_arrival = q->arrived;
    s->n.last_arrival = q->arrived;
    s->inside++;
    const char *why = impossible(s, q);
    if (why) {
        s->impossible++;
        refuse(s, slot, why);
    } else {
        s->n.prompt_sum += q->prompt;
        s->n.output_sum += q->output;
        s->n.intake_ps += s->in.cpu_before;
        s->n.crossings += s->in.crossings;
        if (!cores_submit(s->cpu, carry_ns(&s->intake_carry, s->in.cpu_before), parsed, s, slot))
            serve_fail(s, err_set(s->e, ERR_ENOMEM, "serve: out of memory"));
    }
    int rc = pull(s);
    if (rc < 0)
        serve_fail(s, rc);
}

int intake_begin(struct serve *s)
{
    return pull(s);
}
