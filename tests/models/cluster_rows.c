#include "tests/models/cluster_rows.h"

#include <stddef.h>

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct rows_list *l = (struct rows_list *)self;
    (void)e;
    if (l->at == l->n)
        return 0;
    if (l->node)
        out->node = l->node[l->at];
    else
        out->job = l->job[l->at];
    l->at++;
    return 1;
}

static int again(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct rows_list *)self)->at = 0;
    return 0;
}

static const char *name(const struct row_source *self, uint32_t id)
{
    static const char *const names[] = {"T4", "P100", "G2"};
    (void)self;
    return id < 3 ? names[id] : NULL;
}

struct rows_list rows_of_nodes(const struct trace_node *node, uint32_t n)
{
    return (struct rows_list){
        {.table = TRACE_NODES, .next = next, .rewind = again, .name = name}, node, NULL, n, 0};
}

struct rows_list rows_of_jobs(const struct trace_job *job, uint32_t n)
{
    return (struct rows_list){
        {.table = TRACE_JOBS, .next = next, .rewind = again, .name = name}, NULL, job, n, 0};
}
