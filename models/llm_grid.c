/* llm_grid.c - see llm_grid.h. */
#include "models/llm_grid.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---------------------------------------------------------------------------- */

bool grid_point_add(struct grid_points *p, const uint64_t *key, int64_t value)
{
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 256;
        struct grid_point *at = realloc(p->at, room * sizeof *at);
        if (!at)
            return false;
        p->at = at;
        p->room = room;
    }
    struct grid_point *n = &p->at[p->n++];
    memcpy(n->key, key, sizeof n->key);
    n->value = value;
    return true;
}

void grid_points_free(struct grid_points *p)
{
    free(p->at);
    *p = (struct grid_points){0};
}

void grid_free(struct grid *g)
{
    for (uint32_t d = 0; d < GRID_DIMS; d++)
        free(g->axis[d]);
    free(g->value);
    *g = (struct grid){0};
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The distinct keys of one axis. */
static bool axis_of(struct grid *g, uint32_t d, const struct grid_points *p)
{
    uint64_t *k = malloc(p->n * sizeof *k);
    if (!k)
        return false;
    for (size_t i = 0; i < p->n; i++)
        k[i] = p->at[i].key[d];
    qsort(k, p->n, sizeof *k, ascending);
    size_t n = 1;
    for (size_t i = 1; i < p->n; i++)
        if (k[i] != k[n - 1])
            k[n++] = k[i];
    g->axis[d] = k;
    g->n[d] = n;
    return true;
}

static size_t cells(const struct grid *g)
{
    size_t n = 1;
    for (uint32_t d = 0; d < g->dims; d++)
        n *= g->n[d];
    return n;
}

/* The last index whose key is not above this one; 0 if all are. */
static size_t index_of(const struct grid *g, uint32_t d, uint64_t key)
{
    size_t lo = 0, hi = g->n[d];
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (g->axis[d][mid] <= key)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* The cell of a key whose every part is on its axis. */
static size_t cell_of(const struct grid *g, const uint64_t *key)
{
    size_t c = 0;
    for (uint32_t d = 0; d < g->dims; d++)
        c = c * g->n[d] + index_of(g, d, key[d]);
    return c;
}

static void key_of(const struct grid *g, size_t cell, uint64_t *key)
{
    for (uint32_t d = g->dims; d-- > 0; cell /= g->n[d])
        key[d] = g->axis[d][cell % g->n[d]];
}

static int complain(const uint64_t *key, uint32_t dims, const char *what, const char *why,
                    struct err *e)
{
    char at[GRID_DIMS * 22 + 1] = "";
    size_t n = 0;
    for (uint32_t d = 0; d < dims; d++)
        n += (size_t)snprintf(at + n, sizeof at - n, "%s%llu", d ? ", " : "",
                              (unsigned long long)key[d]);
    return err_set(e, ERR_ERANGE, "%s: %s (%s)", what, why, at);
}

#define CELLS_MOST ((size_t)1 << 22)

static int place(struct grid *g, const struct grid_points *p, const char *what, struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        for (uint32_t d = 0; d < g->dims; d++)
            if (p->at[i].key[d] > GRID_KEY_MOST)
                return complain(p->at[i].key, g->dims, what, "a key out of range", e);
        int64_t *v = &g->value[cell_of(g, p->at[i].key)];
        if (*v != GRID_HOLE)
            return complain(p->at[i].key, g->dims, what, "measured twice", e);
        if (p->at[i].value > GRID_MOST || p->at[i].value < -GRID_MOST)
            return complain(p->at[i].key, g->dims, what, "a value out of range", e);
        *v = p->at[i].value;
    }
    return 0;
}

int grid_build(struct grid *g, uint32_t dims, const struct grid_points *p, const char *what,
               struct err *e)
{
    assert(dims && dims <= GRID_DIMS);
    *g = (struct grid){.dims = dims};
    if (!p->n)
        return err_set(e, ERR_ERANGE, "%s: no rows", what);
    bool ok = true;
    size_t n = 1;
    for (uint32_t d = 0; d < dims && ok; d++) {
        ok = axis_of(g, d, p);
        if (ok && g->n[d] > CELLS_MOST / n)
            return err_set(e, ERR_ERANGE, "%s: its keys are no grid: more than %zu cells", what,
                           CELLS_MOST);
        n *= ok ? g->n[d] : 1;
    }
    if (ok)
        g->value = malloc(n * sizeof *g->value);
    if (!ok || !g->value)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", what);
    for (size_t i = 0; i < n; i++)
        g->value[i] = GRID_HOLE;
    return place(g, p, what, e);
}

void grid_alias(struct grid *g, void (*alias)(const struct grid *g, uint64_t *key))
{
    uint64_t key[GRID_DIMS];
    for (size_t c = 0, n = cells(g); c < n; c++) {
        if (g->value[c] != GRID_HOLE)
            continue;
        key_of(g, c, key);
        alias(g, key);
        g->value[c] = g->value[cell_of(g, key)];
    }
}

/* a + (b - a) num / den, towards a. */
static int64_t between(int64_t a, int64_t b, uint64_t num, uint64_t den)
{
    const __int128 v = a + ((__int128)b - a) * (__int128)num / (__int128)den;
    return v > GRID_MOST ? GRID_MOST : v < -GRID_MOST ? -GRID_MOST : (int64_t)v;
}

void grid_extend(struct grid *g, uint32_t axis)
{
    size_t step = 1;
    for (uint32_t d = axis + 1; d < g->dims; d++)
        step *= g->n[d];
    const uint64_t *x = g->axis[axis];
    for (size_t c = 0, n = cells(g); c < n; c++) {
        const size_t i = c / step % g->n[axis];
        if (g->value[c] != GRID_HOLE || i < 2)
            continue;
        const int64_t a = g->value[c - 2 * step], b = g->value[c - step];
        if (a != GRID_HOLE && b != GRID_HOLE)
            g->value[c] = between(a, b, x[i] - x[i - 2], x[i - 1] - x[i - 2]);
    }
}

int grid_whole(const struct grid *g, const char *what, struct err *e)
{
    uint64_t key[GRID_DIMS];
    for (size_t c = 0, n = cells(g); c < n; c++)
        if (g->value[c] == GRID_HOLE) {
            key_of(g, c, key);
            return complain(key, g->dims, what, "nothing measured at", e);
        }
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* Where a key lies between two values of an axis. */
struct place {
    size_t i; /* of the lower one */
    uint64_t num, den;
};

static struct place place_of(const struct grid *g, uint32_t d, uint64_t key)
{
    const uint64_t *x = g->axis[d];
    struct place p = {index_of(g, d, key), 0, 1};
    if (key <= x[p.i] || g->n[d] == 1)
        return p;
    if (p.i == g->n[d] - 1)
        p.i--;
    p.num = key - x[p.i];
    p.den = x[p.i + 1] - x[p.i];
    return p;
}

static int64_t walk(const struct grid *g, const struct place *p, uint32_t d, size_t cell)
{
    if (d == g->dims)
        return g->value[cell];
    cell = cell * g->n[d] + p[d].i;
    const int64_t a = walk(g, p, d + 1, cell);
    return p[d].num ? between(a, walk(g, p, d + 1, cell + 1), p[d].num, p[d].den) : a;
}

int64_t grid_at(const struct grid *g, const uint64_t *key)
{
    struct place p[GRID_DIMS];
    for (uint32_t d = 0; d < g->dims; d++)
        p[d] = place_of(g, d, key[d]);
    return walk(g, p, 0, 0);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct grid_line grid_line(const struct grid *g, const uint64_t *key)
{
    const uint32_t last = g->dims - 1;
    const uint64_t *x = g->axis[last];
    struct place p[GRID_DIMS];
    for (uint32_t d = 0; d < last; d++)
        p[d] = place_of(g, d, key[d]);
    size_t i = index_of(g, last, key[last]);
    p[last] = (struct place){i, 0, 1};
    struct grid_line l = {.from = x[i], .to = UINT64_MAX, .value = walk(g, p, 0, 0)};
    if (key[last] < x[0]) /* flat up to the first */
        return (struct grid_line){.from = 0, .to = x[0], .value = l.value};
    if (g->n[last] == 1)
        return l;
    const bool end = i == g->n[last] - 1;
    p[last].i = end ? i - 1 : i + 1;
    const int64_t other = walk(g, p, 0, 0);
    l.slope = end ? floor_div(l.value - other, (int64_t)(x[i] - x[i - 1]))
                  : floor_div(other - l.value, (int64_t)(x[i + 1] - x[i]));
    if (!end)
        l.to = x[i + 1];
    return l;
}
