/* fleet_order.c - whose turn it is on an engine: a list, or an order of keys.
 *
 * Where a policy answers at serve.batch, a request is ranked when the router has chosen its engine;
 * its key stays with it, on whatever engine it waits.  The queue is then a pairing heap (Fredman et
 * al. 1986) by key and by who came first: the root is where the head of the queue is without a
 * policy, seq.child and seq.next (its next sibling) are links, so that a thousand queues need no
 * memory of their own. */
#include "models/fleet/fleet_state.h"

static bool before(const struct seq *a, const struct seq *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->ticket < b->ticket;
}

/* Of two roots, the one that is the other's now. */
static uint32_t meld(struct fleet *f, uint32_t a, uint32_t b)
{
    if (a == NO_SLOT || b == NO_SLOT)
        return a == NO_SLOT ? b : a;
    const bool first = before(&f->seq[a], &f->seq[b]);
    const uint32_t root = first ? a : b, other = first ? b : a;
    f->seq[other].next = f->seq[root].child;
    f->seq[root].child = other;
    return root;
}

static void heap_push(struct engine *e, uint32_t slot)
{
    struct seq *q = &e->f->seq[slot];
    q->next = q->child = NO_SLOT;
    e->head = meld(e->f, e->head, slot);
}

/* Takes a root off its list of siblings. */
static uint32_t take(struct fleet *f, uint32_t *list)
{
    const uint32_t slot = *list;
    if (slot != NO_SLOT) {
        *list = f->seq[slot].next;
        f->seq[slot].next = NO_SLOT;
    }
    return slot;
}

uint32_t fleet_order_rest(struct engine *e)
{
    struct fleet *f = e->f;
    uint32_t left = f->seq[e->head].child, pairs = NO_SLOT, root = NO_SLOT;
    while (left != NO_SLOT) {
        const uint32_t a = take(f, &left), pair = meld(f, a, take(f, &left));
        f->seq[pair].next = pairs;
        pairs = pair;
    }
    while (pairs != NO_SLOT)
        root = meld(f, root, take(f, &pairs));
    return root;
}

uint32_t fleet_order_list(struct engine *e)
{
    struct fleet *f = e->f;
    uint32_t first = NO_SLOT, last = NO_SLOT;
    while (e->head != NO_SLOT) {
        const uint32_t slot = e->head;
        e->head = fleet_order_rest(e);
        f->seq[slot].next = NO_SLOT;
        *(last == NO_SLOT ? &first : &f->seq[last].next) = slot;
        last = slot;
    }
    return first;
}

/* ---- either kind of queue ---- */

void fleet_order_push(struct engine *e, uint32_t slot)
{
    struct seq *q = &e->f->seq[slot];
    q->next = NO_SLOT;
    q->ticket = e->tickets++;
    q->rank = q->key;
    if (e->f->batch)
        heap_push(e, slot);
    else if (e->head == NO_SLOT)
        e->head = slot;
    else
        e->f->seq[e->tail].next = slot;
    e->tail = slot;
    e->seen->waiting++;
    *(q->shipped ? &e->seen->shipped_tokens : &e->seen->waiting_prompt_tokens) += q->goal;
    fleet_route_changed(e);
}

/* It came before all who wait; by keys it goes where it was, unless it gave way for coming last. */
void fleet_order_front(struct engine *e, uint32_t slot)
{
    struct seq *q = &e->f->seq[slot];
    q->next = e->head;
    if (e->head == NO_SLOT)
        e->tail = slot;
    q->rank = fleet_order_by_turn(e) ? INT64_MIN + (INT64_C(1) << 40) - (int64_t)++e->mem->fronts
                                     : q->key;
    if (e->f->batch)
        heap_push(e, slot);
    else
        e->head = slot;
    e->seen->waiting++;
    *(q->shipped ? &e->seen->shipped_tokens : &e->seen->waiting_prompt_tokens) += q->goal;
}

/* ---- the policy ---- */

void fleet_order_watch(struct fleet *f)
{
    if (!f->batch || f->batch->ejected == EJECT_NONE || f->keys_dropped)
        return;
    f->keys_dropped = true;
    for (uint32_t i = 0; i < f->engines; i++) {
        struct engine *e = &f->engine[i];
        uint32_t slot = fleet_order_list(e);
        while (slot != NO_SLOT) {
            const uint32_t next = f->seq[slot].next;
            f->seq[slot].key = f->seq[slot].rank = 0;
            heap_push(e, slot);
            slot = next;
        }
    }
    for (uint32_t slot = 0; slot < f->slots; slot++)
        f->seq[slot].key = 0;
    for (uint32_t i = 0; i < f->engines; i++)
        fleet_engine_reordered(&f->engine[i]);
}

/* Of those that wait, caches in the host too; not what is left of those that run. */
static uint64_t waiting_tokens(const struct engine *e)
{
    uint64_t n = e->seen->waiting_prompt_tokens + e->seen->shipped_tokens;
    for (uint32_t i = 0; i < e->n_filling; i++) {
        const struct seq *q = &e->f->seq[e->filling[i]];
        n -= q->goal - q->filled;
    }
    return n;
}

void fleet_order_rank(struct engine *e, struct seq *q)
{
    struct fleet *f = e->f;
    struct policy_batch_obs o = {.server = {.now_ns = sim_now(f->sim),
                                            .waiting = e->seen->waiting,
                                            .running = e->n_running,
                                            .waiting_prompt_tokens = waiting_tokens(e),
                                            .kv_blocks_total = (uint32_t)e->kv.total,
                                            .kv_blocks_free = (uint32_t)fleet_engine_now(e).free,
                                            .block_tokens = KV_BLOCK,
                                            .max_running = e->pool->c->max_running}};
    fleet_request(q, &o.request);
    o.request.cached_tokens = fleet_prefix_tokens(e, q);
    q->key = policy_slot_batch(f->batch, &o);
    fleet_order_watch(f);
}
