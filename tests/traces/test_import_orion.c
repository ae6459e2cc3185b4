/* Orion's profiles: the published numbers, the published bytes, one stream without gaps. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/import.h"

/* Kernels, ms and mean us of one iteration as they were computed from the same files by another
 * program, before this importer was written. */
static const struct {
    const char *file;
    uint64_t kernels;
    double ms, within, mean_us; /* within: half of its last digit; mean 0: not said */
} known[] = {
    {"resnet50_4_fwd", 175, 6.50, 0.005, 37.1},    {"resnet101_4_fwd", 345, 11.57, 0.005, 0},
    {"mobilenetv2_4_fwd", 152, 2.26, 0.005, 14.9}, {"bert_2_fwd", 572, 48.6, 0.05, 0},
    {"transformer_xl_4_fwd", 459, 16.7, 0.05, 0},  {"resnet50_32_fb1", 946, 95.3, 0.05, 0},
    {"resnet101_32_fb1", 1847, 155.9, 0.05, 0},    {"mobilenetv2_32_fb1", 890, 40.5, 0.05, 0},
    {"mobilenetv2_64_fb1", 890, 74.9, 0.05, 0},    {"mobilenetv2_96_fb1", 890, 109.6, 0.05, 0},
    {"bert_8_fb1", 4777, 190.8, 0.05, 0},          {"transformer_xl_8_fb1", 4354, 125.4, 0.05, 0},
};

ParameterizedTestParameters(orion, published_profiles)
{
    static int row[sizeof known / sizeof *known];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static bool find(const char *file, char *path, size_t n)
{
    const char *data = getenv("MALV_DATA");
    snprintf(path, n, "%s/../profiles/orion/%s.csv", data ? data : "../shared/traces", file);
    return access(path, R_OK) == 0;
}

static char *contents(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    cr_assert(f && fseek(f, 0, SEEK_END) == 0);
    *len = (size_t)ftell(f);
    rewind(f);
    cr_assert((text = malloc(*len + 1)));
    cr_assert_eq(fread(text, 1, *len, f), *len);
    fclose(f);
    return text;
}

static struct importer *open_bytes(const char *text, size_t len)
{
    struct err e = {0};
    struct input *in;
    struct importer *im = NULL;
    cr_assert_eq(input_open_memory(&in, "t", text, len, &e), 0);
    cr_assert_eq(import_open_input(&im, in, import_format("orion"), 0, &e), 0, "%s", e.msg);
    return im;
}

static void expect_same_bytes(const char *text, size_t len)
{
    struct err e = {0};
    struct exporter x;
    union trace_row r;
    char *out = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&out, &n);
    struct importer *im = open_bytes(text, len), *style = open_bytes(text, len);
    while (import_next(style, &r, &e) == 1) {
    }
    cr_assert_eq(export_begin(&x, im->format, import_meta(style), im->names, to, &e), 0);
    while (import_next(im, &r, &e) == 1)
        export_row(&x, &r);
    cr_assert_eq(export_end(&x, &e), 0);
    fclose(to);
    cr_expect(n == len && !memcmp(out, text, n));
    import_close(im);
    import_close(style);
    free(out);
}

ParameterizedTest(int *row, orion, published_profiles)
{
    char path[512];
    struct err e = {0};
    union trace_row r;
    uint64_t n = 0, ends = 0;
    size_t len;
    int rc;
    if (!find(known[*row].file, path, sizeof path))
        cr_skip_test("%s is not here", known[*row].file);
    char *text = contents(path, &len);
    struct importer *im = open_bytes(text, len);
    for (; (rc = import_next(im, &r, &e)) == 1; n++) {
        cr_assert_eq(r.op.time_ns, ends);
        cr_assert(r.op.kind == TRACE_OP_KERNEL && r.op.stream == 0 && r.op.device == 0);
        ends += r.op.duration_ns;
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
    double ms = (double)ends * 1e-6;
    cr_expect_eq(n, known[*row].kernels);
    cr_expect(fabs(ms - known[*row].ms) <= known[*row].within, "%g ms", ms);
    if (known[*row].mean_us > 0)
        cr_expect(fabs(ms * 1000 / (double)n - known[*row].mean_us) <= 0.05);
    import_close(im);
    expect_same_bytes(text, len);
    free(text);
}

#define HEAD "Name,Profile,Memory_footprint,SM_usage,Duration\n"

Test(orion, says_what_bounds_a_kernel)
{
    static const char text[] = HEAD "\"a<1, 2>\",1,0,5,10\nb,0,0,90,20\nc,-1,0,1,0\n";
    static const struct trace_op want[] = {
        {.bound = TRACE_OP_BOUND_COMPUTE, .sms = 5, .duration_ns = 10, .name = 0},
        {.time_ns = 10, .bound = TRACE_OP_BOUND_MEMORY, .sms = 90, .duration_ns = 20, .name = 1},
        {.time_ns = 30, .sms = 1, .name = 2}};
    struct err e = {0};
    union trace_row r;
    struct importer *im = open_bytes(text, strlen(text));
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
        cr_expect(r.op.bound == want[i].bound && r.op.sms == want[i].sms &&
                  r.op.duration_ns == want[i].duration_ns && r.op.time_ns == want[i].time_ns &&
                  r.op.name == want[i].name);
    }
    cr_expect_eq(import_next(im, &r, &e), 0);
    cr_expect_str_eq(names_text(im->names, 0), "a<1, 2>");
    import_close(im);
    expect_same_bytes(text, strlen(text));
}

Test(orion, an_export_leaves_out_what_is_no_kernel)
{
    struct err e = {0};
    struct exporter x;
    struct trace_meta meta = {0};
    char *out = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&out, &n);
    static const uint32_t kinds[] = {TRACE_OP_LAUNCH, TRACE_OP_KERNEL, TRACE_OP_H2D, TRACE_OP_COMM,
                                     TRACE_OP_SYNC};
    cr_assert_eq(export_begin(&x, import_format("orion"), &meta, NULL, to, &e), 0, "%s", e.msg);
    for (uint32_t i = 0; i < 5; i++)
        export_row(&x,
                   &(union trace_row){.op = {.kind = kinds[i], .sms = i, .name = TRACE_NAME_NONE}});
    cr_assert_eq(export_end(&x, &e), 0);
    fclose(to);
    cr_expect_str_eq(out, HEAD ",-1,0,1,0\n,-1,0,3,0\n");
    free(out);
}
