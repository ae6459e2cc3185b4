/* disk.h - the machine's disk as tenants use it: what an I/O takes there.
 *
 * Several I/Os at once, each as long as its size says (a table of the profile)
 * times what the caller draws; more wait, first come first served.           */
#ifndef MODELS_HOST_DISK_H
#define MODELS_HOST_DISK_H

#include "models/machine.h"
#include "sim/station.h"

struct disk_io { /* the caller's until done */
    struct job job;
};

struct disk;
int disk_new(struct disk **d, struct sim *s, struct machine_use *use, struct err *e) MUST_CHECK;
void disk_free(struct disk *d);
void disk_submit(struct disk *d, struct disk_io *io, uint64_t bytes, bool write, double times,
                 sim_fn *done, void *ctx);

#endif
