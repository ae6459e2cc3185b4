#include "models/mlaas/features.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    char *name;
    uint32_t history, column; /* the first of `history` columns */
};

struct registry {
    char *name;
    struct field *field;
    uint32_t n_field, columns;
    uint32_t rows, first, n; /* a ring: the oldest, and how many */
    float *row;              /* [rows][columns] */
    uint64_t *at;            /* [rows] */
    float *now, *last;       /* [columns]: under capture; the last committed */
    uint64_t last_at;
    bool open; /* between begin and commit */
};

struct features {
    struct registry *registry[FEATURES_REGISTRIES];
    int n;
};

struct features *features_new(void)
{
    return calloc(1, sizeof(struct features));
}

static void free_registry(struct registry *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; r->field && i < r->n_field; i++)
        free(r->field[i].name);
    free(r->field);
    free(r->name);
    free(r->row);
    free(r->at);
    free(r->now);
    free(r->last);
    free(r);
}

void features_free(struct features *f)
{
    for (int i = 0; f && i < f->n; i++)
        free_registry(f->registry[i]);
    free(f);
}

static struct registry *get(const struct features *f, int i)
{
    return i >= 0 && i < f->n ? f->registry[i] : NULL;
}

uint32_t features_columns(const struct features *f, int registry)
{
    const struct registry *r = get(f, registry);
    return r ? r->columns : 0;
}

/* ---- opening -------------------------------------------------------------------------- */

static bool same(const struct registry *r, const struct policy_field *field, uint32_t n,
                 uint32_t rows)
{
    if (r->n_field != n || r->rows != rows)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(r->field[i].name, field[i].name) || r->field[i].history != field[i].history)
            return false;
    return true;
}

/* Columns of a schema; 0: no good, as `why` says. */
static uint32_t columns_of(const struct policy_field *field, uint32_t n_field, char *why, size_t n)
{
    uint32_t columns = 0;
    for (uint32_t i = 0; i < n_field; i++) {
        if (!field[i].name || !field[i].name[0] || !field[i].history ||
            field[i].history > FEATURES_COLUMNS) {
            snprintf(why, n, "field %u: want a name and a history of 1..%d", i, FEATURES_COLUMNS);
            return 0;
        }
        columns += field[i].history;
        if (columns > FEATURES_COLUMNS)
            break;
    }
    if (!columns || columns > FEATURES_COLUMNS) {
        snprintf(why, n, "want 1..%d columns", FEATURES_COLUMNS);
        return 0;
    }
    return columns;
}

static struct registry *new_registry(const char *name, const struct policy_field *field,
                                     uint32_t n_field, uint32_t rows, uint32_t columns)
{
    struct registry *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct registry){.n_field = n_field, .columns = columns, .rows = rows};
    r->name = strdup(name);
    r->field = calloc(n_field, sizeof *r->field);
    r->row = calloc((size_t)rows * columns, sizeof *r->row);
    r->at = calloc(rows, sizeof *r->at);
    r->now = calloc(columns, sizeof *r->now);
    r->last = calloc(columns, sizeof *r->last);
    bool fine = r->name && r->field && r->row && r->at && r->now && r->last;
    for (uint32_t i = 0, column = 0; fine && i < n_field; i++) {
        r->field[i] = (struct field){strdup(field[i].name), field[i].history, column};
        column += field[i].history;
        fine = r->field[i].name;
    }
    if (fine)
        return r;
    free_registry(r);
    return NULL;
}

int features_open(struct features *f, const char *name, const struct policy_field *field,
                  uint32_t n_field, uint32_t rows, char *why, size_t n)
{
    rows = rows ? rows : FEATURES_ROWS;
    for (int i = 0; i < f->n; i++)
        if (!strcmp(f->registry[i]->name, name)) {
            if (same(f->registry[i], field, n_field, rows))
                return i;
            snprintf(why, n, "it is there already with other fields or rows");
            return -1;
        }
    if (f->n == FEATURES_REGISTRIES || rows > FEATURES_ROWS_MOST) {
        snprintf(why, n, "want at most %d registries of at most %d rows", FEATURES_REGISTRIES,
                 FEATURES_ROWS_MOST);
        return -1;
    }
    const uint32_t columns = columns_of(field, n_field, why, n);
    if (!columns)
        return -1;
    if (!(f->registry[f->n] = new_registry(name, field, n_field, rows, columns))) {
        snprintf(why, n, "out of memory");
        return -1;
    }
    return f->n++;
}

/* ---- capture ----------------------------------------------------------------------------- */

int features_begin(struct features *f, int registry)
{
    struct registry *r = get(f, registry);
    if (!r)
        return -1;
    memset(r->now, 0, r->columns * sizeof *r->now);
    r->open = true;
    return 0;
}

static float *cell(struct features *f, int registry, uint32_t field)
{
    struct registry *r = get(f, registry);
    return r && r->open && field < r->n_field ? &r->now[r->field[field].column] : NULL;
}

int features_put(struct features *f, int registry, uint32_t field, float value)
{
    float *to = cell(f, registry, field);
    if (to)
        *to = value;
    return to ? 0 : -1;
}

int features_add(struct features *f, int registry, uint32_t field, float value)
{
    float *to = cell(f, registry, field);
    if (to)
        *to += value;
    return to ? 0 : -1;
}

int features_commit(struct features *f, int registry, uint64_t at_ns)
{
    struct registry *r = get(f, registry);
    if (!r || !r->open)
        return -1;
    for (uint32_t i = 0; i < r->n_field; i++)
        memcpy(&r->now[r->field[i].column + 1], &r->last[r->field[i].column],
               (r->field[i].history - 1) * sizeof *r->now);
    const uint32_t to = (r->first + r->n) % r->rows;
    memcpy(&r->row[(size_t)to * r->columns], r->now, r->columns * sizeof *r->now);
    memcpy(r->last, r->now, r->columns * sizeof *r->now);
    r->last_at = at_ns > r->last_at ? at_ns : r->last_at;
    r->at[to] = r->last_at;
    if (r->n < r->rows)
        r->n++;
    else
        r->first = (r->first + 1) % r->rows;
    r->open = false;
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

int features_get(const struct features *f, int registry, uint64_t since_ns, uint32_t most,
                 float *rows, uint64_t *at_ns)
{
    const struct registry *r = get(f, registry);
    if (!r)
        return -1;
    uint32_t n = 0;
    while (n < r->n && n < most && r->at[(r->first + r->n - 1 - n) % r->rows] >= since_ns)
        n++;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t from = (r->first + r->n - n + i) % r->rows;
        memcpy(rows + (size_t)i * r->columns, &r->row[(size_t)from * r->columns],
               r->columns * sizeof *rows);
        if (at_ns)
            at_ns[i] = r->at[from];
    }
    return (int)n;
}

int features_drop(struct features *f, int registry, uint64_t until_ns)
{
    struct registry *r = get(f, registry);
    if (!r)
        return -1;
    int gone = 0;
    for (; r->n && r->at[r->first] <= until_ns; gone++) {
        r->first = (r->first + 1) % r->rows;
        r->n--;
    }
    return gone;
}
