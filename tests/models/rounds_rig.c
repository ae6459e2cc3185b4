#include "tests/models/rounds_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct rows {
    struct row_source face;
    const struct rig_cost *cost;
    size_t n, at;
};

/* Names are 3 x row, + 1 for where, + 2 for with. */
static const char *name(const struct row_source *self, uint32_t id)
{
    const struct rows *r = (const struct rows *)self;
    if (id / 3 >= r->n)
        return NULL;
    const struct rig_cost *c = &r->cost[id / 3];
    return id % 3 == 0 ? c->name : id % 3 == 1 ? c->where : c->with;
}

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    (void)e;
    struct rows *r = (struct rows *)self;
    if (r->at == r->n)
        return 0;
    const struct rig_cost *c = &r->cost[r->at];
    const uint32_t id = 3 * (uint32_t)r->at++;
    out->cost = (struct trace_cost){.name = id,
                                    .where = id + 1,
                                    .with = c->with ? id + 2 : TRACE_NAME_NONE,
                                    .unit = c->unit,
                                    .key = {c->gpus, c->with_gpus},
                                    .value = c->value};
    return 1;
}

static int rewind_rows(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct rows *)self)->at = 0;
    return 0;
}

static void close_rows(struct row_source *self)
{
    free(self);
}

struct row_source *rig_rows(const struct rig_cost *cost, size_t n)
{
    struct rows *r = calloc(1, sizeof *r);
    cr_assert(r);
    *r = (struct rows){
        .face = {TRACE_COSTS, next, rewind_rows, close_rows, n, name}, .cost = cost, .n = n};
    return &r->face;
}

struct rates *rig_rates(const struct rig_cost *cost, size_t n, const char *const *type,
                        uint32_t types)
{
    struct rates *r;
    struct err e = {0};
    struct row_source *rows = rig_rows(cost, n);
    cr_assert_eq(rates_read(&r, rows, type, types, &e), 0, "%s", e.msg);
    rows->close(rows);
    return r;
}

int rig_next(void *ctx, struct schedule_arrival *a, struct err *e)
{
    (void)e;
    struct rig_run *r = ctx;
    if (r->next == r->n)
        return 0;
    *a = r->job[r->next++];
    return 1;
}

int rig_left(void *ctx, uint64_t id, uint32_t kind, sim_time arrived, sim_time left)
{
    (void)kind, (void)arrived;
    struct rig_run *r = ctx;
    cr_assert_lt(id, 64);
    r->left_at[id] = left;
    r->left++;
    return 0;
}
