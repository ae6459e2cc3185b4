/* cuda_graph.h - a batch's launches as one CUDA graph, made once per number of rows.
 *
 * One call to the driver in place of one per kernel.  The last few sizes of
 * batches are kept, and made anew when buffers have moved.                   */
#ifndef GPU_KERNELS_CUDA_GRAPH_H
#define GPU_KERNELS_CUDA_GRAPH_H

#include "gpu-kernels/cuda_state.h"

/* Begins the launches of a batch of `rows` on the backend's stream. */
int cuda_graphs_run(struct cuda_model *m, uint32_t rows, struct kind_launch *l, uint32_t count,
                    char *why, size_t n);
void cuda_graphs_close(struct cuda_graphs *g, const struct cuda *on); /* NULL is fine */

#endif
