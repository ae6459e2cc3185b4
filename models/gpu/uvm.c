/* uvm.c - blocks, chunks, batches of faults and eviction. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/uvm_state.h"

static uint32_t bits(uint32_t x)
{
    return (uint32_t)__builtin_popcount(x);
}

int uvm_new(struct uvm **out, const struct uvm_params *p, struct err *e)
{
    struct uvm *u = calloc(1, sizeof *u);
    *out = NULL;
    if (!u || !(u->fault = calloc(p->batch, sizeof *u->fault))) {
        free(u);
        return err_set(e, ERR_ENOMEM, "unified memory: out of memory");
    }
    u->p = *p;
    u->chunks = (uint32_t)(p->memory / UVM_BLOCK);
    u->oldest = u->newest = UVM_NONE;
    u->number = 1;
    *out = u;
    return 0;
}

void uvm_free(struct uvm *u)
{
    if (!u)
        return;
    free(u->fault);
    free(u->block);
    free(u);
}

int uvm_alloc(struct uvm *u, uint64_t bytes, bool on_host, uint64_t *at, struct err *e)
{
    uint64_t n = (bytes + UVM_BLOCK - 1) / UVM_BLOCK;
    if (n + u->blocks >= UVM_NONE)
        return err_set(e, ERR_ERANGE, "unified memory: %llu bytes are too many",
                       (unsigned long long)bytes);
    if (u->blocks + n > u->room) {
        uint32_t room = (uint32_t)(u->blocks + n);
        struct uvm_block *b = realloc(u->block, room * sizeof *b);
        if (!b)
            return err_set(e, ERR_ENOMEM, "unified memory: out of memory");
        u->block = b;
        u->room = room;
    }
    *at = u->blocks * UVM_BLOCK;
    memset(u->block + u->blocks, 0, n * sizeof *u->block);
    for (uint64_t i = 0; i < n; i++)
        u->block[u->blocks + i].host = on_host ? UINT32_MAX : 0;
    u->blocks += (uint32_t)n;
    return 0;
}

/* ---- the list by service ---- */

static void unlink_block(struct uvm *u, uint32_t i)
{
    struct uvm_block *b = &u->block[i];
    *(b->older == UVM_NONE ? &u->oldest : &u->block[b->older].newer) = b->newer;
    *(b->newer == UVM_NONE ? &u->newest : &u->block[b->newer].older) = b->older;
}

static void link_newest(struct uvm *u, uint32_t i)
{
    struct uvm_block *b = &u->block[i];
    b->older = u->newest;
    b->newer = UVM_NONE;
    *(u->newest == UVM_NONE ? &u->oldest : &u->block[u->newest].newer) = i;
    u->newest = i;
}

/* ---- moving ---- */

static void copy_out(struct uvm *u, struct uvm_block *b)
{
    uint32_t move = b->advice == UVM_READ_MOSTLY ? b->resident & ~b->host : b->resident;
    uint64_t bytes = bits(move) * UVM_LEAF;
    u->s.out += bytes;
    u->now += (sim_cost)((double)bytes * u->p.out + 0.5);
    b->host |= b->resident;
    b->resident = 0;
}

static void evict(struct uvm *u, uint32_t i)
{
    struct uvm_block *b = &u->block[i];
    copy_out(u, b);
    unlink_block(u, i);
    b->chunk = false;
    u->used--;
    u->s.evictions++;
}

static void copy_in(struct uvm *u, struct uvm_block *b, uint32_t leaves)
{
    uint64_t bytes = bits(leaves & b->host) * UVM_LEAF;
    u->s.in += bytes;
    u->now += (sim_cost)((double)bytes * u->p.in + 0.5);
    b->resident |= leaves;
    if (b->advice != UVM_READ_MOSTLY)
        b->host &= ~leaves;
}

/* The leaves to fetch for those that faulted.  What one subtree brings does not count for another.
 */
static uint32_t with_tree(const struct uvm *u, uint32_t have, uint32_t faulted)
{
    uint32_t out = faulted;
    for (uint32_t size = 2; size <= UVM_LEAVES; size *= 2)
        for (uint32_t at = 0; at < UVM_LEAVES; at += size) {
            uint32_t part = (uint32_t)(((UINT64_C(1) << size) - 1) << at);
            if (faulted & part && bits((have | faulted) & part) * 100 > size * u->p.threshold)
                out |= part;
        }
    return out & ~have;
}

static void fetch(struct uvm *u, uint32_t i, uint32_t leaves)
{
    struct uvm_block *b = &u->block[i];
    if (b->chunk)
        unlink_block(u, i);
    else {
        if (u->used == u->chunks)
            evict(u, u->oldest);
        u->used++;
        b->chunk = true;
    }
    link_newest(u, i);
    copy_in(u, b, leaves);
}

/* ---- faults ---- */

bool uvm_remote(const struct uvm_block *b)
{
    return b->advice == UVM_PREFER_HOST;
}

uint32_t uvm_missing(const struct uvm *u, uint32_t block, uint32_t leaves)
{
    const struct uvm_block *b = &u->block[block];
    return uvm_remote(b) ? 0 : leaves & ~b->resident;
}

void uvm_raise(struct uvm *u, uint32_t block, uint32_t leaves, uint32_t pages, bool write)
{
    struct uvm_block *b = &u->block[block];
    if (b->batch != u->number) {
        b->batch = u->number;
        b->in_batch = u->faults;
        u->fault[u->faults++] = (struct uvm_fault){.block = block};
    }
    struct uvm_fault *f = &u->fault[b->in_batch];
    f->leaves |= leaves;
    f->write |= write;
    u->pages += pages;
    u->s.faults += pages;
}

static int by_address(const void *a, const void *b)
{
    const struct uvm_fault *x = a, *y = b;
    return (x->block > y->block) - (x->block < y->block);
}

void uvm_service(struct uvm *u)
{
    qsort(u->fault, u->faults, sizeof *u->fault, by_address);
    for (uint32_t i = 0; i < u->faults; i++) {
        struct uvm_fault *f = &u->fault[i];
        u->s.services++;
        u->now += u->p.service;
        fetch(u, f->block, with_tree(u, u->block[f->block].resident, f->leaves));
    }
    u->s.batches += u->faults > 0;
    u->faults = u->pages = 0;
    u->number++;
}

/* A write to memory that is read mostly drops the host's copy. */
void uvm_write(struct uvm *u, uint32_t block, uint32_t leaves)
{
    u->block[block].host &= ~leaves;
}

/* ---- the rest of the interface ---- */

void uvm_advise(struct uvm *u, uint64_t at, uint64_t bytes, enum uvm_advice advice)
{
    for (uint64_t i = at / UVM_BLOCK; i * UVM_BLOCK < at + bytes; i++)
        u->block[i].advice = (uint8_t)advice;
}

void uvm_prefetch(struct uvm *u, uint64_t at, uint64_t bytes)
{
    sim_cost before = u->now;
    for (uint64_t i = at / UVM_BLOCK; i * UVM_BLOCK < at + bytes; i++) {
        uint32_t want = uvm_leaves((uint32_t)i, at, at + bytes) & ~u->block[i].resident;
        if (!want)
            continue;
        u->now += u->p.service;
        u->s.services++;
        fetch(u, (uint32_t)i, want);
    }
    u->s.time += u->now - before;
}

void uvm_used(const struct uvm *u, struct uvm_stats *out)
{
    *out = u->s;
}

uint64_t uvm_resident(const struct uvm *u, uint64_t at, uint64_t bytes)
{
    uint64_t sum = 0;
    for (uint64_t i = at / UVM_BLOCK; i * UVM_BLOCK < at + bytes; i++)
        sum += bits(u->block[i].resident & uvm_leaves((uint32_t)i, at, at + bytes)) * UVM_LEAF;
    return sum;
}

static uint32_t one_pass(void *ctx, uint32_t unit, uint64_t step,
                         struct uvm_access out[UVM_ACCESSES])
{
    const struct uvm_access *all = ctx;
    uint64_t from = step * UVM_LEAF;
    (void)unit;
    if (from >= all->bytes)
        return 0;
    out[0] = *all;
    out[0].at += from;
    out[0].bytes = all->bytes - from < UVM_LEAF ? all->bytes - from : UVM_LEAF;
    out[0].used = (uint32_t)out[0].bytes;
    return 1;
}

int uvm_touch(struct uvm *u, uint64_t at, uint64_t bytes, bool write, sim_cost *waited,
              struct err *e)
{
    struct uvm_access all = {at, bytes, 0, write};
    const struct uvm_walk w = {.units = 1, .step = one_pass, .ctx = &all};
    sim_cost before = u->s.time;
    int rc = uvm_walk(u, &w, e);
    *waited = u->s.time - before;
    return rc;
}
