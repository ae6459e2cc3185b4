/* Jobs on MIG slices: the formula's limits, the device that it describes, and what a neighbour on
 * another slice changes (nothing). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/gpu/mig.h"
#include "models/gpu/slice_speed.h"
#include "models/model.h"
#include "tests/models/gpu_world.h"

static const struct slice_speed speed = {.compute = 0.5, .memory = 0.25, .overlap = 2};

Test(slices, the_host_alone_does_not_care_and_the_gpu_alone_goes_with_its_factor)
{
    const double f = slice_speed_factor(&speed, 7, 8);
    cr_expect_float_eq(f, 0.25 + 0.5 * 7 + 0.25 * 8, 1e-12);
    cr_expect_eq(slice_speed_factor(&speed, 1, 1), 1);
    cr_expect_float_eq(slice_speed_time(&speed, 0, f), 1, 1e-12);
    cr_expect_float_eq(slice_speed_time(&speed, 1, f), f, 1e-12);
    cr_expect_float_eq(slice_speed_time(&speed, 0.6, 1), 1, 1e-12);
    cr_expect_float_eq(slice_speed_time(&speed, 0.6, f), sqrt(0.64 + 0.36 * f * f), 1e-12);
}

Test(slices, one_slice_tells_the_gpus_share)
{
    for (double g = 0.05; g < 1; g += 0.05)
        for (double f = 1.5; f < 8; f += 0.5)
            cr_expect_float_eq(slice_speed_load(&speed, slice_speed_time(&speed, g, f), f), g,
                               1e-9);
    cr_expect_eq(slice_speed_load(&speed, 0.99, 2), 0);
    cr_expect_eq(slice_speed_load(&speed, 2.01, 2), 1);
}

Test(slices, more_of_a_gpu_is_never_slower)
{
    double last = 1e9;
    for (double s = 8; s >= 1; s -= 0.25) {
        const double t = slice_speed_time(&speed, 0.8, slice_speed_factor(&speed, s, s));
        cr_expect(t < last);
        last = t;
    }
}

/* ---- the device ---- */

struct world {
    struct machine *machine;
    struct machine_use use;
    struct mig_table table;
};

static void begin(struct world *w)
{
    struct config *c = NULL;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, "machines/a100-40gb.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&w->machine, c, &e), 0, "%s", e.msg);
    config_free(c);
    cr_assert_eq(machine_use_begin(&w->use, w->machine, &e), 0);
    cr_assert_eq(mig_table_read(&w->table, &w->use, &e), 0, "%s", e.msg);
}

static void end(struct world *w)
{
    machine_use_end(&w->use);
    machine_free(w->machine);
}

static struct device_params whole(void)
{
    struct device_params p = gpu_params();
    p.sms = 98; /* a 7g */
    p.copy_engines = 7;
    return p;
}

/* The shares of GPU time as three kernels: one bound by SMs, one by bandwidth, one that neither
 * helps. */
static void iteration(struct gpu_world *g, struct device_stream *s, uint64_t arg)
{
    gpu_work(g, s, arg, (struct device_work){.alone = 4000 * SIM_MS});
    gpu_work(g, s, arg + 1,
             (struct device_work){.alone = 2000 * SIM_MS, .bandwidth = 1000, .compute = 100});
    gpu_work(g, s, arg + 2, (struct device_work){.alone = 2000 * SIM_MS, .sms = 1});
}

Test(slices, a_device_cut_in_slices_is_slower_by_the_factor)
{
    struct world w;
    begin(&w);
    for (uint32_t i = 0; i < w.table.n; i++) {
        const struct mig_profile *p = &w.table.profile[i];
        const struct device_params params = whole();
        struct mig m = {.table = &w.table};
        struct device_partition_want want;
        struct gpu_world g;
        struct err e = {0};
        uint32_t number, part;
        gpu_world_begin(&g, &params, NULL);
        cr_assert_eq(mig_place(&m, p->name, MIG_ANYWHERE, &number, &want, &e), 0, "%s", e.msg);
        cr_assert_eq(device_partition(g.d, &want, DEVICE_TURNS, &part, &e), 0, "%s", e.msg);
        iteration(&g, gpu_stream(gpu_context(&g, part), 0), 1);
        sim_run(g.sim, SIM_NEVER);
        const double f = slice_speed_factor(&speed, 98.0 / p->sms, 8.0 / p->memory_slices);
        cr_expect_float_eq((double)gpu_ended(&g, 3), 8e6 * f, 2, "%s: %g, want %g", p->name,
                           (double)gpu_ended(&g, 3), 8e6 * f);
        gpu_world_end(&g);
    }
    end(&w);
}

/* Ends of 3g@0's kernels, alone and beside full 2g@4 and 1g@6. */
static void isolated(const struct world *w, bool neighbours, sim_time out[3])
{
    static const char *const names[] = {"3g.20gb", "2g.10gb", "1g.5gb"};
    const struct device_params params = whole();
    struct mig m = {.table = &w->table};
    struct device_partition_want want[3];
    struct gpu_world g;
    struct err e = {0};
    gpu_world_begin(&g, &params, NULL);
    cr_assert_eq(mig_layout(&m, names, 3, want, &e), 0, "%s", e.msg);
    for (uint32_t i = 0, part; i < 3; i++) {
        cr_assert_eq(device_partition(g.d, &want[i], DEVICE_TURNS, &part, &e), 0, "%s", e.msg);
        struct device_stream *s = gpu_stream(gpu_context(&g, part), 0);
        for (uint64_t k = 0; i == 0 || (neighbours && k < 50); k++) {
            iteration(&g, s, 1 + i * 1000 + k * 3);
            if (i == 0)
                break;
        }
    }
    sim_run(g.sim, SIM_NEVER);
    for (uint64_t k = 0; k < 3; k++)
        out[k] = gpu_ended(&g, 1 + k);
    gpu_world_end(&g);
}

Test(slices, a_neighbour_changes_nothing)
{
    struct world w;
    sim_time alone[3], beside[3];
    begin(&w);
    isolated(&w, false, alone);
    isolated(&w, true, beside);
    cr_expect_arr_eq(alone, beside, sizeof alone);
    end(&w);
}

/* ---- the model ---- */

static struct measures *run(const struct world *w, const char *json, struct err *e)
{
    struct config *c = NULL;
    const struct model_env env = {.machine = w->machine};
    struct measures *out = measures_new();
    cr_assert_eq(config_parse(&c, "slices", json, strlen(json), e), 0, "%s", e->msg);
    int rc = model_slices.check(c, e);
    if (!rc)
        rc = model_slices.fits(c, w->machine, NULL, e);
    if (!rc)
        cr_assert_eq(model_slices.run(c, &env, out, e), 0, "%s", e->msg);
    config_free(c);
    if (!rc)
        return out;
    measures_free(out);
    return NULL;
}

/* A job that is all GPU by its time on 3g takes the factor on the others; one that is all host
 * takes the same everywhere. */
Test(slices, a_model_run_gives_the_other_slices)
{
    struct world w;
    struct slice_speed s;
    struct err e = {0};
    char json[256];
    begin(&w);
    cr_assert_eq(slice_speed_read(&s, &w.use, &e), 0, "%s", e.msg);
    snprintf(json, sizeof json,
             "{\"jobs\": [{\"name\": \"gpu\", \"ms\": {\"7g.40gb\": 10, \"3g.20gb\": %.17g}},"
             "{\"name\": \"cpu\", \"ms\": {\"7g.40gb\": 10, \"1g.5gb\": 10, \"4g.20gb\": 12.5}}]}",
             10 * slice_speed_factor(&s, 98.0 / 42, 2));
    struct measures *m = run(&w, json, &e);
    cr_assert(m, "%s", e.msg);
    cr_expect_float_eq(*measures_find(m, "gpu.1g.5gb"), 10 * slice_speed_factor(&s, 7, 8), 1e-6);
    cr_expect_float_eq(*measures_find(m, "gpu.gpu"), 1, 1e-9);
    cr_expect_float_eq(*measures_find(m, "cpu.2g.10gb"), 10, 1e-9);
    cr_expect_null(measures_find(m, "gpu.3g.20gb"));
    cr_expect_eq(*measures_find(m, "judged"), 1); /* cpu on 4g: 10 for 12.5 */
    cr_expect_float_eq(m->sketch[0].sketch ? sketch_max(m->sketch[0].sketch) : 0, 0.2, 1e-9);
    measures_free(m);
    end(&w);
}

static const struct {
    const char *json, *says;
} wrong[] = {
    {"{\"jobs\": []}", "slices: jobs: got an array of 0, want a list of 1..4096 jobs"},
    {"{\"jobs\": [{\"name\": \"A\", \"ms\": {}}]}",
     "slices: jobs[0].name: got \"A\", want a name of a-z, 0-9 and _, below 64 bytes"},
    {"{\"jobs\": [{\"name\": \"a\", \"ms\": {\"7g.40gb\": 0}}]}",
     "slices: jobs[0].ms.7g.40gb: got 0, want a number 1e-06..1000000000"},
    {"{\"jobs\": [{\"name\": \"a\", \"ms\": {\"7g.40gb\": 1, \"6g.30gb\": 2}}]}",
     "slices: jobs[0].ms.6g.30gb: got 2, want a MIG profile of \"a100-40gb\""},
    {"{\"jobs\": [{\"name\": \"a\", \"ms\": {\"1g.5gb\": 1, \"2g.10gb\": 2}}]}",
     "slices: jobs[0].ms: got an object, want a time on the whole GPU, \"7g.40gb\""},
    {"{\"jobs\": [{\"name\": \"a\", \"ms\": {\"7g.40gb\": 1}}]}",
     "slices: jobs[0].ms: got an object, want a time on one slice at least"},
    {"{\"given\": \"3g.20gb\", \"jobs\": [{\"name\": \"a\", \"ms\": {\"7g.40gb\": 1}}]}",
     "slices: jobs[0].ms: got an object, want a time on 3g.20gb"},
    {"{\"given\": \"7g.40gb\", \"jobs\": [{\"name\": \"a\", \"ms\": {\"7g.40gb\": 1}}]}",
     "slices.given: got \"7g.40gb\", want a part of \"a100-40gb\" (gpu.mig)"},
    {"{\"jobs\": [{\"name\": \"a\", \"ms\": {}}, {\"name\": \"a\", \"ms\": {}}]}",
     "slices: jobs[1]: got an object, want another name than \"a\""},
    {"{\"given\": \"3g.20gb\", \"each\": true, \"jobs\": []}",
     "slices: given: got \"3g.20gb\", want none, as \"each\" is set"},
};

Test(slices, what_is_wrong_with_a_section_is_said)
{
    struct world w;
    begin(&w);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        cr_expect_null(run(&w, wrong[i].json, &e), "case %zu", i);
        cr_expect_str_eq(e.msg, wrong[i].says);
    }
    end(&w);
}
