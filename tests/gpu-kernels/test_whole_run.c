/* test_whole_run.c - the program itself: no backend changes a result. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(kernels_whole_run, every_backend_gives_the_same_bytes, .timeout = 120)
{
    cr_expect_eq(system("tests/cli/backend_identity.sh " BUILD " >&2"), 0);
}
