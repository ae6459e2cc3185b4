/* test_import_capture.c - raw files of malv capture that are cut off or wrong.  The whole one is
 * tests/fuzz/corpus/capture/plain, which tests/capture/fake/cuda_program.c made. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "capture/raw.h"
#include "traces/import.h"

static unsigned char whole[8192];
static size_t size;

static void load(void)
{
    FILE *f = fopen("tests/fuzz/corpus/capture/plain", "rb");
    cr_assert(f);
    size = fread(whole, 1, sizeof whole, f);
    fclose(f);
}

/* Rows of n bytes, or -1 and what was said. */
static int rows(const void *data, size_t n, struct err *e)
{
    struct input *in;
    struct importer *im;
    union trace_row row;
    int k = 0;
    *e = (struct err){0};
    if (input_open_memory(&in, "t.raw", data, n, e) ||
        import_open_input(&im, in, &import_malv_raw, 0, e))
        return -1;
    while (import_next(im, &row, e) == 1)
        k++;
    import_close(im);
    return k;
}

Test(import_capture, a_process_may_be_killed_in_any_byte, .init = load)
{
    struct err e;
    int last = 0, k;
    for (size_t n = sizeof(struct raw_begin); n <= size; n++) {
        k = rows(whole, n, &e);
        cr_assert_geq(k, 0, "%zu bytes: %s", n, e.msg);
        last = k > last ? k : last;
    }
    cr_expect_eq(last, 11);
    for (size_t n = 0; n < sizeof(struct raw_begin); n++)
        cr_assert_eq(rows(whole, n, &e), -1, "%zu bytes", n);
}

/* Where the first record of a type begins. */
static size_t find(enum raw_type type)
{
    size_t at = sizeof(struct raw_begin);
    const struct raw_head *h = (const void *)(whole + at);
    while (at < size && h->type != type) {
        at += h->size;
        h = (const void *)(whole + at);
    }
    cr_assert_lt(at, size, "no record of type %d", type);
    return at;
}

Test(import_capture, wrong_records_are_refused, .init = load)
{
    static const struct {
        enum raw_type type; /* 0: of the beginning */
        size_t at;
        uint64_t value;
        size_t bytes;
        const char *says;
    } cases[] = {
        {0, offsetof(struct raw_begin, magic), 'X', 1,
         "t.raw: byte 0: got 16728, want a type of record, 1..9, after the beginning of a process"},
        {0, offsetof(struct raw_begin, version), 2, 4, "t.raw: byte 0: got 2, want version 1"},
        {0, offsetof(struct raw_begin, cupti_ns), 5, 8, "t.raw: byte 0: got 5, want a clock that"},
        {RAW_CALL, offsetof(struct raw_head, type), 10, 2, "got 10, want a type of record, 1..9"},
        {RAW_CALL, offsetof(struct raw_head, size), 40, 2, "got 40, want the size that a record"},
        {RAW_CALL, offsetof(struct raw_head, size), 0, 2, "got 0, want the size that a record"},
        {RAW_NAME, offsetof(struct raw_name, id), 7, 4, "got 7, want the names of a process"},
        {RAW_NAME, offsetof(struct raw_name, length), 999, 4, "got 999, want a name within its"},
        {RAW_CALL, offsetof(struct raw_call, name), 99, 4, "got 99, want the number of a name"},
        {RAW_KERNEL, offsetof(struct raw_kernel, name), 99, 4, "got 99, want the number of a name"},
        {RAW_KERNEL, offsetof(struct raw_kernel, begin), 3, 8, "got 3, want a time since"},
        {RAW_KERNEL, offsetof(struct raw_kernel, end), 3, 8, "got 3, want an end that is not"},
        {RAW_COPY, offsetof(struct raw_copy, kind), 11, 1, "got 11, want a kind of copy, 0..10"},
        {RAW_SYNC, offsetof(struct raw_sync, kind), 5, 4, "got 5, want a kind of synchronization"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e;
        load();
        size_t at = (cases[i].type ? find(cases[i].type) : 0) + cases[i].at;
        memcpy(whole + at, &cases[i].value, cases[i].bytes);
        cr_expect_eq(rows(whole, size, &e), -1, "case %zu", i);
        cr_expect(strstr(e.msg, cases[i].says), "case %zu: %s", i, e.msg);
        cr_expect_eq(strncmp(e.msg, "t.raw: byte ", 12), 0, "case %zu: %s", i, e.msg);
    }
}

/* Files of processes, end to end, are processes. */
Test(import_capture, two_processes_are_two_tenants, .init = load)
{
    struct err e;
    cr_assert_leq(2 * size, sizeof whole);
    memcpy(whole + size, whole, size);
    cr_expect_eq(rows(whole, 2 * size, &e), 22, "%s", e.msg);
    cr_expect_eq(rows(whole, 2 * size - 9, &e), 22, "%s", e.msg);
}
