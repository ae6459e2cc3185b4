#include <criterion/criterion.h>

#include "sim/err.h"

Test(err, the_first_cause_wins_and_callers_add_a_prefix)
{
    struct err e = {0};
    cr_expect_eq(err_set(&e, ERR_EPARSE, "row %d is bad", 17), ERR_EPARSE);
    cr_expect_eq(err_set(&e, ERR_EIO, "later"), ERR_EIO);
    err_wrap(&e, e.code, "x.csv");
    cr_expect_eq(e.code, ERR_EPARSE);
    cr_expect_str_eq(e.msg, "x.csv: row 17 is bad");
}

Test(err, every_code_has_an_exit_status)
{
    cr_expect_eq(err_status(ERR_OK), 0);
    cr_expect_eq(err_status(ERR_EFAIL), 1);
    cr_expect_eq(err_status(ERR_EPARSE), 2);
    cr_expect_eq(err_status(ERR_ETOL), 3);
}
