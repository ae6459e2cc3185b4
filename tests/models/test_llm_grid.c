/* test_llm_grid.c - interpolation on grids against closed forms and a walk. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "models/llm_grid.h"
#include "sim/rng.h"

static void add(struct grid_points *p, uint64_t a, uint64_t b, int64_t value)
{
    const uint64_t key[GRID_DIMS] = {a, b};
    cr_assert(grid_point_add(p, key, value));
}

/* 7 + 3a + 5b + 2ab is linear along each axis, so that the grid knows it everywhere, also past
 * its ends. */
static int64_t plane(uint64_t a, uint64_t b)
{
    return (int64_t)(7 + 3 * a + 5 * b + 2 * a * b);
}

static struct grid planes(void)
{
    static const uint64_t as[] = {1, 2, 7, 20}, bs[] = {0, 16, 100};
    struct grid_points p = {0};
    struct grid g;
    struct err e = {0};
    for (size_t i = 4; i-- > 0;)
        for (size_t k = 0; k < 3; k++)
            add(&p, as[i], bs[k], plane(as[i], bs[k]));
    cr_assert_eq(grid_build(&g, 2, &p, "plane", &e), 0, "%s", e.msg);
    cr_assert_eq(grid_whole(&g, "plane", &e), 0, "%s", e.msg);
    grid_points_free(&p);
    return g;
}

Test(llm_grid, what_is_linear_is_met_everywhere)
{
    struct grid g = planes();
    for (uint64_t a = 1; a < 40; a++)
        for (uint64_t b = 0; b < 300; b += 7) {
            const uint64_t key[] = {a, b};
            cr_expect_eq(grid_at(&g, key), plane(a, b), "(%d, %d)", (int)a, (int)b);
        }
    const uint64_t before[] = {0, 16};
    cr_expect_eq(grid_at(&g, before), plane(1, 16)); /* flat before the first */
    grid_free(&g);
}

/* The line at a key says what the grid says there, but for what its slope was rounded by. */
Test(llm_grid, lines_say_what_points_say)
{
    struct rng r;
    rng_init(&r, 3, "test", "grid");
    for (int round = 0; round < 100; round++) {
        struct grid_points p = {0};
        struct grid g;
        struct err e = {0};
        const size_t n = 1 + rng_below(&r, 5), m = 1 + rng_below(&r, 6);
        uint64_t a = rng_below(&r, 3);
        for (size_t i = 0; i < n; i++, a += 1 + rng_below(&r, 40)) {
            uint64_t b = 10;
            for (size_t k = 0; k < m; k++, b = b * 2 + 1)
                add(&p, a, b, (int64_t)rng_below(&r, 1000000));
        }
        cr_assert_eq(grid_build(&g, 2, &p, "g", &e), 0, "%s", e.msg);
        for (int i = 0; i < 300; i++) {
            const uint64_t key[] = {rng_below(&r, g.axis[0][g.n[0] - 1] + 1), rng_below(&r, 1000)};
            const struct grid_line l = grid_line(&g, key);
            const uint64_t at[] = {key[0], l.from};
            cr_assert(l.from <= key[1] && key[1] < l.to);
            if (key[1] >= g.axis[1][0])
                cr_assert_eq(l.value, grid_at(&g, at));
            const int64_t by_line = l.value + l.slope * (int64_t)(key[1] - l.from);
            const int64_t off = grid_at(&g, key) - by_line;
            cr_assert_leq(llabs(off), 2 * (int64_t)(key[1] - l.from) + 2, "off by %lld",
                          (long long)off);
        }
        grid_free(&g);
        grid_points_free(&p);
    }
}

static void first_of_b(const struct grid *g, uint64_t *key)
{
    key[1] = g->axis[1][0];
}

Test(llm_grid, holes_are_filled_by_rule_or_named)
{
    struct grid_points p = {0};
    struct grid g;
    struct err e = {0};
    add(&p, 0, 5, 100);
    add(&p, 1, 5, 10);
    add(&p, 1, 6, 20);
    add(&p, 2, 5, 30);
    add(&p, 2, 6, 50);
    add(&p, 4, 5, 70);
    cr_assert_eq(grid_build(&g, 2, &p, "rows", &e), 0);
    cr_expect_eq(grid_whole(&g, "rows", &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "rows: nothing measured at (0, 6)");
    grid_extend(&g, 0); /* (4, 6): 20, 50, so 110; (0, 6) has nothing before it */
    cr_expect_eq(grid_whole(&g, "rows", &e), ERR_ERANGE);
    grid_alias(&g, first_of_b);
    cr_expect_eq(grid_whole(&g, "rows", NULL), 0);
    const uint64_t end[] = {4, 6}, first[] = {0, 6};
    cr_expect_eq(grid_at(&g, end), 110);
    cr_expect_eq(grid_at(&g, first), 100);
    grid_free(&g);
    add(&p, 4, 5, 71);
    e = (struct err){0};
    cr_expect_eq(grid_build(&g, 2, &p, "rows", &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "rows: measured twice (4, 5)");
    grid_free(&g);
    grid_points_free(&p);
    e = (struct err){0};
    cr_expect_eq(grid_build(&g, 2, &p, "rows", &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "rows: no rows");
}

Test(llm_grid, keys_that_are_no_grid_are_refused)
{
    struct grid_points p = {0};
    struct grid g;
    struct err e = {0};
    for (uint64_t i = 0; i < 3000; i++)
        add(&p, i, i, 1);
    cr_expect_eq(grid_build(&g, 2, &p, "rows", &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "rows: its keys are no grid: more than 4194304 cells");
    grid_free(&g);
    grid_points_free(&p);
}
