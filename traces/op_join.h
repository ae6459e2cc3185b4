/* op_join.h - what a profiler recorded, in any order, becomes rows of the table ops.
 *
 * A profiler writes down calls of the host, operations of devices, and notes
 * on what a call waited for, tied together by correlations.  Here they are
 * sorted (spill.h: bounded memory) and joined:
 *   a call with device operations is their launch; a copy that ended before
 *     its call returned was waited for: a launch and a sync;
 *   a call that waits is a sync, and depends on the last operations launched
 *     before it where it waits: stream, device, or before the event's record;
 *   a stream's wait for an event is a dependency of the next operation that
 *     is launched into that stream;
 *   other calls are host work.  A call within another of the same correlation
 *     is left out, and counted.
 * Where it says which stream recorded an event but not when, it is taken to
 * have been at the wait, if what would then be waited for had ended in time.
 * Where the profiler does not say which stream a call waited for, it is the
 * one that its thread last launched into, or else the one whose last operation
 * ended last before the call did; for an event, the last such operation.     */
#ifndef TRACES_OP_JOIN_H
#define TRACES_OP_JOIN_H

#include <stdbool.h>

#include "sim/err.h"
#include "traces/record.h"

enum op_role {
    OP_CALL,
    OP_NOTE,   /* on the call of its correlation */
    OP_DEVICE, /* its kind is set */
    OP_ROW,    /* already as it shall be: kept as it is, with its depends */
    OP_QUEUED_ /* own */
};
enum op_wait {
    OP_WAIT_NONE,
    OP_WAIT_STREAM,
    OP_WAIT_DEVICE,
    OP_WAIT_EVENT,
    OP_WAIT_IN_STREAM, /* the stream waits for an event, not the call */
    OP_WAIT_RECORD     /* the call records an event */
};

struct op_raw {
    uint64_t key;       /* own */
    struct trace_op op; /* time_ns: of the profiler's clock; depends: with OP_ROW only */
    uint32_t role, wait;
    /* Of a note: where it waits, and the stream that recorded the event; TRACE_NAME_NONE: not
     * said.  record: correlation of the call that recorded it; 0: not said. */
    uint32_t device, stream, event_stream;
    uint64_t record;
    /* Own: from time 0; of a launch, the end of the last that it launched. */
    uint64_t launched_ns, ended_ns, depends_at;
};

#define OP_JOIN_CORRELATION ((UINT64_C(1) << 50) - 1) /* at most */
#define OP_JOIN_TENANT      4095u
#define OP_JOIN_DEVICE      0xffffeu
#define OP_JOIN_CLOCK_NS    10000u /* how far the clocks of host and device are taken to differ */

/* Of runtime and driver calls of CUDA and HIP, whatever their version's suffix. */
enum op_wait op_wait_named(const char *call);
bool op_collective_named(const char *kernel);

struct op_join;
int op_join_new(struct op_join **j, struct err *e) MUST_CHECK;
int op_join_add(struct op_join *j, const struct op_raw *r, struct err *e) MUST_CHECK;
/* After the last: zero_ns is what is time 0, the first row's. */
int op_join_sort(struct op_join *j, uint64_t *zero_ns, struct err *e) MUST_CHECK;
/* As op_join_sort, for rows whose times count from 0 already. */
int op_join_sort_from(struct op_join *j, uint64_t zero_ns, struct err *e) MUST_CHECK;
/* 1 a row, 0 the end, negative an error; depends is good until the next. */
int op_join_next(struct op_join *j, struct trace_op *out, struct err *e) MUST_CHECK;
uint64_t op_join_nested(const struct op_join *j); /* calls left out */
void op_join_free(struct op_join *j);             /* NULL is fine */

#endif
