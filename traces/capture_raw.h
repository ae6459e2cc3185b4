/* capture_raw.h - the raw files of malv capture (capture/raw.h) as items that can be sorted.
 *
 * capture_raw_read: bytes -> items, keyed by process and correlation, so that a call and what it
 * launched or waited for lie together.  capture_join: those -> items keyed by time, in which a
 * launch knows the stream it goes to.  What is sorted beyond memory goes through spill.h.     */
#ifndef TRACES_CAPTURE_RAW_H
#define TRACES_CAPTURE_RAW_H

#include <stdbool.h>

#include "capture/raw.h"
#include "traces/input.h"
#include "traces/names.h"
#include "traces/record.h"
#include "traces/spill.h"

enum { CAPTURE_LANES = 1 << 16, CAPTURE_PROCESSES = 1 << 16 };

/* From reading: the first four.  From joining: all but CALL and EVENT. */
enum capture_what {
    CAPTURE_CALL,   /* of the host; its kind is not known yet */
    CAPTURE_SYNC,   /* kind: raw_sync_kind, or CAPTURE_SYNC_OP */
    CAPTURE_EVENT,  /* an event is recorded in a stream */
    CAPTURE_DEVICE, /* kind: trace_op_kind */
    CAPTURE_LAUNCH, /* a call that launched something on the stream `lane` */
    CAPTURE_SUBMIT, /* the same call, on another stream: no row */
};
#define CAPTURE_SYNC_OP 5 /* the call waits for what it launched itself */
#define CAPTURE_NO_LANE UINT32_MAX

struct capture_item {
    uint64_t key;        /* to sort by: process, correlation, what; or the time */
    uint64_t begin, end; /* ns of the machine's monotonic clock */
    uint64_t correlation, bytes, grid;
    uint32_t tenant, context, device, lane, thread, name;
    uint32_t block, registers, smem, event;
    uint8_t what, kind; /* capture_what */
    bool launched;      /* of a device operation: there was a call */
};

struct capture_lane { /* a stream of a context of a process */
    uint32_t tenant, context, stream;
    uint32_t number;       /* in its process, by first mention */
    uint64_t last, waited; /* correlation of what was submitted last; and when it was waited for */
    uint32_t n_pending;    /* it waits for these before it begins what comes next */
    uint64_t pending[8];
};

struct capture_raw {
    struct input *in;
    struct trace_names *names;
    struct spill *items;
    struct capture_lane *lane;
    uint32_t lanes, cap_lanes;
    struct capture_thread {
        uint32_t tenant, id, number;
    } * thread;
    uint32_t threads, cap_threads;
    uint32_t *name; /* of the process that is read: its number to ours */
    uint32_t n_name, cap_name;
    uint32_t processes;
    struct raw_begin begin; /* of the process that is read */
    uint64_t at;            /* bytes read */
    uint64_t lost;          /* records that CUPTI had no room for */
    bool cut;               /* some process was killed in a write */
    _Alignas(8) unsigned char record[1 << 16];
};

int capture_raw_read(struct capture_raw *r, struct err *e) MUST_CHECK;
void capture_raw_free(struct capture_raw *r); /* what it took; not the input, not the names */
/* The number of a stream, a new one if need be; CAPTURE_NO_LANE: too many, or no memory. */
uint32_t capture_lane(struct capture_raw *r, uint32_t context, uint32_t stream);

/* Reads `from` in order of correlation, adds to `to`, sorts it.  *zero: the first time of all. */
int capture_join(struct spill *from, struct spill *to, uint64_t *zero, struct err *e) MUST_CHECK;

#endif
