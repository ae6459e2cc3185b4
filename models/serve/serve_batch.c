/* serve_batch.c - what runs in the next iteration: continuous batching.
 *
 * As vLLM does it: every decoding sequence gets one token; then prompts under
 * way; then the waiting queue, in order of its keys, while tokens, places and
 * KV blocks last.  A prompt takes its blocks when it is let in.  When decoding
 * outgrows the cache, the sequence with the worst key loses its blocks and
 * goes back to the queue, to be computed again.                             */
#include <assert.h>

#include "models/serve/serve_state.h"

static uint64_t length_now(const struct serve *s, const struct seq *q)
{
    return q->length + (s->kv.step - q->joined);
}

static void leave_running(struct serve *s, uint32_t slot)
{
    uint32_t at = s->seq[slot].at, last = s->running[--s->n_running];
    assert(s->running[at] == slot || at == s->n_running);
    s->running[at] = last;
    s->seq[last].at = at;
    s->changed = true;
}

static void leave_filling(struct serve *s, uint32_t slot)
{
    uint32_t i = 0;
    while (s->filling[i] != slot)
        i++;
    for (s->n_filling--; i < s->n_filling; i++)
        s->filling[i] = s->filling[i + 1];
}

static void leave_decoding(struct serve *s, struct seq *q)
{
    uint64_t length = length_now(s, q);
    kv_leave(&s->kv, length);
    s->cached -= length;
    s->kv.free += kv_blocks(length);
    q->decoding = false;
}

/* The running sequence that the queue would have put last. */
static uint32_t worst(const struct serve *s)
{
    uint32_t w = s->running[0];
    for (uint32_t i = 1; i < s->n_running; i++) {
        const struct seq *a = &s->seq[s->running[i]], *b = &s->seq[w];
        if (a->by == b->by && a->key != b->key ? a->key > b->key : a->id > b->id)
            w = s->running[i];
    }
    return w;
}

static void preempt(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    if (q->decoding) {
        q->generated += (uint32_t)(s->kv.step - q->joined);
        slot_heap_remove(&s->finish, slot);
        leave_decoding(s, q);
    } else {
        s->kv.free += kv_blocks(q->goal);
        leave_filling(s, slot);
    }
    leave_running(s, slot);
    q->goal = q->prompt + q->generated;
    q->filled = 0;
    q->preempted++;
    s->n.preemptions++;
    serve_queue_push(&s->waiting, q->by, q->key, q->id, slot);
    s->waiting_tokens += q->goal;
}

/* As many of its prompt's tokens as the budget and the chunk allow. */
static void add_chunk(struct serve *s, uint32_t slot, uint64_t *budget, struct llm_batch *b)
{
    struct seq *q = &s->seq[slot];
    uint64_t n = q->goal - q->filled;
    if (n > *budget)
        n = *budget;
    if (s->c.chunk && n > s->c.chunk)
        n = s->c.chunk;
    q->chunk = (uint32_t)n;
    *budget -= n;
    if (!n)
        return;
    b->chunks++;
    b->prompt_tokens += n;
    b->past += q->filled;
    b->pairs += n * q->filled + n * (n + 1) / 2;
    if (q->filled + n == q->goal)
        b->sampled++;
}

static bool can_join(const struct serve *s)
{
    const struct slot_node *top = serve_queue_top(&s->waiting);
    return top && s->n_running < s->c.max_running &&
           kv_blocks(s->seq[top->slot].goal) + kv_need(&s->kv) <= s->kv.free;
}

static void let_in(struct serve *s)
{
    uint32_t slot = serve_queue_pop(&s->waiting);
    struct seq *q = &s->seq[slot];
    s->waiting_tokens -= q->goal;
    s->kv.free -= kv_blocks(q->goal);
    q->at = s->n_running;
    s->running[s->n_running++] = slot;
    s->filling[s->n_filling++] = slot;
    s->changed = true;
    if (!q->was_scheduled) {
        q->was_scheduled = true;
        q->scheduled = sim_now(s->sim);
        sketch_add(s->queue_wait, (double)(q->scheduled - q->arrived) / 1e6);
    }
}

bool batch_compose(struct serve *s, struct llm_batch *b)
{
    bool lost = false;
    while (kv_need(&s->kv) > s->kv.free) {
        preempt(s, worst(s));
        lost = true;
    }
    *b = (struct llm_batch){
        .decoding = s->kv.decoding, .cached = s->cached, .sampled = s->kv.decoding};
    assert(s->kv.decoding <= s->c.max_batch_tokens);
    uint64_t budget = s->c.max_batch_tokens - s->kv.decoding;
    for (uint32_t i = 0; i < s->n_filling; i++)
        add_chunk(s, s->filling[i], &budget, b);
    while (!lost && budget && can_join(s)) {
        let_in(s);
        add_chunk(s, s->filling[s->n_filling - 1], &budget, b);
    }
    if (b->chunks)
        s->changed = true;
    return b->decoding || b->chunks;
}

bool batch_steady(const struct serve *s)
{
    return s->n_filling == 0 && s->kv.decoding > 0 && !can_join(s);
}

uint64_t batch_steps(const struct serve *s)
{
    const struct slot_node *first = slot_heap_top(&s->finish);
    assert(first && (uint64_t)first->key > s->kv.step);
    return kv_steps_that_fit(&s->kv, (uint64_t)first->key - s->kv.step);
}

static void finish(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    report_done(s, q, sim_now(s->sim));
    struct policy_done d = {.now_ns = sim_now(s->sim), .output_tokens = q->output};
    intake_request(s, q, &d.request);
    d.first_token_ns = q->first_token;
    d.last_token_ns = sim_now(s->sim);
    leave_running(s, slot);
    decide_done(s, q, &d);
    serve_release(s, slot);
}

/* The last part of a prompt also yields a token. */
static void filled(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    if (q->generated++ == 0)
        q->first_token = sim_now(s->sim);
    if (q->generated == q->output) {
        s->kv.free += kv_blocks(q->goal);
        finish(s, slot);
        return;
    }
    q->decoding = true;
    q->joined = s->kv.step;
    q->length = q->goal;
    s->cached += q->length;
    kv_join(&s->kv, q->length);
    slot_heap_push(&s->finish, (int64_t)(s->kv.step + (q->output - q->generated)), q->id, slot);
    s->changed = true;
}

void batch_done(struct serve *s, uint64_t k)
{
    kv_advance(&s->kv, k);
    s->kv_grown = s->kv.total - s->kv.free;
    s->cached += k * s->kv.decoding;
    for (const struct slot_node *t;
         (t = slot_heap_top(&s->finish)) && (uint64_t)t->key == s->kv.step;) {
        uint32_t slot = slot_heap_pop(&s->finish);
        leave_decoding(s, &s->seq[slot]);
        finish(s, slot);
    }
    uint32_t n = s->n_filling, kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = s->filling[i];
        struct seq *q = &s->seq[slot];
        q->filled += q->chunk;
        q->chunk = 0;
        if (q->filled < q->goal)
            s->filling[kept++] = slot;
        else
            filled(s, slot);
    }
    s->n_filling = kept;
}
