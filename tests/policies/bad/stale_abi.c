/* stale_abi.c - built against an older number: the symbol's name says so. */
struct old_table {
    unsigned abi;
};
__attribute__((visibility("default"))) extern const struct old_table malv_policy_v0;
const struct old_table malv_policy_v0 = {0};
