/* Pairs on one GPU: closed forms, the two equations iterated until they hold, and the model. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/gpu/colocate.h"
#include "models/model.h"
#include "sim/rng.h"

static struct colocate_demand demand(double s, double p)
{
    return (struct colocate_demand){{s, 0}, {p, 0}};
}

static void both(double s, double p, double *a, double *b)
{
    const struct colocate_demand d = demand(s, p);
    colocate_pair(&d, &d, a, b);
}

Test(colocate, what_does_not_meet_loses_nothing)
{
    const struct colocate_demand a = {{3, 0}, {2, 0}}, b = {{0, 5}, {0, 4}};
    double of_a, of_b;
    colocate_pair(&a, &b, &of_a, &of_b);
    cr_expect(of_a == 1 && of_b == 1);
}

Test(colocate, alike_share_evenly)
{
    double a, b;
    both(1, 2, &a, &b);
    cr_expect(a == 0.5 && b == 0.5); /* processor sharing */
    both(1, 1, &a, &b);
    cr_expect_float_eq(a, (sqrt(5) - 1) / 2, 1e-12); /* r (1 + r) = 1 */
    both(1000, 1000, &a, &b);
    cr_expect(a > 0 && fabs(a - 1e-3) < 1e-5 && a == b);
}

/* One that minds but does not press, beside one that presses but does not mind. */
Test(colocate, who_does_not_mind_runs_at_full_speed)
{
    const struct colocate_demand meek = demand(3, 0), rude = demand(0, 1);
    double of_meek, of_rude;
    colocate_pair(&meek, &rude, &of_meek, &of_rude);
    cr_expect(of_rude == 1 && of_meek == 0.25);
    colocate_pair(&rude, &meek, &of_rude, &of_meek);
    cr_expect(of_rude == 1 && of_meek == 0.25);
}

static struct colocate_demand draw(struct rng *g)
{
    struct colocate_demand d;
    for (int k = 0; k < COLOCATE_RESOURCES; k++) {
        d.sensitivity[k] = 3 * rng_unit(g) * rng_unit(g);
        d.pressure[k] = 3 * rng_unit(g) * rng_unit(g);
    }
    return d;
}

static double felt(const struct colocate_demand *by, const struct colocate_demand *from)
{
    return by->sensitivity[0] * from->pressure[0] + by->sensitivity[1] * from->pressure[1];
}

Test(colocate, the_root_is_where_the_two_equations_settle)
{
    struct rng g;
    rng_init(&g, 1, "test", "colocate");
    for (int i = 0; i < 1000; i++) {
        const struct colocate_demand a = draw(&g), b = draw(&g);
        double of_a, of_b, x = 1, y = 1;
        colocate_pair(&a, &b, &of_a, &of_b);
        for (int k = 0; k < 2000; k++) { /* damped, or they swing */
            const double nx = 1 / (1 + felt(&a, &b) * y), ny = 1 / (1 + felt(&b, &a) * x);
            x = (x + nx) / 2;
            y = (y + ny) / 2;
        }
        cr_assert_float_eq(of_a, x, 1e-9);
        cr_assert_float_eq(of_b, y, 1e-9);
        cr_assert(of_a > 0 && of_a <= 1 && of_b > 0 && of_b <= 1); /* nobody gains by company */
    }
}

/* ---- the model ---- */

static struct machine *machine_of(const char *path)
{
    struct config *c = NULL;
    struct machine *m = NULL;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    return m;
}

static struct measures *run(const struct machine *m, const char *json, struct err *e)
{
    struct config *c = NULL;
    const struct model_env env = {.machine = m};
    struct measures *out = measures_new();
    cr_assert_eq(config_parse(&c, "c", json, strlen(json), e), 0, "%s", e->msg);
    int rc = model_colocate.check(c, e);
    if (!rc)
        rc = model_colocate.fits(c, m, NULL, e);
    if (!rc)
        cr_assert_eq(model_colocate.run(c, &env, out, e), 0, "%s", e->msg);
    config_free(c);
    if (!rc)
        return out;
    measures_free(out);
    return NULL;
}

static const struct sketch *sketch_named(const struct measures *m, const char *name)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (!strcmp(m->sketch[i].name, name))
            return m->sketch[i].sketch;
    cr_assert(false, "no %s", name);
    return NULL;
}

Test(colocate, a_run_tells_pairs_and_judges_measured_ones)
{
    struct machine *m = machine_of("machines/colocate.json");
    struct machine_use use;
    struct colocate_demand a, b;
    struct err e = {0};
    double of_a, of_b;
    cr_assert_eq(machine_use_begin(&use, m, &e), 0);
    cr_assert_eq(colocate_read(&a, &use, "v100", "a3c", &e), 0, "%s", e.msg);
    cr_assert_eq(colocate_read(&b, &use, "v100", "lm_5", &e), 0, "%s", e.msg);
    colocate_pair(&a, &b, &of_a, &of_b);
    struct measures *out = run(m,
                               "{\"pairs\": {\"v100\": [[\"a3c\", \"lm_5\"]], \"k80\": [[\"a3c\", "
                               "\"lm_5\", 0.5]]}, \"mean\": {\"k80\": 1.25}}",
                               &e);
    cr_assert(out, "%s", e.msg);
    cr_expect_eq(*measures_find(out, "v100.a3c.lm_5"), of_a);
    cr_expect_eq(*measures_find(out, "v100.lm_5.a3c"), of_b);
    cr_expect_null(measures_find(out, "k80.a3c.lm_5"));
    cr_expect_eq(*measures_find(out, "measured"), 1);
    cr_expect_eq(sketch_count(sketch_named(out, "sum")), 2);
    cr_expect_eq(sketch_count(sketch_named(out, "error_v100")), 0);
    cr_expect_eq(sketch_count(sketch_named(out, "error_k80")), 1);
    cr_expect_eq(sketch_max(sketch_named(out, "error_of_mean")), 0.75);
    cr_assert_eq(colocate_read(&a, &use, "k80", "a3c", &e), 0, "%s", e.msg);
    cr_assert_eq(colocate_read(&b, &use, "k80", "lm_5", &e), 0, "%s", e.msg);
    colocate_pair(&a, &b, &of_a, &of_b);
    cr_expect_float_eq(sketch_max(sketch_named(out, "error")), of_a + of_b - 0.5, 1e-12);
    cr_expect_float_eq(sketch_max(sketch_named(out, "error_k80")), of_a + of_b - 0.5, 1e-12);
    measures_free(out);
    machine_use_end(&use);
    machine_free(m);
}

static const struct {
    const char *json, *says;
} wrong[] = {
    {"{\"pairs\": []}", "c: pairs: got an array of 0, want an object of GPUs and their pairs"},
    {"{\"pairs\": {\"V100\": []}}", "c: pairs.V100: got an array of 0, want names of GPUs"},
    {"{\"pairs\": {\"v100\": []}}", "c: pairs.v100: got an array of 0, want a list of 1..100000"},
    {"{\"pairs\": {\"v100\": [[\"a3c\"]]}}",
     "c: pairs.v100[0]: got an array of 1, want [job, job] or [job, job, measured sum]"},
    {"{\"pairs\": {\"v100\": [[\"a3c\", \"A3C\"]]}}",
     "c: pairs.v100[0][1]: got \"A3C\", want a job of a-z, 0-9 and _, below 48 bytes"},
    {"{\"pairs\": {\"v100\": [[\"a3c\", \"a3c\", 3]]}}",
     "c: pairs.v100[0][2]: got 3, want a number 0..2"},
    {"{\"pairs\": {\"v100\": [[\"a3c\", \"a3c\"]]}, \"mean\": {\"k80\": 1}}",
     "c: mean.k80: got 1, want means of GPUs that have \"pairs\""},
    {"{\"pairs\": {\"v100\": [[\"a3c\", \"dlrm\"]]}}",
     "machine \"colocate\" has no \"gpu.colocate.v100.dlrm\", which this run needs"},
};

Test(colocate, what_is_wrong_with_a_section_is_said)
{
    struct machine *m = machine_of("machines/colocate.json");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        cr_expect_null(run(m, wrong[i].json, &e), "case %zu", i);
        cr_expect(!strncmp(e.msg, wrong[i].says, strlen(wrong[i].says)), "case %zu: %s", i, e.msg);
    }
    machine_free(m);
}
