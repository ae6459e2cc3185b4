/* calibrate_gpu_memory.c - bandwidth over SMs, latency over working sets. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/calibrate/calibrate_gpu.h"
#include "sim/rng.h"

static double copy_us(struct calibrate_gpu *g, cu_pointer to, cu_pointer from, size_t bytes,
                      uint32_t blocks)
{
    const struct probe_copy_args args = {(void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes / 8};
    double us[CALIBRATE_REPEATS];
    for (int i = 0; i < g->c->repeats; i++) {
        cuprobe_begin(&g->p);
        cuprobe_launch(&g->p, PROBE_copy, blocks, &args, NULL);
        us[i] = cuprobe_end_us(&g->p);
    }
    return calibrate_median(us, g->c->repeats);
}

/* Bytes read and written per second by so many blocks, less what a copy of nothing takes. */
static double rate(struct calibrate_gpu *g, cu_pointer to, cu_pointer from, size_t bytes,
                   uint32_t blocks)
{
    double us = copy_us(g, to, from, bytes, blocks) - copy_us(g, to, from, 0, blocks);
    return us > 0 ? 2.0 * (double)bytes / us * 1e6 : 0;
}

/* Blocks of 1024 threads go to SMs in turn: so many blocks, so many SMs. */
static void reach(struct calibrate_gpu *g)
{
    size_t bytes = g->c->quick ? (size_t)4 << 20 : (size_t)512 << 20;
    cu_pointer to = cuprobe_alloc(&g->p, bytes), from = cuprobe_alloc(&g->p, bytes);
    uint32_t sms = (uint32_t)cuprobe_attribute(&g->p, CU_ATTR_SM_COUNT), last = 0;
    double all = rate(g, to, from, bytes, 2 * sms), gb = all / 1e9;
    calibrate_gpu_add(g, "gpu.bandwidth", "GB/s", &gb, 1,
                      "a copy by two blocks of 1024 threads on each SM, read and written");
    struct calibrate_row *row =
        calibrate_gpu_table(g, "gpu.reach", "1",
                            "a copy by one block of 1024 threads on each of "
                            "so many SMs, 1/1000 of all of them");
    calibrate_knot(row, 0, 0);
    for (uint32_t share = 1; share <= 16 && !g->p.bad; share++) {
        uint32_t blocks = sms * share / 16;
        if (blocks > last && all > 0)
            calibrate_knot(row, blocks * 1000 / sms,
                           share == 16 ? 1000 : 1000 * rate(g, to, from, bytes, blocks) / all);
        last = blocks;
    }
    cuprobe_free(&g->p, to);
    cuprobe_free(&g->p, from);
}

/* One cycle through all lines, in an order that no prefetcher guesses (Sattolo's). */
static void make_chain(uint32_t *next, uint32_t lines)
{
    enum { WORDS = PROBE_LINE / 4 };
    struct rng r;
    rng_init(&r, 1, "calibrate", "chase");
    for (uint32_t i = 0; i < lines; i++)
        next[i * WORDS] = i * WORDS;
    for (uint32_t i = lines - 1; i > 0; i--) {
        uint32_t k = (uint32_t)rng_below(&r, i), v = next[i * WORDS];
        next[i * WORDS] = next[k * WORDS];
        next[k * WORDS] = v;
    }
}

static double chase_ns(struct calibrate_gpu *g, cu_pointer chain, size_t bytes)
{
    cu_pointer at = 0;
    uint64_t *out = cuprobe_pinned(&g->p, 64, &at);
    uint64_t lines = bytes / PROBE_LINE, steps = lines < 65536 ? lines : 65536;
    double ns[CALIBRATE_REPEATS] = {0};
    const struct probe_chase_args args = {(void *)(uintptr_t)chain, (void *)(uintptr_t)at,
                                          (void *)(uintptr_t)(at + 8), steps};
    cuprobe_launch(&g->p, PROBE_chase, 1, &args, NULL); /* what fits comes into the caches */
    cuprobe_wait(&g->p, NULL);
    for (int i = 0; i < g->c->repeats && !g->p.bad; i++) {
        cuprobe_launch(&g->p, PROBE_chase, 1, &args, NULL);
        cuprobe_wait(&g->p, NULL);
        ns[i] = (double)*out / (double)steps;
    }
    cuprobe_unpin(&g->p, out);
    return calibrate_median(ns, g->c->repeats);
}

static void chase(struct calibrate_gpu *g)
{
    size_t most = g->c->quick ? (size_t)1 << 20 : (size_t)512 << 20;
    struct calibrate_row *row = calibrate_gpu_table(
        g, "gpu.chase", "ns", "dependent loads by one thread in random order, by bytes");
    for (size_t bytes = 32 << 10; bytes <= most && !g->p.bad; bytes *= 2) {
        uint32_t *next = malloc(bytes);
        cu_pointer chain = cuprobe_alloc(&g->p, bytes);
        if (next && chain) {
            make_chain(next, (uint32_t)(bytes / PROBE_LINE));
            cuprobe_copy(&g->p, true, chain, next, bytes, NULL);
            cuprobe_wait(&g->p, NULL);
            calibrate_knot(row, bytes, chase_ns(g, chain, bytes));
        }
        cuprobe_free(&g->p, chain);
        free(next);
    }
    if (!row->n)
        snprintf(row->skipped, sizeof row->skipped, "no memory to chase through");
}

void calibrate_gpu_memory(struct calibrate_gpu *g)
{
    reach(g);
    chase(g);
}
