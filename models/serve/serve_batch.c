/* serve_batch.c - what runs in the next iteration: continuous batching.
 *
 * As vLLM does it: every decoding sequence gets one token; then prompts under
 * way; then the waiting queue, in order of its keys, while tokens, places and
 * KV blocks last.  A prompt takes its blocks when it is let in.  When decoding
 * outgrows the cache, the sequence with the worst key (or, as in vLLM, the one
 * let in last) loses its blocks and goes back to the queue, to be computed
 * again but for what it finds of them.                                      */
#include <assert.h>

#include "models/serve/serve_state.h"

static uint64_t length_now(const struct serve *s, const struct seq *q)
{
    return q->length + (s->kv.step - q->joined);
}

/* ---- blocks --------------------------------------------------------------------------------- */

static void take_blocks(struct serve *s, uint64_t n)
{
    s->kv.free -= n;
    serve_prefix_trim(s);
    if (s->c.recover)
        left_take(&s->left, n);
}

/* Those that decode take theirs before anybody is let in. */
static void decoding_first(struct serve *s)
{
    s->early = s->c.recover ? kv_need(&s->kv) : 0;
    left_take(&s->left, s->early);
}

static void decoding_takes(struct serve *s, uint64_t n)
{
    s->kv.free -= n;
    serve_prefix_trim(s);
    if (s->c.recover)
        left_take(&s->left, n - s->early);
    s->early = 0;
}

/* All of q's; `back`: it may come back for them, with so many tokens computed. */
static void give_blocks(struct serve *s, struct seq *q, uint64_t length, bool back,
                        uint64_t computed)
{
    uint64_t ticket = LEFT_NOBODY;
    const uint64_t n = kv_blocks(length) - serve_prefix_leave(s, q);
    s->kv.free += n;
    if (s->c.recover && !left_put(&s->left, n, back, &ticket))
        serve_fail(s, err_set(s->e, ERR_ENOMEM, "serve: out of memory"));
    if (!back)
        return;
    q->left = ticket;
    q->kept = computed / KV_BLOCK; /* full ones */
}

static uint64_t share_blocks(struct serve *s, struct seq *q)
{
    uint64_t found;
    q->filled = reuse_join(&s->reuse, &q->reuse, &s->kv, q->goal, &found);
    q->filled += serve_paging_fetch(s, q);
    if (!q->was_scheduled) {
        s->n.asked_tokens += q->prompt;
        s->n.found_tokens += q->filled;
    }
    return found;
}

/* What the request finds of its blocks, or of others' that are the same; the last token is computed
 * in any case. */
static uint64_t find_blocks(struct serve *s, struct seq *q)
{
    if (s->reuse.blocks)
        return share_blocks(s, q);
    const uint64_t most = (q->goal - 1) / KV_BLOCK;
    const uint64_t n =
        s->c.recover ? left_claim(&s->left, q->left, most < q->kept ? most : q->kept) : 0;
    q->left = LEFT_NOBODY;
    s->kv.free -= n;
    s->n.recovered += n * KV_BLOCK;
    q->filled = (uint32_t)(n * KV_BLOCK);
    return n;
}

/* ---- who runs ---------------------------------------------------------------------------------
 */

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
    q->decoding = false;
}

static bool worse(const struct serve *s, const struct seq *a, const struct seq *b)
{
    if (s->c.preempt == PREEMPT_LAST)
        return a->turn > b->turn;
    return a->by == b->by && a->key != b->key ? a->key > b->key : a->id > b->id;
}

/* The running sequence that the queue would have put last, or the one let in last. */
static uint32_t worst(const struct serve *s)
{
    uint32_t w = s->running[0];
    for (uint32_t i = 1; i < s->n_running; i++)
        if (worse(s, &s->seq[s->running[i]], &s->seq[w]))
            w = s->running[i];
    return w;
}

/* vLLM puts the preempted before all who wait, the latest first. */
static int64_t key_again(struct serve *s, const struct seq *q)
{
    return s->c.preempt == PREEMPT_LAST ? INT64_MIN + (INT64_C(1) << 40) - (int64_t)s->n.preemptions
                                        : q->key;
}

static void preempt(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    uint64_t length = 0;
    request_enters(&q->clock, PART_PREEMPTED, sim_now(s->sim));
    if (q->decoding) {
        length = length_now(s, q);
        q->generated += (uint32_t)(s->kv.step - q->joined);
        slot_heap_remove(&s->finish, slot);
        leave_decoding(s, q);
        const bool out = swap_out(s, q, length);
        give_blocks(s, q, length, !out, length);
    } else {
        give_blocks(s, q, q->goal, true, q->filled);
        leave_filling(s, slot);
    }
    leave_running(s, slot);
    q->goal = q->swapped ? (uint32_t)length : q->prompt + q->generated;
    q->filled = 0;
    q->preempted++;
    s->n.preemptions++;
    serve_queue_push(&s->waiting, q->by, key_again(s, q), q->id, slot);
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

/* Blocks that nobody may use yet, for all of it, and the next token if it goes on decoding. */
static uint64_t wanted(const struct serve *s, const struct seq *q)
{
    return q->swapped ? kv_blocks(q->goal + 1u)
                      : kv_blocks(q->goal) - reuse_used(&s->reuse, &q->reuse);
}

static bool can_join(const struct serve *s)
{
    const struct slot_node *top = serve_queue_top(&s->waiting);
    return top && s->n_running < s->c.max_running &&
           wanted(s, &s->seq[top->slot]) + kv_need(&s->kv) <= s->kv.free;
}

/* So many tokens in its cache, and one more in each iteration from now on. */
static void join_decoding(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    q->decoding = true;
    q->joined = s->kv.step;
    q->length = q->goal;
    s->cached += q->length;
    kv_join(&s->kv, q->length);
    slot_heap_push(&s->finish, (int64_t)(s->kv.step + (q->output - q->generated)), q->id, slot);
    s->changed = true;
}

static uint32_t let_in(struct serve *s)
{
    uint32_t slot = serve_queue_pop(&s->waiting);
    struct seq *q = &s->seq[slot];
    s->waiting_tokens -= q->goal;
    const uint64_t found = q->swapped ? 0 : find_blocks(s, q);
    take_blocks(s, kv_blocks(q->goal) - found);
    q->turn = s->turns++;
    q->at = s->n_running;
    s->running[s->n_running++] = slot;
    s->changed = true;
    if (!q->was_scheduled) {
        q->was_scheduled = true;
        q->scheduled = sim_now(s->sim);
        request_enters(&q->clock, PART_PREFILL, q->scheduled);
        sketch_add(s->queue_wait, (double)(q->scheduled - q->arrived) / 1e6);
    }
    return slot;
}

/* The next of the queue: its prompt, or where it was when it was swapped out. */
static void start_next(struct serve *s, uint64_t *budget, struct llm_batch *b)
{
    const uint32_t slot = let_in(s);
    struct seq *q = &s->seq[slot];
    if (!q->swapped) {
        s->filling[s->n_filling++] = slot;
        add_chunk(s, slot, budget, b);
        return;
    }
    swap_in(s, q, q->goal);
    request_enters(&q->clock, PART_DECODE, sim_now(s->sim));
    join_decoding(s, slot);
    b->decoding++;
    b->cached += q->length;
    b->sampled++;
    --*budget;
}

bool batch_compose(struct serve *s, struct llm_batch *b)
{
    bool lost = false;
    while (kv_need(&s->kv) > s->kv.free) {
        preempt(s, worst(s));
        lost = true;
    }
    decoding_first(s);
    *b = (struct llm_batch){
        .decoding = s->kv.decoding, .cached = s->cached, .sampled = s->kv.decoding};
    assert(s->kv.decoding <= s->c.max_batch_tokens);
    uint64_t budget = s->c.max_batch_tokens - s->kv.decoding;
    for (uint32_t i = 0; i < s->n_filling; i++)
        add_chunk(s, s->filling[i], &budget, b);
    while (!lost && budget && can_join(s))
        start_next(s, &budget, b);
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
    struct serve_kv kv = s->kv;
    kv.free = serve_paging_room(s);
    const uint64_t steps = kv_steps_that_fit(&kv, (uint64_t)first->key - s->kv.step);
    return steps ? steps : 1;
}

static void finish(struct serve *s, uint32_t slot)
{
    struct seq *q = &s->seq[slot];
    request_enters(&q->clock, PART_DECODE, sim_now(s->sim));
    serve_report_done(s, q, sim_now(s->sim));
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
    request_enters(&q->clock, PART_DECODE, sim_now(s->sim));
    if (q->generated++ == 0)
        serve_report_first(s, q);
    if (q->generated == q->output) {
        give_blocks(s, q, q->goal, false, 0);
        finish(s, slot);
        return;
    }
    join_decoding(s, slot);
}

void batch_done(struct serve *s, uint64_t k)
{
    decoding_takes(s, kv_advance(&s->kv, k));
    s->kv_grown = s->kv.total - s->kv.free;
    s->cached += k * s->kv.decoding;
    for (const struct slot_node *t;
         (t = slot_heap_top(&s->finish)) && (uint64_t)t->key == s->kv.step;) {
        uint32_t slot = slot_heap_pop(&s->finish);
        const uint64_t length = length_now(s, &s->seq[slot]);
        leave_decoding(s, &s->seq[slot]);
        give_blocks(s, &s->seq[slot], length, false, 0);
        finish(s, slot);
    }
    uint32_t n = s->n_filling, kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = s->filling[i];
        struct seq *q = &s->seq[slot];
        q->filled += q->chunk;
        q->chunk = 0;
        reuse_computed(&s->reuse, &q->reuse, &s->kv, q->filled);
        if (q->filled < q->goal)
            s->filling[kept++] = slot;
        else
            filled(s, slot);
    }
    s->n_filling = kept;
}
