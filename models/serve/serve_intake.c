/* serve_intake.c - from the wire to the policy's question, and on to the waiting queue. */
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
    *o = (struct policy_request){
        .id = q->id,
        .arrived_ns = q->arrived,
        .tenant = q->tenant,
        .model = q->model,
        .prompt_tokens = q->prompt,
        .cached_tokens = reuse_tokens(&s->reuse, &q->reuse, q->goal),
        .oracle_output_tokens = q->output,
        .preempted = q->preempted,
    };
}

void intake_enqueue(struct serve *s, uint32_t slot, int64_t key)
{
    struct seq *q = &s->seq[slot];
    q->key = key;
    request_enters(&q->clock, PART_QUEUE, sim_now(s->sim));
    s->inside--;
    serve_queue_push(&s->waiting, q->by, key, q->id, slot);
    s->waiting_tokens += q->goal;
    series_level(s->s_waiting, sim_now(s->sim), (double)s->waiting.n);
    engine_kick(s);
}

void intake_refuse(struct serve *s, uint32_t slot, const char *why)
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

static void parsed(void *ctx, uint64_t slot)
{
    struct serve *s = ctx;
    sim_after(s->sim, carry_ns(&s->intake_carry, s->in.wire_before), 0, decide_ready, s, slot);
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
    *q = (struct seq){.id = s->n.requests,
                      .arrived = sim_now(s->sim),
                      .clock.since = sim_now(s->sim),
                      .tenant = r->tenant,
                      .model = r->model,
                      .left = LEFT_NOBODY};
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
        intake_refuse(s, slot, why);
    } else {
        s->n.prompt_sum += q->prompt;
        s->n.output_sum += q->output;
        s->n.intake_ps += s->in.cpu_before;
        s->n.crossings += s->in.crossings;
        if (!reuse_seq_begin(&q->reuse, s->c.prefix_block, r, q->prompt) ||
            !cores_submit(s->cpu, carry_ns(&s->intake_carry, s->in.cpu_before), parsed, s, slot))
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
