/* uvm_model.h - the parts of model "uvm": what a kernel touches, pass after pass.
 *
 * Threads go over arrays with a grid stride: thread t touches elements t,
 * t + threads, .. of `stride` bytes.  A unit is a warp, or as many warps as
 * share a page.
 *
 *   stream  reads one array and writes another, half the bytes each; with
 *           order "chunks" each thread goes through a chunk of its own, whole
 *           pages, element after element; "shuffled" in the order of a linear
 *           congruential generator, which leaves out some where its step and
 *           the elements of a chunk have a divisor in common
 *   triad   reads two and writes a third
 *   gather  reads an index, reads at a random place, writes; a third each
 *   chase   each thread follows `steps` pointers of a list of its own, nine tenths
 *           of the bytes over the threads, and writes a result; unless they are
 *           on the host, the GPU makes the lists beforehand
 */
#ifndef MODELS_GPU_UVM_MODEL_H
#define MODELS_GPU_UVM_MODEL_H

#include "models/gpu/uvm.h"
#include "models/model.h"

enum uvm_pattern { UVM_STREAM, UVM_TRIAD, UVM_GATHER, UVM_CHASE };
enum uvm_order { UVM_GRID, UVM_CHUNKS, UVM_SHUFFLED };
enum uvm_mode { UVM_FAULT, UVM_PREFETCH, UVM_MODE_READ_MOSTLY, UVM_HOST };

struct uvm_setup {
    enum uvm_pattern pattern;
    enum uvm_order order; /* of a stream */
    enum uvm_mode mode;
    double size;             /* in GPU memories, where bytes is 0 */
    uint64_t bytes, stride;  /* all arrays together */
    uint32_t threads, block; /* of a launch, of a thread block */
    uint32_t steps, warmup, passes;
    bool on_host;               /* the arrays have contents on the host before the first pass */
    double gpu_touch, gpu_byte; /* ps, when all is resident */
};
enum { UVM_PASSES = 100 };
struct uvm_result {
    sim_cost pass[UVM_PASSES]; /* what each measured pass waited, the shortest first */
    struct uvm_stats s;        /* of the measured passes together */
    double gpu;                /* ps of a pass when all is resident */
    uint64_t touched;          /* bytes of the arrays, in a pass */
};
int uvm_simulate(const struct uvm_setup *s, const struct uvm_params *p, uint64_t seed,
                 struct uvm_result *out, struct err *e) MUST_CHECK;

#endif
