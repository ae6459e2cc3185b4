/* test_lake_offload.c - model "offload": its inputs come out again, a second arithmetic agrees on
 * shapes nobody thought of, and what must hold of any batch holds. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/lake/offload.h"
#include "models/model.h"
#include "sim/rng.h"

static const struct machine *testbed(void)
{
    static struct machine *m;
    struct config *c;
    struct err e = {0};
    if (m)
        return m;
    cr_assert_eq(profile_load(&c, "machines/lake-testbed.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    return m;
}

static struct measures *run(const char *section)
{
    struct config *c;
    struct err e = {0};
    struct measures *out = measures_new();
    struct model_env env = {.seed = 1, .machine = testbed()};
    cr_assert_eq(config_parse(&c, "offload", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_offload.run(c, &env, out, &e), 0, "%s: %s", section, e.msg);
    config_free(c);
    return out;
}

static double get(const char *section, const char *name)
{
    struct measures *m = run(section);
    const double *v = measures_find(m, name);
    double found = v ? *v : -1;
    measures_free(m);
    return found;
}

#define LINNOS                                                                                     \
    "\"copy_in\":{\"row_bytes\":248,\"async\":true},\"copy_out\":{\"row_bytes\":512},"             \
    "\"launches\":[{\"weight\":31,\"chain\":3},"

/* What the constants were taken from (machines/lake-testbed.json), and the published value. */
static const struct {
    const char *section, *measure;
    double us, within;
} inputs[] = {
    {"{\"workload\":\"linnos\",\"batch\":1024," LINNOS "{\"chain\":40}]}", "lake", 79, 0.5},
    {"{\"workload\":\"linnos-1\",\"batch\":512," LINNOS "{\"weight\":256},{\"chain\":40}]}",
     "lake_copies", 673, 0.5},
    {"{\"workload\":\"linnos-2\",\"batch\":512," LINNOS
     "{\"weight\":256},{\"weight\":256},{\"chain\":40}]}",
     "lake_copies", 1173, 0.5},
    {"{\"workload\":\"kml\",\"batch\":1024,\"launches\":[{},{\"weight\":1}]}", "lake", 61, 0.5},
    {"{\"workload\":\"mllb\",\"batch\":1024,\"block_rows\":8,\"launches\":[{\"weight\":1}]}",
     "lake", 22, 0.5},
    {"{\"workload\":\"mllb\",\"batch\":1024,\"block_rows\":8,\"launches\":[{\"weight\":1}],"
     "\"copy_in\":{\"row_bytes\":60,\"async\":true},\"copy_out\":{\"row_bytes\":4}}",
     "lake_copies", 57, 0.5},
    {"{\"workload\":\"knn\",\"batch\":1024,\"block_rows\":256,\"lanes\":true,"
     "\"launches\":[{},{\"weight\":1,\"chain\":4096},{}]}",
     "lake", 3443, 0.5},
    {"{\"workload\":\"kleio\",\"batch\":1160,\"step_rows\":32,\"skip_rows\":6}", "lake", 137368, 1},
    {"{\"workload\":\"kleio\",\"batch\":1160,\"step_rows\":32,\"skip_rows\":6}", "cpu", 300841, 1},
    {"{\"workload\":\"linnos\",\"batch\":128," LINNOS "{\"chain\":40}]}", "cpu", 862, 0.1},
};

Test(lake_offload, its_inputs_come_out_again)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        cr_expect_float_eq(get(inputs[i].section, inputs[i].measure), inputs[i].us,
                           inputs[i].within, "%s: %g", inputs[i].section,
                           get(inputs[i].section, inputs[i].measure));
}

/* ---- a second arithmetic: when the caller, the daemon and the GPU are each free, in us ---- */

struct path {
    double stub, channel, launch, doorbell, copy;
};

static double second(const struct path *p, const struct gpuway_command *c, uint32_t n)
{
    double caller = 0, server = 0, gpu = 0;
    for (uint32_t i = 0; i < n; i++) {
        double takes = (double)c[i].extra / 1e6, here;
        caller += p->stub;
        here = fmax(caller + p->channel, server);
        if (c[i].what == GPUWAY_LAUNCH) {
            server = here + p->launch;
            gpu = fmax(gpu, server + p->doorbell) + (double)c[i].gpu_ns / 1e3;
        } else if (c[i].what == GPUWAY_COPY_IN) {
            server = here + p->copy + takes;
        } else if (c[i].what == GPUWAY_CALL) {
            server = here + takes;
        } else {
            server = fmax(here, gpu) + (c[i].what == GPUWAY_COPY_OUT ? p->copy + takes : 0);
        }
        if (!c[i].async)
            caller = server + p->channel;
    }
    return caller;
}

static double us_of(const char *name)
{
    return machine_find(testbed(), name)->value / 1e6;
}

static int random_section(struct rng *r, char *to, size_t size, uint32_t batch)
{
    char launches[256];
    int n = 0, k = 1 + (int)rng_below(r, 4);
    for (int i = 0; i < k; i++)
        n += snprintf(launches + n, sizeof launches - (size_t)n, "%s{\"weight\":%d,\"chain\":%d}",
                      i ? "," : "", 1 + (int)rng_below(r, 99), (int)rng_below(r, 50));
    return snprintf(
        to, size,
        "{\"workload\":\"%s\",\"batch\":%u,\"launches\":[%s],\"block_rows\":%d,"
        "\"lanes\":%s,\"calls\":%d,"
        "\"copy_in\":{\"row_bytes\":%d,\"bytes\":%d,\"count\":%d,\"async\":%s},"
        "\"copy_out\":{\"row_bytes\":%d,\"count\":%d,\"async\":%s}}",
        rng_below(r, 2) ? "kml" : "linnos-1", batch, launches, 1 + (int)rng_below(r, 64),
        rng_below(r, 2) ? "true" : "false", (int)rng_below(r, 5), (int)rng_below(r, 900),
        (int)rng_below(r, 9000), 1 + (int)rng_below(r, 2), rng_below(r, 2) ? "true" : "false",
        (int)rng_below(r, 900), 1 + (int)rng_below(r, 2), rng_below(r, 2) ? "true" : "false");
}

static void shape_of(const char *section, struct offload_shape *s, struct offload_costs *k)
{
    struct config *c;
    struct err e = {0};
    struct machine_use use;
    struct offload_section in = {.block_rows = 1};
    bool lanes;
    uint64_t v;
    cr_assert_eq(config_parse(&c, "s", section, strlen(section), &e), 0);
    static char workload[32];
    const char *name;
    cr_assert_eq(config_str(config_get(c, "workload"), &name, &e), 0);
    snprintf(workload, sizeof workload, "%s", name);
    in.workload = workload;
    in.launches = config_get(c, "launches");
    in.copy_in = config_get(c, "copy_in");
    in.copy_out = config_get(c, "copy_out");
    cr_assert_eq(config_u64(config_get(c, "block_rows"), 1, 1000, &v, &e), 0);
    in.block_rows = (uint32_t)v;
    cr_assert_eq(config_u64(config_get(c, "calls"), 0, 4, &v, &e), 0);
    in.calls = (uint32_t)v;
    cr_assert_eq(config_bool(config_get(c, "lanes"), &lanes, &e), 0);
    in.lanes = lanes;
    cr_assert_eq(offload_read(s, c, &in, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_use_begin(&use, testbed(), &e), 0);
    cr_assert_eq(offload_costs(k, s, &use, &e), 0, "%s", e.msg);
    machine_use_end(&use);
    config_free(c);
}

Test(lake_offload, a_second_arithmetic_agrees_on_random_shapes)
{
    struct path p = {us_of("cost.lake_stub") / 3, us_of("cost.lake_channel"), us_of("cost.launch"),
                     us_of("cost.doorbell"), us_of("cost.copy_small")};
    struct rng r;
    rng_init(&r, 7, "test", "offload");
    for (int i = 0; i < 300; i++) {
        char section[768];
        struct offload_shape s;
        struct offload_costs k;
        struct gpuway_command c[GPUWAY_COMMANDS];
        uint32_t batch = 1 + (uint32_t)rng_below(&r, 2000);
        random_section(&r, section, sizeof section, batch);
        shape_of(section, &s, &k);
        struct measures *m = run(section);
        uint32_t n = offload_commands(&s, &k, OFFLOAD_COMPUTE, batch, c);
        cr_expect_float_eq(*measures_find(m, "lake"), second(&p, c, n), 0.03, "%s", section);
        n = offload_commands(&s, &k, OFFLOAD_COPIES, batch, c);
        cr_assert(n <= GPUWAY_COMMANDS);
        cr_expect_float_eq(*measures_find(m, "lake_copies"), second(&p, c, n), 0.03, "%s", section);
        measures_free(m);
    }
}

/* ---- what must hold ---- */

/* The GPU's work in all, ns: rounds x slope and the chains, however it is split over launches. */
Test(lake_offload, rounds_are_what_an_sm_gets_and_lanes_take_turns)
{
    static const struct {
        uint32_t block_rows, batch;
        bool lanes;
        uint64_t rounds;
    } cases[] = {
        {1, 1, false, 1},      {1, 108, false, 1}, {1, 109, false, 2}, {1, 1024, false, 10},
        {8, 864, false, 1},    {8, 865, false, 2}, {256, 8, true, 8},  {256, 31, true, 31},
        {256, 1024, true, 32}, {1, 500, true, 5},  {16, 16, true, 16}, {16, 1729, true, 32},
    };
    struct offload_costs k = {.sms = 108};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct offload_shape s = {.block_rows = cases[i].block_rows, .lanes = cases[i].lanes};
        cr_expect_eq(offload_rounds(&s, &k, cases[i].batch), cases[i].rounds, "case %zu", i);
    }
    struct offload_shape kleio = {.step_rows = 32, .skip_rows = 6};
    cr_expect_eq(offload_rounds(&kleio, &k, 1), 1);
    cr_expect_eq(offload_rounds(&kleio, &k, 38), 1);
    cr_expect_eq(offload_rounds(&kleio, &k, 39), 2);
    cr_expect_eq(offload_rounds(&kleio, &k, 1160), 37);
}

Test(lake_offload, a_larger_batch_is_never_faster_and_copies_never_free)
{
    double before[3] = {0};
    for (unsigned b = 1; b <= 4096; b *= 2) {
        char section[256];
        snprintf(section, sizeof section,
                 "{\"workload\":\"linnos\",\"batch\":%u," LINNOS "{\"chain\":40}]}", b);
        struct measures *m = run(section);
        double now[3] = {*measures_find(m, "lake"), *measures_find(m, "lake_copies"),
                         *measures_find(m, "malv")};
        for (int i = 0; i < 3; i++)
            cr_expect_geq(now[i], before[i], "batch %u", b);
        cr_expect_gt(now[1], now[0] + 9);  /* two small copies, 4.5 us each */
        cr_expect_lt(now[2], now[1] - 16); /* no channel */
        memcpy(before, now, sizeof now);
        measures_free(m);
    }
}

/* The first of the batches where the GPU takes no longer, by trying each; 0 where none does. */
Test(lake_offload, the_crossover_is_the_first_batch_that_pays)
{
    const char *form = "{\"workload\":\"kml\",\"batch\":%u,\"launches\":[{},{\"weight\":1}],"
                       "\"copy_in\":{\"row_bytes\":20},\"copy_out\":{\"row_bytes\":4}%s}";
    char section[256];
    unsigned first = 0;
    for (unsigned b = 1; b <= 1024 && !first; b *= 2) {
        snprintf(section, sizeof section, form, b, "");
        if (get(section, "lake_copies") <= get(section, "cpu"))
            first = b;
    }
    cr_expect_gt(first, 1);
    snprintf(section, sizeof section, form, 1, "");
    cr_expect_eq(get(section, "crossover.lake_copies"), first);
    snprintf(section, sizeof section, form, 1, ",\"batches\":[1,2,3]");
    cr_expect_eq(get(section, "crossover.lake_copies"), 0);
}

Test(lake_offload, a_framework_stays_in_user_space)
{
    const char *kleio = "{\"workload\":\"kleio\",\"batch\":20,\"step_rows\":32,\"skip_rows\":6}";
    cr_expect_eq(get(kleio, "malv"), -1);
    cr_expect_eq(get(kleio, "lake"), get(kleio, "lake_copies"));
}
