/* engine_batch.c - what runs in an engine's next iteration: continuous batching.
 *
 * The rules are those of model "serve" (serve_batch.c), first come, first
 * served or by the keys of serve.batch: every decoding sequence gets a token; then prompts under
 * way; then the queue, while tokens, places and KV blocks last.  "prompts-first" is the
 * older rule (vLLM's before chunked prefill, DistServe's): while a prompt can
 * start, whole prompts run alone and decoding waits.  When decoding outgrows
 * the cache, the sequence that the queue would have put last loses its blocks and goes back to the
 * queue.
 *
 * All lists are by seat, a small number of the engine's own, so that a fleet
 * of a thousand engines fits in a processor's cache.                        */
#include <assert.h>
#include <stdlib.h>

#include "models/fleet/fleet_state.h"

static struct seq *at(const struct engine *e, uint32_t slot)
{
    return &e->f->seq[slot];
}

static uint64_t length_now(const struct engine *e, const struct seq *q)
{
    return q->length + (e->kv.step - q->joined);
}

/* ---- the queue ---- */

static uint32_t pop(struct engine *e)
{
    const uint32_t slot = e->head;
    e->head = e->f->batch ? fleet_order_rest(e) : at(e, slot)->next;
    e->seen->waiting--;
    return slot;
}

/* ---- coming and going ---- */

static void sit(struct engine *e, uint32_t slot)
{
    at(e, slot)->seat = e->n_running;
    e->running[e->n_running++] = slot;
    e->seen->running = e->n_running;
    fleet_route_changed(e);
}

/* The last seat moves into the one left, with its place in the heap. */
static void stand_up(struct engine *e, uint32_t slot)
{
    const uint32_t seat = at(e, slot)->seat, from = --e->n_running, last = e->running[from];
    assert(e->running[seat] == slot);
    e->running[seat] = last;
    at(e, last)->seat = seat;
    if (seat != from && slot_heap_has(&e->finish, from)) {
        const struct slot_node n = e->finish.node[e->finish.at[from] - 1];
        slot_heap_remove(&e->finish, from);
        slot_heap_push(&e->finish, n.key, n.id, seat);
    }
    e->seen->running = e->n_running;
    fleet_route_changed(e);
}

static void leave_filling(struct engine *e, uint32_t slot)
{
    uint32_t i = 0;
    while (e->filling[i] != slot)
        i++;
    for (e->n_filling--; i < e->n_filling; i++)
        e->filling[i] = e->filling[i + 1];
}

static void join_decoding(struct engine *e, uint32_t slot)
{
    struct seq *q = at(e, slot);
    q->decoding = true;
    q->joined = e->kv.step;
    q->length = q->goal;
    e->seen->cached_tokens = e->cached += q->length;
    kv_join(&e->kv, q->length);
    slot_heap_push(&e->finish, (int64_t)(e->kv.step + (q->output - q->generated)), q->id, q->seat);
}

static void leave_decoding(struct engine *e, struct seq *q)
{
    const uint64_t length = length_now(e, q);
    kv_leave(&e->kv, length);
    e->seen->cached_tokens = e->cached -= length;
    fleet_prefix_leave(e, q, length);
    q->decoding = false;
}

static bool worse(const struct engine *e, const struct seq *a, const struct seq *b)
{
    if (fleet_order_by_turn(e))
        return a->turn > b->turn;
    return a->key != b->key ? a->key > b->key : a->ticket > b->ticket;
}

/* The one that the queue would have put last, or the one let in last. */
static uint32_t worst(const struct engine *e)
{
    uint32_t w = e->running[0];
    for (uint32_t i = 1; i < e->n_running; i++)
        if (worse(e, at(e, e->running[i]), at(e, w)))
            w = e->running[i];
    return w;
}

/* It loses its cache, and is the first of the queue; `back`: it may find what is left of it. */
static void unseat(struct engine *e, uint32_t slot, bool back)
{
    struct seq *q = at(e, slot);
    const uint64_t length = q->decoding ? length_now(e, q) : q->filled;
    const bool out = back && q->decoding && e->mem && engine_memory_out(e, q, length);
    request_enters(&q->clock, PART_PREEMPTED, sim_now(e->f->sim));
    q->kept = back && !out ? length / KV_BLOCK : 0;
    if (q->decoding) {
        q->generated += (uint32_t)(e->kv.step - q->joined);
        slot_heap_remove(&e->finish, q->seat);
        leave_decoding(e, q);
    } else {
        fleet_prefix_leave(e, q, q->goal);
        e->seen->waiting_prompt_tokens -= q->goal - q->filled;
        leave_filling(e, slot);
    }
    stand_up(e, slot);
    q->goal = out ? (uint32_t)length : q->prompt + q->generated;
    q->filled = 0;
    q->shipped = out;
    fleet_order_front(e, slot);
}

static void preempt(struct engine *e, uint32_t slot)
{
    unseat(e, slot, true);
    at(e, slot)->preempted++;
    e->pool->preemptions++;
}

void fleet_batch_stop(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_running; i++)
        request_enters(&at(e, e->running[i])->clock, PART_PREEMPTED, sim_now(e->f->sim));
}

uint32_t fleet_batch_evict(struct engine *e)
{
    while (e->n_running) {
        const uint32_t slot = worst(e);
        struct seq *q = at(e, slot);
        e->f->n.lost_tokens += q->decoding ? length_now(e, q) : q->filled;
        q->chunk = 0;
        unseat(e, slot, false);
    }
    const uint32_t first = e->f->batch ? fleet_order_list(e) : e->head;
    for (uint32_t slot = first; slot != NO_SLOT; slot = at(e, slot)->next) {
        struct seq *q = at(e, slot);
        *(q->shipped ? &e->seen->shipped_tokens : &e->seen->waiting_prompt_tokens) -= q->goal;
        e->seen->waiting--;
        engine_memory_lost(e, q);
    }
    e->head = e->tail = NO_SLOT;
    fleet_route_changed(e);
    return first;
}

/* ---- composing ---- */

/* One that was shipped decodes at once: its next token may want a block, too. */
bool fleet_batch_can_join(const struct engine *e)
{
    if (e->head == NO_SLOT || e->n_running >= e->pool->c->max_running)
        return false;
    const struct seq *q = at(e, e->head);
    const uint64_t shared = q->shipped ? 0 : reuse_used(&e->reuse, &q->reuse);
    return kv_blocks((uint64_t)q->goal + q->shipped) - shared + kv_need(&e->kv) <= e->kv.free;
}

static void add_chunk(struct engine *e, uint32_t slot, uint64_t *budget)
{
    struct seq *q = at(e, slot);
    struct llm_batch *b = &e->batch.llm;
    uint64_t n = q->goal - q->filled;
    if (n > *budget)
        n = *budget;
    if (e->pool->c->chunk && n > e->pool->c->chunk)
        n = e->pool->c->chunk;
    q->chunk = (uint32_t)n;
    *budget -= n;
    if (!n)
        return;
    b->chunks++;
    b->prompt_tokens += n;
    b->past += q->filled;
    b->pairs += n * q->filled + n * (n + 1) / 2;
    e->batch.squares += n * n;
    if (q->filled + n == q->goal)
        b->sampled++;
}

static bool grow_seats(struct engine *e)
{
    if (e->n_running < e->seats)
        return true;
    uint32_t seats = e->seats ? 2 * e->seats : 4;
    if (seats > e->pool->c->max_running)
        seats = e->pool->c->max_running;
    uint32_t *running = realloc(e->running, seats * sizeof *running);
    if (running)
        e->running = running;
    uint32_t *filling = realloc(e->filling, seats * sizeof *filling);
    if (filling)
        e->filling = filling;
    if (!running || !filling || !slot_heap_reserve(&e->finish, seats)) {
        fleet_fail(e->f, err_set(e->f->e, ERR_ENOMEM, "fleet: out of memory"));
        return false;
    }
    e->seats = seats;
    return true;
}

static void let_in(struct engine *e)
{
    const uint32_t slot = pop(e);
    struct seq *q = at(e, slot);
    fleet_prefix_join(e, q);
    sit(e, slot);
    if (q->shipped) {
        e->seen->shipped_tokens -= q->goal;
        request_enters(&q->clock, PART_DECODE, sim_now(e->f->sim));
        join_decoding(e, slot);
        return;
    }
    e->filling[e->n_filling++] = slot;
    if (!q->was_scheduled) {
        q->was_scheduled = true;
        request_enters(&q->clock, PART_PREFILL, sim_now(e->f->sim));
        sketch_add(e->f->queue_wait, (double)(sim_now(e->f->sim) - q->arrived) / 1e6);
    }
}

/* Whole prompts alone, as many as the tokens allow, one that is longer too. */
static void compose_prompts(struct engine *e)
{
    uint64_t budget = e->pool->c->max_batch_tokens, all = UINT64_MAX;
    while (fleet_batch_can_join(e) && grow_seats(e)) {
        const struct seq *q = at(e, e->head);
        const uint64_t n = q->shipped ? 0 : q->goal - reuse_tokens(&e->reuse, &q->reuse, q->goal);
        if (n > budget && e->n_filling)
            break;
        let_in(e);
        if (!n)
            continue;
        add_chunk(e, e->filling[e->n_filling - 1], &all);
        budget -= n < budget ? n : budget;
    }
    e->decodes = !e->batch.llm.chunks;
}

static void compose_mixed(struct engine *e, bool lost)
{
    uint64_t budget = e->pool->c->max_batch_tokens - e->kv.decoding;
    for (uint32_t i = 0; i < e->n_filling; i++)
        add_chunk(e, e->filling[i], &budget);
    while (!lost && budget && fleet_batch_can_join(e) && grow_seats(e)) {
        const bool computes = !at(e, e->head)->shipped;
        let_in(e);
        if (computes)
            add_chunk(e, e->filling[e->n_filling - 1], &budget);
        else
            budget--;
    }
}

bool fleet_batch_compose(struct engine *e)
{
    bool lost = false;
    while (kv_need(&e->kv) > e->kv.free) {
        preempt(e, worst(e));
        lost = true;
    }
    if (e->mem)
        engine_memory_first(e);
    e->batch = (struct fleet_batch){0};
    e->decodes = true;
    if (e->pool->c->rule == RULE_PROMPTS_FIRST)
        compose_prompts(e);
    else
        compose_mixed(e, lost);
    struct llm_batch *b = &e->batch.llm;
    if (e->decodes) {
        b->decoding = e->kv.decoding;
        b->cached = e->cached;
        b->sampled += e->kv.decoding;
    }
    return b->decoding || b->chunks;
}

uint64_t fleet_batch_steps(const struct engine *e)
{
    if (e->n_filling || !e->decodes || fleet_batch_can_join(e))
        return 1;
    const struct slot_node *first = slot_heap_top(&e->finish);
    assert(first && (uint64_t)first->key > e->kv.step);
    struct serve_kv kv = e->kv;
    if (e->mem)
        kv.free = engine_memory_room(e);
    const uint64_t steps = kv_steps_that_fit(&kv, (uint64_t)first->key - e->kv.step);
    return steps ? steps : 1;
}

/* ---- ending ---- */

/* The last part of a prompt also yields a token. */
static void filled(struct engine *e, uint32_t slot)
{
    struct seq *q = at(e, slot);
    const bool first = q->generated++ == 0;
    request_enters(&q->clock, PART_DECODE, sim_now(e->f->sim));
    if (q->generated == q->output) {
        fleet_prefix_leave(e, q, q->goal);
        stand_up(e, slot);
        if (first)
            fleet_done_first(e, slot);
        fleet_done_last(e, slot);
        return;
    }
    if (first)
        fleet_done_first(e, slot);
    if (e->seen->role == POLICY_PREFILL) { /* its blocks stay until the cache has left */
        stand_up(e, slot);
        e->leaving++;
        q->leaving = true;
        request_enters(&q->clock, PART_SHIP, sim_now(e->f->sim));
        fleet_route_prefilled(e->f, slot);
        return;
    }
    join_decoding(e, slot);
}

static void end_prompts(struct engine *e)
{
    const uint32_t n = e->n_filling;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t slot = e->filling[i];
        struct seq *q = at(e, slot);
        q->filled += q->chunk;
        e->seen->waiting_prompt_tokens -= q->chunk;
        q->chunk = 0;
        reuse_computed(&e->reuse, &q->reuse, &e->kv, q->filled);
        if (q->filled < q->goal)
            e->filling[kept++] = slot;
        else
            filled(e, slot);
    }
    e->n_filling = kept;
    fleet_route_changed(e);
}

void fleet_batch_done(struct engine *e, uint64_t k)
{
    if (e->decodes) {
        const uint64_t need = kv_advance(&e->kv, k);
        e->kv.free -= need;
        reuse_trim(&e->reuse, &e->kv, sim_now(e->f->sim));
        if (e->mem)
            engine_memory_took(e, need);
        e->cached += k * e->kv.decoding;
        for (const struct slot_node *t;
             (t = slot_heap_top(&e->finish)) && (uint64_t)t->key == e->kv.step;) {
            const uint32_t slot = e->running[slot_heap_pop(&e->finish)];
            leave_decoding(e, at(e, slot));
            stand_up(e, slot);
            fleet_done_last(e, slot);
        }
    }
    if (e->n_filling)
        end_prompts(e);
}
