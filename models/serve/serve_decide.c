/* serve_decide.c - what is asked about a request, and when the answer takes effect.
 *
 * Both hooks are asked at once when a request has reached the server, unless a
 * step of a policy's life holds the question back.  When another policy answers
 * from now on, all that wait or run are ranked again by it: keys of two
 * policies mean nothing beside each other.                                   */
#include <stdlib.h>
#include <string.h>

#include "models/serve/serve_state.h"

/* ---- who is asked ----------------------------------------------------------------- */

/* The keys of a policy that was put out mean nothing beside the default's: all that wait, or will
 * come back, are ranked by arrival again.                                   */
void decide_watch(struct serve *s, uint32_t tenant)
{
    policy_life_watch(s->admits, tenant);
    policy_life_watch(s->ranks, tenant);
    const uint32_t version = policy_life_version(s->ranks, tenant);
    const struct policy_slot *p = policy_life_of(s->ranks, version);
    if (!p || p->ejected == EJECT_NONE || s->dropped[version])
        return;
    s->dropped[version] = true;
    for (uint32_t slot = 0; slot < s->slots; slot++) {
        if (s->seq[slot].by != version)
            continue;
        s->seq[slot].key = 0;
        if (serve_queue_has(&s->waiting, slot))
            serve_queue_rekey(&s->waiting, slot, version, 0);
    }
}

/* Those who answer for its tenant, and who ranked it if that is still there. */
void decide_done(struct serve *s, const struct seq *q, const struct policy_done *d)
{
    struct policy_slot *ranks = policy_life_slot(s->ranks, q->tenant);
    struct policy_slot *admits = policy_life_slot(s->admits, q->tenant);
    struct policy_slot *ranked = policy_life_of(s->ranks, q->by);
    policy_slot_done(ranks, d);
    if (admits != ranks)
        policy_slot_done(admits, d);
    if (ranked != ranks && ranked != admits)
        policy_slot_done(ranked, d);
    const sim_time latency = sim_now(s->sim) - q->arrived;
    const struct policy_ticket as = {.version = q->by, .asked = q->rank.asked};
    policy_life_done(s->admits, q->tenant, &q->admit, latency);
    policy_life_done(s->ranks, q->tenant, &as, latency); /* whoever ranked it last */
    decide_watch(s, q->tenant);
}

static void unpin(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    if (--q->pinned == 0 && q->gone)
        serve_release(s, slot);
}

/* ---- ranked again ------------------------------------------------------------------- */

static void ranked(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    uint32_t slot = (uint32_t)arg;
    struct seq *q = &s->seq[slot];
    policy_life_answered(s->ranks, q->tenant, &q->again);
    q->again = (struct policy_ticket){.state = TICKET_NEW};
    if (!q->gone) {
        q->key = q->next_key;
        q->by = q->next_by;
        if (serve_queue_has(&s->waiting, slot))
            serve_queue_rekey(&s->waiting, slot, q->by, q->key);
    }
    bool stale = !q->gone && policy_life_stale(s->ranks, q->tenant, q->by);
    unpin(s, slot);
    if (stale)
        decide_again(s, slot);
}

static void rank(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    uint32_t slot = (uint32_t)arg;
    struct seq *q = &s->seq[slot];
    if (!policy_life_ask(s->ranks, q->tenant, &q->again, rank, s, slot))
        return;
    struct policy_batch_obs b = {.again = 1};
    intake_request(s, q, &b.request);
    intake_server(s, &b.server);
    q->next_by = q->again.version;
    mlaas_hook_begin(s->mlaas);
    q->next_key = policy_slot_batch(policy_life_of(s->ranks, q->next_by), &b);
    decide_watch(s, q->tenant);
    if (!mlaas_hook_end(s->mlaas, ranked, s, slot))
        ranked(s, slot);
}

void decide_again(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    if (q->again.state != TICKET_NEW) /* under way: it looks itself who answers by then */
        return;
    q->again.size = q->prompt;
    q->pinned++;
    rank(s, slot);
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Another version answers for some tenants: in order of arrival, whatever their slots. */
void decide_changed(void *ctx, uint32_t vm)
{
    (void)vm;
    struct serve *s = ctx;
    const size_t n = s->waiting.n + s->n_running;
    uint64_t(*live)[2] = malloc((n + 1) * sizeof *live);
    uint32_t *slot = malloc((n + 1) * sizeof *slot);
    if (!live || !slot) {
        free(live);
        free(slot);
        serve_fail(s, err_set(s->e, ERR_ENOMEM, "serve: out of memory"));
        return;
    }
    serve_queue_list(&s->waiting, slot);
    memcpy(slot + s->waiting.n, s->running, s->n_running * sizeof *slot);
    for (size_t i = 0; i < n; i++) {
        live[i][0] = s->seq[slot[i]].id;
        live[i][1] = slot[i];
    }
    qsort(live, n, sizeof *live, by_id);
    for (size_t i = 0; i < n; i++) {
        const struct seq *q = &s->seq[live[i][1]];
        if (policy_life_stale(s->ranks, q->tenant, q->by))
            decide_again(s, (uint32_t)live[i][1]);
    }
    free(live);
    free(slot);
    engine_kick(s);
}

/* ---- the first question --------------------------------------------------------------- */

static void settled(struct serve *s, struct seq *q)
{
    policy_life_answered(s->admits, q->tenant, &q->admit);
    policy_life_answered(s->ranks, q->tenant, &q->rank);
}

static void take_effect(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    sim_time now = sim_now(s->sim);
    if (policy_life_any(s->admits) || policy_life_any(s->ranks)) {
        sketch_add(s->decision, (double)(now - q->ready) / 1e6);
        spans_slice(s->env->sim.spans, s->track_policy, "decide", q->ready, now);
    }
    settled(s, q);
    if (!q->admitted) {
        intake_refuse(s, slot, "the policy said so");
        return;
    }
    intake_enqueue(s, slot, q->key);
    if (policy_life_stale(s->ranks, s->seq[slot].tenant, s->seq[slot].by))
        decide_again(s, slot);
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
    settled(s, q);
    bool waits = !q->gone && serve_queue_has(&s->waiting, slot);
    unpin(s, slot);
    if (!waits)
        return;
    if (!q->admitted) {
        serve_queue_remove(&s->waiting, slot);
        s->waiting_tokens -= q->goal;
        s->inside++;
        intake_refuse(s, slot, "the policy said so");
    } else if (policy_life_stale(s->ranks, q->tenant, q->by)) {
        decide_again(s, slot);
    } else {
        serve_queue_rekey(&s->waiting, slot, q->by, q->key);
    }
}

static void ask(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    struct policy_admit_obs a;
    intake_request(s, q, &a.request);
    intake_server(s, &a.server);
    struct policy_batch_obs b = {a.request, a.server, 0};
    bool async = s->c.infer.mode == MLAAS_ASYNC;
    mlaas_hook_begin(s->mlaas);
    q->admitted =
        policy_slot_admit(policy_life_of(s->admits, q->admit.version), &a) == POLICY_ADMIT;
    q->by = q->rank.version;
    q->key = q->admitted ? policy_slot_batch(policy_life_of(s->ranks, q->by), &b) : 0;
    decide_watch(s, q->tenant);
    bool charged = mlaas_hook_end(s->mlaas, async ? corrected : decided, s, slot);
    if (!charged)
        take_effect(s, slot);
    if (!charged || !async)
        return;
    q->pinned++;
    int64_t key = q->key;
    intake_enqueue(s, slot, 0);
    s->seq[slot].key = key;
}

/* A step of either hook may hold it back: the same question is asked again then. */
static void admissible(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    struct seq *q = &s->seq[arg];
    if (policy_life_ask(s->ranks, q->tenant, &q->rank, admissible, s, arg))
        ask(s, (uint32_t)arg);
}

void decide_ready(void *ctx, uint64_t arg)
{
    struct serve *s = ctx;
    struct seq *q = &s->seq[arg];
    if (q->admit.state == TICKET_NEW) {
        q->ready = sim_now(s->sim);
        request_enters(&q->clock, PART_POLICY, q->ready);
    }
    q->admit.size = q->rank.size = q->prompt;
    if (policy_life_ask(s->admits, q->tenant, &q->admit, decide_ready, s, arg))
        admissible(s, arg);
}
