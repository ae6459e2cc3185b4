/* record.h - the plain records that flow from a trace into the models.
 *
 * One struct per table of the canonical trace (docs: schema malv-trace/1).
 * Sources are pulled one record at a time: nothing is held but the current
 * one.  Times are ns from the start of the trace and never go back.         */
#ifndef TRACES_RECORD_H
#define TRACES_RECORD_H

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

/* A row of whichever table. */
enum trace_table { TRACE_REQUESTS, TRACE_JOBS, TRACE_NODES, TRACE_TABLES };
union trace_row {
    struct trace_request request;
    struct trace_job job;
    struct trace_node node;
};

/* A stream of requests: a file, a synthesizer, a window of either.
 * next: 1 a record was filled, 0 the end, negative an error.                */
struct request_source {
    int (*next)(struct request_source *self, struct trace_request *out, struct err *e);
    void (*close)(struct request_source *self);
    uint64_t expected; /* number of records, 0 unknown: for progress only */
};

#endif
