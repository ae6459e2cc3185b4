/* uvm_rig.h - unified memory for tests: a small GPU, memory on it, accesses one after the other. */
#ifndef TESTS_MODELS_UVM_RIG_H
#define TESTS_MODELS_UVM_RIG_H

#include "models/gpu/uvm.h"

/* 64 blocks, 100 ps a byte in, 50 out, 20 us a service; batch, threshold and TLBs as they are. */
extern const struct uvm_params uvm_usual;

struct uvm *uvm_fresh(const struct uvm_params *p);
uint64_t uvm_managed(struct uvm *u, uint64_t bytes, bool on_host);            /* its address */
sim_cost uvm_touched(struct uvm *u, uint64_t at, uint64_t bytes, bool write); /* what it waited */

#endif
