/* The program itself: one sweep of 200 trials in every layout (tests/cli/sweep_identity.sh). */
#include <criterion/criterion.h>

#include <stdlib.h>

Test(sweep, is_the_same_in_every_layout_and_after_kills, .timeout = 300)
{
    cr_expect_eq(system("tests/cli/sweep_identity.sh " BUILD " >&2"), 0);
}
