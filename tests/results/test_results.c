/* A set of trials through the file and back, through the journal and back; damage along the way. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/journal.h"
#include "results/results.h"

static char folder[64];

static void begin(void)
{
    strcpy(folder, "/tmp/malv-results-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char cmd[96];
    snprintf(cmd, sizeof cmd, "rm -rf %s", folder);
    cr_expect_eq(system(cmd), 0);
}

TestSuite(results, .init = begin, .fini = end, .timeout = 60);

static const char *at(const char *name)
{
    static char path[4][128];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static struct result_trial trial(uint64_t index, const char *policy, bool failed)
{
    struct result_trial t = {.index = index, .seed = 40 + index, .n_factor = 2};
    t.factor = calloc(2, sizeof *t.factor);
    t.factor[0] = (struct result_factor){strdup("stack"), strdup("kvm")};
    t.factor[1] = (struct result_factor){strdup("policy"), strdup(policy)};
    t.measures = measures_new();
    t.failed = failed;
    t.why = strdup(failed ? "the trace ends in the middle of row 7" : "");
    if (failed)
        return t;
    measures_number(t.measures, "goodput", "requests/s", BETTER_MORE, 1.0 / 3 + (double)index);
    if (index == 2)
        measures_number(t.measures, "only_here", "1", BETTER_LESS, -0.0);
    struct sketch *s = measures_sketch(t.measures, "ttft", "ms", index == 4);
    for (int i = 0; i < 1000; i++)
        sketch_add(s, (double)(i * i) * 0.001 * (double)(index + 1));
    struct measure_series *w = measures_series(t.measures, "waiting", "requests");
    for (int i = 0; i < 2000; i++)
        series_level(w, (sim_time)i * SIM_SEC, i % 17);
    measures_incident(t.measures, "ejected", policy, 12345, 7, "answered 5, want 0 or 1");
    return t;
}

static struct result_set *a_set(bool backwards)
{
    struct err e = {0};
    char *big = malloc(100001); /* an attribute over HDF5's old limit of 64 KiB */
    memset(big, 'x', 100000);
    big[100000] = '\0';
    struct result_set *rs = results_new("n", "ein Tître", big, "", "{\"digest\":\"ab\"}", "0.1", 9);
    free(big);
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t k = backwards ? 4 - i : i;
        struct result_trial t = trial(k, k % 2 ? "sjf" : "fifo", k == 3);
        cr_assert_eq(results_add(rs, &t, &e), 0, "%s", e.msg);
    }
    return rs;
}

/* Equal in every bit that packing keeps. */
static void expect_same(const struct result_set *a, const struct result_set *b)
{
    cr_assert_eq(a->n_trial, b->n_trial);
    struct buf x = {0}, y = {0};
    results_pack_head(a, &x);
    results_pack_head(b, &y);
    for (size_t i = 0; i < a->n_trial; i++) {
        result_trial_pack(&a->trial[i], &x);
        result_trial_pack(&b->trial[i], &y);
    }
    cr_expect_eq(x.len, y.len);
    cr_expect(x.len == y.len && !memcmp(x.data, y.data, x.len));
    buf_free(&x);
    buf_free(&y);
}

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    char *data = malloc(1 << 24);
    *n = fread(data, 1, 1 << 24, f);
    fclose(f);
    return data;
}

Test(results, a_file_gives_back_every_bit)
{
    struct err e = {0};
    struct result_set *rs = a_set(false), *back;
    cr_assert_eq(results_write(rs, at("a.h5"), &e), 0, "%s", e.msg);
    cr_assert_eq(results_load(&back, at("a.h5"), &e), 0, "%s", e.msg);
    expect_same(rs, back);
    results_free(rs);
    results_free(back);
}

Test(results, bytes_depend_on_the_content_alone)
{
    struct err e = {0};
    size_t n, m;
    struct result_set *a = a_set(false), *b = a_set(true);
    cr_assert_eq(results_write(a, at("a.h5"), &e), 0, "%s", e.msg);
    sleep(1); /* nothing in it may be a time */
    cr_assert_eq(results_write(b, at("b.h5"), &e), 0, "%s", e.msg);
    char *x = slurp(at("a.h5"), &n), *y = slurp(at("b.h5"), &m);
    cr_expect_eq(n, m);
    cr_expect(n == m && !memcmp(x, y, n));
    free(x);
    free(y);
    results_free(a);
    results_free(b);
}

Test(results, an_empty_set_is_a_file_too)
{
    struct err e = {0};
    struct result_set *rs = results_new("n", "", "{}", "", "", "0.1", 3), *back;
    cr_assert_eq(results_write(rs, at("a.h5"), &e), 0, "%s", e.msg);
    cr_assert_eq(results_load(&back, at("a.h5"), &e), 0, "%s", e.msg);
    cr_expect_eq(back->planned, 3);
    expect_same(rs, back);
    results_free(rs);
    results_free(back);
}

Test(results, a_reader_in_another_language_finds_columns_by_name)
{
    struct err e = {0};
    struct result_set *rs = a_set(false);
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null")) {
        results_free(rs);
        cr_skip_test("python3-h5py is not installed");
    }
    cr_assert_eq(results_write(rs, at("a.h5"), &e), 0, "%s", e.msg);
    results_free(rs);
    char cmd[512];
    snprintf(cmd, sizeof cmd,
             "/usr/bin/python3 -c \"import h5py; f = h5py.File('%s'); t = f['trials'][:]\n"
             "assert list(t['policy']) == [b'fifo', b'sjf', b'fifo', b'sjf', b'fifo']\n"
             "assert t['goodput'][2] == 1.0 / 3 + 2 and t['goodput'][3] != t['goodput'][3]\n"
             "assert f['trials'].attrs['unit.goodput'] == b'requests/s'\n"
             "assert f['sketches'][0]['count'] == 1000\"",
             at("a.h5"));
    cr_expect_eq(system(cmd), 0);
}

Test(results, what_is_not_ours_is_refused)
{
    struct err e = {0};
    struct result_set *rs;
    FILE *f = fopen(at("a.h5"), "w");
    fputs("not HDF5\n", f);
    fclose(f);
    cr_expect_eq(results_load(&rs, at("a.h5"), &e), ERR_EIO);
    cr_expect(strstr(e.msg, "a.h5: HDF5 can not read it"), "%s", e.msg);
    e = (struct err){0};
    cr_expect_eq(results_load(&rs, at("none.h5"), &e), ERR_EIO);
    cr_expect(strstr(e.msg, "none.h5: there is no such file, nor a journal of one"), "%s", e.msg);
}

/* ---- the journal ----------------------------------------------------------------- */

static struct result_set *empty_like(const char *experiment)
{
    return results_new("n", "", experiment, "", "", "0.1", 9);
}

static void write_journal(const char *path, uint64_t from, uint64_t to)
{
    struct err e = {0};
    struct journal *j;
    struct result_set *rs = empty_like("{}");
    cr_assert_eq(journal_open(&j, path, rs, &e), 0, "%s", e.msg);
    cr_expect_eq(rs->n_trial, from);
    for (uint64_t i = from; i < to; i++) {
        struct result_trial t = trial(8 - i, "fifo", i == 1);
        cr_assert_eq(journal_append(j, &t, &e), 0, "%s", e.msg);
        result_trial_clear(&t);
    }
    journal_close(j);
    results_free(rs);
}

Test(results, a_journal_goes_on_after_a_cut_at_any_byte)
{
    write_journal(at("j"), 0, 2);
    size_t n;
    char *whole = slurp(at("j"), &n);
    for (size_t cut = 0; cut <= n; cut += cut + 300 < n ? 97 : 1) {
        struct err e = {0};
        struct journal *j;
        struct result_set *rs = empty_like("{}");
        FILE *f = fopen(at("c"), "wb");
        fwrite(whole, 1, cut, f);
        fclose(f);
        cr_assert_eq(journal_open(&j, at("c"), rs, &e), 0, "cut at %zu: %s", cut, e.msg);
        size_t had = rs->n_trial;
        cr_expect(had <= 2 && (had == 2) == (cut == n), "cut at %zu: %zu trials", cut, had);
        struct result_trial t = trial(0, "fifo", false);
        cr_assert_eq(journal_append(j, &t, &e), 0, "%s", e.msg);
        result_trial_clear(&t);
        journal_close(j);
        results_free(rs);
        cr_assert_eq(journal_read(&rs, at("c"), &e), 0, "cut at %zu: %s", cut, e.msg);
        cr_expect_eq(rs->n_trial, had + 1, "cut at %zu", cut);
        results_free(rs);
    }
    free(whole);
}

Test(results, a_flipped_bit_ends_the_journal_there)
{
    write_journal(at("j"), 0, 3);
    struct stat st;
    struct result_set *rs;
    struct err e = {0};
    cr_assert_eq(stat(at("j"), &st), 0);
    FILE *f = fopen(at("j"), "r+b");
    fseek(f, st.st_size - 5, SEEK_SET);
    int c = fgetc(f);
    fseek(f, st.st_size - 5, SEEK_SET);
    fputc(c ^ 4, f);
    fclose(f);
    cr_assert_eq(journal_read(&rs, at("j"), &e), 0, "%s", e.msg);
    cr_expect_eq(rs->n_trial, 2);
    results_free(rs);
}

Test(results, a_journal_stands_for_the_file_that_is_not_there_yet)
{
    struct err e = {0};
    struct result_set *rs;
    write_journal(at("a.h5.journal"), 0, 3);
    cr_assert_eq(results_load(&rs, at("a.h5"), &e), 0, "%s", e.msg);
    cr_expect_eq(rs->n_trial, 3);
    cr_expect_eq(rs->trial[0].index, 6);
    results_free(rs);
}

Test(results, a_journal_of_another_experiment_is_refused)
{
    struct err e = {0};
    struct journal *j;
    write_journal(at("j"), 0, 1);
    struct result_set *rs = empty_like("{\"seed\":2}");
    cr_expect_eq(journal_open(&j, at("j"), rs, &e), ERR_EUSAGE);
    cr_expect(
        strstr(e.msg, "/j: holds trials of another experiment; remove it, or give another -o"),
        "%s", e.msg);
    results_free(rs);
}

Test(results, two_writers_do_not_share_a_journal)
{
    struct err e = {0};
    struct journal *j, *k;
    struct result_set *rs = empty_like("{}");
    cr_assert_eq(journal_open(&j, at("j"), rs, &e), 0, "%s", e.msg);
    cr_expect_eq(journal_open(&k, at("j"), rs, &e), ERR_EUSAGE);
    cr_expect(strstr(e.msg, "/j: another malv is writing it"), "%s", e.msg);
    journal_close(j);
    results_free(rs);
}
