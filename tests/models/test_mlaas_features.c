/* test_mlaas_features.c - the feature store against one that keeps everything, and what it costs.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "models/mlaas/features.h"
#include "tests/models/mlaas_rig.h"

enum { FIELDS = 3, COLUMNS = 1 + 4 + 2, MOST = 4000 };
static const struct policy_field schema[FIELDS] = {{"a", 1}, {"b", 4}, {"c", 2}};

/* The naive one: every vector ever committed, and where the ring and the drops have come to. */
struct naive {
    float value[MOST][FIELDS], now[FIELDS];
    uint64_t at[MOST];
    uint32_t n, from, rows; /* [from, n) are there */
    bool open;
};

static void naive_row(const struct naive *v, uint32_t i, float *to)
{
    for (int f = 0; f < FIELDS; f++)
        for (uint32_t h = 0; h < schema[f].history; h++)
            *to++ = i >= h ? v->value[i - h][f] : 0;
}

static int naive_commit(struct naive *v, uint64_t at)
{
    if (!v->open)
        return -1;
    memcpy(v->value[v->n], v->now, sizeof v->now);
    v->at[v->n] = v->n && at < v->at[v->n - 1] ? v->at[v->n - 1] : at;
    v->n++;
    if (v->n - v->from > v->rows)
        v->from = v->n - v->rows;
    v->open = false;
    return 0;
}

static void compare(const struct naive *v, struct features *f, uint64_t since, uint32_t most)
{
    static float rows[512 * COLUMNS], want[COLUMNS];
    static uint64_t at[512];
    const int n = features_get(f, 0, since, most, rows, at);
    uint32_t first = v->n;
    while (first > v->from && v->n - first < most && v->at[first - 1] >= since)
        first--;
    cr_assert_eq(n, (int)(v->n - first), "%d rows, want %u", n, v->n - first);
    for (int i = 0; i < n; i++) {
        naive_row(v, first + (uint32_t)i, want);
        cr_assert_eq(at[i], v->at[first + (uint32_t)i]);
        cr_assert(!memcmp(want, rows + i * COLUMNS, sizeof want), "row %d of %d", i, n);
    }
}

static void step(struct naive *v, struct features *f, struct rng *r, uint64_t *clock)
{
    const uint32_t field = (uint32_t)rng_below(r, FIELDS + 1); /* one too many: refused */
    const float x = (float)rng_below(r, 1000) / 8;
    const bool fine = v->open && field < FIELDS;
    switch (rng_below(r, 8)) {
    case 0:
        cr_assert_eq(features_begin(f, 0), 0);
        memset(v->now, 0, sizeof v->now);
        v->open = true;
        break;
    case 1:
    case 2:
        cr_assert_eq(features_put(f, 0, field, x), fine ? 0 : -1);
        if (fine)
            v->now[field] = x;
        break;
    case 3:
        cr_assert_eq(features_add(f, 0, field, x), fine ? 0 : -1);
        if (fine)
            v->now[field] += x;
        break;
    case 4:
    case 5:
        *clock += rng_below(r, 4) * 10;
        const uint64_t late = rng_below(r, 9) ? 0 : 15;
        cr_assert_eq(features_commit(f, 0, *clock - late), naive_commit(v, *clock - late));
        break;
    case 6:
        compare(v, f, *clock - rng_below(r, 500), (uint32_t)rng_below(r, 12));
        compare(v, f, 0, 512);
        break;
    default:
        if (!rng_below(r, 6)) {
            const uint64_t until = *clock - rng_below(r, 300);
            uint32_t gone = v->from;
            while (gone < v->n && v->at[gone] <= until)
                gone++;
            cr_assert_eq(features_drop(f, 0, until), (int)(gone - v->from));
            v->from = gone;
        }
    }
}

Test(features, a_ring_is_what_is_left_of_all_that_was_committed)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        static struct naive v;
        struct rng r;
        char why[128] = "";
        uint64_t clock = 1000;
        rng_init(&r, seed, "test", "features");
        struct features *f = features_new();
        v = (struct naive){.rows = 1 + (uint32_t)rng_below(&r, 300)};
        cr_assert_eq(features_open(f, "x", schema, FIELDS, v.rows, why, sizeof why), 0, "%s", why);
        cr_assert_eq(features_columns(f, 0), COLUMNS);
        for (int i = 0; i < 6000; i++)
            step(&v, f, &r, &clock);
        features_free(f);
    }
}

Test(features, the_same_name_is_the_same_registry_and_limits_are_kept)
{
    char why[128], name[16];
    struct features *f = features_new();
    static const struct policy_field other[] = {{"a", 2}}, none[] = {{"a", 0}},
                                     huge[] = {{"a", 257}};
    const int x = features_open(f, "x", schema, FIELDS, 0, why, sizeof why);
    cr_expect_eq(features_open(f, "x", schema, FIELDS, FEATURES_ROWS, why, sizeof why), x);
    cr_expect_eq(features_open(f, "x", other, 1, 0, why, sizeof why), -1);
    cr_expect_str_eq(why, "it is there already with other fields or rows");
    cr_expect_eq(features_open(f, "y", none, 1, 0, why, sizeof why), -1);
    cr_expect_str_eq(why, "field 0: want a name and a history of 1..256");
    cr_expect_eq(features_open(f, "y", huge, 1, 0, why, sizeof why), -1);
    cr_expect_eq(features_open(f, "y", other, 0, 0, why, sizeof why), -1);
    cr_expect_str_eq(why, "want 1..256 columns");
    for (int i = 1; i < FEATURES_REGISTRIES; i++) {
        snprintf(name, sizeof name, "r%d", i);
        cr_expect_eq(features_open(f, name, other, 1, 4, why, sizeof why), i);
    }
    cr_expect_eq(features_open(f, "one more", other, 1, 4, why, sizeof why), -1);
    cr_expect_str_eq(why, "want at most 32 registries of at most 65536 rows");
    cr_expect_eq(features_begin(f, 32), -1);
    cr_expect_eq(features_commit(f, -1, 0), -1);
    cr_expect_eq(features_put(f, 1, 0, 1), -1, "nothing was begun");
    features_free(f);
}

/* On a core with the inference; alone, when a hook asks for nothing else; and outside of hooks. */
Test(features, what_they_cost_is_charged)
{
    struct mlaas_rig r = {.infer = "{}", .stack = "native"};
    mlaas_rig_open(&r);
    mlaas_rig_store(&r, 0, 3, 1, 2, false);     /* 3 x 1 + 1 x 2 + 2 x 4 us, nobody waits */
    mlaas_rig_store(&r, 100000, 1, 0, 0, true); /* a hook: 1 us */
    mlaas_rig_run(&r);
    cr_expect_float_eq(r.waited_us, 1, 1e-9);
    struct mlaas_stats s;
    mlaas_stats(r.m, &s);
    cr_expect_eq(s.cpu_ps, 14000000);
    cr_expect_eq(s.puts, 4);
    cr_expect_eq(s.commits, 1);
    cr_expect_eq(s.rows_read, 2);
    mlaas_rig_close(&r);
}
