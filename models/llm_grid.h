/* llm_grid.h - a measured quantity of up to four integers: values on a grid, straight lines
 * between.
 *
 * Interpolation is linear along each axis in turn (multilinear), in integers, so that it is the
 * same everywhere.  Before the first value of an axis the value there holds; after the last one
 * the line through the last two goes on.  A cell that nobody measured is filled by a rule that the
 * owner names, or the grid is refused.                                                          */
#ifndef MODELS_LLM_GRID_H
#define MODELS_LLM_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

#define GRID_DIMS     4
#define GRID_HOLE     INT64_MIN
#define GRID_MOST     INT64_C(1000000000000000) /* of a value, either way: sums stay far from 2^63 */
#define GRID_KEY_MOST (UINT64_C(1) << 40)

struct grid_point {
    uint64_t key[GRID_DIMS];
    int64_t value;
};

struct grid_points { /* what was measured, in any order */
    struct grid_point *at;
    size_t n, room;
};

struct grid {
    uint32_t dims; /* 0: empty */
    size_t n[GRID_DIMS];
    uint64_t *axis[GRID_DIMS]; /* ascending */
    int64_t *value;            /* the last axis fastest */
};

/* A stretch of straight line along the last axis. */
struct grid_line {
    uint64_t from, to; /* keys; to: UINT64_MAX on the last one */
    int64_t value;     /* at `from` */
    int64_t slope;     /* per key, rounded down */
};

bool grid_point_add(struct grid_points *p, const uint64_t *key, int64_t value); /* false: memory */
void grid_points_free(struct grid_points *p);

/* Cells without a point are GRID_HOLE.  Two points of the same key are a mistake. */
int grid_build(struct grid *g, uint32_t dims, const struct grid_points *p, const char *what,
               struct err *e) MUST_CHECK;
void grid_free(struct grid *g);
/* Holes become what stands at alias(key), which changes the key in place; a hole there stays. */
void grid_alias(struct grid *g, void (*alias)(const struct grid *g, uint64_t *key));
/* Holes become what the line through the two cells before them on this axis says. */
void grid_extend(struct grid *g, uint32_t axis);
/* The first hole left is an error that names its key. */
int grid_whole(const struct grid *g, const char *what, struct err *e) MUST_CHECK;

int64_t grid_at(const struct grid *g, const uint64_t *key);
/* The same along the last axis: the line that key[dims - 1] is on. */
struct grid_line grid_line(const struct grid *g, const uint64_t *key);

#endif
