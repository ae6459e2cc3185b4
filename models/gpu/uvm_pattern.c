/* uvm_pattern.c - what each unit touches in each step. */
#include <assert.h>
#include <stdlib.h>

#include "models/gpu/uvm_model.h"
#include "sim/rng.h"

enum { LANES = 32, ARRAYS = 3 };

struct pattern {
    const struct uvm_setup *s;
    uint64_t array[ARRAYS], bytes; /* of each array */
    uint64_t range;                /* of a unit in one step */
    uint64_t chunk;                /* of a thread, bytes */
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

static uint32_t lcg(uint32_t x)
{
    return UINT32_C(1664525) * x + UINT32_C(1013904223); /* Numerical Recipes */
}

/* The k-th element of a chunk of n, as eunomia-bpf's rand_chunk_kernel orders them. */
static uint64_t shuffled(uint64_t thread, uint64_t k, uint64_t n)
{
    const uint32_t seed = lcg(UINT32_C(0x12345678) ^ (uint32_t)thread);
    return (lcg(seed ^ UINT32_C(0xdeadbeef)) % n + k * (seed | 1)) % n;
}

static uint32_t step_chunks(void *ctx, uint32_t unit, uint64_t step,
                            struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    uint32_t busy = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        const uint64_t thread = (uint64_t)unit * LANES + lane, from = thread * p->chunk;
        const uint64_t left = from < p->bytes ? p->bytes - from : 0;
        const uint64_t n = (left < p->chunk ? left : p->chunk) / p->s->stride;
        if (step / 2 >= n)
            continue;
        const uint64_t k = p->s->order == UVM_SHUFFLED ? shuffled(thread, step / 2, n) : step / 2;
        out[busy++] = (struct uvm_access){p->array[step % 2] + from + k * p->s->stride, 4,
                                          UVM_SECTOR, step % 2};
    }
    return busy;
}

enum { NODE = 12 };

/* Each thread's list begins with the first node of its chunk, and stays in it. */
static uint32_t step_chase(void *ctx, uint32_t unit, uint64_t step,
                           struct uvm_access out[UVM_ACCESSES])
{
    const struct pattern *p = ctx;
    const uint64_t n = p->chunk / NODE;
    if (step > p->s->steps)
        return 0;
    for (uint32_t lane = 0; lane < LANES; lane++) {
        const uint64_t thread = (uint64_t)unit * LANES + lane;
        uint64_t i = thread * n;
        for (uint64_t k = 0; k < step; k++)
            i = thread * n + lcg((uint32_t)i) % n;
        out[lane] = (struct uvm_access){p->array[0] + i * NODE, 8, UVM_SECTOR, false};
        if (step == p->s->steps)
            out[lane] = (struct uvm_access){p->array[1] + thread * 4, 4, UVM_SECTOR, true};
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

static uint64_t divided_up(uint64_t x, uint64_t by)
{
    return (x + by - 1) / by;
}

/* How many units, and what one of them goes over in a step. */
static void shape(struct pattern *p, uint32_t arrays)
{
    const struct uvm_setup *s = p->s;
    const uint64_t page_nodes = UVM_PAGE / NODE;
    p->bytes = s->bytes / arrays / UVM_PAGE * UVM_PAGE;
    p->range = s->stride * LANES > UVM_PAGE ? s->stride * LANES : UVM_PAGE;
    p->units = (uint32_t)(s->threads * s->stride / p->range);
    p->units += !p->units;
    p->reach = p->bytes < RAND_ELEMENTS * 4 ? p->bytes : RAND_ELEMENTS * 4;
    if (s->pattern != UVM_CHASE && s->order == UVM_GRID)
        return;
    p->units = s->threads / LANES;
    p->chunk = divided_up(divided_up(p->bytes, s->threads), UVM_PAGE) * UVM_PAGE;
    if (s->pattern != UVM_CHASE)
        return;
    p->chunk = divided_up(s->bytes / 10 * 9 / NODE, s->threads);
    p->chunk = divided_up(p->chunk, page_nodes) * page_nodes * NODE;
}

static int allocate(struct pattern *p, struct uvm *u, int array, uint64_t bytes, struct err *e)
{
    const enum uvm_mode mode = p->s->mode;
    int rc = uvm_alloc(u, bytes, p->s->on_host, &p->array[array], e);
    if (!rc && mode == UVM_MODE_READ_MOSTLY)
        uvm_advise(u, p->array[array], bytes, UVM_READ_MOSTLY);
    if (!rc && mode == UVM_HOST)
        uvm_advise(u, p->array[array], bytes, UVM_PREFER_HOST);
    if (!rc && mode == UVM_PREFETCH)
        uvm_prefetch(u, p->array[array], bytes);
    return rc;
}

/* Lists, and a result of each thread. */
static int setup_chase(struct pattern *p, struct uvm *u, struct err *e)
{
    const uint64_t nodes = p->chunk * p->s->threads;
    sim_cost waited;
    int rc = allocate(p, u, 0, nodes, e);
    if (!rc)
        rc = allocate(p, u, 1, p->s->threads * UINT64_C(4), e);
    return rc || p->s->on_host ? rc : uvm_touch(u, p->array[0], nodes, true, &waited, e);
}

static int setup(struct pattern *p, struct uvm *u, uint32_t arrays, struct err *e)
{
    int rc = 0;
    if (p->s->pattern == UVM_CHASE)
        return setup_chase(p, u, e);
    for (uint32_t i = 0; !rc && i < arrays; i++)
        rc = allocate(p, u, (int)i, p->bytes, e);
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const sim_cost *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int passes(struct pattern *p, struct uvm *u, struct uvm_result *out, struct err *e)
{
    static uint32_t (*const step[])(void *, uint32_t, uint64_t, struct uvm_access *) = {
        step_stream, step_triad, step_gather, step_chase};
    const bool chunks = p->s->order != UVM_GRID;
    const struct uvm_walk w = {p->units, p->s->threads / p->units, p->s->block,
                               chunks ? step_chunks : step[p->s->pattern], p};
    struct uvm_stats warm = {0}, before;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < p->s->warmup + p->s->passes; i++) {
        uvm_used(u, &before);
        if (i == p->s->warmup)
            warm = before;
        rc = uvm_walk(u, &w, e);
        uvm_used(u, &out->s);
        if (i >= p->s->warmup)
            out->pass[i - p->s->warmup] = out->s.time - before.time;
    }
    qsort(out->pass, p->s->passes, sizeof out->pass[0], by_time);
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
    shape(&p, arrays[s->pattern]);
    if (!rc)
        rc = setup(&p, u, arrays[s->pattern], e);
    out->touched = p.bytes * arrays[s->pattern];
    out->gpu = (double)out->touched * s->gpu_byte + touches(&p, arrays[s->pattern]) * s->gpu_touch;
    if (!rc)
        rc = passes(&p, u, out, e);
    uvm_free(u);
    return rc;
}
