/* fleet_table.h - a pool's costs from a table of measured ones ("tables" of the experiment).
 *
 *     {"table": NAME, "model": M, "tensor_parallel": N}                   DistServe's coefficients
 *     {"table": NAME, "model": M, "hardware": H, "tensor_parallel": N,
 *      "decode_by": "batch" | "tokens", "only_batches": [..]}             Splitwise's measurements
 *
 * What the rows of each mean stands in traces/import_distserve.c and import_splitwise.c.        */
#ifndef MODELS_FLEET_FLEET_TABLE_H
#define MODELS_FLEET_FLEET_TABLE_H

#include "models/fleet/fleet_cost.h"

int fleet_table_check(const struct config *cost, struct err *e) MUST_CHECK;
/* Fills c (its curves are malloc'd) and, where the table says it and *kv_blocks is 0, that. */
int fleet_table_open(const struct model_env *env, const struct config *cost, struct fleet_cost *c,
                     uint64_t *kv_blocks, struct err *e) MUST_CHECK;

#endif
