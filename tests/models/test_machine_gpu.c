/* test_machine_gpu.c - the GPUs of the profiles that come with the program: what a device model
 * may count on, whoever the device is. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"

static struct machine *load(const char *path)
{
    struct config *c = NULL;
    struct machine *m = NULL;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    return m;
}

static double number(const struct machine *m, const char *name)
{
    const struct machine_cost *c = machine_find(m, name);
    cr_assert(c, "%s lacks %s", m->name, name);
    return c->value;
}

/* More SMs never draw less, and all of them draw all. */
static void check_reach(const struct machine *m)
{
    const struct machine_cost *t = machine_find(m, "gpu.reach");
    if (!t)
        return;
    cr_expect(t->x[0] == 0 && t->y[0] == 0, "%s", m->name);
    for (size_t i = 1; i < t->n; i++)
        cr_expect_geq(t->y[i], t->y[i - 1], "%s: knot %zu", m->name, i);
    cr_expect_eq(machine_table_at(t, 1000), 1000, "%s", m->name);
}

/* The front end is no slower between kernels than a host that launches them back to back, and a
 * graph is no slower than a stream. */
static void check_gaps(const struct machine *m)
{
    const struct machine_cost *launch = machine_find(m, "cost.launch");
    if (!machine_find(m, "gpu.gap") || !launch)
        return;
    cr_expect_lt(number(m, "gpu.gap"), launch->value, "%s", m->name);
    cr_expect_leq(number(m, "gpu.graph_gap"), number(m, "gpu.gap"), "%s", m->name);
}

/* As many slices of a profile as may be made are no more than the device has. */
static void check_slices(const struct machine *m)
{
    const struct machine_cost *c;
    for (size_t i = 0; i < m->n_cost; i++) {
        char name[96], profile[64];
        c = &m->cost[i];
        size_t n = strlen(c->name);
        if (strncmp(c->name, "gpu.mig.", 8) || n < 12 || strcmp(c->name + n - 4, ".max"))
            continue;
        snprintf(profile, sizeof profile, "%.*s", (int)(n - 4), c->name);
        static const char *const part[] = {"slices", "sms", "memory", "memory_slices",
                                           "copy_engines"};
        double whole[] = {7, number(m, "gpu.sms"), number(m, "gpu.memory"), 8,
                          number(m, "gpu.copy_engines")};
        for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
            snprintf(name, sizeof name, "%s.%s", profile, part[k]);
            cr_expect_leq(number(m, name) * c->value, whole[k], "%s: %s", m->name, name);
        }
    }
}

Test(machine_gpu, the_devices_of_all_profiles_are_whole)
{
    glob_t g;
    int seen = 0;
    cr_assert_eq(glob("machines/*.json", 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct machine *m = load(g.gl_pathv[i]);
        if (machine_find(m, "gpu.warps_per_sm")) {
            seen++;
            check_reach(m);
            check_gaps(m);
            check_slices(m);
        }
        machine_free(m);
    }
    globfree(&g);
    cr_expect_geq(seen, 7);
}

/* CUDA Programming Guide 13, tables of SM and memory information per compute capability. */
Test(machine_gpu, limits_per_sm_are_those_of_the_guide)
{
    static const struct {
        const char *path;
        double warps, blocks, kib;
    } want[] = {{"machines/t4-server.json", 32, 16, 64},
                {"machines/a100-40gb.json", 64, 32, 164},
                {"machines/h100-server.json", 64, 32, 228},
                {"machines/rtx4090-host.json", 48, 24, 100}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct machine *m = load(want[i].path);
        cr_expect_eq(number(m, "gpu.warps_per_sm"), want[i].warps, "%s", want[i].path);
        cr_expect_eq(number(m, "gpu.blocks_per_sm"), want[i].blocks, "%s", want[i].path);
        cr_expect_eq(number(m, "gpu.smem_per_sm"), want[i].kib * 1024, "%s", want[i].path);
        machine_free(m);
    }
}
