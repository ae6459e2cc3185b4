#include <criterion/criterion.h>

#include "sim/pool.h"

/* Two to the thirty-two uses of one slot take too long to wait for. */
Test(pool, a_slot_whose_generations_are_used_up_is_retired)
{
    struct pool p = {0};
    uint32_t a, b;
    cr_assert(pool_take(&p, &a));
    p.at[a].gen = UINT32_MAX;
    sim_event last = pool_handle(a, UINT32_MAX);
    cr_expect(pool_live(&p, last));
    pool_give(&p, a);
    cr_expect_not(pool_live(&p, last));
    cr_assert(pool_take(&p, &b));
    cr_expect_neq(a, b, "the slot came back, and with it an old handle's number");
    pool_free(&p);
}

Test(pool, growing_keeps_the_events_and_their_handles)
{
    struct pool p = {0};
    enum { N = 100000 }; /* past the size at which huge pages are asked for */
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot;
        cr_assert(pool_take(&p, &slot));
        cr_assert_eq(slot, i);
        p.at[slot].arg = i;
    }
    for (uint32_t i = 0; i < N; i++)
        cr_assert(p.at[i].arg == i && p.at[i].gen == 1);
    cr_expect_eq((uintptr_t)p.at % 64, 0);
    pool_free(&p);
}
