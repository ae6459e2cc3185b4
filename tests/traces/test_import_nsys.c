/* Nsight Systems: rows, dependencies and sentences of small databases made here; a published one is
 * held against its facts in test_facts.c. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/traces/nsys_file.h"
#include "traces/import.h"

static unsigned char *bytes;

static struct importer *open_sql(const char *sql, uint64_t skip, struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    size_t len;
    bytes = nsys_bytes(sql, &len);
    cr_assert_eq(input_open_memory(&in, "t", bytes, len, e), 0);
    int rc = import_open_input(&im, in, import_format("nsys"), skip, e);
    cr_assert_eq(rc == 0, im != NULL);
    return im;
}

static void close_sql(struct importer *im)
{
    import_close(im);
    free(bytes);
}

/* One line a row: time duration kind tenant device/stream correlation <depends. */
static void describe(struct importer *im, char *to, size_t room)
{
    struct err e = {0};
    union trace_row row;
    size_t n = 0;
    int rc;
    *to = 0;
    while ((rc = import_next(im, &row, &e)) == 1) {
        const struct trace_op *op = &row.op;
        n += (size_t)snprintf(to + n, room - n, "%llu+%llu k%u t%u %d/%u c%llu",
                              (unsigned long long)op->time_ns, (unsigned long long)op->duration_ns,
                              op->kind, op->tenant, (int)op->device, op->stream,
                              (unsigned long long)op->correlation);
        for (uint32_t i = 0; i < op->n_depends; i++)
            n += (size_t)snprintf(to + n, room - n, "<%llu", (unsigned long long)op->depends[i]);
        n += (size_t)snprintf(to + n, room - n, "\n");
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
}

#define P1        "16777216" /* process 1, and its thread 5 */
#define T1        "16777221"
#define P2        "33554432"
#define K(values) "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES(" values ");"
#define SHAPE     ",11,2,3,1,128,1,1,32,100,28"
#define C(values) "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES(" values ");"
#define M(values) "INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES(" values ");"
#define S(values) "INSERT INTO CUPTI_ACTIVITY_KIND_SYNCHRONIZATION VALUES(" values ");"
#define E(values) "INSERT INTO CUPTI_ACTIVITY_KIND_CUDA_EVENT VALUES(" values ");"

static const struct {
    const char *what, *sql, *rows;
} cases[] = {
    {"no rows", NSYS_KERNELS_SQL, ""},
    {"launches and kernels in any order, time from the first row",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL K("1500,1600,0,1,7,2," P1 SHAPE)
         K("1200,1300,0,1,7,1," P1 SHAPE) C("1150,1180," T1 ",2,21") C("1100,1120," T1 ",1,21"),
     "0+20 k7 t0 -1/5 c1\n50+30 k7 t0 -1/5 c2\n100+100 k0 t0 0/7 c1\n400+100 k0 t0 0/7 c2\n"},
    {"a kernel that was launched before the capture, a collective, no correlation",
     NSYS_KERNELS_SQL K("10,20,0,1,7,1," P1 SHAPE)
         K("30,40,0,1,7,NULL," P1 ",12,1,1,1,1,1,1,1,0,0"),
     "0+10 k0 t0 0/7 c1\n20+10 k6 t0 0/7 c0\n"},
    {"processes are tenants, correlations their own",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL K("10,20,0,1,7,1," P1 SHAPE) K("12,20,1,2,15,1," P2 SHAPE)
         C("1,2," T1 ",1,21"),
     "0+1 k7 t0 -1/5 c1\n9+10 k0 t0 0/7 c1\n11+8 k0 t1 1/15 c1\n"},
    {"copies by kind, to another device, and none from host to host",
     NSYS_COPIES_SQL M("1,2,0,1,7,1," P1 ",4096,1,NULL,NULL") M("2,3,0,1,7,2," P1 ",8,2,NULL,NULL")
         M("3,4,0,1,7,3," P1 ",8,8,NULL,NULL") M("4,5,0,1,7,4," P1 ",8,10,0,1")
             M("5,6,0,1,7,5," P1 ",8,8,0,1") M("6,7,0,1,7,6," P1 ",8,9,NULL,NULL")
                 M("7,8,0,1,7,7," P1 ",8,11,NULL,NULL"),
     "0+1 k1 t0 0/7 c1\n1+1 k2 t0 0/7 c2\n2+1 k3 t0 0/7 c3\n3+1 k4 t0 0/7 c4\n4+1 k4 t0 0/7 c5\n"
     "6+1 k1 t0 0/7 c7\n"},
    {"a stream's synchronization waits for the stream's last launch; its device is its context's",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL NSYS_SYNCS_SQL K("10,90,1,3,7,1," P1 SHAPE)
         K("12,40,1,3,8,2," P1 SHAPE) C("1,2," T1 ",1,21") C("3,4," T1 ",2,21")
             C("5,95," T1 ",9,22") S("6,94,0,3,7,9," P1 ",3,0"),
     "0+1 k7 t0 -1/5 c1\n2+1 k7 t0 -1/5 c2\n4+90 k8 t0 -1/5 c9<1\n9+80 k0 t0 1/7 c1\n"
     "11+28 k0 t0 1/8 c2\n"},
    {"a device's, for all its streams",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL NSYS_SYNCS_SQL K("10,90,1,3,7,1," P1 SHAPE)
         K("12,40,1,3,8,2," P1 SHAPE) C("1,2," T1 ",1,21") C("3,4," T1 ",2,21")
             C("5,95," T1 ",9,27") S("6,94,1,3,4294967295,9," P1 ",4,0"),
     "0+1 k7 t0 -1/5 c1\n2+1 k7 t0 -1/5 c2\n4+90 k8 t0 -1/5 c9<1<2\n9+80 k0 t0 1/7 c1\n"
     "11+28 k0 t0 1/8 c2\n"},
    {"a stream waits for an event that another recorded",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL NSYS_SYNCS_SQL NSYS_EVENTS_SQL K("10,90,0,1,7,1," P1 SHAPE)
         K("92,99,0,1,8,4," P1 SHAPE) C("1,2," T1 ",1,21") C("3,4," T1 ",2,24") C("5,6," T1 ",3,25")
             C("7,8," T1 ",4,21") S("5,6,0,1,8,3," P1 ",2,77") E("0,1,7,2," P1 ",77"),
     "0+1 k7 t0 -1/5 c1\n2+1 k9 t0 -1/5 c2\n4+1 k9 t0 -1/5 c3\n6+1 k7 t0 -1/5 c4\n9+80 k0 t0 0/7 "
     "c1\n91+7 k0 t0 0/8 c4<1\n"},
    {"a graph traced as a whole, and other host work",
     NSYS_KERNELS_SQL NSYS_CALLS_SQL
     "CREATE TABLE CUPTI_ACTIVITY_KIND_GRAPH_TRACE(start INTEGER, end INTEGER, deviceId INTEGER, "
     "contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid INTEGER, graphId "
     "INTEGER);"
     "INSERT INTO CUPTI_ACTIVITY_KIND_GRAPH_TRACE VALUES(20,50,0,1,7,3," P1
     ",1);" C("1,9," T1 ",2,26") C("10,12," T1 ",3,28"),
     "0+8 k9 t0 -1/5 c2\n9+2 k7 t0 -1/5 c3\n19+30 k0 t0 0/7 c3\n"},
    {"an old schema: operations without a process are all of one",
     "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL(start INTEGER, end INTEGER, deviceId INTEGER, "
     "streamId "
     "INTEGER, correlationId INTEGER);" NSYS_CALLS_SQL
     "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES(10,20,0,7,1);" C("1,2," T1 ",1,NULL"),
     "0+1 k7 t0 -1/5 c1\n9+10 k0 t0 0/7 c1\n"},
};

Test(nsys, rows_and_what_they_depend_on)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[4096];
        struct err e = {0};
        struct importer *im = open_sql(cases[i].sql, 0, &e);
        cr_assert(im, "%s: %s", cases[i].what, e.msg);
        describe(im, got, sizeof got);
        cr_expect_str_eq(got, cases[i].rows, "%s:\n%s", cases[i].what, got);
        close_sql(im);
    }
}

Test(nsys, a_kernel_has_its_shape_and_name)
{
    struct err e = {0};
    union trace_row r;
    struct importer *im =
        open_sql(NSYS_KERNELS_SQL K("10,20,0,1,7,1," P1 SHAPE) K(
                     "20,21,0,1,7,2," P1
                     ",99,1,1,1,1,1,1,1,1,1") "CREATE TABLE "
                                              "TARGET_INFO_SESSION_START_TIME(utcEpochNs INTEGER);"
                                              "INSERT INTO TARGET_INFO_SESSION_START_TIME "
                                              "VALUES(1700000000000000000);",
                 0, &e);
    cr_assert(im, "%s", e.msg);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_expect(r.op.grid == 6 && r.op.block == 128 && r.op.registers == 32 && r.op.smem == 128);
    cr_expect_str_eq(names_text(im->names, r.op.name), "gemm");
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_expect_eq(r.op.name, TRACE_NAME_NONE, "a name that is not in StringIds");
    cr_expect_str_eq(import_meta(im)->epoch, "2023-11-14 22:13:20.000000010");
    cr_expect_str_eq(import_meta(im)->notes, "CUPTI_ACTIVITY_KIND_KERNEL rows=2;StringIds rows=10");
    close_sql(im);
}

static const struct {
    const char *sql, *want;
} bad[] = {
    {"CREATE TABLE t(a);", "t: got a database without CUPTI_ACTIVITY_KIND_KERNEL, _MEMCPY, _MEMSET "
                           "or _RUNTIME, want what "
                           "nsys export --type sqlite writes"},
    {"CREATE TABLE t(a); CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS SELECT 1 AS start, 2 AS end;",
     "t: got a database without CUPTI_ACTIVITY_KIND_KERNEL, _MEMCPY, _MEMSET or _RUNTIME, want "
     "what "
     "nsys export --type sqlite writes"},
    {"CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL(start INTEGER, end INTEGER, deviceId INTEGER);",
     "t: table CUPTI_ACTIVITY_KIND_KERNEL: want a column \"streamId\""},
    {NSYS_KERNELS_SQL K("10,20,0,1,7,1," P1 SHAPE) K("20,10,0,1,7,1," P1 SHAPE),
     "t: table CUPTI_ACTIVITY_KIND_KERNEL, row 2: end: got 10, want a time not before start"},
    {NSYS_KERNELS_SQL K("-5,20,0,1,7,1," P1 SHAPE),
     "t: table CUPTI_ACTIVITY_KIND_KERNEL, row 1: start: got -5, want an integer "
     "0..2305843009213693952"},
    {NSYS_KERNELS_SQL K("5,20,NULL,1,7,1," P1 SHAPE),
     "t: table CUPTI_ACTIVITY_KIND_KERNEL, row 1: deviceId: got NULL, want an integer 0..1048574"},
    {NSYS_KERNELS_SQL K("5,'soon',0,1,7,1," P1 SHAPE),
     "t: table CUPTI_ACTIVITY_KIND_KERNEL, row 1: end: got soon, want an integer "
     "0..2305843009213693952"},
    {NSYS_KERNELS_SQL K("5,6,0,1,7,1," P1 ",11,1,1,1,65536,65536,2,1,1,1"),
     "t: table CUPTI_ACTIVITY_KIND_KERNEL, row 1: blockX: got 65536, want a block of fewer than "
     "2^32 "
     "threads"},
    {NSYS_COPIES_SQL M("1,2,0,1,7,1," P1 ",NULL,1,NULL,NULL"),
     "t: table CUPTI_ACTIVITY_KIND_MEMCPY, row 1: bytes: got NULL, want an integer "
     "0..9223372036854775807"},
};

Test(nsys, bad_databases_earn_a_sentence)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(open_sql(bad[i].sql, 0, &e), "%s", bad[i].sql);
        cr_expect_str_eq(e.msg, bad[i].want);
        free(bytes);
    }
}

Test(nsys, bad_rows_are_passed_over_when_asked)
{
    char got[256];
    struct err e = {0};
    struct importer *im =
        open_sql(NSYS_KERNELS_SQL K("10,20,0,1,7,1," P1 SHAPE) K("20,10,0,1,7,2," P1 SHAPE), 1, &e);
    cr_assert(im, "%s", e.msg);
    describe(im, got, sizeof got);
    cr_expect_str_eq(got, "0+10 k0 t0 0/7 c1\n");
    cr_expect_eq(import_meta(im)->skipped_rows, 1);
    close_sql(im);
}

/* Every byte of a small database, turned over: rows or a sentence, never anything else. */
Test(nsys, damaged_bytes_are_rows_or_a_sentence)
{
    size_t len;
    unsigned char *v = nsys_bytes(
        NSYS_KERNELS_SQL NSYS_CALLS_SQL K("10,20,0,1,7,1," P1 SHAPE) C("1,2," T1 ",1,21"), &len);
    unsigned sentences = 0;
    for (size_t at = 0; at < len; at += 7) {
        struct err e = {0};
        struct input *in;
        struct importer *im = NULL;
        union trace_row r;
        unsigned char was = v[at];
        v[at] ^= 0xff;
        cr_assert_eq(input_open_memory(&in, "t", v, len, &e), 0);
        int rc = import_open_input(&im, in, import_format("nsys"), 0, &e);
        while (!rc && (rc = import_next(im, &r, &e)) == 1)
            rc = 0;
        cr_assert(rc <= 0 && (rc == 0 || !strncmp(e.msg, "t: ", 3)), "byte %zu: %s", at, e.msg);
        sentences += rc < 0;
        import_close(im);
        v[at] = was;
    }
    cr_expect_gt(sentences, 10);
    free(v);
}

Test(nsys, a_file_that_ends_early)
{
    size_t len;
    unsigned char *v = nsys_bytes(NSYS_KERNELS_SQL K("10,20,0,1,7,1," P1 SHAPE), &len);
    static const size_t cuts[] = {0, 16, 100, 4096, 8000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct err e = {0};
        struct input *in;
        struct importer *im = NULL;
        cr_assert_eq(input_open_memory(&in, "t", v, cuts[i], &e), 0);
        cr_expect_lt(import_open_input(&im, in, import_format("nsys"), 0, &e), 0, "%zu", cuts[i]);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s", e.msg);
    }
    free(v);
}

/* Databases that are not kept in memory: a plain one is read where it lies, a packed one from a
 * copy, of which nothing is left. */
static void expect_large(const char *path, const char *want)
{
    char got[512];
    struct err e = {0};
    struct importer *im;
    cr_assert_eq(import_open(&im, path, NULL, 0, &e), 0, "%s", e.msg);
    describe(im, got, sizeof got);
    cr_expect_str_eq(got, want);
    cr_expect_eq(strlen(import_meta(im)->input_sha256), 64);
    import_close(im);
}

Test(nsys, large_databases)
{
    char dir[] = "/tmp/malv-nsys-dir-XXXXXX", plain[64], packed[64];
    size_t len;
    unsigned char *v = nsys_bytes(
        NSYS_KERNELS_SQL K(
            "10,20,0,1,7,1," P1
                SHAPE) "CREATE TABLE pad(x); INSERT INTO pad VALUES(zeroblob(67200000));",
        &len);
    cr_assert(mkdtemp(dir));
    setenv("TMPDIR", dir, 1);
    snprintf(plain, sizeof plain, "%s/a b%%.sqlite", dir);
    snprintf(packed, sizeof packed, "%s/packed", dir);
    FILE *f = fopen(plain, "w");
    cr_assert(f && fwrite(v, 1, len, f) == len && fclose(f) == 0);
    gzFile z = gzopen(packed, "wb1");
    cr_assert(z && gzwrite(z, v, (unsigned)len) == (int)len && gzclose(z) == Z_OK);
    expect_large(plain, "0+10 k0 t0 0/7 c1\n");
    expect_large(packed, "0+10 k0 t0 0/7 c1\n");
    unlink(plain);
    unlink(packed);
    cr_expect_eq(rmdir(dir), 0, "something is left in %s", dir);
    free(v);
}
