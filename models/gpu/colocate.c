#include "models/gpu/colocate.h"

#include <math.h>
#include <stdio.h>

int colocate_read(struct colocate_demand *d, struct machine_use *u, const char *gpu,
                  const char *job, struct err *e)
{
    char key[160];
    const struct machine_cost *t;
    snprintf(key, sizeof key, "gpu.colocate.%.48s.%.80s", gpu, job);
    const int rc = machine_table(u, key, &t, e);
    if (rc)
        return rc;
    if (t->n != 2 * COLOCATE_RESOURCES || t->quantity != QUANTITY_COUNT)
        return err_set(e, ERR_EPARSE, "machine \"%s\": %s: got %zu values, want %d in 1/1000",
                       u->machine->name, key, t->n, 2 * COLOCATE_RESOURCES);
    for (size_t k = 0; k < COLOCATE_RESOURCES; k++) {
        d->sensitivity[k] = (double)t->y[k] / 1000;
        d->pressure[k] = (double)t->y[COLOCATE_RESOURCES + k] / 1000;
    }
    return 0;
}

static double felt(const struct colocate_demand *by, const struct colocate_demand *from)
{
    double sum = 0;
    for (size_t k = 0; k < COLOCATE_RESOURCES; k++)
        sum += by->sensitivity[k] * from->pressure[k];
    return sum;
}

/* The root, without the difference of two large numbers. */
static double root(double a, double b)
{
    const double half = 1 + a - b, whole = sqrt(half * half + 4 * b);
    return half > 0 ? 2 / (half + whole) : (whole - half) / (2 * b);
}

void colocate_pair(const struct colocate_demand *a, const struct colocate_demand *b, double *of_a,
                   double *of_b)
{
    const double to_a = felt(a, b), to_b = felt(b, a);
    *of_a = root(to_a, to_b);
    *of_b = root(to_b, to_a);
}
