/* page_rows.h - from a trace of pages to histories with their future.
 *
 * A period is so many rows of the trace, as in the model "memory".  After each
 * one, every page that was accessed in the PLACE_STEPS periods before it gives
 * a row: the bins of its accesses in those (place_features.h), and the bin of
 * the period that ended.  Rows are in order of time.                         */
#ifndef HARNESS_LEARN_PAGE_ROWS_H
#define HARNESS_LEARN_PAGE_ROWS_H

#include <stddef.h>

#include "policies/place_features.h"
#include "sim/err.h"
#include "traces/source.h"

struct page_rows {
    uint8_t *id;   /* n rows of PLACE_STEPS */
    uint8_t *next; /* n */
    size_t n, room;
    size_t periods, pages;
};

/* All of a trace. */
int page_rows_collect(struct page_rows *rows, struct row_source *from, uint64_t period,
                      struct err *e) MUST_CHECK;
/* Leaves at most `most` of them, each as likely as any other. */
void page_rows_thin(struct page_rows *rows, size_t most, uint64_t seed);
void page_rows_free(struct page_rows *rows);

#endif
