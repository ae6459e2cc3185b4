/* uvm_pattern.c - what each unit touches in each step. */
#include <assert.h>

#include "models/gpu/uvm_model.h"
#include "sim/rng.h"

enum { LANES = 32, ARRAYS = 3 };

struct pattern {
    const struct uvm_setup *s;
    uint64_t array[ARRAYS], bytes; /* of each array */
    uint64_t range;                /* of a unit in one step */
    uint32_t units;
    uint64_t seed, reach; /* a gather reads below reach */
};

/* rand() % n never goes beyond 2^31 elements. */
#define RAND_ELEMENTS (UINT64_C(1) << 31)

static bool range_of(const struct pattern *p, uint32_t unit, uint64_t k, uint64_t *at,
                     uint64_t *bytes)
{
    *at = (k * p->units + unit) * p->range;
    if (*at >= p->bytes)
        return false;
    *bytes = p->bytes - *at < p->range ? p->bytes - *at : p->range;
    return true;
}

/* A range of an array; what of it is used crosses the link when it is reached over it. */
static struct uvm_access piece(const struct pattern *p, int array, uint64_t at, uint64_t bytes,
                               bool write)
{
    uint64_t used = p->s->stride > UVM_SECTOR ? bytes / p->s->stride * UVM_SECTOR : bytes;
    return (struct uvm_access){p->array[array] + at, bytes, (uint32_t)used, write};
}

static void random_pages(const struct pattern *p, int array, uint32_t unit, uint64_t k,
                         uint64_t reach, struct uvm_access *out)
{
    for (uint32_t i = 0; i < LANES; i += 4) {
        uint32_t key[2] = {(uint32_t)p->seed, 0x75766d}, x[4];
        uint32_t counter[4] = {unit, (uint32_t)k, (uint32_t)(k >> 32), i};
        rng_philox(counter, key, x);
        for (uint32_t j = 0; j < 4; j++) {
            uint64_t page = x[j] * (reach / UVM_PAGE) >> 32;
            out[i + j] =
                (struct uvm_access){p->array[array] + page * UVM_PAGE, 4, UVM_SECTOR, false};
        }
    }
}

static uint32_t step_stream(void *ctx, uint32_t unit, uint64_t step,
                            struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    uint64_t at, bytes;
    if (!range_of(p, unit, step / 2, &at, &bytes))
        return 0;
    out[0] = piece(p, (int)(step % 2), at, bytes, step % 2);
    return 1;
}

static uint32_t step_triad(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    uint64_t at, bytes;
    if (!range_of(p, unit, step / 2, &at, &bytes))
        return 0;
    out[0] = piece(p, step % 2 ? 0 : 1, at, bytes, step % 2);
    out[1] = piece(p, 2, at, bytes, false);
    return step % 2 ? 1 : 2;
}

static uint32_t step_gather(void *ctx, uint32_t unit, uint64_t step,
                            struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    uint64_t at, bytes;
    if (!range_of(p, unit, step / 3, &at, &bytes))
        return 0;
    if (step % 3 == 1) {
        random_pages(p, 1, unit, step / 3, p->reach, out);
        return LANES;
    }
    out[0] = piece(p, (int)(step % 3), at, bytes, step % 3 == 2);
    return 1;
}

/* A list of nodes in nine tenths of the array and a result for each in the rest.  Thread t starts
 * at node t * stride; node i points to that of the Numerical Recipes generator's i-th successor. */
enum { NODE = 12, RESULT = 4 };

static uint64_t nodes(const struct pattern *p)
{
    return p->bytes / 10 * 9 / NODE;
}

static uint64_t next_node(const struct pattern *p, uint64_t i)
{
    return (UINT32_C(1664525) * (uint32_t)i + UINT32_C(1013904223)) % nodes(p);
}

static uint32_t step_chase(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    if (step > p->s->steps)
        return 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        uint64_t start = (unit * UINT64_C(32) + lane) * (p->s->stride / NODE) % nodes(p), i = start;
        for (uint64_t k = 0; k < step; k++)
            i = next_node(p, i);
        out[lane] = (struct uvm_access){p->array[0] + i * NODE, 8, UVM_SECTOR, false};
        if (step == p->s->steps)
            out[lane] = (struct uvm_access){p->array[0] + nodes(p) * NODE + start * RESULT, RESULT,
                                            UVM_SECTOR, true};
    }
    return LANES;
}

/* Pages of elements that all threads together touch in one pass. */
static double touches(const struct pattern *p, uint32_t arrays)
{
    if (p->s->pattern == UVM_CHASE)
        return (double)p->s->threads * p->s->steps;
    return (double)(p->bytes / p->s->stride) * arrays;
}

static int setup(struct pattern *p, struct uvm *u, uint32_t arrays, struct err *e)
{
    const struct uvm_setup *s = p->s;
    int rc = 0;
    p->bytes = s->bytes / arrays / UVM_PAGE * UVM_PAGE;
    p->range = s->stride * LANES > UVM_PAGE ? s->stride * LANES : UVM_PAGE;
    p->units = (uint32_t)(s->threads * s->stride / p->range);
    if (s->pattern == UVM_CHASE)
        p->units = s->threads / LANES;
    p->units += !p->units;
    p->reach = p->bytes < RAND_ELEMENTS * 4 ? p->bytes : RAND_ELEMENTS * 4;
    for (uint32_t i = 0; !rc && i < arrays; i++) {
        rc = uvm_alloc(u, p->bytes, s->on_host, &p->array[i], e);
        if (!rc && s->mode == UVM_MODE_READ_MOSTLY)
            uvm_advise(u, p->array[i], p->bytes, UVM_READ_MOSTLY);
        if (!rc && s->mode == UVM_HOST)
            uvm_advise(u, p->array[i], p->bytes, UVM_PREFER_HOST);
        if (!rc && s->mode == UVM_PREFETCH)
            uvm_prefetch(u, p->array[i], p->bytes);
    }
    sim_cost waited;
    if (!rc && s->pattern == UVM_CHASE && !s->on_host) /* the GPU makes the list */
        rc = uvm_touch(u, p->array[0], nodes(p) * NODE, true, &waited, e);
    return rc;
}

static int passes(struct pattern *p, struct uvm *u, struct uvm_result *out, struct err *e)
{
    static uint32_t (*const step[])(void *, uint32_t, uint64_t, struct uvm_access *) = {
        step_stream, step_triad, step_gather, step_chase};
    struct uvm_walk w = {p->units, step[p->s->pattern], p};
    struct uvm_stats warm = {0};
    int rc = 0;
    for (uint32_t i = 0; !rc && i < p->s->warmup + p->s->passes; i++) {
        if (i == p->s->warmup)
            uvm_used(u, &warm);
        rc = uvm_walk(u, &w, e);
    }
    uvm_used(u, &out->s);
    out->s.time -= warm.time;
    out->s.batches -= warm.batches;
    out->s.services -= warm.services;
    out->s.faults -= warm.faults;
    out->s.in -= warm.in;
    out->s.out -= warm.out;
    out->s.over -= warm.over;
    out->s.evictions -= warm.evictions;
    return rc;
}

int uvm_simulate(const struct uvm_setup *s, const struct uvm_params *params, uint64_t seed,
                 struct uvm_result *out, struct err *e)
{
    static const uint32_t arrays[] = {2, 3, 3, 1};
    struct pattern p = {.s = s, .seed = seed};
    struct uvm *u;
    *out = (struct uvm_result){0};
    int rc = uvm_new(&u, params, e);
    if (!rc)
        rc = setup(&p, u, arrays[s->pattern], e);
    out->touched = p.bytes * arrays[s->pattern];
    out->gpu = (double)out->touched * s->gpu_byte + touches(&p, arrays[s->pattern]) * s->gpu_touch;
    if (!rc)
        rc = passes(&p, u, out, e);
    uvm_free(u);
    return rc;
}
