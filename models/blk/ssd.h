/* ssd.h - a solid-state drive: what an I/O meets on its way through one.
 *
 *   command     fixed time of controller, bus and driver; any number at once
 *   depth       commands inside; more wait in front, first come first served
 *   read        cut at stripe borders; a stripe lies on one die, chosen by its
 *               number; a die does one thing at a time; then the bytes cross
 *               the read link, one after another
 *   write       crosses the write link into the buffer, stripe by stripe as
 *               there is room, and is then done; full stripes are programmed
 *               on the dies in turn
 *   a die       first come first served, but up to `overtake` reads may pass a
 *               waiting program: the controller favours reads until its buffer
 *               has to drain
 *
 * Slow periods, each with its cause:
 *   collection  a die whose free stripes fall to `gc_low` turns blocks over until
 *               it has `gc_high`: it moves what is valid of a block (a read and
 *               a program per stripe), then erases it.  Its steps alternate with
 *               the host's; without a free stripe nothing else is programmed.
 *   flush       every `flush_bytes` written, each die is held for `flush_time`
 *               while the drive writes its tables out
 *
 * Not modelled: reads that hit the buffer, wear, errors and retries, which block
 * is collected (all hold the same valid share), the drive's power states.
 *
 * Times come from "ssd.NAME" of a machine profile.  Service is deterministic; what
 * is random is where stripes lie.  An ssd belongs to one simulation.        */
#ifndef MODELS_BLK_SSD_H
#define MODELS_BLK_SSD_H

#include <stdbool.h>

#include "models/machine.h"
#include "sim/sim.h"

/* What an I/O's time is made of; the ns of each sum to its latency. */
#define SSD_PARTS(X)                                                                               \
    X(queue, "waiting for a place among the device's commands")                                    \
    X(command, "controller, bus and driver")                                                       \
    X(read, "waiting for other reads on the die")                                                  \
    X(program, "waiting for programs on the die")                                                  \
    X(gc, "waiting for garbage collection on the die")                                             \
    X(flush, "waiting for a flush of the drive's tables")                                          \
    X(flash, "its own time on the die")                                                            \
    X(link, "waiting for the link and crossing it; writes: also for room in the buffer")
enum ssd_part {
#define X(name, what) SSD_##name,
    SSD_PARTS(X)
#undef X
        SSD_PARTS_N
};
#define SSD_CAUSES SSD_flash /* queue and command aside: SSD_read .. SSD_flush keep a die busy */

struct ssd_params {
    uint64_t dies, depth, overtake;
    uint64_t stripe, buffer;         /* bytes */
    sim_cost command, program;       /* ps; program: of one stripe */
    const struct machine_cost *read; /* bytes of a stripe -> ps on the die */
    sim_cost read_byte, write_byte;  /* ps on the link */
    uint64_t free, gc_low, gc_high;  /* stripes of a die; gc_low 0: never collects */
    uint64_t block, valid;           /* stripes of a block; of it, valid when collected */
    sim_cost erase;
    uint64_t flush_bytes; /* 0: never */
    sim_cost flush_time;
};
/* "ssd.NAME.*" of the profile; fails where one is missing or they do not fit together. */
int ssd_params(struct ssd_params *p, struct machine_use *use, const char *name,
               struct err *e) MUST_CHECK;

struct ssd;
struct ssd_io { /* the caller's until done */
    uint64_t offset, bytes;
    bool write;
    sim_fn *done; /* (ctx, arg) when it is finished */
    void *ctx;
    uint64_t arg;

    /* filled by the drive */
    sim_time submitted, ended;
    uint64_t part[SSD_PARTS_N]; /* ns; complete when done is called */
    uint64_t left;              /* bytes not yet in the buffer */
    uint32_t pieces;            /* on dies or on the link */
    struct ssd *in;
    struct ssd_io *next;
};

struct ssd_stats {
    uint64_t reads, writes, read_bytes, write_bytes; /* finished */
    uint64_t programs, moves, erases, flushes;       /* flushes: of dies */
    uint64_t busy[SSD_CAUSES];                       /* ns of all dies, by cause */
    uint64_t inside, waiting;                        /* commands now */
    uint64_t buffered;                               /* bytes now */
};

struct ssd *ssd_new(struct sim *s, const struct ssd_params *p); /* NULL when out of memory */
void ssd_free(struct ssd *d);
void ssd_submit(struct ssd *d, struct ssd_io *io); /* out of memory: sim_fail */
/* How long a read would take if it came now and nothing came after it (ns); exact while nothing
 * overtakes, collects or flushes. */
sim_time ssd_foresee(const struct ssd *d, uint64_t offset, uint64_t bytes);
void ssd_stats(const struct ssd *d, struct ssd_stats *out);

#endif
