/* REEF's profiles: published sums, rows and sentences of small ones made here. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/import.h"

/* Kernels of an inference, the sum of their latencies and the model's own (us), computed from the
 * same files by another program.  Kernels timed one by one each carry what a launch and a wait
 * take: only without much of it (alexnet, mobilenet, vgg) is the sum near the model's latency. */
static const struct {
    const char *model;
    uint64_t kernels, sum_us, model_us;
} known[] = {
    {"alexnet", 13, 8740, 8851},      {"bert", 205, 7472, 5426},     {"densenet", 207, 6132, 3743},
    {"inception", 146, 9492, 8273},   {"mobilenet", 31, 1260, 1188}, {"resnet", 330, 25608, 10958},
    {"resnet152", 207, 15864, 13233}, {"resnet18", 57, 2640, 2189},  {"vgg", 71, 5294, 4824},
};

Test(reef, published_profiles)
{
    const char *data = getenv("MALV_DATA");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char path[512], notes[64];
        struct err e = {0};
        struct importer *im;
        union trace_row r;
        uint64_t n = 0, ends = 0;
        snprintf(path, sizeof path, "%s/../profiles/reef/%s.profile.json",
                 data ? data : "../shared/traces", known[i].model);
        if (access(path, R_OK))
            cr_skip_test("%s is not here", path);
        cr_assert_eq(import_open(&im, path, NULL, 0, &e), 0, "%s", e.msg);
        for (; import_next(im, &r, &e) == 1; n++) {
            cr_assert(r.op.time_ns == ends && r.op.grid && r.op.block && r.op.sms);
            ends += r.op.duration_ns;
        }
        cr_assert_eq(e.code, 0, "%s", e.msg);
        cr_expect(n == known[i].kernels && ends == known[i].sum_us * 1000, "%s: %llu kernels, %llu",
                  path, (unsigned long long)n, (unsigned long long)ends);
        snprintf(notes, sizeof notes, "model_latency us=%llu",
                 (unsigned long long)known[i].model_us);
        cr_expect_str_eq(import_meta(im)->notes, notes);
        import_close(im);
    }
}

static char dir[] = "/tmp/malv-reef-XXXXXX", profile[64], graph[64];

static void begin(void)
{
    cr_assert(mkdtemp(dir));
    snprintf(profile, sizeof profile, "%s/m.profile.json", dir);
    snprintf(graph, sizeof graph, "%s/m.graph.json", dir);
}

static void end(void)
{
    unlink(profile);
    unlink(graph);
    rmdir(dir);
}

TestSuite(reef_files, .init = begin, .fini = end);

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

/* Reads all rows; the sentence of what failed, without the folder, or "". */
static const char *read_files(const char *p, const char *g, struct trace_op *ops, size_t *n)
{
    static struct err e;
    struct importer *im = NULL;
    union trace_row r;
    e = (struct err){0};
    *n = 0;
    put(profile, p);
    unlink(graph);
    if (g)
        put(graph, g);
    int rc = import_open(&im, profile, import_format("reef"), 0, &e);
    while (!rc && import_next(im, &r, &e) == 1)
        ops[(*n)++] = r.op;
    import_close(im);
    return e.code ? e.msg + strlen(dir) + 1 : "";
}

#define P                                                                                          \
    "{\"model_latency\":90,\"kernel_latency\":{\"a\":{\"total_latency\":24,\"latency\":[20,24]},"  \
    "\"b\":{\"total_latency\":50,\"latency\":[50]}}}"
#define KERNELS(k)          "{\"kernels\":[" k "]}"
#define KERNEL(name, shape) "{\"name\":\"" name "\",\"launch_params\":[" shape "],\"args\":[0]}"

Test(reef_files, rows_in_the_order_of_the_graph)
{
    struct trace_op op[4];
    size_t n;
    const char *why = read_files(P,
                                 KERNELS(KERNEL("b", "7,2,1,64,2,1") "," KERNEL(
                                     "a", "121,1,1,256,1,1") "," KERNEL("b", "1,1,1,1,1,1")),
                                 op, &n);
    cr_assert_str_empty(why, "%s", why);
    cr_assert_eq(n, 3);
    cr_expect(op[0].time_ns == 0 && op[0].duration_ns == 50000 && op[0].grid == 14 &&
              op[0].block == 128 && op[0].sms == 14 && op[0].name == 0);
    cr_expect(op[1].time_ns == 50000 && op[1].duration_ns == 24000 && op[1].sms == 61 &&
              op[1].name == 1);
    cr_expect(op[2].time_ns == 74000 && op[2].name == 0 && op[2].kind == TRACE_OP_KERNEL);
}

static const struct {
    const char *profile, *graph, *want;
} bad[] = {
    {P, NULL,
     "m.profile.json: want the model's graph beside it, as MODEL.graph.json: it says in which "
     "order "
     "the kernels run"},
    {"{\"model_latency\":-1,\"kernel_latency\":{}}", NULL,
     "m.profile.json: model_latency: got -1, want an integer 0..1000000000"},
    {"{\"model_latency\":1,\"kernel_latency\":[]}", NULL,
     "m.profile.json: kernel_latency: got an array of 0, want an object"},
    {"{\"model_latency\":1,", NULL, NULL},
    {"[]", NULL, "m.profile.json: got an array of 0, want an object with \"model_latency\""},
    {P, "{\"storage\":[]}", "m.graph.json: got an object, want an object with \"kernels\""},
    {P, KERNELS(KERNEL("c", "1,1,1,1,1,1")),
     "m.graph.json: kernels[0].name: got \"c\", want a kernel that the profile has"},
    {P, KERNELS(KERNEL("a", "1,1,1")),
     "m.graph.json: kernels[0].launch_params: got an array of 3, want three numbers of the grid "
     "and "
     "three of the block"},
    {P, KERNELS(KERNEL("a", "1,0,1,1,1,1")),
     "m.graph.json: kernels[0].launch_params[1]: got 0, want an integer 1..4294967295"},
    {P, KERNELS(KERNEL("a", "65536,65536,1,1,1,1")),
     "m.graph.json: kernels[0].launch_params: got an array of 6, want fewer than 2^32 blocks, and "
     "threads of each"},
    {P, KERNELS("7"), "m.graph.json: kernels[0]: got 7, want an object with \"name\""},
    {"{\"model_latency\":90,\"kernel_latency\":{\"a\":{\"total_latency\":24,\"latency\":[]}}}",
     KERNELS(KERNEL("a", "1,1,1,1,1,1")),
     "m.profile.json: kernel_latency.a.latency: got an array of 0, want 1..1024 latencies"},
};

Test(reef_files, bad_profiles_earn_a_sentence)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct trace_op op[4];
        size_t n;
        const char *why = read_files(bad[i].profile, bad[i].graph, op, &n);
        cr_expect_neq(*why, 0, "%s", bad[i].profile);
        if (bad[i].want)
            cr_expect_str_eq(why, bad[i].want);
    }
}
