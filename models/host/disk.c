#include "models/host/disk.h"

#include <stdlib.h>

struct disk {
    struct station *station;
    const struct machine_cost *read, *write;
};

int disk_new(struct disk **out, struct sim *s, struct machine_use *use, struct err *e)
{
    double at_once = 1;
    *out = NULL;
    struct disk *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = machine_table(use, "host.disk_read", &d->read, e);
    if (!rc)
        rc = machine_table(use, "host.disk_write", &d->write, e);
    if (!rc)
        rc = machine_value(use, "host.disk_at_once", QUANTITY_COUNT, &at_once, e);
    if (!rc && !(d->station = station_new(s, "disk", (unsigned)at_once)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (rc)
        disk_free(d);
    else
        *out = d;
    return rc;
}

void disk_free(struct disk *d)
{
    if (d)
        station_free(d->station);
    free(d);
}

void disk_submit(struct disk *d, struct disk_io *io, uint64_t bytes, bool write, double times,
                 sim_fn *done, void *ctx)
{
    const sim_cost ps = machine_table_at(write ? d->write : d->read, bytes);
    const sim_time ns = (sim_time)((double)ps * times / 1000);
    io->job = (struct job){.service = ns ? ns : 1, .done = done, .ctx = ctx};
    station_submit(d->station, &io->job);
}
