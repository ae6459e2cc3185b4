/* cluster_rows.h - nodes and jobs of a test's own as sources of rows. */
#ifndef TESTS_MODELS_CLUSTER_ROWS_H
#define TESTS_MODELS_CLUSTER_ROWS_H

#include "traces/record.h"

struct rows_list {
    struct row_source source;
    const struct trace_node *node;
    const struct trace_job *job;
    uint32_t n, at;
};

/* Names 0, 1, 2 are "T4", "P100", "G2". */
struct rows_list rows_of_nodes(const struct trace_node *node, uint32_t n);
struct rows_list rows_of_jobs(const struct trace_job *job, uint32_t n);

#endif
