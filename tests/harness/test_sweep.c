/* The program itself, run by the scripts in tests/cli. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "tests/sanitized.h"

Test(sweep, is_the_same_in_every_layout_and_after_kills, .timeout = 300)
{
    cr_expect_eq(system("tests/cli/sweep_identity.sh " BUILD " >&2"), 0);
}

Test(sweep, is_the_same_on_real_traces, .timeout = 300)
{
    cr_expect_eq(system(SANITIZED ? "tests/cli/real_traces.sh " BUILD " 300 >&2"
                                  : "tests/cli/real_traces.sh " BUILD " >&2"),
                 0);
}
