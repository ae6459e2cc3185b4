/* disk.h - the machine's drive as tenants use it: models/blk/ssd.h, somewhere on it.
 *
 * All tenants share one drive; where an I/O lies is drawn, uniformly over the
 * first 256 GiB in steps of 4 KiB.                                           */
#ifndef MODELS_HOST_DISK_H
#define MODELS_HOST_DISK_H

#include "models/blk/ssd.h"
#include "sim/rng.h"

struct disk_io { /* the caller's until done */
    struct ssd_io io;
};

void disk_submit(struct ssd *d, struct disk_io *io, uint64_t bytes, bool write, struct rng *where,
                 sim_fn *done, void *ctx);

#endif
