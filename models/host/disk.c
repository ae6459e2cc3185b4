#include "models/host/disk.h"

#define BLOCK  UINT64_C(4096)
#define BLOCKS (UINT64_C(1) << 26)

void disk_submit(struct ssd *d, struct disk_io *io, uint64_t bytes, bool write, struct rng *where,
                 sim_fn *done, void *ctx)
{
    io->io = (struct ssd_io){.offset = rng_below(where, BLOCKS) * BLOCK,
                             .bytes = bytes ? bytes : 1,
                             .write = write,
                             .done = done,
                             .ctx = ctx};
    ssd_submit(d, &io->io);
}
