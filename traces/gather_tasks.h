/* gather_tasks.h - arrivals of each task: for gather.c, of formats whose requests are of tasks. */
#ifndef TRACES_GATHER_TASKS_H
#define TRACES_GATHER_TASKS_H

#include "traces/gather_rows.h"

struct tasks;
struct tasks *tasks_new(void);    /* NULL: out of memory */
void tasks_free(struct tasks *t); /* NULL is fine */
int tasks_add(struct tasks *t, uint32_t name, uint64_t time_ns, struct err *e) MUST_CHECK;
/* Rows are in time order: an importer refuses a task whose arrivals are not. */
void tasks_end(struct tasks *t, const struct trace_names *names, struct facts *f);

#endif
