/* stale_sizes.c - the right symbol over structs of another shape. */
#include "policy.h"
__attribute__((visibility("default"))) extern const struct policy_ops POLICY_TABLE;
const struct policy_ops POLICY_TABLE = {
    .abi = POLICY_ABI, .ops_size = 8, .host_size = 16, .obs_size = 24};
