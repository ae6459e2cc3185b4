/* uvm.h - unified memory: one address range, resident by parts on a GPU or on its host.
 *
 * Memory is in blocks of 2 MiB, blocks in leaves of 64 KiB.  Touching a leaf
 * that is not resident is a fault.  The driver takes faults in batches (up to
 * params.batch pages, in the order in which the GPU raised them), and for each
 * block in a batch, by address,
 *
 *   adds leaves by the tree: around each that faulted the largest subtree of the
 *            block (2, 4, .. leaves) more than params.threshold percent of which
 *            is resident or faulted
 *   finds room: a free chunk of 2 MiB, or that of the block serviced longest
 *            ago, all of whose leaves go back to the host
 *   copies what has contents on the host, and pays params.service
 *
 * then flushes the buffer and replays: whoever still misses something faults
 * again.  Copies in and out follow each other.  The driver does not see
 * accesses to what is resident, so "least recently used" is by service.
 *
 * The driver's own remedy against thrashing (naps, pinning) is not here: it is for
 * pages that two processors take from each other.  What is evicted does not count
 * for it, so that it never begins where one GPU alone asks for memory.
 *
 * Constants: gpu.memory, gpu.sms, link.pcie, uvm.* (parts/uvm.json: the open driver's, and what
 * was measured of the hardware). */
#ifndef MODELS_GPU_UVM_H
#define MODELS_GPU_UVM_H

#include <stdbool.h>

#include "models/machine.h"

#define UVM_BLOCK  (UINT64_C(2) << 20)
#define UVM_LEAF   (UINT64_C(64) << 10)
#define UVM_PAGE   UINT64_C(4096)
#define UVM_LEAVES 32
#define UVM_SECTOR 32 /* bytes: the least that a GPU reads */

struct uvm_params {
    uint64_t memory;    /* bytes that managed memory can have on the GPU */
    double in, out;     /* ps per byte to the GPU, to the host */
    uint32_t batch;     /* pages in one batch of faults */
    uint32_t threshold; /* percent of a subtree */
    sim_cost service;   /* of one block in one batch */
    uint32_t sms;       /* of the GPU */
    uint32_t tlb_sms;   /* that share a micro TLB */
    uint32_t held;      /* pages whose faults one micro TLB holds at most */
};
int uvm_params_read(struct uvm_params *p, struct machine_use *u, struct err *e) MUST_CHECK;

enum uvm_advice {
    UVM_PLAIN,
    UVM_READ_MOSTLY, /* the host keeps its copy: an eviction moves nothing, a write drops it */
    UVM_PREFER_HOST  /* stays on the host; the GPU reaches over */
};

struct uvm_stats {
    sim_cost time; /* that accesses waited, in all */
    uint64_t batches, services, faults;
    uint64_t in, out, over; /* bytes copied, and reached over the link */
    uint64_t evictions;
};

struct uvm;
int uvm_new(struct uvm **u, const struct uvm_params *p, struct err *e) MUST_CHECK;
void uvm_free(struct uvm *u);
/* Managed memory of so many bytes: an address in *at.  on_host: it has contents there; else its
 * first touch on the GPU only zeroes. */
int uvm_alloc(struct uvm *u, uint64_t bytes, bool on_host, uint64_t *at, struct err *e) MUST_CHECK;
void uvm_advise(struct uvm *u, uint64_t at, uint64_t bytes, enum uvm_advice advice);
/* cudaMemPrefetchAsync to the GPU: whole blocks at the link's rate, one service each. */
void uvm_prefetch(struct uvm *u, uint64_t at, uint64_t bytes);
/* One stream of accesses over the range, in order: time goes by, *waited says how much. */
int uvm_touch(struct uvm *u, uint64_t at, uint64_t bytes, bool write, sim_cost *waited,
              struct err *e) MUST_CHECK;
void uvm_used(const struct uvm *u, struct uvm_stats *out);
uint64_t uvm_resident(const struct uvm *u, uint64_t at, uint64_t bytes); /* bytes on the GPU */

/* Many units (warps) at once, each going through steps of its own; a step makes some accesses, and
 * the unit waits for the last of them.  Thread blocks go to SMs in turn; SMs side by side share a
 * micro TLB, which looks up what its units ask for in the order in which their steps come up.
 * What hits is done.  What misses is held, and replayed after each batch until it hits (NVIDIA,
 * US 2014/0281263: what has succeeded leaves the replay buffer).  A TLB that holds as many faults
 * as it can looks up nothing more: then those wait, too, who would hit.  A batch takes one fault
 * from each TLB in turn (Allen and Ge, SC'21: 56 faults a TLB, adjacent SMs share one, each batch
 * has faults of nearly all SMs, at most 256 over their number from each). */
struct uvm_access {
    uint64_t at, bytes;
    uint32_t used; /* bytes that cross the link when it is reached over it */
    bool write;
};
enum { UVM_ACCESSES = 64 };
struct uvm_walk {
    uint32_t units;
    uint32_t threads, block; /* of a unit, of a thread block; block 0: each unit its own TLB */
    /* Fills in what the unit's step needs; 0: the unit is done. */
    uint32_t (*step)(void *ctx, uint32_t unit, uint64_t step, struct uvm_access out[UVM_ACCESSES]);
    void *ctx;
};
/* Until all units are done.  Fails out of memory, or when an access can never have all it needs. */
int uvm_walk(struct uvm *u, const struct uvm_walk *w, struct err *e) MUST_CHECK;

#endif
