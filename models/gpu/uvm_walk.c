/* uvm_walk.c - many units at once: those that miss wait for a batch, the others go on. */
#include <stdlib.h>

#include "models/gpu/uvm_state.h"

struct unit {
    uint64_t step, done; /* done: accesses of this step that have hit, as bits */
};

struct walk {
    struct uvm *u;
    const struct uvm_walk *w;
    struct unit *unit;
    uint32_t *queue; /* units that wait, a ring */
    uint32_t *turn;  /* those of this round */
    uint32_t head, waiting;
    struct uvm_access access[UVM_ACCESSES];
};

/* Pages of the access in missing leaves of this block. */
static uint32_t pages_in(uint32_t block, uint32_t missing, uint64_t at, uint64_t end)
{
    uint32_t n = 0;
    for (uint32_t leaf = 0; leaf < UVM_LEAVES; leaf++) {
        if (!(missing >> leaf & 1))
            continue;
        uint64_t from = block * UVM_BLOCK + leaf * UVM_LEAF, to = from + UVM_LEAF;
        from = from > at ? from : at;
        to = to < end ? to : end;
        n += (uint32_t)((to - 1) / UVM_PAGE - from / UVM_PAGE + 1);
    }
    return n;
}

/* Whether the access hits everywhere; raises faults where not, while the batch has room. */
static bool look(struct uvm *u, const struct uvm_access *a, bool raise)
{
    uint64_t end = a->at + a->bytes;
    bool hit = true;
    for (uint64_t i = a->at / UVM_BLOCK; i * UVM_BLOCK < end; i++) {
        uint32_t leaves = uvm_leaves((uint32_t)i, a->at, end);
        uint32_t missing = uvm_missing(u, (uint32_t)i, leaves);
        if (!missing)
            continue;
        hit = false;
        if (raise && u->pages < u->p.batch)
            uvm_raise(u, (uint32_t)i, missing, pages_in((uint32_t)i, missing, a->at, end),
                      a->write);
    }
    return hit;
}

/* All of it is there: writes drop copies, what is on the host is reached over the link. */
static void done(struct uvm *u, const struct uvm_access *a)
{
    uint64_t end = a->at + a->bytes;
    for (uint64_t i = a->at / UVM_BLOCK; i * UVM_BLOCK < end; i++) {
        if (uvm_remote(&u->block[i])) {
            u->s.over += a->used;
            u->now += (sim_cost)(a->used * (a->write ? u->p.out : u->p.in) + 0.5);
        } else if (a->write && u->block[i].advice == UVM_READ_MOSTLY) {
            uvm_write(u, (uint32_t)i, uvm_leaves((uint32_t)i, a->at, end));
        }
    }
}

/* Those of the step's accesses that hit are done, whatever becomes of the others. */
static bool step_done(struct walk *k, struct unit *unit, uint32_t n, bool raise)
{
    for (uint32_t a = 0; a < n; a++)
        if (!(unit->done >> a & 1) && look(k->u, &k->access[a], raise)) {
            done(k->u, &k->access[a]);
            unit->done |= UINT64_C(1) << a;
        }
    return unit->done == (UINT64_C(1) << n) - 1;
}

/* As far as the unit gets; true: it waits. */
static bool go(struct walk *k, uint32_t i, bool raise)
{
    struct unit *unit = &k->unit[i];
    for (;; unit->step++, unit->done = 0) {
        uint32_t n = k->w->step(k->w->ctx, i, unit->step, k->access);
        if (!n || !step_done(k, unit, n, raise))
            return n > 0;
    }
}

static uint32_t take(struct walk *k)
{
    uint32_t i = k->queue[k->head];
    k->head = (k->head + 1) % k->w->units;
    k->waiting--;
    return i;
}

static void enqueue(struct walk *k, uint32_t i)
{
    k->queue[(k->head + k->waiting) % k->w->units] = i;
    k->waiting++;
}

static void enqueue_first(struct walk *k, uint32_t i)
{
    k->head = (k->head + k->w->units - 1) % k->w->units;
    k->queue[k->head] = i;
    k->waiting++;
}

/* One round: units go on in turn until their faults fill a batch, which is serviced; then those
 * that waited for it go on until they miss again, and come first in the next. */
static void round_of(struct walk *k)
{
    uint32_t n = k->waiting, turns = 0;
    for (uint32_t i = 0; i < n && k->u->pages < k->u->p.batch; i++) {
        uint32_t unit = take(k);
        if (go(k, unit, true))
            k->turn[turns++] = unit;
    }
    uvm_service(k->u);
    for (uint32_t i = turns; i-- > 0;)
        if (go(k, k->turn[i], false))
            enqueue_first(k, k->turn[i]);
}

static uint64_t sum_steps(const struct walk *k)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < k->w->units; i++)
        sum += k->unit[i].step * UVM_ACCESSES + (uint64_t)__builtin_popcountll(k->unit[i].done);
    return sum;
}

enum { ROUNDS_STUCK = 4096 }; /* no step by anybody in so many: there will be none */

static int run(struct walk *k, struct err *e)
{
    uint64_t before = 0;
    for (uint64_t rounds = 1; k->waiting; rounds++) {
        round_of(k);
        if (rounds % (ROUNDS_STUCK + k->w->units) || !k->waiting)
            continue;
        uint64_t now = sum_steps(k);
        if (now == before)
            return err_set(e, ERR_ERANGE,
                           "unified memory: what one step needs never fits into %u blocks",
                           k->u->chunks);
        before = now;
    }
    return 0;
}

int uvm_walk(struct uvm *u, const struct uvm_walk *w, struct err *e)
{
    struct walk k = {.u = u, .w = w};
    sim_cost before = u->now;
    int rc = 0;
    k.unit = calloc(w->units, sizeof *k.unit);
    k.queue = calloc(w->units, sizeof *k.queue);
    k.turn = calloc(w->units, sizeof *k.turn);
    if (k.unit && k.queue && k.turn) {
        for (uint32_t i = 0; i < w->units; i++)
            if (go(&k, i, false)) /* as far as it gets before anything is moved */
                enqueue(&k, i);
        rc = run(&k, e);
    } else {
        rc = err_set(e, ERR_ENOMEM, "unified memory: out of memory");
    }
    free(k.unit);
    free(k.queue);
    free(k.turn);
    u->s.time += u->now - before;
    return rc;
}
