#include "models/rounds/rates.h"

#include <stdlib.h>
#include <string.h>

uint32_t rates_kind(const struct rates *r, const char *name, uint32_t gpus)
{
    for (uint32_t k = 0; k < r->kinds; k++)
        if (r->gpus[k] == gpus && !strcmp(r->name[k], name))
            return k;
    return RATES_NONE;
}

static uint32_t type_of(const struct rates *r, const char *name)
{
    for (uint32_t t = 0; name && t < r->types; t++)
        if (!strcmp(r->type[t], name))
            return t;
    return RATES_NONE;
}

void rates_free(struct rates *r)
{
    if (!r)
        return;
    for (uint32_t t = 0; t < r->types; t++)
        free(r->type[t]);
    for (uint32_t k = 0; k < r->kinds; k++)
        free(r->name[k]);
    free(r->name);
    free(r->gpus);
    free(r->alone);
    free(r->beside);
    free(r);
}

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

static int check_row(const struct trace_cost *c, const char *name, struct err *e)
{
    if (!name || !*name)
        return err_set(e, ERR_ERANGE, "a rate of a job without a name, want one");
    if (c->key[0] < 1 || c->key[0] > RATES_GPUS_MAX)
        return err_set(e, ERR_ERANGE, "a rate of %s on %llu GPUs, want key 1 from 1 to %u", name,
                       (unsigned long long)c->key[0], RATES_GPUS_MAX);
    if (c->unit != TRACE_COST_PS && c->unit != TRACE_COST_MICRO)
        return err_set(e, ERR_ERANGE, "a count of %s, want times of a step or steps per second",
                       name);
    return 0;
}

static int add_kind(struct rates *r, const char *name, uint32_t gpus, struct err *e)
{
    if (rates_kind(r, name, gpus) != RATES_NONE)
        return 0;
    if (r->kinds == RATES_KINDS_MAX)
        return err_set(e, ERR_ERANGE, "more than %u kinds of jobs", RATES_KINDS_MAX);
    if (!(r->kinds & (r->kinds - 1))) { /* grows at the powers of two */
        const size_t room = r->kinds ? 2 * r->kinds : 1;
        char **more = realloc(r->name, room * sizeof *more);
        uint32_t *gpu = more ? realloc(r->gpus, room * sizeof *gpu) : NULL;
        r->name = more ? more : r->name;
        r->gpus = gpu ? gpu : r->gpus;
        if (!gpu)
            return no_memory(e);
    }
    if (!(r->name[r->kinds] = strdup(name)))
        return no_memory(e);
    r->gpus[r->kinds++] = gpus;
    return 0;
}

/* Which kinds there are: those with a rate of their own on any type. */
static int kind_row(struct rates *r, const struct row_source *rows, const struct trace_cost *c,
                    struct err *e)
{
    const char *name = rows->name(rows, c->name);
    if (type_of(r, rows->name(rows, c->where)) == RATES_NONE)
        return 0;
    int rc = check_row(c, name, e);
    return rc || c->with != TRACE_NAME_NONE ? rc : add_kind(r, name, (uint32_t)c->key[0], e);
}

static double rate_of(const struct trace_cost *c)
{
    if (c->unit == TRACE_COST_MICRO)
        return (double)c->value / 1e6;
    return c->value ? 1e12 / (double)c->value : 0;
}

static int rate_row(struct rates *r, const struct row_source *rows, const struct trace_cost *c,
                    struct err *e)
{
    const char *name = rows->name(rows, c->name), *with = NULL;
    const uint32_t t = type_of(r, rows->name(rows, c->where));
    if (t == RATES_NONE)
        return 0;
    const uint32_t k = rates_kind(r, name, (uint32_t)c->key[0]);
    if (c->with != TRACE_NAME_NONE)
        with = rows->name(rows, c->with);
    const uint32_t b =
        with && c->key[1] <= RATES_GPUS_MAX ? rates_kind(r, with, (uint32_t)c->key[1]) : RATES_NONE;
    if (k == RATES_NONE || (with && b == RATES_NONE))
        return err_set(e, ERR_ENAME, "%s beside %s: no rate of the one or the other alone", name,
                       with ? with : "nothing");
    if (with)
        r->beside[((uint64_t)t * r->kinds + k) * r->kinds + b] = rate_of(c);
    else
        r->alone[t * r->kinds + k] = rate_of(c);
    return 0;
}

static int each_row(struct rates *r, struct row_source *rows,
                    int (*take)(struct rates *, const struct row_source *,
                                const struct trace_cost *, struct err *),
                    struct err *e)
{
    union trace_row row;
    int rc = rows->rewind(rows, e);
    while (!rc && (rc = rows->next(rows, &row, e)) > 0)
        rc = take(r, rows, &row.cost, e);
    return rc;
}

/* One that can't run beside the other keeps the other from it. */
static void drop_half_pairs(struct rates *r)
{
    for (uint32_t t = 0; t < r->types; t++)
        for (uint32_t a = 0; a < r->kinds; a++)
            for (uint32_t b = 0; b <= a; b++) {
                double *x = &r->beside[((uint64_t)t * r->kinds + a) * r->kinds + b];
                double *y = &r->beside[((uint64_t)t * r->kinds + b) * r->kinds + a];
                if (*x <= 0 || *y <= 0 || r->gpus[a] != r->gpus[b])
                    *x = *y = 0;
            }
}

static int read_all(struct rates *r, struct row_source *rows, struct err *e)
{
    int rc = each_row(r, rows, kind_row, e);
    if (rc)
        return rc;
    if (!r->kinds)
        return err_set(e, ERR_ENAME, "no rate of any job on %s%s", r->type[0],
                       r->types > 1 ? " or another of the types" : "");
    r->alone = calloc((size_t)r->types * r->kinds, sizeof *r->alone);
    r->beside = calloc((size_t)r->types * r->kinds * r->kinds, sizeof *r->beside);
    if (!r->alone || !r->beside)
        return no_memory(e);
    rc = each_row(r, rows, rate_row, e);
    if (!rc)
        drop_half_pairs(r);
    return rc;
}

int rates_read(struct rates **out, struct row_source *rows, const char *const *type, uint32_t types,
               struct err *e)
{
    struct rates *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return no_memory(e);
    int rc = 0;
    for (; !rc && r->types < types; r->types++)
        if (!(r->type[r->types] = strdup(type[r->types])))
            rc = no_memory(e);
    if (!rc)
        rc = read_all(r, rows, e);
    if (rc) {
        rates_free(r);
        return rc;
    }
    *out = r;
    return 0;
}
