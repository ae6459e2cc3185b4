/* Gavel's throughputs: which rows they make, and what is refused with the place it stands at. */
#include <criterion/criterion.h>
#include <string.h>

#include "traces/import.h"
#include "traces/input.h"

static struct importer *open_text(const char *text, int *rc, struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    cr_assert_eq(input_open_memory(&in, "t.json", text, strlen(text), e), 0);
    *rc = import_open_input(&im, in, import_format("gavel"), 0, e);
    return *rc ? NULL : im;
}

#define A "\"('LM (batch size 5)', 2)\""
#define B "\"('A3C', 2)\""

Test(gavel_rates, a_row_for_each_rate_of_its_own)
{
    int rc;
    struct err e = {0};
    union trace_row row;
    struct importer *im = open_text(
        "{\"k80\": {" A ": {\"null\": 4.0, " B ": [2.5, 0.0]}, " B ": {\"null\": 0}}}", &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect_str_eq(names_text(im->names, row.cost.name), "LM (batch size 5)");
    cr_expect_str_eq(names_text(im->names, row.cost.where), "k80");
    cr_expect(row.cost.with == TRACE_NAME_NONE && row.cost.key[0] == 2 && row.cost.key[1] == 0);
    cr_expect(row.cost.unit == TRACE_COST_PS && row.cost.value == UINT64_C(250000000000));
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect_str_eq(names_text(im->names, row.cost.with), "A3C");
    cr_expect(row.cost.key[1] == 2 && row.cost.value == UINT64_C(400000000000));
    cr_assert_eq(import_next(im, &row, &e), 1);
    cr_expect_eq(row.cost.value, 0, "it can't run there");
    cr_expect_eq(import_next(im, &row, &e), 0);
    import_close(im);
}

static const char *const wrong[] = {
    "[1]",
    "{\"k80\": 3}",
    "{\"k80\": {" A ": 3}}",
    "{\"k80\": {\"LM\": {\"null\": 1}}}",
    "{\"k80\": {\"('LM', 0)\": {\"null\": 1}}}",
    "{\"k80\": {\"('LM', 1x)\": {\"null\": 1}}}",
    "{\"k80\": {" A ": {\"null\": -1}}}",
    "{\"k80\": {" A ": {\"null\": 1e-7}}}",
    "{\"k80\": {" A ": {\"null\": \"1\"}}}",
    "{\"k80\": {" A ": {" B ": [1]}}}",
    "{\"k80\": {" A ": {" B ": 1}}}",
    "{\"k80\": {" A ": {",
};

Test(gavel_rates, what_is_wrong_is_said_where)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int rc;
        struct err e = {0};
        union trace_row row;
        struct importer *im = open_text(wrong[i], &rc, &e);
        while (im && (rc = import_next(im, &row, &e)) > 0)
            ;
        cr_expect_lt(rc, 0, "text %zu", i);
        cr_expect(!strncmp(e.msg, "t.json", 6), "text %zu: %s", i, e.msg);
        import_close(im);
    }
}
