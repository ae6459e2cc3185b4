/* uvm_state.h - what uvm.c and uvm_walk.c share. */
#ifndef MODELS_GPU_UVM_STATE_H
#define MODELS_GPU_UVM_STATE_H

#include "models/gpu/uvm.h"

#define UVM_NONE UINT32_MAX

struct uvm_block {
    uint32_t resident, host; /* leaves, as bits: on the GPU; with contents on the host */
    uint32_t older, newer;   /* those with a chunk, by their last service */
    bool chunk;
    uint8_t advice;
    uint32_t in_batch; /* index in the batch that is being collected */
    uint32_t batch;    /* and its number */
};

struct uvm_fault { /* of one block in one batch */
    uint32_t block, leaves;
    bool write;
};

struct uvm {
    struct uvm_params p;
    struct uvm_block *block;
    uint32_t blocks, room;
    uint32_t chunks, used; /* there are; are taken */
    uint32_t oldest, newest;
    struct uvm_fault *fault; /* [p.batch] */
    uint32_t faults, pages;  /* in the batch: blocks; pages */
    uint32_t number;         /* of the batch */
    struct uvm_stats s;
    sim_cost now;
};

/* What of the access would fault; reaching over the link is accounted for when it does not. */
uint32_t uvm_missing(const struct uvm *u, uint32_t block, uint32_t leaves);
bool uvm_remote(const struct uvm_block *b);
/* Adds faults on pages of the block's leaves to the batch. */
void uvm_raise(struct uvm *u, uint32_t block, uint32_t leaves, uint32_t pages, bool write);
void uvm_service(struct uvm *u);
void uvm_write(struct uvm *u, uint32_t block, uint32_t leaves);

/* Bits of the leaves of block that [at, end) meets. */
static inline uint32_t uvm_leaves(uint32_t block, uint64_t at, uint64_t end)
{
    uint64_t base = block * UVM_BLOCK, from = at > base ? at - base : 0;
    uint64_t to = end - base < UVM_BLOCK ? end - base : UVM_BLOCK;
    uint32_t a = (uint32_t)(from / UVM_LEAF), b = (uint32_t)((to + UVM_LEAF - 1) / UVM_LEAF);
    uint64_t bits = (UINT64_C(1) << b) - (UINT64_C(1) << a);
    return (uint32_t)bits;
}

#endif
