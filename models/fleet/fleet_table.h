/* fleet_table.h - a pool's costs from a table of measured ones ("tables" of the experiment).
 *
 *     {"table": NAME, "model": M, "tensor_parallel": N}                   DistServe's coefficients
 *     {"table": NAME, "model": M, "hardware": H, "tensor_parallel": N,
 *      "decode_by": "tokens" | "batch", "only_batches": [..]}             Splitwise's measurements
 *
 * decode_by "tokens" is splitwise-sim's own rule: medians over prompt size x batch size, asked at
 * the number of tokens in the batch; "batch" is over the batch sizes of one prompt size (512).
 * only_batches leaves out what was measured at other ones (to be predicted).
 *
 * What the rows of each mean stands in traces/import_distserve.c and import_splitwise.c.        */
#ifndef MODELS_FLEET_FLEET_TABLE_H
#define MODELS_FLEET_FLEET_TABLE_H

#include "models/fleet/fleet_cost.h"

int fleet_table_check(const struct config *cost, struct err *e) MUST_CHECK;
const char *fleet_table_name(const struct config *cost); /* NULL: not of a table */
/* Fills c; its curves are malloc'd. */
int fleet_table_open(const struct model_env *env, const struct config *cost, struct fleet_cost *c,
                     struct err *e) MUST_CHECK;

#endif
