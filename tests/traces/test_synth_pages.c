/* Synthesized page accesses: against closed forms, and what they do to an LRU cache. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/traces/synth_rig.h"
#include "traces/lru.h"

static double hit_ratio(const char *preset, uint32_t cache, uint64_t rows)
{
    struct lru *c = lru_new(cache);
    struct row_source *s = synth_preset(preset, rows, 1);
    union trace_row row;
    uint64_t hits = 0, n = 0;
    for (; s->next(s, &row, NULL) == 1; n++)
        hits += (uint64_t)lru_touch(c, row.page.page);
    s->close(s);
    lru_free(c);
    return (double)hits / (double)n;
}

Test(synth_pages, page_patterns_do_to_lru_what_they_are_for)
{
    cr_expect_eq(hit_ratio("pages-sequential", 65535, 300000), 0, "a loop kills LRU");
    cr_expect_float_eq(hit_ratio("pages-sequential", 65536, 262144), 0.75, 1e-12);
    cr_expect_float_eq(hit_ratio("pages-uniform", 16384, 1000000), 0.25 - 0.25 * 16384 * 1e-6 * 2,
                       0.01, "a quarter fits");
    cr_expect_gt(hit_ratio("pages-drift", 8192, 300000), 0.97);
    cr_expect_lt(hit_ratio("pages-drift", 1024, 300000), 0.30);
    cr_expect_gt(hit_ratio("pages-zipf", 16384, 1000000), hit_ratio("pages-scan", 16384, 1000000));
}

/* How far one file of 100 pages goes at each of 20000 accesses, mostly. */
static double share_of_steps(const char *mode, int64_t step)
{
    char text[256];
    struct err e = {0};
    union trace_row row;
    int64_t last = -1, n = 0, there = 0;
    snprintf(text, sizeof text,
             "{\"table\":\"pages\",\"pattern\":\"files\",\"files\":1,\"pages\":100,\"mode\":\"%s\","
             "\"mode_accesses\":1e9,\"run_pages\":5,\"rows\":20000}",
             mode);
    struct row_source *s = synth_text(text, 1, &e);
    cr_assert(s, "%s", e.msg);
    while (s->next(s, &row, &e) == 1) {
        cr_assert_lt(row.page.page, 100);
        n += last >= 0;
        there += last >= 0 && (int64_t)row.page.page == last + step;
        last = (int64_t)row.page.page;
    }
    s->close(s);
    return (double)there / (double)n;
}

Test(synth_pages, files_are_read_in_their_mode)
{
    cr_expect_float_eq(share_of_steps("sequential", 1), 0.99, 1e-3, "but at the end of the file");
    cr_expect_float_eq(share_of_steps("reverse", -1), 0.99, 1e-3);
    cr_expect_float_eq(share_of_steps("random", 1), 0.0099, 3e-3);
    cr_expect_float_eq(share_of_steps("runs", 1), 0.8 * 0.99 + 0.2 * 0.0099, 5e-3);
}

Test(synth_pages, files_are_tenants_with_pages_of_their_own)
{
    struct row_source *s = synth_preset("pages-files", 50000, 3);
    union trace_row row;
    unsigned seen = 0;
    while (s->next(s, &row, NULL) == 1) {
        cr_assert_eq(row.page.page / 65536, row.page.tenant);
        seen |= 1u << row.page.tenant;
    }
    cr_expect_eq(seen, 0xff);
    s->close(s);
}

Test(synth_pages, strides_reach_every_page)
{
    struct row_source *s = synth_preset("pages-strided", 65536, 1);
    unsigned char *seen = calloc(65536, 1);
    union trace_row row;
    uint64_t n = 0, last = 0, jumps = 0;
    for (; s->next(s, &row, NULL) == 1; n++, last = row.page.page) {
        cr_assert_lt(row.page.page, 65536);
        cr_assert_eq(seen[row.page.page]++, 0);
        jumps += n && row.page.page != last + 16;
    }
    cr_expect_eq(jumps, 15);
    free(seen);
    s->close(s);
}

Test(synth_pages, zipf_phases_and_writes_have_their_shares)
{
    struct err e = {0};
    double harmonic = 0;
    for (int k = 1; k <= 1000; k++)
        harmonic += 1 / (double)k;
    struct row_source *s = synth_text("{\"table\": \"pages\", \"pattern\": \"zipf\", \"zipf\": 1, "
                                      "\"pages\": 1000, \"write\": 0.3, \"rows\": 400000}",
                                      1, &e);
    cr_assert(s, "%s", e.msg);
    struct moments first = {0}, writes = {0};
    union trace_row row;
    while (s->next(s, &row, NULL) == 1) {
        moments_add(&first, row.page.page == 0);
        moments_add(&writes, row.page.write);
    }
    s->close(s);
    moments_near("rank 1", &first, 1 / harmonic);
    moments_near("writes", &writes, 0.3);

    struct moments hot = {0};
    s = synth_preset("pages-phases", 300000, 2);
    for (uint64_t i = 0; s->next(s, &row, NULL) == 1; i++) {
        uint64_t from = i / 100000 * 6553;
        moments_add(&hot, row.page.page >= from && row.page.page < from + 6553);
    }
    s->close(s);
    moments_near("hot", &hot, 0.9);
}
