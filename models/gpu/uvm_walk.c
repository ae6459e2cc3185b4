/* uvm_walk.c - many units at once, behind micro TLBs that hold so many faults each. */
#include <stdlib.h>

#include "models/gpu/uvm_state.h"

struct unit {
    uint64_t step, asked; /* asked: accesses of this step that a TLB has looked up, as bits */
    uint32_t open;        /* of those, that wait for their pages */
    uint32_t next;        /* in its TLB's queue */
    bool queued;          /* has accesses to ask for */
};

struct waiting {
    struct uvm_access access;
    uint32_t unit, pages;
};

struct tlb {
    struct waiting *held; /* in the order in which they came */
    uint32_t count, pages;
    uint32_t first, last; /* units with accesses to ask for, in the order of their steps */
};

struct walk {
    struct uvm *u;
    const struct uvm_walk *w;
    struct unit *unit;
    struct tlb *tlb;
    struct waiting *room; /* of all TLBs */
    uint32_t tlbs;
    uint64_t done; /* accesses */
    struct uvm_access access[UVM_ACCESSES];
};

/* Pages of the access in missing leaves of this block. */
static uint32_t pages_in(uint32_t block, uint32_t missing, uint64_t at, uint64_t end)
{
    uint32_t n = 0;
    for (; missing; missing &= missing - 1) {
        const uint32_t leaf = (uint32_t)__builtin_ctz(missing);
        uint64_t from = block * UVM_BLOCK + leaf * UVM_LEAF, to = from + UVM_LEAF;
        from = from > at ? from : at;
        to = to < end ? to : end;
        n += (uint32_t)((to - 1) / UVM_PAGE - from / UVM_PAGE + 1);
    }
    return n;
}

/* Pages that the access misses; with raise they go into the batch, while it has room. */
static uint32_t look(struct uvm *u, const struct uvm_access *a, bool raise)
{
    const uint64_t end = a->at + a->bytes;
    uint32_t pages = 0;
    for (uint64_t i = a->at / UVM_BLOCK; i * UVM_BLOCK < end; i++) {
        uint32_t leaves = uvm_leaves((uint32_t)i, a->at, end);
        uint32_t missing = uvm_missing(u, (uint32_t)i, leaves);
        if (!missing)
            continue;
        uint32_t n = pages_in((uint32_t)i, missing, a->at, end);
        if (raise && u->pages < u->p.batch)
            uvm_raise(u, (uint32_t)i, missing, n, a->write);
        pages += n;
    }
    return pages;
}

/* All of it is there: writes drop copies, what is on the host is reached over the link. */
static void done(struct walk *k, const struct uvm_access *a)
{
    struct uvm *u = k->u;
    uint64_t end = a->at + a->bytes;
    k->done++;
    for (uint64_t i = a->at / UVM_BLOCK; i * UVM_BLOCK < end; i++) {
        if (uvm_remote(&u->block[i])) {
            u->s.over += a->used;
            u->now += (sim_cost)(a->used * (a->write ? u->p.out : u->p.in) + 0.5);
        } else if (a->write && u->block[i].advice == UVM_READ_MOSTLY) {
            uvm_write(u, (uint32_t)i, uvm_leaves((uint32_t)i, a->at, end));
        }
    }
}

static void enqueue(struct walk *k, struct tlb *t, uint32_t i)
{
    k->unit[i].next = UVM_NONE;
    k->unit[i].queued = true;
    *(t->first == UVM_NONE ? &t->first : &k->unit[t->last].next) = i;
    t->last = i;
}

static void next_step(struct walk *k, struct tlb *t, uint32_t i)
{
    k->unit[i].step++;
    k->unit[i].asked = 0;
    enqueue(k, t, i);
}

/* Looks up what the unit has not asked for yet: what hits is done, what misses is held.  False:
 * the TLB holds all the faults that it can, and looks up nothing more. */
static bool ask(struct walk *k, struct tlb *t, uint32_t i, uint32_t n)
{
    struct unit *unit = &k->unit[i];
    for (uint32_t a = 0; a < n; a++) {
        if (unit->asked >> a & 1)
            continue;
        if (t->pages >= k->u->p.held)
            return false;
        const uint32_t pages = look(k->u, &k->access[a], false);
        unit->asked |= UINT64_C(1) << a;
        if (!pages) {
            done(k, &k->access[a]);
            continue;
        }
        t->held[t->count++] = (struct waiting){k->access[a], i, pages};
        t->pages += pages;
        unit->open++;
    }
    return true;
}

/* Units go on in the order in which their steps came up, as far as the TLB lets them. */
static void go(struct walk *k, struct tlb *t)
{
    while (t->first != UVM_NONE && t->pages < k->u->p.held) {
        const uint32_t i = t->first, n = k->w->step(k->w->ctx, i, k->unit[i].step, k->access);
        if (n && !ask(k, t, i, n))
            return;
        t->first = k->unit[i].next;
        k->unit[i].queued = false;
        if (n && !k->unit[i].open)
            next_step(k, t, i);
    }
}

/* What has its pages now is done; the others stay, in their order. */
static void replay(struct walk *k, struct tlb *t)
{
    uint32_t left = 0;
    t->pages = 0;
    for (uint32_t j = 0; j < t->count; j++) {
        struct waiting held = t->held[j];
        held.pages = look(k->u, &held.access, false);
        if (held.pages) {
            t->held[left++] = held;
            t->pages += held.pages;
            continue;
        }
        done(k, &held.access);
        if (!--k->unit[held.unit].open && !k->unit[held.unit].queued)
            next_step(k, t, held.unit);
    }
    t->count = left;
}

/* A batch: the TLBs give one fault each, in turn, the oldest first. */
static void collect(struct walk *k)
{
    bool more = true;
    for (uint32_t j = 0; more; j++) {
        more = false;
        for (uint32_t i = 0; i < k->tlbs && k->u->pages < k->u->p.batch; i++) {
            if (j >= k->tlb[i].count)
                continue;
            look(k->u, &k->tlb[i].held[j].access, true);
            more = true;
        }
    }
}

enum { ROUNDS_STUCK = 4096 }; /* nothing done by anybody in so many: there will be none */

static int run(struct walk *k, struct err *e)
{
    uint64_t before = 0;
    for (uint64_t rounds = 1;; rounds++) {
        bool waiting = false;
        for (uint32_t i = 0; i < k->tlbs; i++) {
            replay(k, &k->tlb[i]);
            go(k, &k->tlb[i]);
            waiting |= k->tlb[i].count > 0;
        }
        if (!waiting)
            return 0;
        if (rounds % ROUNDS_STUCK == 0 && k->done == before)
            return err_set(e, ERR_ERANGE,
                           "unified memory: what one step needs never fits into %u blocks",
                           k->u->chunks);
        if (rounds % ROUNDS_STUCK == 0)
            before = k->done;
        collect(k);
        uvm_service(k->u);
    }
}

static uint32_t tlb_of(const struct uvm_params *p, const struct uvm_walk *w, uint32_t unit)
{
    if (!w->block)
        return unit;
    return (uint32_t)((uint64_t)unit * w->threads / w->block % p->sms / p->tlb_sms);
}

static int begin(struct walk *k, struct err *e)
{
    const struct uvm_params *p = &k->u->p;
    const uint32_t units = k->w->units;
    k->tlbs = k->w->block ? (p->sms + p->tlb_sms - 1) / p->tlb_sms : units;
    k->unit = calloc(units, sizeof *k->unit);
    k->tlb = calloc(k->tlbs, sizeof *k->tlb);
    k->room = calloc((size_t)k->tlbs * p->held, sizeof *k->room);
    if (!k->unit || !k->tlb || !k->room)
        return err_set(e, ERR_ENOMEM, "unified memory: out of memory");
    for (uint32_t i = 0; i < k->tlbs; i++)
        k->tlb[i] = (struct tlb){.held = k->room + (size_t)i * p->held, .first = UVM_NONE};
    for (uint32_t i = 0; i < units; i++)
        enqueue(k, &k->tlb[tlb_of(p, k->w, i)], i);
    return 0;
}

int uvm_walk(struct uvm *u, const struct uvm_walk *w, struct err *e)
{
    struct walk k = {.u = u, .w = w};
    sim_cost before = u->now;
    int rc = begin(&k, e);
    if (!rc)
        rc = run(&k, e);
    free(k.unit);
    free(k.tlb);
    free(k.room);
    u->s.time += u->now - before;
    return rc;
}
