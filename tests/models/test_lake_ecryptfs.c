/* test_lake_ecryptfs.c - model "ecryptfs": its inputs come out again, batches agree with a second
 * arithmetic, windows with Linux' by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/lake/pages.h"
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

static double get(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static double get(const char *name, const char *format, ...)
{
    char section[256];
    va_list args;
    struct config *c;
    struct err e = {0};
    struct model_env env = {.seed = 1, .machine = testbed()};
    struct measures *out = measures_new();
    va_start(args, format);
    vsnprintf(section, sizeof section, format, args);
    va_end(args);
    cr_assert_eq(config_parse(&c, "ecryptfs", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_ecryptfs.run(c, &env, out, &e), 0, "%s: %s", section, e.msg);
    config_free(c);
    const double *v = measures_find(out, name);
    double found = v ? *v : -1;
    measures_free(out);
    return found;
}

#define AT "{\"engine\":\"%s\",\"direction\":\"%s\",\"block_kib\":%u,\"once_kib\":4}"

Test(lake_ecryptfs, its_inputs_come_out_again)
{
    static const struct {
        const char *engine, *direction;
        unsigned kib;
        double mib;
    } inputs[] = {
        {"cpu", "read", 4096, 142.9}, {"aesni", "read", 4096, 677.3},
        {"aesni", "write", 4, 461.5}, {"aesni", "write", 4096, 564.8},
        {"lake", "read", 4, 284.4},   {"lake", "read", 4096, 839.3},
        {"lake", "write", 4, 52.9},   {"lake", "write", 4096, 836.5},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        double ours = get("throughput", AT, inputs[i].engine, inputs[i].direction, inputs[i].kib);
        cr_expect_float_eq(ours / inputs[i].mib, 1, 0.002, "%s %s: %g", inputs[i].engine,
                           inputs[i].direction, ours);
    }
}

/* ---- a batch, by when core, daemon and GPU are free; us ---- */

static double us(const char *name)
{
    return machine_find(testbed(), name)->value / 1e6;
}

static double lake(double n, double aesni, bool write)
{
    const double gpu = n - aesni, stub = us("cost.lake_stub") / 3, way = us("cost.lake_channel");
    const double there = gpu * us("ecryptfs.driver_page") + us("cost.copy_small");
    double core = n * us(write ? "ecryptfs.batch_write" : "ecryptfs.batch_read");
    if (gpu < 1)
        return core + n * us("ecryptfs.aesni");
    core += gpu * us("cost.copy_page") + stub;
    double daemon = core + way + there; /* the inputs are copied; the launch is there by then */
    daemon = fmax(daemon, core + stub + way) + us("cost.launch");
    double done =
        daemon + us("cost.doorbell") + us("ecryptfs.kernel") + gpu * us("ecryptfs.gpu_page");
    core += stub + aesni * us("ecryptfs.aesni") + stub;
    daemon = fmax(fmax(daemon, core + way), done) + there;
    core += stub;
    return fmax(daemon, core + way) + way + gpu * us("cost.copy_page");
}

static double malv(double n, double aesni, bool write)
{
    const double gpu = n - aesni, link = 4096 / 32e9 * 1e6;
    double core = n * us(write ? "ecryptfs.batch_write" : "ecryptfs.batch_read");
    if (gpu < 1)
        return core + n * us("ecryptfs.aesni");
    core += us("cost.launch");
    double done = core + us("cost.doorbell") + us("cost.gpu_reads_host") + us("ecryptfs.kernel") +
                  gpu * (us("ecryptfs.gpu_page") + 2 * link);
    core += aesni * us("ecryptfs.aesni");
    return fmax(core, done) + us("cost.gpu_to_host") + us("cost.poll");
}

Test(lake_ecryptfs, a_second_arithmetic_agrees_on_random_batches)
{
    struct machine_use use;
    struct pages_costs a, b;
    struct err e = {0};
    struct rng r;
    rng_init(&r, 3, "test", "ecryptfs");
    cr_assert_eq(machine_use_begin(&use, testbed(), &e), 0);
    cr_assert_eq(pages_costs(&a, PAGES_LAKE, &use, &e), 0, "%s", e.msg);
    cr_assert_eq(pages_costs(&b, PAGES_MALV, &use, &e), 0, "%s", e.msg);
    machine_use_end(&use);
    for (int i = 0; i < 500; i++) {
        uint32_t n = 1 + (uint32_t)rng_below(&r, i % 2 ? 8 : 3000);
        uint32_t percent = (uint32_t)rng_below(&r, 101);
        bool write = rng_below(&r, 2);
        double aesni = floor(n * (double)percent / 100 + 1e-9);
        cr_expect_float_eq((double)pages_batch(&a, PAGES_LAKE, write, n, percent) / 1e3,
                           lake(n, aesni, write), 0.02, "%u pages, %u %%", n, percent);
        cr_expect_float_eq((double)pages_batch(&b, PAGES_MALV, write, n, percent) / 1e3,
                           malv(n, aesni, write), 0.02, "%u pages, %u %%", n, percent);
    }
}

/* By hand, after get_init_ra_size and get_next_ra_size: pages of the windows in the comments. */
Test(lake_ecryptfs, windows_grow_as_linux_lets_them)
{
    static const struct {
        unsigned kib, blocks, most, batches;
    } cases[] = {
        {4, 256, 4096, 4},    /* 4 16 64 172 */
        {4, 256, 32, 11},     /* 4 8 16, 32 seven times, 4 */
        {8, 256, 4096, 4},    /* 8 32 128 344 */
        {4096, 256, 1, 256},  /* 1024 each time */
        {4096, 256, 4096, 4}, /* 4096 16384 65536, the rest */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(get("batches",
                         "{\"engine\":\"lake\",\"direction\":\"read\",\"block_kib\":%u,"
                         "\"blocks\":%u,\"readahead_blocks\":%u}",
                         cases[i].kib, cases[i].blocks, cases[i].most),
                     cases[i].batches, "case %zu", i);
    /* a window is never less than what is asked for */
    cr_expect_eq(get("batches", "{\"engine\":\"lake\",\"direction\":\"read\",\"block_kib\":20,"
                                "\"blocks\":10,\"readahead_blocks\":1}"),
                 10);
    cr_expect_eq(get("batches", AT, "lake", "write", 64), 256);
}

Test(lake_ecryptfs, larger_writes_are_faster_and_shares_have_their_ends)
{
    double before = 0;
    for (unsigned kib = 4; kib <= 4096; kib *= 2) {
        double now = get("throughput", AT, "lake", "write", kib);
        cr_expect_gt(now, before, "%u KiB", kib);
        cr_expect_gt(get("throughput", AT, "malv", "write", kib), now, "%u KiB", kib);
        before = now;
    }
    const char *share = "{\"engine\":\"lake\",\"direction\":\"write\",\"block_kib\":64,"
                        "\"aesni_percent\":%d}";
    cr_expect_eq(get("throughput", share, 0), get("throughput", AT, "lake", "write", 64));
    double page = us("ecryptfs.batch_write") + us("ecryptfs.aesni") + us("ecryptfs.call") / 16;
    cr_expect_float_eq(get("throughput", share, 100), 4096 / page * 1e6 / (1 << 20), 0.1);
}
