/* machine.c - looking things up in a profile, and remembering that we did. */
#include "models/machine.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const evidence_names[] = {"measured", "published", "assumed", NULL};

const char *evidence_name(enum evidence v)
{
    assert(v <= EVIDENCE_ASSUMED);
    return evidence_names[v];
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_cost; i++) {
        free(m->cost[i].name);
        free(m->cost[i].unit);
        free(m->cost[i].source);
        free(m->cost[i].x);
        free(m->cost[i].y);
    }
    free(m->cost);
    free(m->name);
    free(m->title);
    free(m);
}

const struct machine_cost *machine_find(const struct machine *m, const char *name)
{
    for (size_t i = 0; i < m->n_cost; i++)
        if (!strcmp(m->cost[i].name, name))
            return &m->cost[i];
    return NULL;
}

static int too_large(const struct machine *m, const char *name, double factor, struct err *e)
{
    return err_set(e, ERR_ERANGE, "machine \"%s\": %g times \"%s\" is too large", m->name, factor,
                   name);
}

int machine_scale(struct machine *m, const char *name, double factor, struct err *e)
{
    struct machine_cost *c = NULL;
    char *source;
    for (size_t i = 0; i < m->n_cost && !c; i++)
        if (!strcmp(m->cost[i].name, name))
            c = &m->cost[i];
    if (!c)
        return err_set(e, ERR_ENAME, "machine \"%s\" has no \"%s\"", m->name, name);
    for (size_t i = 0; i < c->n; i++)
        if ((double)c->y[i] * factor > MACHINE_MOST)
            return too_large(m, name, factor, e);
    if (!c->n && c->quantity == QUANTITY_TIME && c->value * factor > MACHINE_MOST)
        return too_large(m, name, factor, e);
    if (asprintf(&source, "what if: %g times %s", factor, c->source) < 0)
        return err_set(e, ERR_ENOMEM, "machine %s: out of memory", m->name);
    for (size_t i = 0; i < c->n; i++)
        c->y[i] = llround((double)c->y[i] * factor);
    c->value *= factor;
    c->evidence = EVIDENCE_ASSUMED;
    free(c->source);
    c->source = source;
    return 0;
}

int machine_use_begin(struct machine_use *u, const struct machine *m, struct err *e)
{
    *u = (struct machine_use){.machine = m, .used = calloc(m->n_cost + 1, 1)};
    return u->used ? 0 : err_set(e, ERR_ENOMEM, "machine %s: out of memory", m->name);
}

void machine_use_end(struct machine_use *u)
{
    free(u->used);
    u->used = NULL;
}

/* The one way to a constant: found means used. */
static int take(struct machine_use *u, const char *name, bool table,
                const struct machine_cost **out, struct err *e)
{
    const struct machine_cost *c = machine_find(u->machine, name);
    if (!c)
        return err_set(e, ERR_ENAME, "machine \"%s\" has no \"%s\", which this run needs",
                       u->machine->name, name);
    if ((c->n > 0) != table)
        return err_set(e, ERR_EPARSE, "machine \"%s\": \"%s\" is a %s, want a %s", u->machine->name,
                       name, table ? "number" : "table", table ? "table" : "number");
    u->used[c - u->machine->cost] = 1;
    *out = c;
    return 0;
}

int machine_value(struct machine_use *u, const char *name, enum quantity q, double *out,
                  struct err *e)
{
    static const char *const want[] = {"a time", "bytes", "bytes per second", "a clock rate",
                                       "a count"};
    const struct machine_cost *c;
    int rc = take(u, name, false, &c, e);
    if (rc)
        return rc;
    if (c->quantity != q)
        return err_set(e, ERR_EPARSE, "machine \"%s\": \"%s\" is in %s, want %s", u->machine->name,
                       name, c->unit, want[q]);
    *out = c->value;
    return 0;
}

int machine_ps(struct machine_use *u, const char *name, sim_cost *out, struct err *e)
{
    double ps = 0;
    int rc = machine_value(u, name, QUANTITY_TIME, &ps, e);
    if (!rc)
        *out = (sim_cost)llround(ps);
    return rc;
}

int machine_table(struct machine_use *u, const char *name, const struct machine_cost **out,
                  struct err *e)
{
    return take(u, name, true, out, e);
}

/* Of the table's segments, the end of the one that x lies in, or is nearest to. */
static size_t segment(const struct machine_cost *t, uint64_t x)
{
    size_t lo = 1, hi = t->n - 1;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (t->x[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

sim_cost machine_table_at(const struct machine_cost *t, uint64_t x)
{
    assert(t->n > 0);
    if (x <= t->x[0] || t->n == 1)
        return (sim_cost)t->y[0];
    const size_t i = segment(t, x);
    const int64_t dx = (int64_t)(t->x[i] - t->x[i - 1]), dy = t->y[i] - t->y[i - 1];
    const int64_t along = (int64_t)(x - t->x[i - 1]);
    int64_t rise;
    if (!__builtin_mul_overflow(dy, along, &rise) &&
        !__builtin_add_overflow(t->y[i - 1], rise / dx, &rise))
        return rise > 0 ? (sim_cost)rise : 0;
    const __int128 y = t->y[i - 1] + (__int128)dy * along / dx;
    return y > 0 ? (sim_cost)y : 0;
}

void machine_use_report(const struct machine_use *u, struct measures *out)
{
    double count[3] = {0};
    for (size_t i = 0; i < u->machine->n_cost; i++) {
        const struct machine_cost *c = &u->machine->cost[i];
        if (!u->used[i])
            continue;
        count[c->evidence]++;
        if (c->evidence != EVIDENCE_ASSUMED)
            continue;
        char line[512];
        if (c->n)
            snprintf(line, sizeof line, "%s (table of %zu): %s", c->name, c->n, c->source);
        else
            snprintf(line, sizeof line, "%s: %s", c->name, c->source);
        measures_incident(out, "assumed", c->name, 0, 0, line);
    }
    measures_number(out, "constants_measured", "1", BETTER_NONE, count[EVIDENCE_MEASURED]);
    measures_number(out, "constants_published", "1", BETTER_NONE, count[EVIDENCE_PUBLISHED]);
    measures_number(out, "constants_assumed", "1", BETTER_NONE, count[EVIDENCE_ASSUMED]);
}
