/* Sorting more than fits: against qsort over (key, when added), for sizes around every limit. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/rng.h"
#include "traces/spill.h"

struct record {
    uint64_t key;
    uint32_t serial;
    unsigned char rest[12];
};

static int by_key_then_serial(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void fill(struct record *v, size_t n, uint64_t keys)
{
    struct rng r;
    rng_init(&r, n, "test", "spill");
    for (size_t i = 0; i < n; i++) {
        memset(&v[i], (int)i, sizeof v[i]);
        v[i].key = keys ? rng_below(&r, keys) : rng_u64(&r);
        v[i].serial = (uint32_t)i;
    }
}

static void expect_all(struct spill *s, const struct record *want, size_t n, size_t bytes)
{
    struct record got;
    struct err e = {0};
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(spill_next(s, &got, &e), 1, "record %zu of %zu: %s", i, n, e.msg);
        cr_assert_eq(memcmp(&got, &want[i], sizeof got), 0, "record %zu of %zu in %zu bytes", i, n,
                     bytes);
    }
    cr_assert_eq(spill_next(s, &got, &e), 0);
    cr_assert_eq(spill_next(s, &got, &e), 0, "the end stays the end");
}

static void check(size_t n, size_t bytes, uint64_t keys)
{
    struct record *v = malloc((n + 1) * sizeof *v);
    struct spill *s;
    struct err e = {0};
    fill(v, n, keys);
    cr_assert_eq(spill_new(&s, sizeof *v, bytes, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(spill_add(s, &v[i], &e), 0, "%s", e.msg);
    cr_assert_eq(spill_count(s), n);
    cr_assert_eq(spill_sort(s, &e), 0, "%s", e.msg);
    qsort(v, n, sizeof *v, by_key_then_serial);
    expect_all(s, v, n, bytes);
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(spill_rewind(s, &e), 0, "%s", e.msg);
        expect_all(s, v, n, bytes);
    }
    spill_free(s);
    free(v);
}

Test(spill, sorts_like_qsort)
{
    /* 4 records in memory and two runs at a time; then more of both; then all in memory */
    static const size_t bytes[] = {1, 600, 20000, 1000000, SPILL_BYTES};
    static const size_t sizes[] = {0, 1, 3, 4, 5, 8, 9, 33, 1000, 1024, 1025, 20011};
    for (size_t b = 0; b < sizeof bytes / sizeof *bytes; b++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            check(sizes[i], bytes[b], 0);
            check(sizes[i], bytes[b], 7); /* many ties: stable */
        }
}

Test(spill, merges_many_runs_in_blocks)
{
    check(300000, 400000, 1000);
}

Test(spill, says_that_there_is_no_room)
{
    struct record r = {0};
    struct spill *s;
    struct err e = {0};
    int rc = 0;
    struct rlimit small = {100000, 100000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    cr_assert_eq(spill_new(&s, sizeof r, 1000, &e), 0);
    for (int i = 0; !rc && i < 100000; i++)
        rc = spill_add(s, &r, &e);
    cr_expect_eq(rc, ERR_EIO);
    cr_expect(strstr(e.msg, "sorting needs more room in "), "%s", e.msg);
    spill_free(s);
}

Test(spill, says_that_there_is_no_folder)
{
    struct record r = {0};
    struct spill *s;
    struct err e = {0};
    int rc = 0;
    setenv("TMPDIR", "/nowhere/at/all", 1);
    cr_assert_eq(spill_new(&s, sizeof r, 1000, &e), 0);
    for (int i = 0; !rc && i < 100; i++)
        rc = spill_add(s, &r, &e);
    cr_expect_eq(rc, ERR_EIO);
    cr_expect_str_eq(e.msg, "sorting needs a file in /nowhere/at/all: No such file or directory");
    spill_free(s);
}

static long open_files(void)
{
    long n = 0;
    for (int fd = 0; fd < 1000; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

Test(spill, leaves_no_file_open)
{
    long before = open_files();
    check(20011, 600, 50);
    cr_expect_eq(open_files(), before);
}
