/* spill.h - sorts more records than fit into memory.
 *
 * Records are of one size and begin with a uint64_t, the key; equal keys keep
 * the order in which they were added.  What does not fit into max_bytes goes
 * as sorted runs to a file without a name in $TMPDIR (/tmp), which is gone
 * however the program ends.  Add, sort once, then read as often as you like.
 * Errors: ERR_ENOMEM; ERR_EIO when the file cannot be made, is full or fails.  */
#ifndef TRACES_SPILL_H
#define TRACES_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

#define SPILL_BYTES ((size_t)64 << 20) /* a fair max_bytes */

struct spill;
/* record_size >= 8; max_bytes bounds the memory, but never below a few records. */
int spill_new(struct spill **s, size_t record_size, size_t max_bytes, struct err *e) MUST_CHECK;
int spill_add(struct spill *s, const void *record, struct err *e) MUST_CHECK;
int spill_sort(struct spill *s, struct err *e) MUST_CHECK;
/* 1 a record, 0 the end, negative an error. */
int spill_next(struct spill *s, void *record, struct err *e) MUST_CHECK;
int spill_rewind(struct spill *s, struct err *e) MUST_CHECK; /* to the first record */
uint64_t spill_count(const struct spill *s);
void spill_free(struct spill *s); /* NULL is fine */

#endif
