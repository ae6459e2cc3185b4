/* program.h - a workload as data: threads, each a small program of operations.
 *
 * A crew is a number of threads that run the same program.  Presets build the
 * crews of the usual tenants from a few parameters; {"program": "ops"} takes
 * them op by op from the experiment.  Locks, queues, barriers and GPUs are
 * numbered within the tenant.
 *
 *     compute      `ns` of CPU work, of which the share memory_bound waits for memory over
 *                  a working set of `bytes`
 *     syscall      one system call
 *     lock/unlock  lock `id` (a spin lock of the tenant's kernel)
 *     read/write   `bytes` from or to the disk; the thread sleeps until it is done
 *     fetch        a batch of input: `count` reads of `bytes` each, which are copied together
 *                  when they are several; or the OS has it there already (ahead.c)
 *     send         `count` messages to the wire
 *     receive      takes up to `count` requests from the tenant's queue, waits for one
 *     touch        `count` pages that were never touched: a page fault each
 *     launch       `count` kernels of `ns` each into stream `id`, which fill `sms` SMs
 *     stage        CPU copies `bytes` to where the GPU can fetch them
 *     copy         `bytes` to the GPU in stream `id`, behind what is there
 *     sync         until stream `id` is empty; `poll`: burning CPU
 *     sleep        a timer of `ns`
 *     barrier      until `count` threads are at barrier `id`
 *     put/take     one item into or out of queue `id`, which holds at most `count`
 *     loop/end     `count` times (0: for ever)
 *     begin/done   around what counts as one operation                         */
#ifndef MODELS_HOST_PROGRAM_H
#define MODELS_HOST_PROGRAM_H

#include <stdbool.h>

#include "sim/config.h"
#include "sim/time.h"

#define PROGRAM_OPS(X)                                                                             \
    X(compute)                                                                                     \
    X(syscall)                                                                                     \
    X(lock)                                                                                        \
    X(unlock)                                                                                      \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(fetch)                                                                                       \
    X(send)                                                                                        \
    X(receive)                                                                                     \
    X(touch)                                                                                       \
    X(launch)                                                                                      \
    X(stage)                                                                                       \
    X(copy)                                                                                        \
    X(sync)                                                                                        \
    X(sleep)                                                                                       \
    X(barrier)                                                                                     \
    X(put)                                                                                         \
    X(take)                                                                                        \
    X(loop)                                                                                        \
    X(end)                                                                                         \
    X(begin)                                                                                       \
    X(done)

enum op_kind {
#define X(name) OP_##name,
    PROGRAM_OPS(X)
#undef X
        OP_KINDS
};

struct op {
    enum op_kind kind;
    bool poll;
    uint32_t id;
    uint64_t count;
    sim_time ns;
    uint64_t bytes;
    double memory_bound;
    uint32_t sms; /* launch: that a kernel can fill, where GPUs are shared; 0: all */
};

enum { PROGRAM_OPS_MAX = 256, PROGRAM_DEPTH_MAX = 8, PROGRAM_FETCH_MAX = 4096, PROGRAM_IDS = 64 };

struct program {
    struct op *op;
    size_t n;
};

struct crew {
    const char *name; /* borrowed */
    uint32_t threads;
    bool daemon;     /* serves the others: the tenant is done without it */
    bool own_stream; /* thread k of the crew uses stream k instead of 0 */
    struct program program;
};

#define CREWS_MAX 8
struct workload {
    struct crew crew[CREWS_MAX];
    size_t n;
    double jitter;     /* each time is drawn uniformly within +-jitter of itself */
    double rate_per_s; /* requests from outside; 0: none */
    bool requests;     /* operations are requests (arrival to reply) */
};

/* Reads {"program": "training", ...}. */
int workload_read(struct workload *w, const struct config *c, struct err *e) MUST_CHECK;
/* The batch of input that it fetches, or NULL; whether there are others of another size. */
const struct op *workload_batch(const struct workload *w, bool *several);
void workload_free(struct workload *w);
uint32_t workload_threads(const struct workload *w);

/* For presets: appends one op; false when the program is full or out of memory. */
bool program_add(struct program *p, struct op op);
/* The one sentence about a program that can not run, or NULL. */
const char *program_wrong(const struct program *p);

/* preset.c: the section without "program". */
int preset_read(struct workload *w, int preset, const struct config *c, struct err *e) MUST_CHECK;
extern const char *const preset_names[]; /* NULL-terminated; the last is "ops" */

#endif
