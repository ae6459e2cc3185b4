/* raw.h - what a captured process leaves on disk before it is a trace.
 *
 * One file per process, written in whole records by whichever thread CUPTI
 * hands a full buffer to; numbers are as the machine has them (little endian).
 * A file begins with a raw_begin; then come records, each led by a raw_head
 * and a multiple of 8 bytes long.  Files may be laid end to end: a second
 * raw_begin starts a second process.  The last record of a process may be cut
 * off (it was killed in a write): what is before it holds.
 *
 * Times are CUPTI's, in ns; raw_begin says which of them was which time of
 * CLOCK_MONOTONIC, so that processes of one machine share a clock.          */
#ifndef CAPTURE_RAW_H
#define CAPTURE_RAW_H

#include <stdint.h>

#define RAW_MAGIC   "MALVRAW" /* 8 bytes with its zero */
#define RAW_VERSION 1
#define RAW_TEXT    1024 /* longest name or note; longer ones are cut */

struct raw_begin {
    char magic[8];
    uint32_t version, pid;
    uint64_t cupti_ns, mono_ns; /* read one after the other */
    char program[64];           /* ends in a zero */
};

enum raw_type {
    RAW_NAME = 1, /* raw_name */
    RAW_KERNEL,   /* raw_kernel */
    RAW_COPY,     /* raw_copy */
    RAW_SET,      /* raw_copy: a memset */
    RAW_CALL,     /* raw_call */
    RAW_SYNC,     /* raw_sync */
    RAW_EVENT,    /* raw_event: an event recorded in a stream */
    RAW_LOST,     /* raw_lost */
    RAW_END,      /* head alone: the process ended in order */
    RAW_TYPES
};

struct raw_head {
    uint16_t type; /* raw_type */
    uint16_t size; /* bytes, with this head */
    uint32_t correlation;
};
struct raw_name { /* before the first record that uses the id */
    struct raw_head head;
    uint32_t id, length; /* of the text that follows, without a zero, padded to 8 */
};
struct raw_kernel {
    struct raw_head head;
    uint64_t begin, end;
    uint32_t device, context, stream, name;
    uint64_t grid;                      /* blocks */
    uint32_t block, registers, smem, _; /* threads; of each; bytes, static and dynamic */
};
struct raw_copy {
    struct raw_head head;
    uint64_t begin, end, bytes;
    uint32_t device, context, stream;
    uint8_t kind; /* CUpti_ActivityMemcpyKind; 0 of a memset */
    uint8_t from, to, _;
};
struct raw_call { /* of the runtime or the driver */
    struct raw_head head;
    uint64_t begin, end;
    uint32_t thread, name;
};
enum raw_sync_kind {
    RAW_SYNC_EVENT = 1,  /* the thread waits for an event */
    RAW_SYNC_WAIT_EVENT, /* a stream does */
    RAW_SYNC_STREAM,     /* the thread waits for a stream */
    RAW_SYNC_CONTEXT,    /* for all of them */
};
struct raw_sync {
    struct raw_head head;
    uint64_t begin, end;
    uint32_t kind, context, stream, event; /* raw_sync_kind */
};
struct raw_event {
    struct raw_head head;
    uint32_t context, stream, event, _;
};
struct raw_lost {
    struct raw_head head;
    uint64_t records; /* more that CUPTI had no room for */
};

_Static_assert(sizeof(struct raw_begin) == 96 && sizeof(struct raw_kernel) == 64 &&
                   sizeof(struct raw_copy) == 48 && sizeof(struct raw_call) == 32 &&
                   sizeof(struct raw_sync) == 40 && sizeof(struct raw_event) == 24,
               "the same on every machine");

#endif
