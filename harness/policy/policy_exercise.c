#include "harness/policy/policy_exercise.h"

uint32_t exercise_size(struct exercise *x, uint32_t usual)
{
    static const uint32_t odd[] = {0, 1, UINT32_MAX, 1u << 20};
    return rng_below(&x->r, 50) ? exercise_below(x, usual) : odd[exercise_below(x, 4)];
}

void exercise_wait(struct exercise *x, uint32_t up_to_ns)
{
    x->now_ns += rng_below(&x->r, 10) ? rng_below(&x->r, up_to_ns) : 0;
}

static bool has_any(const struct policy_ops *o, enum policy_hook first, enum policy_hook last)
{
    unsigned family = (2u << last) - (1u << first);
    return policy_hooks(o) & family;
}

uint64_t policy_exercise(struct policy_slot *slot, uint64_t seed, uint32_t steps)
{
    const struct policy_ops *o = slot->ops;
    struct exercise x = {
        .slot = slot, .now_ns = 1, .hash = UINT64_C(0xcbf29ce484222325), .small = seed % 2 == 0};
    rng_init(&x.r, seed, "check", "exercise");
    if (has_any(o, POLICY_HOOK_SERVE_ADMIT, POLICY_HOOK_SERVE_BATCH))
        exercise_serve(&x, steps);
    if (has_any(o, POLICY_HOOK_SERVE_ROUTE, POLICY_HOOK_SERVE_SCALE))
        exercise_route(&x, steps);
    if (has_any(o, POLICY_HOOK_CPU_PICK, POLICY_HOOK_CPU_BALANCE))
        exercise_cpu(&x, steps);
    if (has_any(o, POLICY_HOOK_MEM_EVICT, POLICY_HOOK_MEM_READAHEAD))
        exercise_mem(&x, steps);
    if (has_any(o, POLICY_HOOK_IO_STEER, POLICY_HOOK_IO_STEER))
        exercise_io(&x, steps);
    if (has_any(o, POLICY_HOOK_GPU_DISPATCH, POLICY_HOOK_GPU_SHARE))
        exercise_gpu(&x, steps);
    if (has_any(o, POLICY_HOOK_CLUSTER_ORDER, POLICY_HOOK_CLUSTER_ORDER))
        exercise_order(&x, steps);
    if (has_any(o, POLICY_HOOK_CLUSTER_PLACE, POLICY_HOOK_CLUSTER_PLACE))
        exercise_place(&x, steps);
    if (has_any(o, POLICY_HOOK_CLUSTER_SHARE, POLICY_HOOK_CLUSTER_SHARE))
        exercise_rounds(&x, steps);
    if (has_any(o, POLICY_HOOK_POLICY_SELECT, POLICY_HOOK_POLICY_SELECT))
        exercise_select(&x, steps);
    return x.hash;
}
