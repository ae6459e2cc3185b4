/* device.h - one GPU: SMs, memory bandwidth, copy engines, and who may use them when.
 *
 * A context (a process's channel group) has streams; a stream runs its work in
 * order.  What of several streams may run together is decided in two steps:
 *
 *   in time   contexts of one partition take turns: while more than one has
 *             work, one of them is on, for its time slice; a switch costs
 *             params.context_switch, during which nothing runs there and no
 *             slice's clock (NVIDIA/open-gpu-doc, dev_ram.ref.txt: loading a
 *             context is no part of its slice).  A
 *             context without work gives the rest of its slice up (or, with
 *             forfeit set, keeps the device idle until it ends).  Contexts
 *             joined by MPS are one for this purpose.
 *   in space  contexts that are on together (MPS) get the partition's SMs by
 *             context priority; those of one priority share them evenly, and
 *             who wants less than its part leaves the rest (assumed; one pair
 *             of Tally's measurements has it so).  Within a context kernels
 *             get them by stream priority, then in the order of their
 *             beginning: each what it can fill from what is left (the block
 *             scheduler's "leftover" policy), never more than its context's
 *             limit.  A kernel with fewer SMs than it can
 *             fill runs in more waves.  SMs come free block by block: a kernel
 *             that waits for SMs gets them as blocks of the others end, not at
 *             once.
 *
 * Memory bandwidth is shared max-min fairly by demand among what runs in a
 * partition, and is bounded by the SMs that a kernel has (params.reach).  Rates
 * change only when something begins, ends, or is given other SMs; between such
 * moments work is a straight line, in integers, so that a run is the same on
 * any machine.
 *
 * What a kernel does on n of the S SMs that it can fill, alone:
 *   SMs      speed n/S; with blocks known (loads, or waves x S of them), waves(S) over
 *            waves(n), where waves(n) = ceil(loads / n); times 1000/compute, at most 1
 *   memory   speed reach(n) / min(bandwidth, reach(S)), at most 1
 *   the lesser of the two; then the partition's bandwidth is shared.
 * In its last wave it keeps only the SMs that still have blocks.  Its blocks
 * end evenly spread over the time of a wave, DEVICE_STEPS steps of it (with
 * params.together all at the end of the wave, as equal blocks do that began at
 * once); with blocks unknown it flows freely and gives SMs up at once.
 *
 * Partitions (MIG) have SMs, bandwidth, memory and copy engines of their own;
 * no kernel feels another partition.  Without MIG there is one.  The host link
 * is one for all.
 *
 * Copies take the next free copy engine of the partition in order of coming,
 * whoever's turn it is, wait params.copy_latency and flow; what flows in one
 * direction shares the link evenly, both together are bound by params.duplex.
 * Peer copies have a link of their own.  D2D and memset run in the context's turn and
 * draw bandwidth, and hold SMs only where `sms` says how many.
 *
 * Order: kernels that are ready at one instant begin in order of priority, then
 * of stream; so results do not depend on the order of submissions at one
 * instant to one context (or several, together).  Callbacks come from events,
 * never from within a call of this door; they may call it, but not free it.
 *
 * Source of each constant: the machine profile.  Every run is charged what the
 * device's own front end takes: params.gap between dependent kernels of a stream.
 * The host's side of a launch is not here (see stack.h).                       */
#ifndef MODELS_GPU_DEVICE_H
#define MODELS_GPU_DEVICE_H

#include <stdbool.h>

#include "models/machine.h"
#include "sim/sim.h"

enum { DEVICE_MILLI = 1000, DEVICE_STEPS = 8, DEVICE_QUEUE = 1024 };

/* What a GPU is, read from a profile's section ("gpu", and "link").  Names in brackets; those
 * marked ? may be absent, and then are as said. */
struct device_params {
    uint32_t sms;                     /* [gpu.sms] */
    uint32_t warps_per_sm;            /* [gpu.warps_per_sm]? 64 */
    uint32_t blocks_per_sm;           /* [gpu.blocks_per_sm]? 32 */
    uint32_t registers_per_sm;        /* [gpu.registers_per_sm]? 65536 */
    uint32_t smem_per_sm;             /* [gpu.smem_per_sm]? bytes; 0: not a limit */
    uint64_t memory;                  /* [gpu.memory] bytes */
    double bandwidth;                 /* [gpu.bandwidth] bytes/s of HBM, peak */
    double flops;                     /* [gpu.flops]? fp16/bf16 dense, 1/s; 0: not said */
    const struct machine_cost *reach; /* [gpu.reach]? bandwidth, 1/1000 of peak, over SMs, 1/1000 of
                                         all: what so many SMs can draw.  NULL: in proportion up to
                                         half of the SMs, all of it from there */
    sim_cost gap;                     /* [gpu.gap]? between dependent kernels of a stream; 0 */
    sim_cost graph_gap;               /* [gpu.graph_gap]? the same in a graph; = gap */
    sim_cost timeslice;               /* [gpu.timeslice] */
    sim_cost context_switch;          /* [gpu.context_switch] */
    /* Of kernels whose bytes nobody recorded, 1/1000 of what they keep busy alone: of the
     * bandwidth, by what they are bound by; and of the SMs' throughput, those bound by memory.  Not
     * the device's own, but what users of its profiles go by. */
    uint32_t draw_memory;  /* [gpu.draw.memory_bound]? 800 */
    uint32_t draw_compute; /* [gpu.draw.compute_bound]? 200 */
    uint32_t draw_unknown; /* [gpu.draw.unknown]? 400 */
    uint32_t draw_sms;     /* [gpu.draw.sms_of_memory_bound]? 500 */
    sim_cost preempt; /* [gpu.preempt]? running kernels stopped, state saved; = context_switch */
    bool together;    /* not the profile's: blocks of a wave end together, not spread over it */
    uint32_t copy_engines; /* [gpu.copy_engines]? 2 */
    uint32_t queue_depth;  /* [gpu.queue_depth]? 1024; commands of a channel, for the host's side */
    double link;           /* [link.pcie] bytes/s, one direction */
    double duplex;         /* [link.duplex]? both directions together; = 2 x link */
    sim_cost copy_latency; /* [link.copy_latency]? before the first byte; 0 */
    double pageable;       /* [link.pageable]? bytes/s from pageable memory; = link */
    double peer;           /* [link.nvlink]? bytes/s to another device; = link */
};
int device_params_read(struct device_params *p, struct machine_use *u, struct err *e) MUST_CHECK;

/* How many blocks of a kernel fit on one SM: by warps, blocks, registers (allocated per warp in
 * units of 256) and shared memory.  0: it can not run. */
struct device_shape {
    uint64_t grid;
    uint32_t block, registers, smem;
};
uint32_t device_occupancy(const struct device_params *p, const struct device_shape *k);

enum device_kind {
    DEVICE_KERNEL,
    DEVICE_H2D,
    DEVICE_D2H,
    DEVICE_D2D,
    DEVICE_P2P,
    DEVICE_MEMSET,
    DEVICE_KINDS
};

/* One command.  A kernel is described by how it runs alone on all of this device. */
struct device_work {
    enum device_kind kind;
    bool pageable;  /* copies */
    bool graph;     /* part of a graph: graph_gap instead of gap */
    sim_cost lead;  /* kernels: so long after the one before it in its stream, at least; 0: gap */
    sim_cost alone; /* kernels, D2D, memset: time alone on all SMs; 0 with bytes: from them.
                       Copies: time alone, latency and all; 0: copy_latency and the link's */
    uint64_t bytes; /* copies: moved */
    uint32_t sms;   /* it can fill so many; 0: all */
    uint32_t waves; /* it runs in so many whole waves alone; 0: not known, work flows freely */
    uint32_t bandwidth; /* 1/1000 of peak that it draws alone */
    uint32_t sms_limit; /* given at most so many; 0: no limit (gpu.dispatch) */
    uint32_t compute;   /* 1/1000 of its SMs' throughput that it uses alone: a memory-bound kernel
                           keeps its speed on fewer SMs; 0: all, time goes with SMs */
    uint32_t loads;     /* its blocks, in SMs filled once; 0: waves x sms */
};
/* Fills sms, waves and loads from a kernel's shape; false: it can not run. */
bool device_fit(const struct device_params *p, const struct device_shape *k, struct device_work *w);

struct device;
struct device_context;
struct device_stream;

/* A slice of a device that nothing crosses; {0}: all of it. */
struct device_partition_want {
    uint32_t sms;          /* 0: all */
    uint32_t memory_milli; /* of memory and bandwidth; 0: all */
    uint32_t copy_engines; /* 0: all */
    uint64_t memory;       /* bytes that can be allocated; 0: what memory_milli comes to */
};
enum device_turns {
    DEVICE_TURNS,     /* contexts take turns by time slice */
    DEVICE_TURNS_FIX, /* the same, and an idle context's turn is not given away (fixed share vGPU)
                       */
    DEVICE_TOGETHER   /* MPS: contexts run together */
};

int device_new(struct device **d, struct sim *s, const struct device_params *p,
               struct err *e) MUST_CHECK;
void device_free(struct device *d); /* and all that belongs to it */
/* Number of the new partition; the first call replaces the one that a device begins with.  Fails
 * when the parts exceed the whole. */
int device_partition(struct device *d, const struct device_partition_want *w,
                     enum device_turns turns, uint32_t *number, struct err *e) MUST_CHECK;

struct device_context_want {
    uint32_t partition;
    uint32_t sms_milli; /* of the partition, at most (MPS percentage x 10); 0: all */
    sim_time timeslice; /* 0: params.timeslice */
    int32_t prio;       /* MPS and preemption: larger first */
    bool forfeit;       /* its slice ends in idleness when it has nothing to do for a moment */
};
struct device_context *device_context(struct device *d, const struct device_context_want *w,
                                      struct err *e) MUST_CHECK;
void device_context_share(struct device_context *c, uint32_t sms_milli, sim_time timeslice);
/* false: no room in its partition */
bool device_alloc(struct device_context *c, uint64_t bytes);
void device_release(struct device_context *c, uint64_t bytes);

struct device_stream *device_stream(struct device_context *c, int32_t prio,
                                    struct err *e) MUST_CHECK;

/* Queued behind what the stream has.  begun and done (either may be NULL) fire with (ctx, arg) when
 * it first runs and when it has ended; both may submit more.  The number is the stream's own,
 * from 1. */
struct device_call {
    sim_fn *begun, *done;
    void *ctx;
    uint64_t arg;
};
uint64_t device_submit(struct device_stream *s, const struct device_work *w,
                       const struct device_call *call);
/* What is submitted to s from now on waits until number n of `other` has ended
 * (cudaStreamWaitEvent). Ended already: nothing happens. */
void device_wait(struct device_stream *s, struct device_stream *other, uint64_t n);
uint64_t device_ended(const struct device_stream *s); /* number of the last that ended, in order */
sim_time
device_began(const struct device_stream *s); /* when that one first ran: cheaper than begun */
uint32_t device_queued(const struct device_stream *s); /* submitted and not ended */

/* Stops what the context runs within params.preempt and saves it; its streams hold still until it
 * is resumed, then go on where they were (XSched's level 3).  stopped (may be NULL) fires when
 * no kernel of it runs; a copy that has begun goes on.  Who comes on next pays no switch. */
void device_preempt(struct device_context *c, const struct device_call *stopped);
/* Nothing more of it begins; what runs goes on to its end (level 2). */
void device_hold(struct device_context *c, const struct device_call *drained);
void device_resume(struct device_context *c);

struct device_use {           /* up to now */
    sim_cost busy;            /* time with any kernel running (of a device: sum of partitions) */
    sim_cost sm_time;         /* SM time handed out: ps x SMs; 2^64 are 39 hours of 132 SMs */
    sim_cost sm_idle;         /* the rest of it; a context has none */
    uint64_t bytes;           /* of HBM, by bandwidth drawn */
    uint64_t h2d, d2h;        /* bytes over the host link */
    uint64_t kernels, copies; /* ended */
    uint64_t switches, preempted;
    sim_cost switching, idle_in_slice; /* time lost to switches; to slices kept without work */
};
void device_used(const struct device *d, struct device_use *out);
void device_context_used(const struct device_context *c, struct device_use *out);
uint32_t device_free_sms(const struct device *d, uint32_t partition); /* nothing runs on them */
/* Of what the context runs: SMs held, bandwidth drawn (1/1000), the longest rest at this speed. */
struct device_running {
    uint32_t commands, sms, bandwidth;
    sim_time left;
};
void device_context_running(const struct device_context *c, struct device_running *out);

#endif
