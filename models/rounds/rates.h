/* rates.h - how fast every kind of job runs on every type of GPU, alone and beside another.
 *
 * A kind is what a job runs and on how many GPUs ("LM (batch size 5)" on 4 of them are another
 * kind than on 1).  Rates are steps per second; 0: it does not run there.                    */
#ifndef MODELS_ROUNDS_RATES_H
#define MODELS_ROUNDS_RATES_H

#include <stdint.h>

#include "traces/record.h"

#define RATES_TYPES_MAX 16
#define RATES_KINDS_MAX 4096
#define RATES_GPUS_MAX  1024

struct rates {
    uint32_t types, kinds;
    char *type[RATES_TYPES_MAX];
    char **name;    /* [kinds] */
    uint32_t *gpus; /* [kinds] */
    double *alone;  /* [types][kinds] */
    double *beside; /* [types][kinds][kinds]: of the first, beside the second on the same GPUs */
};

/* From rows of costs: `name` of the job, `where` a type of GPU (others are passed over), `with`
 * what ran beside it; key 0: on how many GPUs, key 1: how many the other has; in picoseconds a
 * step, or in millionths of steps per second.  A pair counts when both of its rows are there and
 * not 0. Ownership: rates_free; *out is NULL after an error. */
int rates_read(struct rates **out, struct row_source *rows, const char *const *type, uint32_t types,
               struct err *e) MUST_CHECK;
void rates_free(struct rates *r);

#define RATES_NONE UINT32_MAX
uint32_t rates_kind(const struct rates *r, const char *name, uint32_t gpus); /* or RATES_NONE */

static inline double rates_alone(const struct rates *r, uint32_t type, uint32_t kind)
{
    return r->alone[type * r->kinds + kind];
}
static inline double rates_beside(const struct rates *r, uint32_t type, uint32_t a, uint32_t b)
{
    return r->beside[((uint64_t)type * r->kinds + a) * r->kinds + b];
}

#endif
