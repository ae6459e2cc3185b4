/* gather_costs.c - facts of measured costs: how many of what, where, in which unit. */
#include "traces/gather_rows.h"

struct costs {
    struct tally name, where, with, value[TRACE_COST_UNITS];
};

static int row(void *state, const union trace_row *r, struct err *e)
{
    struct costs *s = state;
    const struct trace_cost *c = &r->cost;
    (void)e;
    tally_add(&s->name, c->name);
    if (c->where != TRACE_NAME_NONE)
        tally_add(&s->where, c->where);
    if (c->with != TRACE_NAME_NONE)
        tally_add(&s->with, c->with);
    if (c->unit < TRACE_COST_UNITS)
        tally_add(&s->value[c->unit], c->value);
    return 0;
}

static void end(void *state, const struct import_format *format, const struct trace_names *names,
                struct facts *f)
{
    static const struct {
        const char *group;
        double per;
    } unit[TRACE_COST_UNITS] = {{"times us", 1e6}, {"ratios", 1e6}, {"counts", 1}};
    struct costs *s = state;
    (void)format;
    facts_counts(f, "rows by name", &s->name, names);
    facts_counts(f, "rows by where", &s->where, names);
    facts_counts(f, "rows by with", &s->with, names);
    for (int i = 0; i < TRACE_COST_UNITS; i++)
        if (s->value[i].n)
            facts_summary(f, unit[i].group, &s->value[i], unit[i].per, false);
}

static void done(void *state)
{
    struct costs *s = state;
    tally_free(&s->name);
    tally_free(&s->where);
    tally_free(&s->with);
    for (int i = 0; i < TRACE_COST_UNITS; i++)
        tally_free(&s->value[i]);
}

const struct gather_ops gather_costs = {sizeof(struct costs), row, end, done};
