/* cuda_graph.c - see cuda_graph.h */
#include <stdlib.h>

#include "gpu-kernels/cuda_graph.h"

enum { KEPT = 8 };

struct cuda_graphs {
    struct kept {
        cu_graph_exec exec;
        uint32_t rows;
        uint64_t moved, used;
    } kept[KEPT];
    uint64_t used;
};

static void drop(struct kept *k, const struct cuda *c)
{
    if (k->exec)
        c->drv.cuGraphExecDestroy(k->exec);
    *k = (struct kept){0};
}

/* The graph for so many rows, or the place of the one that was used longest ago. */
static struct kept *find(struct cuda_graphs *g, uint32_t rows)
{
    struct kept *oldest = g->kept;
    for (struct kept *k = g->kept; k < g->kept + KEPT; k++) {
        if (k->exec && k->rows == rows)
            return k;
        if (k->used < oldest->used)
            oldest = k;
    }
    return oldest;
}

/* Ends the capture even when a launch was refused: the stream must be usable again. */
static int capture(const struct cuda_model *m, struct kind_launch *l, uint32_t count,
                   cu_graph *graph, char *why, size_t n)
{
    const struct cuda *c = m->on;
    int rc = cuda_check(c, c->drv.cuStreamBeginCapture_v2(c->stream, CU_CAPTURE_RELAXED),
                        "beginning a graph", why, n);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = cuda_launch(m, &l[i], c->stream, why, n);
    cu_result ended = c->drv.cuStreamEndCapture(c->stream, graph);
    return rc ? rc : cuda_check(c, ended, "ending a graph", why, n);
}

static int make(const struct cuda_model *m, struct kept *k, struct kind_launch *l, uint32_t count,
                char *why, size_t n)
{
    const struct cuda *c = m->on;
    cu_graph graph = NULL;
    int rc = capture(m, l, count, &graph, why, n);
    if (!rc)
        rc = cuda_check(c, c->drv.cuGraphInstantiateWithFlags(&k->exec, graph, 0), "making a graph",
                        why, n);
    if (graph)
        c->drv.cuGraphDestroy(graph);
    return rc;
}

int cuda_graphs_run(struct cuda_model *m, uint32_t rows, struct kind_launch *l, uint32_t count,
                    char *why, size_t n)
{
    const struct cuda *c = m->on;
    if (!m->graphs && !(m->graphs = calloc(1, sizeof *m->graphs)))
        return infer_fail(why, n, "out of memory");
    struct kept *k = find(m->graphs, rows);
    if (!k->exec || k->rows != rows || k->moved != c->moved) {
        drop(k, c);
        if (make(m, k, l, count, why, n))
            return -1;
        k->rows = rows;
        k->moved = c->moved;
    }
    k->used = ++m->graphs->used;
    return cuda_check(c, c->drv.cuGraphLaunch(k->exec, c->stream), "launching a graph", why, n);
}

void cuda_graphs_close(struct cuda_graphs *g, const struct cuda *on)
{
    for (int i = 0; g && i < KEPT; i++)
        drop(&g->kept[i], on);
    free(g);
}
