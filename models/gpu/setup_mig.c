/* setup_mig.c - partitions named by MIG profiles: what they are on this machine. */
#include "models/gpu/mig.h"
#include "models/gpu/setup.h"

int gpu_setup_slices(struct gpu_setup *s, struct machine_use *u, struct err *e)
{
    struct mig_table t;
    if (!s->partitions || !s->slice[0])
        return 0;
    int rc = mig_table_read(&t, u, e);
    struct mig m = {.table = &t};
    if (!rc)
        rc = mig_layout(&m, s->slice, s->partitions, s->partition, e);
    return rc ? err_wrap(e, rc, "gpu.partitions") : 0;
}
