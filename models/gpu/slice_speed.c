#include "models/gpu/slice_speed.h"

#include "sim/dmath.h"

int slice_speed_read(struct slice_speed *s, struct machine_use *u, struct err *e)
{
    int rc = machine_value(u, "gpu.slice.compute", QUANTITY_COUNT, &s->compute, e);
    if (!rc)
        rc = machine_value(u, "gpu.slice.memory", QUANTITY_COUNT, &s->memory, e);
    if (!rc)
        rc = machine_value(u, "gpu.slice.overlap", QUANTITY_COUNT, &s->overlap, e);
    if (!rc && s->compute + s->memory > 1)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": gpu.slice: got compute %g and memory %g, want shares of 1",
                       u->machine->name, s->compute, s->memory);
    if (!rc && !(s->overlap >= 1 && s->overlap <= 64))
        return err_set(e, ERR_ERANGE, "machine \"%s\": gpu.slice.overlap: got %g, want 1..64",
                       u->machine->name, s->overlap);
    return rc;
}

double slice_speed_factor(const struct slice_speed *s, double sms, double memory)
{
    return 1 + s->compute * (sms - 1) + s->memory * (memory - 1);
}

double slice_speed_time(const struct slice_speed *s, double g, double factor)
{
    const double gpu = dmath_pow(g, s->overlap);
    return dmath_pow(1 - gpu + gpu * dmath_pow(factor, s->overlap), 1 / s->overlap);
}

double slice_speed_load(const struct slice_speed *s, double time, double factor)
{
    const double gpu = (dmath_pow(time, s->overlap) - 1) / (dmath_pow(factor, s->overlap) - 1);
    if (!(gpu > 0))
        return 0;
    return gpu < 1 ? dmath_pow(gpu, 1 / s->overlap) : 1;
}
