/* rounds_lp.h - a linear program (struct policy_lp) that grows row by row, for a host to solve.
 *
 * Zero at first; lp_begin for each program, whose room is kept for the next; lp_free at the end. */
#ifndef ROUNDS_LP_H
#define ROUNDS_LP_H

#include <string.h>

#include "rounds_book.h"

struct lp {
    struct policy_lp p; /* its arrays are those below */
    double *gain, *most, *value;
    uint32_t *row, *col;
    uint32_t cols_room, rows_room, entries_room;
};

static inline void lp_free(struct lp *l)
{
    free(l->gain);
    free(l->most);
    free(l->value);
    free(l->row);
    free(l->col);
}

/* No rows, `cols` unknowns, gain 0; room for `rows` rows and `entries` entries, which those that
 * follow may not exceed.  false: out of memory. */
static inline bool lp_begin(struct lp *l, uint32_t cols, uint32_t rows, uint32_t entries)
{
    if (cols > l->cols_room || rows > l->rows_room || entries > l->entries_room) {
        lp_free(l);
        l->cols_room = 2 * cols;
        l->rows_room = 2 * rows;
        l->entries_room = 2 * entries;
        l->gain = malloc(l->cols_room * sizeof *l->gain);
        l->most = malloc(l->rows_room * sizeof *l->most);
        l->value = malloc(l->entries_room * sizeof *l->value);
        l->row = malloc(l->entries_room * sizeof *l->row);
        l->col = malloc(l->entries_room * sizeof *l->col);
        if (!l->gain || !l->most || !l->value || !l->row || !l->col) {
            lp_free(l);
            memset(l, 0, sizeof *l);
            return false;
        }
    }
    memset(l->gain, 0, cols * sizeof *l->gain);
    l->p = (struct policy_lp){.cols = cols,
                              .gain = l->gain,
                              .most = l->most,
                              .row = l->row,
                              .col = l->col,
                              .value = l->value};
    return true;
}

/* Opens a row: the sum of its entries times the unknowns shall be at most this. */
static inline void lp_row(struct lp *l, double most)
{
    l->most[l->p.rows++] = most;
}

/* In the row that was opened last, each column once; a 0 is left out. */
static inline void lp_entry(struct lp *l, uint32_t col, double value)
{
    if (value == 0)
        return;
    l->row[l->p.entries] = l->p.rows - 1;
    l->col[l->p.entries] = col;
    l->value[l->p.entries++] = value;
}

#endif
