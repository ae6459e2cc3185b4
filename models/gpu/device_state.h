/* device_state.h - what the files of the device share.  Private to models/gpu/device*.c.
 *
 * A stream's first command is the only one of it that can be under way, so its
 * state lives in the stream (struct run, struct copy).  Streams whose kernel
 * waits for SMs or runs are listed in a group: one for each context (turns), or
 * one for all of a partition (together).  Only the group that is on moves.
 *
 * Work left is ps at full speed, with SPEED_BITS more bits; a speed is a
 * fraction of full speed with as many bits.  Bytes left have 1e-9 of a byte, so that
 * bytes/s x ns is exact.
 *
 * Whoever changes something calls device_advance first (bring work up to now)
 * and device_settle last (who is on, who has which SMs, when next).           */
#ifndef MODELS_GPU_DEVICE_STATE_H
#define MODELS_GPU_DEVICE_STATE_H

#include "models/gpu/device.h"

#define SPEED_BITS 32
#define SPEED_ONE  (UINT64_C(1) << SPEED_BITS)
typedef unsigned __int128 device_fine;

/* Of events at one time: who begins is told before ends, ends come before turns. */
enum { PRIO_BEGUN = 1, PRIO_TURN = -1 };

struct command {
    struct device_work w;
    struct device_call call;
};

struct wait { /* before command number `before`: `other` must have ended n */
    uint64_t before, n;
    struct device_stream *other;
};

enum state {
    STREAM_EMPTY,
    STREAM_HELD,    /* has work, its context does not let it begin */
    STREAM_BLOCKED, /* waits for another stream */
    STREAM_LISTED,  /* a kernel, in its group */
    STREAM_COPY,
    STREAM_STOPPED /* a kernel, preempted */
};

struct run { /* the kernel under way */
    sim_time start;
    device_fine left;
    uint64_t speed, full; /* with bandwidth shared; without */
    uint64_t total;       /* ps */
    sim_time release, granted;
    uint32_t want, target, sms, step; /* SMs */
    uint32_t full_for, bandwidth, loads;
    uint32_t ahead; /* ps: it began so much before start */
    bool begun, told, tail;
};

enum copy_phase { COPY_QUEUED, COPY_LATENCY, COPY_FLOWS };
struct copy {
    device_fine left;
    uint64_t rate; /* bytes/s */
    enum copy_phase phase;
    uint32_t channel;
    struct device_stream *next; /* in the queue for an engine */
};

struct device_stream {
    struct device_context *c;
    struct group *g;
    struct command *ring;
    uint64_t submitted, ended, mask; /* mask: slots - 1 */
    sim_time free_at;                /* what the next depends on had ended by then */
    uint32_t ahead;                  /* and so many ps earlier */
    bool any;
    enum state state;
    int32_t prio;
    uint32_t number;
    struct run run;
    struct copy copy;
    sim_time began;
    struct wait *wait; /* a ring as well */
    uint64_t wait_head, wait_tail, wait_mask;
    struct device_stream *waiters, *waiters_end, *next_waiter; /* who is blocked on this one */
    struct device_stream *of_context, *of_device;              /* lists */
};

struct group {
    struct device_partition *p;
    struct device_stream **at; /* in order of begin */
    uint32_t n, cap;
    bool queued;
    sim_time timeslice;
    bool forfeit;
    struct group *next;    /* in the queue for a turn */
    struct group *of_list; /* of the partition, in order of making */
};

struct device_context {
    struct device *d;
    struct device_partition *p;
    struct group *g;
    int32_t prio;
    uint32_t sms_limit, room; /* room: what device_settle has left of it */
    uint32_t wanted;          /* by all its kernels, while SMs are handed out */
    uint64_t allocated;
    bool held, stopped;
    struct device_call drained, on_stopped;
    struct device_stream *streams;
    struct device_context *of_device;
    struct device_use use;
    device_fine drawn; /* bandwidth x speed x ns */
};

enum phase { PHASE_ON, PHASE_SWITCHING, PHASE_SAVING };

struct device_partition {
    struct device *d;
    uint32_t sms, bandwidth, engines, number; /* bandwidth: 1/1000 of peak */
    uint64_t memory, allocated;
    enum device_turns turns;
    /* turns */
    struct group *groups, **groups_end, *on, *coming, *queue, **queue_end;
    uint32_t listed; /* streams in groups */
    enum phase phase;
    sim_time on_since, cycle_since;
    sim_event turn_event; /* the end of a switch, or of a slice */
    sim_time turn_at;     /* SIM_NEVER: none */
    /* kernels */
    sim_time since;
    sim_event event;
    sim_time event_at; /* SIM_NEVER: none */
    uint32_t saving;   /* SMs */
    struct device_use use;
    /* copies */
    uint32_t copying;
    struct device_stream *copy_queue, **copy_queue_end;
};

enum { CHANNEL_H2D, CHANNEL_D2H, CHANNEL_PEER, CHANNELS };

struct flows {
    struct device_stream **at;
    uint32_t n, cap;
};

struct device {
    struct sim *sim;
    struct device_params params;
    uint64_t bandwidth, link, duplex, pageable, peer; /* bytes/s */
    sim_time switch_ns, preempt_ns, latency_ns, slice_ns;
    uint64_t gap, graph_gap; /* ps */
    uint32_t *reach;         /* [sms + 1], 1/1000 */
    struct device_partition **partition;
    uint32_t n_partitions;
    bool parted; /* device_partition was called */
    struct device_context *contexts;
    struct device_stream *streams;
    uint32_t n_streams;
    struct flows flows[CHANNELS];
    sim_time link_since;
    sim_event link_event;
};

/* device.c */
struct command *device_first(struct device_stream *s); /* the first that has not ended */

/* device_stream.c: what a stream does next; the first has ended (advance and settle are the
 * caller's). */
void device_next(struct device_stream *s);
void device_finish(struct device_stream *s, struct device_call *done);
void device_tell_drained(struct device_context *c);                             /* if it is */
void device_tell(struct device *d, sim_fn *fn, const struct device_call *call); /* by an event */

/* device_kernels.c */
void device_advance(struct device_partition *p); /* where it is seen, nothing changes */
/* Of what is on: SMs, speeds, the next event. */
void device_plan(struct device_partition *p);
void device_unplan(struct device_partition *p);
void device_list(struct device_stream *s); /* run is filled */
void device_unlist(struct device_stream *s);

/* device_place.c */
bool device_has_tail(const struct run *r);
bool device_place(struct device_partition *p, struct group *g); /* true: somebody lacks SMs */

/* device_speed.c */
uint32_t device_fill(const struct device *d, const struct device_work *w);
uint64_t device_speed(const struct device *d, const struct device_work *w, uint32_t sms);
uint32_t device_loads(const struct device_work *w, uint32_t fill); /* 0: not known */
uint32_t device_waves(const struct run *r, uint32_t sms);
void device_share_bandwidth(struct group *g, uint32_t bandwidth);

/* device_turns.c */
void device_settle(struct device_partition *p);
void device_group_work(struct group *g); /* it has work now; none any more */
void device_group_idle(struct group *g);

/* device_copy.c */
void device_copy_begin(struct device_stream *s);
bool device_copy_withdraw(struct device_stream *s); /* false: it has begun */

#endif
