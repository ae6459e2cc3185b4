/* record.h - the plain records that flow from a trace into the models.
 *
 * One struct per table of the canonical trace (docs: schema malv-trace/1).
 * Sources are pulled one record at a time: nothing is held but the current
 * one.  Times are ns from the start of the trace and never go back.         */
#ifndef TRACES_RECORD_H
#define TRACES_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"

#define TRACE_NAME_NONE UINT32_MAX
#define TRACE_TIME_NONE UINT64_MAX /* a time or duration that the trace does not say */

struct trace_request {
    uint64_t time_ns;
    uint32_t tenant;
    uint32_t prompt_tokens, output_tokens;
    uint32_t model;         /* index into the trace's names; TRACE_NAME_NONE: not said */
    uint64_t session;       /* 0: not said */
    uint32_t n_prefix;      /* prefix-block hashes, leading first */
    const uint64_t *prefix; /* borrowed until the next record */
};

struct trace_job {
    uint64_t time_ns;
    uint32_t tenant;
    uint64_t duration_ns; /* TRACE_TIME_NONE: not said */
    uint32_t gpus, gpu_milli, cpu_milli;
    uint64_t mem_bytes;
    uint32_t gpu_spec, user, group, status, name; /* indices into names */
    uint32_t qos;                                 /* index into names */
    uint64_t wait_ns; /* from arrival until it was scheduled; TRACE_TIME_NONE: never */
    uint64_t row;     /* 0-based row of the input: job lists are not sorted by time */
};

struct trace_node { /* machines of a cluster trace; not timed */
    uint32_t name, model;
    uint32_t gpus, cpu_milli;
    uint64_t mem_bytes;
};

struct trace_io { /* a block request */
    uint64_t time_ns;
    uint32_t tenant, device;
    uint32_t write; /* 1: write */
    uint64_t offset, bytes;
    uint64_t latency_ns; /* as measured; TRACE_TIME_NONE: not said */
};

struct trace_page { /* a memory access, or a sample of a region of pages */
    uint64_t time_ns;
    uint32_t tenant;
    uint64_t page;   /* number of the first 4 KiB page */
    uint32_t pages;  /* 1, or the length of the region */
    uint32_t offset; /* in the page, where the format says so */
    uint32_t write;
    uint32_t count; /* accesses seen */
};

enum trace_sched_event { SCHED_SWITCH, SCHED_WAKEUP, SCHED_MIGRATE, SCHED_OTHER };
struct trace_sched { /* a scheduler event */
    uint64_t time_ns;
    uint32_t tenant, cpu;
    uint32_t event;     /* trace_sched_event */
    uint32_t task, pid; /* name; switch: the one that goes; wakeup: the one that wakes */
    int32_t prio;
    uint32_t state;               /* switch: Linux's state bits of the one that goes */
    uint32_t next_task, next_pid; /* switch only */
    int32_t next_prio;
    uint32_t target_cpu; /* wakeup, migrate */
};

struct trace_vm {
    uint64_t time_ns;
    uint32_t tenant, name;
    uint64_t end_ns; /* TRACE_TIME_NONE: not said */
    uint32_t vcpus;
    uint64_t mem_bytes;
    uint64_t step_ns;     /* of the series below */
    uint32_t n_util;      /* utilisation, 1/1000 of all its vCPUs, every step from time_ns on */
    const uint64_t *util; /* borrowed until the next record */
};

/* One operation of a captured program: on a device, or on one of its host threads. */
enum trace_op_kind {
    TRACE_OP_KERNEL,
    TRACE_OP_H2D,
    TRACE_OP_D2H,
    TRACE_OP_D2D, /* within one device's memory */
    TRACE_OP_P2P, /* to another device */
    TRACE_OP_MEMSET,
    TRACE_OP_COMM,   /* a collective's kernel */
    TRACE_OP_LAUNCH, /* host: the call that submits the device operation of the same correlation */
    TRACE_OP_SYNC,   /* host: waits for what `depends` lists */
    TRACE_OP_CPU,    /* host: other work */
    TRACE_OP_KINDS
};
enum trace_op_bound { TRACE_OP_BOUND_NONE, TRACE_OP_BOUND_COMPUTE, TRACE_OP_BOUND_MEMORY };
struct trace_op {
    uint64_t time_ns; /* when it began */
    uint32_t tenant;  /* process or rank */
    uint32_t device;  /* TRACE_NAME_NONE: a host thread's */
    uint32_t stream;  /* of its device, in order; the thread of a host operation */
    uint32_t kind;    /* trace_op_kind */
    uint32_t name;
    uint64_t duration_ns;
    uint64_t bytes;       /* moved; 0: not said */
    uint64_t grid;        /* blocks; 0: not said */
    uint32_t block;       /* threads of each; 0: not said */
    uint32_t registers;   /* of each thread; 0: not said */
    uint32_t smem;        /* bytes of each block, static and dynamic */
    uint32_t sms;         /* how many SMs it can fill, where the profiler said so; 0: not said */
    uint32_t bound;       /* trace_op_bound */
    uint64_t correlation; /* unique in its tenant, but for a launch and what it launches; 0: none */
    /* Correlations of earlier device operations of its tenant that must have ended before it may
     * begin (host: end), beside the one before it in its stream and its own launch.  Borrowed
     * until the next record. */
    uint32_t n_depends;
    const uint64_t *depends;
};
static inline bool trace_op_on_device(const struct trace_op *op)
{
    return op->kind <= TRACE_OP_COMM;
}

/* One measured cost: a row of an operator table or of a profile.  Not timed. */
enum trace_cost_unit { TRACE_COST_PS, TRACE_COST_MICRO, TRACE_COST_COUNT, TRACE_COST_UNITS };
struct trace_cost {
    uint64_t time_ns; /* always 0, as is tenant: the head that all rows share */
    uint32_t tenant;
    uint32_t name;  /* of what was measured: an operator, "prompt", "steps" */
    uint32_t where; /* GPU, engine, model: what it was measured on; TRACE_NAME_NONE: not said */
    uint32_t with;  /* what ran beside it; TRACE_NAME_NONE: nothing */
    uint32_t
        unit; /* trace_cost_unit: picoseconds; millionths (rates per second, ratios); a count */
    uint64_t key[6]; /* the format's own: tokens, context, batch, parallelism; its importer says */
    uint64_t value;
};

/* A row of whichever table. */
enum trace_table {
    TRACE_REQUESTS,
    TRACE_JOBS,
    TRACE_NODES,
    TRACE_IO,
    TRACE_PAGES,
    TRACE_SCHED,
    TRACE_VMS,
    TRACE_OPS,
    TRACE_COSTS,
    TRACE_TABLES
};
union trace_row {
    struct trace_request request;
    struct trace_job job;
    struct trace_node node;
    struct trace_io io;
    struct trace_page page;
    struct trace_sched sched;
    struct trace_vm vm;
    struct trace_op op;
    struct trace_cost cost;
};

/* A stream of requests: a file, a synthesizer, a window of either.
 * next: 1 a record was filled, 0 the end, negative an error.                */
struct request_source {
    int (*next)(struct request_source *self, struct trace_request *out, struct err *e);
    void (*close)(struct request_source *self);
    uint64_t expected; /* number of records, 0 unknown: for progress only */
};

/* The same for the other tables: rows of one table, in time order (jobs too: sorted by time, then
 * by their row in the input).  Nodes and costs have no time and come as the input has them. */
struct row_source {
    enum trace_table table;
    int (*next)(struct row_source *self, union trace_row *out, struct err *e);
    int (*rewind)(struct row_source *self, struct err *e); /* back to the first row */
    void (*close)(struct row_source *self);
    uint64_t expected;
    /* The text of a name that its rows so far have mentioned, good until rewind or close; NULL: no
     * such name.  name NULL: its rows have none. */
    const char *(*name)(const struct row_source *self, uint32_t id);
};

#endif
