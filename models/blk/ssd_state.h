/* ssd_state.h - the inside of a drive, shared by ssd*.c only. */
#ifndef MODELS_BLK_SSD_STATE_H
#define MODELS_BLK_SSD_STATE_H

#include "models/blk/ssd.h"

struct ssd_op {        /* a piece of a read, or a program, waiting for its die */
    struct ssd_io *io; /* NULL: a program */
    uint64_t bytes, order, passed;
    uint64_t seen[SSD_CAUSES]; /* what the die had done when it came */
    struct ssd_op *next;
};

struct ssd_line {
    struct ssd_op *first, **last;
};

struct ssd_die {
    struct ssd *d;
    struct ssd_line reads, programs;
    struct ssd_op *at; /* NULL while busy: a step of its own */
    bool busy, own_turn;
    enum ssd_part cause; /* why it is busy */
    sim_time since, until;
    uint64_t did[SSD_CAUSES]; /* ns, finished */
    uint64_t queued_ns;       /* service of all that waits */
    uint64_t free, moves;     /* stripes; left to move in the block being collected */
    bool collecting, erasing;
    uint64_t flushes; /* done, of the drive's */
};

struct ssd {
    struct sim *sim;
    struct ssd_params p;
    struct carry carry;
    struct ssd_die *die; /* [p.dies] */
    uint64_t next_die, order;
    uint64_t open;              /* bytes of the stripe being filled */
    uint64_t buffered, flushed; /* bytes; host bytes written since the last flush */
    uint64_t flushes;           /* ordered */
    sim_time read_free, write_free;
    struct ssd_io *waiting, **waiting_last; /* for a place among the commands */
    struct ssd_io *filling, **filling_last; /* writes not wholly in the buffer */
    struct ssd_op *spare;
    struct ssd_stats n;
};

static inline sim_time ssd_ns(struct ssd *d, sim_cost ps)
{
    return carry_ns(&d->carry, ps);
}

/* ssd.c */
void ssd_piece_read(struct ssd *d, struct ssd_op *op); /* off its die, on to the link */
void ssd_programmed(struct ssd *d);                    /* a stripe has left the buffer */

/* ssd_die.c */
bool ssd_die_add(struct ssd *d, uint64_t die, struct ssd_io *io, uint64_t bytes);
void ssd_die_kick(struct ssd_die *q);
uint64_t ssd_die_backlog(const struct ssd_die *q); /* ns until all that is queued is done */
sim_cost ssd_die_cost(const struct ssd *d, bool program, uint64_t bytes);

#endif
