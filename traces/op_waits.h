/* op_waits.h - who waits for whom, recovered in one pass in time order: for op_join.c.
 *
 * Of every stream the last launches are remembered, OP_WAITS_KEPT of them: an
 * event recorded before all of these is taken as reached.                    */
#ifndef TRACES_OP_WAITS_H
#define TRACES_OP_WAITS_H

#include "traces/op_join.h"

#define OP_WAITS_KEPT 4096u

struct op_waits;
struct op_waits *op_waits_new(void); /* NULL: out of memory */
void op_waits_free(struct op_waits *w);
/* A launch, or one more stream that it launched into. */
int op_waits_launch(struct op_waits *w, const struct op_raw *call, struct err *e) MUST_CHECK;
int op_waits_record(struct op_waits *w, const struct op_raw *call, struct err *e) MUST_CHECK;
int op_waits_in_stream(struct op_waits *w, const struct op_raw *call, struct err *e) MUST_CHECK;
/* Sets what a sync or a device operation depends on; good until the next call. */
int op_waits_sync(struct op_waits *w, struct op_raw *call, struct err *e) MUST_CHECK;
int op_waits_device(struct op_waits *w, struct op_raw *op, struct err *e) MUST_CHECK;

#endif
