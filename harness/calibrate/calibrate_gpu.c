/* calibrate_gpu.c - the GPU: what it is, what a launch costs, how many kernels run together. */
#include "harness/calibrate/calibrate_gpu.h"

#include <stdio.h>

static void with_device(const struct calibrate_gpu *g, const char *how, char text[200])
{
    snprintf(text, 200, "%s; %s, driver for CUDA %d.%d", how, g->p.d.name, g->p.d.version / 1000,
             g->p.d.version % 1000 / 10);
}

void calibrate_gpu_add(struct calibrate_gpu *g, const char *name, const char *unit, double *sample,
                       int n, const char *how)
{
    char text[200];
    with_device(g, how, text);
    if (!g->p.bad)
        calibrate_add(g->c, name, unit, sample, n, text);
}

struct calibrate_row *calibrate_gpu_table(struct calibrate_gpu *g, const char *name,
                                          const char *unit, const char *how)
{
    char text[200];
    with_device(g, how, text);
    return calibrate_table(g->c, name, unit, text);
}

void calibrate_gpu_facts(struct calibrate_gpu *g)
{
    static const struct {
        const char *leaf, *unit;
        unsigned attribute;
        double per;
    } each[] = {{"gpu.sms", "1", CU_ATTR_SM_COUNT, 1},
                {"gpu.warps_per_sm", "1", CU_ATTR_THREADS_PER_SM, 32},
                {"gpu.blocks_per_sm", "1", CU_ATTR_BLOCKS_PER_SM, 1},
                {"gpu.registers_per_sm", "1", CU_ATTR_REGISTERS_PER_SM, 1},
                {"gpu.smem_per_sm", "B", CU_ATTR_SMEM_PER_SM, 1},
                {"gpu.copy_engines", "1", CU_ATTR_COPY_ENGINES, 1}};
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        double v = cuprobe_attribute(&g->p, each[i].attribute) / each[i].per;
        calibrate_gpu_add(g, each[i].leaf, each[i].unit, &v, 1, "as the driver says");
    }
    if (!g->p.cuDeviceTotalMem_v2(&bytes, g->p.d.device)) {
        double v = (double)bytes;
        calibrate_gpu_add(g, "gpu.memory", "B", &v, 1, "as the driver says");
    }
}

/* ---- launches ---- */

static void launch_many(struct calibrate_gpu *g, int n, enum probe_kernel k, const void *args)
{
    for (int i = 0; i < n; i++)
        cuprobe_launch(&g->p, k, 1, args, NULL);
}

/* Host time of each of n launches; then of the wait. */
static void launch_cost(struct calibrate_gpu *g, int n)
{
    double us[CALIBRATE_REPEATS], both[CALIBRATE_REPEATS];
    const struct probe_nothing_args args = {0};
    for (int i = 0; i < g->c->repeats; i++) {
        uint64_t begin = g->now();
        launch_many(g, n, PROBE_nothing, &args);
        cuprobe_wait(&g->p, NULL);
        us[i] = (double)(g->now() - begin) / n / 1e3;
        begin = g->now();
        launch_many(g, 1, PROBE_nothing, &args);
        cuprobe_wait(&g->p, NULL);
        both[i] = (double)(g->now() - begin) / 1e3;
    }
    calibrate_gpu_add(g, "cost.launch", "us", us, g->c->repeats,
                      "empty kernels launched back to back into one stream, each");
    calibrate_gpu_add(g, "gpu.launch_sync", "us", both, g->c->repeats,
                      "one empty kernel launched and waited for, the device idle before");
}

static double spin_us(struct calibrate_gpu *g, int n, uint64_t ns, cu_graph_exec graph,
                      cu_pointer out)
{
    const struct probe_spin_args args = {(void *)(uintptr_t)out, ns, UINT64_MAX};
    cuprobe_begin(&g->p);
    if (graph && !g->p.bad)
        g->p.bad = g->p.d.cuGraphLaunch(graph, g->p.stream), g->p.step = "launching a graph";
    else
        launch_many(g, n, PROBE_spin, &args);
    return cuprobe_end_us(&g->p);
}

enum { GAP_KERNELS = 64, GAP_SPIN_NS = 20000 }; /* longer than a launch: the host is ahead */

/* n kernels of T against one of n x T: what is between them, n - 1 times. */
static void gaps(struct calibrate_gpu *g)
{
    double stream[CALIBRATE_REPEATS], graphs[CALIBRATE_REPEATS];
    cu_pointer out = cuprobe_alloc(&g->p, sizeof(struct probe_spins));
    const struct probe_spin_args args = {(void *)(uintptr_t)out, GAP_SPIN_NS, UINT64_MAX};
    cuprobe_capture(&g->p);
    launch_many(g, GAP_KERNELS, PROBE_spin, &args);
    cu_graph_exec graph = cuprobe_graph(&g->p);
    for (int i = 0; i < g->c->repeats; i++) {
        double one = spin_us(g, 1, (uint64_t)GAP_KERNELS * GAP_SPIN_NS, NULL, out);
        stream[i] = (spin_us(g, GAP_KERNELS, GAP_SPIN_NS, NULL, out) - one) / (GAP_KERNELS - 1);
        graphs[i] = (spin_us(g, GAP_KERNELS, GAP_SPIN_NS, graph, out) - one) / (GAP_KERNELS - 1);
    }
    if (graph)
        g->p.d.cuGraphExecDestroy(graph);
    cuprobe_free(&g->p, out);
    calibrate_gpu_add(g, "gpu.gap", "us", stream, g->c->repeats,
                      "64 kernels of 20 us in a stream, less one of 64 x 20 us, each gap");
    calibrate_gpu_add(g, "gpu.graph_gap", "us", graphs, g->c->repeats,
                      "64 kernels of 20 us in a graph, less one of 64 x 20 us, each gap");
}

/* Host time of a graph of n kernels, each. */
static void graph_cost(struct calibrate_gpu *g, int n)
{
    double us[CALIBRATE_REPEATS];
    const struct probe_nothing_args args = {0};
    cuprobe_capture(&g->p);
    launch_many(g, n, PROBE_nothing, &args);
    cu_graph_exec graph = cuprobe_graph(&g->p);
    for (int i = 0; i < g->c->repeats && graph; i++) {
        uint64_t begin = g->now();
        g->p.d.cuGraphLaunch(graph, g->p.stream);
        cuprobe_wait(&g->p, NULL);
        us[i] = (double)(g->now() - begin) / n / 1e3;
    }
    if (!graph)
        return;
    g->p.d.cuGraphExecDestroy(graph);
    calibrate_gpu_add(g, "gpu.graph_kernel", "us", us, g->c->repeats,
                      "a graph of 256 empty kernels launched and waited for, each kernel");
}

void calibrate_gpu_launch(struct calibrate_gpu *g)
{
    launch_cost(g, g->c->quick ? 200 : 2000);
    graph_cost(g, 256);
    gaps(g);
}

/* ---- kernels together ---- */

enum { STREAMS = 128, STREAM_SPIN_NS = 1000000 };

static double together_us(struct calibrate_gpu *g, cu_stream *s, uint32_t n, cu_pointer out)
{
    const struct probe_spin_args args = {(void *)(uintptr_t)out, STREAM_SPIN_NS, UINT64_MAX};
    uint64_t begin = g->now();
    for (uint32_t i = 0; i < n; i++)
        cuprobe_launch(&g->p, PROBE_spin, 1, &args, s[i]);
    for (uint32_t i = 0; i < n; i++)
        cuprobe_wait(&g->p, s[i]);
    return (double)(g->now() - begin) / 1e3;
}

void calibrate_gpu_streams(struct calibrate_gpu *g)
{
    cu_stream s[STREAMS] = {NULL};
    cu_pointer out = cuprobe_alloc(&g->p, sizeof(struct probe_spins));
    struct calibrate_row *row = calibrate_gpu_table(
        g, "gpu.concurrent", "us", "so many kernels of one block and 1 ms, each in its own stream");
    for (uint32_t i = 0; i < STREAMS; i++)
        s[i] = cuprobe_stream(&g->p);
    for (uint32_t n = 1; n <= STREAMS && !g->p.bad; n *= 2)
        calibrate_knot(row, n, together_us(g, s, n, out));
    for (uint32_t i = 0; i < STREAMS; i++)
        if (s[i])
            g->p.d.cuStreamDestroy_v2(s[i]);
    cuprobe_free(&g->p, out);
}

/* ---- all ---- */

int calibrate_gpu_with(struct calibrate_gpu *g, struct err *e)
{
    char why[300];
    int rc = calibrate_gpu_slices(g, e);
    if (rc)
        return rc;
    if (cuprobe_open(&g->p, why, sizeof why))
        return err_set(e, ERR_EFAIL, "no GPU to measure: %s", why);
    calibrate_gpu_facts(g);
    calibrate_gpu_launch(g);
    calibrate_gpu_streams(g);
    calibrate_gpu_copies(g);
    calibrate_gpu_memory(g);
    if (cuprobe_failed(&g->p, why, sizeof why))
        rc = err_set(e, ERR_EFAIL, "%s", why);
    cuprobe_close(&g->p);
    return rc;
}

int calibrate_gpu(struct calibration *c, struct err *e)
{
    static struct calibrate_gpu g;
    g = (struct calibrate_gpu){.c = c, .now = calibrate_ns};
    return calibrate_gpu_with(&g, e);
}
