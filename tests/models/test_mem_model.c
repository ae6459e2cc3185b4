/* The model "memory" as an experiment sees it: shares, regions, readahead, look-ahead. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"
#include "models/mem/readahead.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "tests/models/mem_reference.h"
#include "traces/source.h"

static struct machine *load_machine(const char *path)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&json, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

static struct measures *run(const char *section, const char *machine, struct row_source *rows)
{
    struct config *c;
    struct err e = {0};
    struct machine *m = machine ? load_machine(machine) : NULL;
    struct measures *out = measures_new();
    struct model_env env = {.seed = 1, .machine = m, .rows = rows};
    cr_assert_eq(config_parse(&c, "t", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_memory.check(c, &e), 0, "%s", e.msg);
    cr_assert_eq(model_memory.run(c, &env, out, &e), 0, "%s", e.msg);
    config_free(c);
    machine_free(m);
    return out;
}

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "%s", name);
    return *v;
}

static void shares_sum_to_one(const struct measures *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->n_number; i++)
        if (!strncmp(m->number[i].name, "share.", 6)) {
            cr_expect(m->number[i].value >= 0, "%s", m->number[i].name);
            sum += m->number[i].value;
        }
    cr_expect_float_eq(sum, 1, 1e-9);
}

Test(mem_model, shares_of_time_sum_to_one)
{
    static const char *const sections[] = {
        "{\"accesses\":{\"pattern\":\"zipf\",\"pages\":500,\"count\":20000,\"writes\":0.3},"
        "\"cache\":"
        "{\"frames\":50,\"readahead\":true}}",
        "{\"accesses\":{\"pattern\":\"uniform\",\"pages\":500,\"count\":20000,\"writes\":0.3},"
        "\"tiers\":{\"use\":[{\"tier\":\"local\",\"pages\":50,\"load\":0.5},{\"tier\":\"remote\","
        "\"pages\":60}]}}",
        "{\"walk\":{\"working_set\":1e9,\"page\":\"4k\",\"host_page\":\"2m\"}}"};
    for (int i = 0; i < 3; i++) {
        struct measures *m = run(sections[i], "machines/cascade-lake-2s.json", NULL);
        shares_sum_to_one(m);
        measures_free(m);
    }
}

/* ---- rows ---- */

struct canned {
    struct row_source source;
    const struct trace_page *row;
    size_t n, at;
};

static int canned_next(struct row_source *self, union trace_row *out, struct err *e)
{
    (void)e;
    struct canned *c = (struct canned *)self;
    if (c->at == c->n)
        return 0;
    out->page = c->row[c->at++];
    return 1;
}

/* A region of 100 pages with 250 accesses counts on 100 pages; rows without accesses do not. */
Test(mem_model, samples_of_regions_are_spread_over_their_pages)
{
    static const struct trace_page rows[] = {{.page = 1000, .pages = 100, .count = 250},
                                             {.page = 5000, .pages = 10, .count = 0},
                                             {.page = 1010, .pages = 1, .count = 7}};
    struct canned c = {{.table = TRACE_PAGES, .next = canned_next}, rows, 3, 0};
    struct measures *m = run("{\"tiers\":{\"use\":[{\"tier\":\"local\",\"pages\":40},{\"tier\":"
                             "\"far_fast\",\"pages\":100}]}}",
                             "machines/memory/kleio-tiers.json", &c.source);
    cr_expect_eq(number(m, "accesses"), 257);
    /* 40 pages fit on the fast tier, with 2.5 accesses each on average, and the seven */
    cr_expect_float_eq(number(m, "tier0_share"), (100 + 7) / 257.0, 1e-9);
    measures_free(m);
    c.at = 0;
    m = run("{\"cache\":{\"frames\":500}}", NULL, &c.source);
    cr_expect_eq(number(m, "accesses"), 101);
    cr_expect_eq(number(m, "misses"), 100);
    measures_free(m);
}

/* The whole way, from the published file through the importer to the model: the same misses as the
 * reference that reads the file on its own. */
Test(mem_model, an_imported_trace_misses_as_the_reference)
{
    static const char section[] = "{\"import\":{\"format\":\"ramulator\",\"file\":"
                                  "\"data:spec2006-memtraces/403.gcc.gz\"}}";
    struct page_trace t;
    struct config *c;
    struct row_source *rows;
    struct trace_about about;
    struct err e = {0};
    if (page_trace_ramulator(&t, "403.gcc"))
        cr_skip_test("no spec2006-memtraces/403.gcc.gz");
    cr_assert_eq(config_parse(&c, "t", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(
        trace_rows_open(c, 1u << TRACE_PAGES, 1, &(struct trace_places){0}, &rows, &about, &e), 0,
        "%s", e.msg);
    struct measures *m = run("{\"cache\":{\"frames\":261}}", NULL, rows);
    struct reference_count want = reference_replay("fifo-cache", &t, 261);
    cr_expect_eq(number(m, "accesses"), (double)t.n);
    cr_expect_eq(number(m, "misses"), (double)want.misses);
    cr_expect_eq(number(m, "writebacks"), (double)want.writebacks);
    measures_free(m);
    rows->close(rows);
    config_free(c);
    page_trace_free(&t);
}

/* Every wrong memory access pattern would show here: sequential with readahead r misses once
 * every r + 1 pages; all that was read ahead is used. */
Test(mem_model, readahead_turns_misses_into_one_per_window)
{
    struct measures *m = run("{\"accesses\":{\"pattern\":\"sequential\",\"pages\":33000,\"count\":"
                             "33000},\"cache\":{\"frames\":1000,\"readahead\":true}}",
                             NULL, NULL);
    cr_expect_eq(number(m, "misses"), 1000); /* 32 pages unless a policy says otherwise */
    cr_expect_float_eq(number(m, "readahead_used"), 1, 1e-9);
    measures_free(m);
}

/* ---- KML's features, computed the long way ---- */

static float seen[5];
static uint32_t asked(void *self, const struct policy_readahead_obs *o)
{
    (void)self;
    memcpy(seen, o->feature, sizeof seen);
    return 8;
}

Test(mem_model, features_of_the_last_window)
{
    const struct policy_ops ops = {.name = "t", .mem_readahead = asked};
    struct policy_slot slot = {.ops = &ops};
    struct mem_readahead *r = mem_readahead_new(1000, &slot);
    static const uint64_t pages[] = {10, 14, 13, 20, 50};
    double mean = 0, var = 0, steps = 0;
    for (int i = 0; i < 5; i++) {
        struct mem_touch t = {.time_ns = 100 + 10 * (uint64_t)i, .page = pages[i], .tenant = 3};
        mem_readahead_see(r, &t);
        mean += (double)pages[i] / 5;
        steps += i ? fabs((double)pages[i] - (double)pages[i - 1]) / 5 : 0;
    }
    for (int i = 0; i < 5; i++)
        var += ((double)pages[i] - mean) * ((double)pages[i] - mean) / 5;
    struct mem_touch later = {.time_ns = 1300, .page = 99, .tenant = 3};
    mem_readahead_see(r, &later);
    cr_expect_eq(mem_readahead_ask(r, &later, NULL), 8);
    const double want[] = {5, mean, sqrt(var), steps, 32};
    for (int i = 0; i < 5; i++)
        cr_expect_float_eq(seen[i], want[i], 1e-4, "feature %d: %g, want %g", i, seen[i], want[i]);
    later.time_ns = 9000; /* windows without accesses: the last full one is empty */
    mem_readahead_see(r, &later);
    cr_expect_eq(mem_readahead_ask(r, &later, NULL), 8);
    cr_expect_eq(seen[0], 0);
    cr_expect_eq(seen[4], 8);
    mem_readahead_free(r);
}

/* ---- what an oracle of readahead is shown ---- */

static uint64_t shown[8];
static uint32_t n_shown;
static uint32_t looks(void *self, const struct policy_readahead_obs *o)
{
    (void)self;
    n_shown = o->n_next;
    cr_assert_eq(!o->oracle_next, !o->n_next);
    for (uint32_t i = 0; i < 8 && i < o->n_next; i++)
        shown[i] = o->oracle_next[i];
    return 0;
}

Test(mem_model, an_oracle_sees_its_own_streams_future_and_others_see_nothing)
{
    static const struct trace_page rows[] = {{.page = 1, .pages = 1, .count = 1, .tenant = 1},
                                             {.page = 70, .pages = 1, .count = 1},
                                             {.page = 5, .pages = 1, .count = 1, .tenant = 1},
                                             {.page = 71, .pages = 1, .count = 1},
                                             {.page = 2, .pages = 1, .count = 1, .tenant = 1}};
    struct policy_ops ops = {.name = "t", .mem_readahead = looks, .oracle = 1};
    for (int oracle = 1; oracle >= 0; oracle--) {
        struct canned c = {{.table = TRACE_PAGES, .next = canned_next}, rows, 5, 0};
        ops.oracle = (uint32_t)oracle;
        struct policy_slot slot = {.ops = &ops};
        struct mem_source *from = mem_source_new(NULL, &c.source, 1, 100);
        struct mem_readahead *r = mem_readahead_new(1000, &slot);
        struct mem_touch t;
        struct err e = {0};
        cr_assert_eq(mem_source_next(from, &t, &e), 1);
        mem_readahead_see(r, &t);
        (void)mem_readahead_ask(r, &t, from);
        cr_expect_eq(n_shown, oracle ? 2 : 0);
        cr_expect(!oracle || (shown[0] == 5 && shown[1] == 2));
        cr_assert_eq(mem_source_next(from, &t, &e), 1);
        mem_readahead_see(r, &t);
        (void)mem_readahead_ask(r, &t, from);
        cr_expect(n_shown == (oracle ? 1 : 0) && (!oracle || shown[0] == 71));
        mem_readahead_free(r);
        mem_source_free(from);
    }
}

/* ---- how far until a page comes again ---- */

Test(mem_model, the_window_ahead_is_exact_within_its_reach)
{
    enum { N = 4000, PAGES = 60 };
    static const uint64_t windows[] = {1, 7, 100, 5000};
    uint64_t page[N], next[N], last[PAGES];
    const struct mem_pattern p = {.pages = PAGES, .count = N};
    struct err e = {0};
    struct mem_touch t;
    struct mem_source *s = mem_source_new(&p, NULL, 4, 0);
    for (int i = 0; i < N; i++) {
        cr_assert_eq(mem_source_next(s, &t, &e), 1);
        page[i] = t.page;
    }
    mem_source_free(s);
    for (int i = 0; i < PAGES; i++)
        last[i] = UINT64_MAX;
    for (int i = N; i-- > 0;) {
        next[i] = last[page[i]] == UINT64_MAX ? UINT64_MAX : last[page[i]] - (uint64_t)i;
        last[page[i]] = (uint64_t)i;
    }
    for (int w = 0; w < 4; w++) {
        s = mem_source_new(&p, NULL, 4, windows[w]);
        for (int i = 0; i < N; i++) {
            cr_assert_eq(mem_source_next(s, &t, &e), 1);
            uint64_t want = next[i] < windows[w] ? next[i] : UINT64_MAX;
            cr_assert(t.page == page[i] && t.next == want, "window %lu, access %d: %lu, want %lu",
                      windows[w], i, t.next, want);
        }
        cr_expect_eq(mem_source_next(s, &t, &e), 0);
        mem_source_free(s);
    }
}

/* Zipf ranks are scattered one to one: as many different pages as ranks. */
Test(mem_model, zipf_covers_every_page)
{
    const struct mem_pattern p = {.kind = 1, .pages = 37, .count = 20000, .skew = 0.2};
    struct mem_source *s = mem_source_new(&p, NULL, 4, 0);
    struct err e = {0};
    struct mem_touch t;
    uint64_t bits = 0;
    while (mem_source_next(s, &t, &e) > 0) {
        cr_assert_lt(t.page, 37);
        bits |= UINT64_C(1) << t.page;
    }
    cr_expect_eq(bits, (UINT64_C(1) << 37) - 1);
    mem_source_free(s);
}

#define CACHE_ON(device)                                                                           \
    "{\"accesses\":{\"pattern\":\"zipf\",\"pages\":500,\"count\":20000,\"gap_ns\":1000,"           \
    "\"writes\":"                                                                                  \
    "0.3},\"cache\":{\"frames\":50,\"readahead\":true" device "}}"
#define SERVER "machines/h200-server.json"

/* What a phase takes is what was asked of the device in it; alike phases take together what one
 * takes, and the cache does not care. */
Test(mem_model, the_device_behind_a_cache_changes_in_mid_run)
{
    struct measures *plain = run(CACHE_ON(""), SERVER, NULL),
                    *alike = run(CACHE_ON(",\"device\":[{},{\"from_s\":0.01}]"), SERVER, NULL),
                    *slow = run(CACHE_ON(",\"device\":[{},{\"from_s\":0.01,\"request\":3,"
                                         "\"page\":3},{\"from_s\":9}]"),
                                SERVER, NULL);
    const double time = number(plain, "time"), half = number(alike, "device.1.io_per_access");
    cr_expect_null(measures_find(plain, "device.0.io_per_access"));
    cr_expect_float_eq(number(alike, "time"), time, 1e-9 * time);
    cr_expect_float_eq((number(alike, "device.0.io_per_access") + half) / 2 * 20000 / 1e6,
                       time * number(plain, "share.io"), 1e-9 * time, "10000 accesses in each");
    cr_expect_eq(number(slow, "misses"), number(plain, "misses"));
    cr_expect_eq(number(slow, "device.0.io_per_access"), number(alike, "device.0.io_per_access"));
    cr_expect_float_eq(number(slow, "device.1.io_per_access"), 3 * half, 1e-9 * half);
    cr_expect_null(measures_find(slow, "device.2.io_per_access"), "it ends before");
    measures_free(plain);
    measures_free(alike);
    measures_free(slow);
}
