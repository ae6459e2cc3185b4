/* The store gives back what was put in, in the same bytes, and trusts no file. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/store.h"

static char path_a[64], path_b[64];

static void begin(void)
{
    snprintf(path_a, sizeof path_a, "/tmp/malv-store-a-%ld.h5", (long)getpid());
    snprintf(path_b, sizeof path_b, "/tmp/malv-store-b-%ld.h5", (long)getpid());
}

static void end(void)
{
    unlink(path_a);
    unlink(path_b);
}

TestSuite(store, .init = begin, .fini = end);

/* Row i, with ragged prefixes and values that need all their bits. */
static void make(uint64_t i, union trace_row *row, uint64_t *prefix)
{
    uint32_t n = (uint32_t)(i % 7);
    for (uint32_t k = 0; k < n; k++)
        prefix[k] = i * UINT64_C(0x9e3779b97f4a7c15) + k;
    row->request = (struct trace_request){.time_ns = i * 1000003,
                                          .tenant = (uint32_t)(i % 11),
                                          .prompt_tokens = (uint32_t)i,
                                          .output_tokens = (uint32_t)(i % 5),
                                          .model = i % 3 ? TRACE_NAME_NONE : 1,
                                          .session = i << 40,
                                          .n_prefix = n,
                                          .prefix = prefix};
}

static void write_rows(const char *path, uint64_t rows)
{
    struct err e = {0};
    struct store_writer *w;
    struct trace_meta meta = {.format = "test"};
    struct trace_names *names = names_new();
    union trace_row row;
    uint64_t prefix[8];
    names_id(names, "gpt", 3);
    names_id(names, "llama", 5);
    cr_assert_eq(store_create(&w, path, TRACE_REQUESTS, STORE_DEFLATE, &e), 0, "%s", e.msg);
    for (uint64_t i = 0; i < rows; i++) {
        make(i, &row, prefix);
        cr_assert_eq(store_put(w, &row, &e), 0, "%s", e.msg);
    }
    cr_assert_eq(store_commit(w, &meta, names, &e), 0, "%s", e.msg);
    names_free(names);
}

static void expect_row(const struct trace_request *got, uint64_t i)
{
    union trace_row want;
    uint64_t prefix[8];
    make(i, &want, prefix);
    cr_assert_eq(got->time_ns, want.request.time_ns);
    cr_assert_eq(got->tenant, want.request.tenant);
    cr_assert_eq(got->prompt_tokens, want.request.prompt_tokens);
    cr_assert_eq(got->output_tokens, want.request.output_tokens);
    cr_assert_eq(got->model, want.request.model);
    cr_assert_eq(got->session, want.request.session);
    cr_assert_eq(got->n_prefix, want.request.n_prefix);
    for (uint32_t k = 0; k < got->n_prefix; k++)
        cr_assert_eq(got->prefix[k], prefix[k], "row %llu block %u", (unsigned long long)i, k);
}

Test(store, gives_back_every_row_across_chunks)
{
    const uint64_t rows = 200001; /* three full chunks and a bit */
    struct err e = {0};
    struct store_reader *r;
    struct trace_names *names;
    union trace_row row;
    write_rows(path_a, rows);
    cr_assert_eq(store_open(&r, path_a, &e), 0, "%s", e.msg);
    cr_assert_eq(store_meta(r)->requests, rows);
    cr_assert_eq(store_meta(r)->span_ns, (rows - 1) * 1000003);
    for (uint64_t i = 0; i < rows; i++) {
        cr_assert_eq(store_next(r, &row, &e), 1, "%s", e.msg);
        expect_row(&row.request, i);
    }
    cr_assert_eq(store_next(r, &row, &e), 0);
    cr_assert_eq(store_names(r, &names, &e), 0, "%s", e.msg);
    cr_assert_eq(names_count(names), 2);
    cr_assert_str_eq(names_text(names, 1), "llama");
    names_free(names);
    store_close(r);
}

Test(store, seeks_to_the_first_row_at_or_after_a_time)
{
    static const struct {
        uint64_t t, row;
    } cases[] = {{0, 0},
                 {1, 1},
                 {1000003, 1},
                 {1000004, 2},
                 {UINT64_C(65536) * 1000003, 65536},
                 {UINT64_C(131071) * 1000003 - 1, 131071},
                 {UINT64_C(139999) * 1000003, 139999}};
    struct err e = {0};
    struct store_reader *r;
    union trace_row row;
    write_rows(path_a, 140000);
    cr_assert_eq(store_open(&r, path_a, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(store_seek(r, cases[i].t, &e), 0, "%s", e.msg);
        for (uint64_t k = cases[i].row; k < cases[i].row + 3 && k < 140000; k++) {
            cr_assert_eq(store_next(r, &row, &e), 1, "%s", e.msg);
            expect_row(&row.request, k);
        }
    }
    cr_assert_eq(store_seek(r, UINT64_MAX, &e), 0);
    cr_assert_eq(store_next(r, &row, &e), 0);
    store_close(r);
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s", path);
    fseek(f, 0, SEEK_END);
    *len = (size_t)ftell(f);
    rewind(f);
    char *b = malloc(*len + 1);
    cr_assert_eq(fread(b, 1, *len, f), *len);
    fclose(f);
    return b;
}

Test(store, same_rows_same_bytes)
{
    size_t la, lb;
    write_rows(path_a, 70000);
    sleep(1); /* a stored clock would show */
    write_rows(path_b, 70000);
    char *a = slurp(path_a, &la), *b = slurp(path_b, &lb);
    cr_assert_eq(la, lb);
    cr_assert_eq(memcmp(a, b, la), 0);
    free(a);
    free(b);
}

Test(store, nothing_appears_before_commit)
{
    struct err e = {0};
    struct store_writer *w;
    cr_assert_eq(store_create(&w, path_a, TRACE_NODES, STORE_DEFLATE, &e), 0, "%s", e.msg);
    cr_assert_neq(access(path_a, F_OK), 0);
    store_abort(w);
    char temp[128];
    snprintf(temp, sizeof temp, "%s.tmp.%ld", path_a, (long)getpid());
    cr_assert_neq(access(temp, F_OK), 0, "the temporary file stays behind");
}

Test(store, refuses_rows_that_go_back)
{
    struct err e = {0};
    struct store_writer *w;
    union trace_row row = {.request = {.time_ns = 5}};
    cr_assert_eq(store_create(&w, path_a, TRACE_REQUESTS, STORE_DEFLATE, &e), 0, "%s", e.msg);
    cr_assert_eq(store_put(w, &row, &e), 0);
    row.request.time_ns = 4;
    cr_assert_eq(store_put(w, &row, &e), ERR_ERANGE);
    cr_assert(strstr(e.msg, "row 1 goes back in time: 4 ns after 5 ns"), "%s", e.msg);
    store_abort(w);
}

Test(store, empty_traces_are_traces)
{
    struct err e = {0};
    struct store_reader *r;
    union trace_row row;
    write_rows(path_a, 0);
    cr_assert_eq(store_open(&r, path_a, &e), 0, "%s", e.msg);
    cr_assert_eq(store_next(r, &row, &e), 0);
    cr_assert_eq(store_seek(r, 7, &e), 0);
    cr_assert_eq(store_next(r, &row, &e), 0);
    store_close(r);
}

/* Cut anywhere, a file is a sentence or its rows, never a crash. */
Test(store, truncated_files_are_sentences)
{
    size_t len;
    write_rows(path_a, 3000);
    char *b = slurp(path_a, &len);
    for (size_t cut = 0; cut < len; cut += 1 + len / 61) {
        struct err e = {0};
        struct store_reader *r;
        FILE *f = fopen(path_b, "wb");
        fwrite(b, 1, cut, f);
        fclose(f);
        int rc = store_open(&r, path_b, &e);
        cr_assert_lt(rc, 0, "cut at %zu of %zu", cut, len);
        cr_assert(strstr(e.msg, path_b), "%s", e.msg);
    }
    free(b);
}

Test(store, files_of_another_kind_are_sentences)
{
    struct err e = {0};
    struct store_reader *r;
    cr_assert_eq(store_open(&r, "/nowhere/x.h5", &e), ERR_EIO);
    cr_assert_str_eq(e.msg, "/nowhere/x.h5: can't be read as HDF5");
    e = (struct err){0};
    FILE *f = fopen(path_a, "wb");
    fputs("TIMESTAMP,ContextTokens,GeneratedTokens\n", f);
    fclose(f);
    cr_assert_eq(store_open(&r, path_a, &e), ERR_EIO);
}
