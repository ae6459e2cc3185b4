/* calibrate_gpu_copy.c - copies between the host and the device, by size. */
#include <stdlib.h>
#include <string.h>

#include "harness/calibrate/calibrate_gpu.h"

enum { LEAST = 4096 };

static size_t most(const struct calibrate_gpu *g)
{
    return g->c->quick ? (size_t)4 << 20 : (size_t)256 << 20;
}

struct side {
    void *host;
    cu_pointer device;
};

static double one_way_us(struct calibrate_gpu *g, bool to_device, const struct side *s, size_t n)
{
    double us[CALIBRATE_REPEATS];
    for (int i = 0; i < g->c->repeats; i++) {
        uint64_t begin = g->now();
        cuprobe_copy(&g->p, to_device, s->device, s->host, n, NULL);
        cuprobe_wait(&g->p, NULL);
        us[i] = (double)(g->now() - begin) / 1e3;
    }
    return calibrate_median(us, g->c->repeats);
}

/* The table; its last slope, in GB/s, is what a long copy runs at. */
static double curve(struct calibrate_gpu *g, const char *leaf, bool to_device, const struct side *s,
                    const char *how)
{
    struct calibrate_row *row = calibrate_gpu_table(g, leaf, "us", how);
    double half = 0, whole = 0;
    for (size_t n = LEAST; n <= most(g) && !g->p.bad; n *= 4)
        calibrate_knot(row, n, one_way_us(g, to_device, s, n));
    half = one_way_us(g, to_device, s, most(g) / 2);
    whole = one_way_us(g, to_device, s, most(g));
    return whole > half ? (double)(most(g) / 2) / (whole - half) / 1e3 : 0;
}

/* The device's own time of a copy of a few bytes. */
static void latency(struct calibrate_gpu *g, const struct side *s)
{
    double us[CALIBRATE_REPEATS];
    for (int i = 0; i < g->c->repeats; i++) {
        cuprobe_begin(&g->p);
        cuprobe_copy(&g->p, true, s->device, s->host, 16, NULL);
        us[i] = cuprobe_end_us(&g->p);
    }
    calibrate_gpu_add(g, "link.copy_latency", "us", us, g->c->repeats,
                      "between events around a pinned copy of 16 bytes to the device");
}

static void both_ways(struct calibrate_gpu *g, const struct side *a, const struct side *b)
{
    double rate[CALIBRATE_REPEATS];
    cu_stream other = cuprobe_stream(&g->p);
    size_t n = most(g);
    for (int i = 0; i < g->c->repeats; i++) {
        uint64_t begin = g->now();
        cuprobe_copy(&g->p, true, a->device, a->host, n, NULL);
        cuprobe_copy(&g->p, false, b->device, b->host, n, other);
        cuprobe_wait(&g->p, NULL);
        cuprobe_wait(&g->p, other);
        rate[i] = 2.0 * (double)n / (double)(g->now() - begin);
    }
    if (other)
        g->p.d.cuStreamDestroy_v2(other);
    calibrate_gpu_add(g, "link.duplex", "GB/s", rate, g->c->repeats,
                      "pinned copies both ways at once, in two streams, together");
}

static void pinned(struct calibrate_gpu *g, const struct side *a, const struct side *b)
{
    double rate = curve(g, "link.h2d", true, a, "pinned copy to the device and wait, by bytes");
    calibrate_gpu_add(g, "link.pcie", "GB/s", &rate, 1,
                      "slope of the longest pinned copies to the device");
    rate = curve(g, "link.d2h", false, b, "pinned copy to the host and wait, by bytes");
    calibrate_gpu_add(g, "link.pcie_back", "GB/s", &rate, 1,
                      "slope of the longest pinned copies to the host");
    latency(g, a);
    both_ways(g, a, b);
}

void calibrate_gpu_copies(struct calibrate_gpu *g)
{
    struct side a = {cuprobe_pinned(&g->p, most(g), NULL), cuprobe_alloc(&g->p, most(g))};
    struct side b = {cuprobe_pinned(&g->p, most(g), NULL), cuprobe_alloc(&g->p, most(g))};
    struct side paged = {malloc(most(g)), a.device};
    if (!paged.host || !a.host || !b.host) {
        calibrate_skip(g->c, "link.pcie", "no memory to copy");
    } else {
        memset(paged.host, 1, most(g)); /* its pages are there */
        pinned(g, &a, &b);
        double rate = curve(g, "link.h2d_pageable", true, &paged,
                            "pageable copy to the device and wait, by bytes");
        calibrate_gpu_add(g, "link.pageable", "GB/s", &rate, 1,
                          "slope of the longest pageable copies to the device");
    }
    free(paged.host);
    cuprobe_unpin(&g->p, a.host);
    cuprobe_unpin(&g->p, b.host);
    cuprobe_free(&g->p, a.device);
    cuprobe_free(&g->p, b.device);
}
