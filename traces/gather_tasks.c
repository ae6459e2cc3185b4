/* gather_tasks.c - arrivals of each task, for traces whose requests are of tasks. */
#include "traces/gather_tasks.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

struct tasks {
    struct tally *arrival; /* ms, by name */
    size_t n;
};

struct tasks *tasks_new(void)
{
    return calloc(1, sizeof(struct tasks));
}

void tasks_free(struct tasks *t)
{
    for (size_t i = 0; t && i < t->n; i++)
        tally_free(&t->arrival[i]);
    if (t)
        free(t->arrival);
    free(t);
}

int tasks_add(struct tasks *t, uint32_t name, uint64_t time_ns, struct err *e)
{
    if (name == TRACE_NAME_NONE)
        return 0;
    if (name >= t->n) {
        size_t cap = (size_t)name + 16;
        struct tally *more = realloc(t->arrival, cap * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory");
        memset(more + t->n, 0, (cap - t->n) * sizeof *more);
        t->arrival = more;
        t->n = cap;
    }
    tally_add(&t->arrival[name], time_ns / NS_PER_MS);
    return 0;
}

void tasks_end(struct tasks *t, const struct trace_names *names, struct facts *f)
{
    char group[80];
    for (size_t i = 0; i < t->n; i++) {
        const char *name = names ? names_text(names, (uint32_t)i) : NULL;
        if (!name || !t->arrival[i].n)
            continue;
        snprintf(group, sizeof group, "%.60s:arrival_ms", name);
        facts_summary(f, group, &t->arrival[i], 1, false);
        facts_bool(f, group, "monotonic", true);
    }
}
