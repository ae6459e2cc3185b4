/* test_machine.c - profiles: what loads, what is refused, what is remembered. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"

#define HEAD "{\"schema\":\"malv-machine/1\",\"name\":\"m\",\"cpu\":{},\"gpu\":{},\"cost\":{"
#define COST "\"unit\":\"us\",\"source\":\"here\",\"evidence\":\"published\"}"

static struct machine *parse(const char *text, struct err *e)
{
    struct config *c;
    struct machine *m = NULL;
    *e = (struct err){0};
    if (config_parse(&c, "m.json", text, strlen(text), e))
        return NULL;
    if (machine_load(&m, c, e))
        cr_expect_null(m);
    config_free(c);
    return m;
}

static const struct {
    const char *text, *says;
} bad[] = {
    {"{\"schema\":\"malv-machine/2\",\"name\":\"m\",\"cpu\":{},\"gpu\":{},\"cost\":{}}",
     "m.json: schema: got \"malv-machine/2\", want \"malv-machine/1\""},
    {HEAD "\"a\":{\"value\":-1," COST "}}", "m.json: cost.a.value: got -1, want a number 0..1e+15"},
    {HEAD "\"a\":{\"value\":1,\"unit\":\"us\",\"evidence\":\"published\"}}}",
     "m.json: cost.a: key \"source\" is missing"},
    {HEAD "\"a\":{\"value\":1,\"unit\":\"us\",\"source\":\"\",\"evidence\":\"published\"}}}",
     "m.json: cost.a.source: got \"\", want where the number comes from"},
    {HEAD "\"a\":{\"value\":1,\"unit\":\"us\",\"source\":\"x\",\"evidence\":\"guessed\"}}}",
     "m.json: cost.a.evidence: got \"guessed\", want one of"},
    {HEAD "\"a\":{\"value\":1,\"unit\":\"parsec\",\"source\":\"x\",\"evidence\":\"assumed\"}}}",
     "m.json: cost.a.unit: got \"parsec\", want one of ps, ns"},
    {HEAD "\"a\":3}}",
     "m.json: cost.a: got 3, want an object {value, unit, source, evidence} or a section"},
    {HEAD "\"a\":{\"x\":[1,1],\"y\":[1,2]," COST "}}",
     "m.json: cost.a.x[1]: got 1, want an integer 2.."},
    {HEAD "\"a\":{\"x\":[1,2],\"y\":[1]," COST "}}",
     "m.json: cost.a.y: got an array of 1, want an array as long as x (2)"},
    {HEAD "\"a\":{\"x\":[],\"y\":[]," COST "}}",
     "m.json: cost.a.x: got an array of 0, want an array of at least one"},
    {HEAD "\"a\":{\"value\":1e9,\"unit\":\"s\",\"source\":\"x\",\"evidence\":\"assumed\"}}}",
     "m.json: cost.a.value: got"},
};

Test(machine, what_is_wrong_with_a_profile_is_said)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e;
        cr_expect_null(parse(bad[i].text, &e), "case %zu loaded", i);
        cr_expect(!strncmp(e.msg, bad[i].says, strlen(bad[i].says)), "case %zu: %s\nwant %s", i,
                  e.msg, bad[i].says);
    }
}

Test(machine, a_lookup_is_remembered_and_reported)
{
    struct err e;
    struct machine *m = parse(
        HEAD "\"a\":{\"value\":1.5," COST
             ",\"b\":{\"value\":2,\"unit\":\"ms\",\"source\":\"a guess\",\"evidence\":\"assumed\"},"
             "\"c\":{\"value\":3,\"unit\":\"ns\",\"source\":\"unused\",\"evidence\":\"assumed\"}}}",
        &e);
    cr_assert_not_null(m, "%s", e.msg);
    struct machine_use u;
    sim_cost a, b;
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    cr_assert_eq(machine_ps(&u, "cost.a", &a, &e), 0);
    cr_assert_eq(machine_ps(&u, "cost.b", &b, &e), 0);
    cr_expect_eq(a, 1500000);
    cr_expect_eq(b, UINT64_C(2000000000));
    cr_expect_lt(machine_ps(&u, "cost.z", &b, &e), 0);
    cr_expect_str_eq(e.msg, "machine \"m\" has no \"cost.z\", which this run needs");
    struct measures *out = measures_new();
    machine_use_report(&u, out);
    cr_expect_eq(*measures_find(out, "constants_assumed"), 1);
    cr_expect_eq(*measures_find(out, "constants_published"), 1);
    cr_assert_eq(out->n_incident, 1);
    cr_expect_str_eq(out->incident[0].who, "cost.b");
    measures_free(out);
    machine_use_end(&u);
    machine_free(m);
}

Test(machine, a_table_is_linear_between_its_knots)
{
    struct err e;
    struct machine *m = parse(HEAD "\"t\":{\"x\":[10,20,40],\"y\":[1,3,4]," COST "}}", &e);
    cr_assert_not_null(m, "%s", e.msg);
    const struct machine_cost *t = machine_find(m, "cost.t");
    static const struct {
        uint64_t x;
        double us;
    } want[] = {{0, 1},    {10, 1}, {15, 2}, {20, 3},
                {30, 3.5}, {40, 4}, {60, 5}, {4000000000, 4 + 0.05 * (4e9 - 40)}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_expect_float_eq((double)machine_table_at(t, want[i].x) / 1e6, want[i].us,
                           1e-6 * want[i].us);
    machine_free(m);
}

/* Every profile that ships loads, and no constant lacks where it is from; from memory is assumed.
 */
static void check_profile(const char *path)
{
    struct config *c;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    cr_expect_gt(m->n_cost, 20, "%s", path);
    for (size_t k = 0; k < m->n_cost; k++) {
        const struct machine_cost *cost = &m->cost[k];
        cr_expect_geq(strlen(cost->source), 10, "%s: %s has no real source", path, cost->name);
        if (strstr(cost->source, "from memory"))
            cr_expect_eq(cost->evidence, EVIDENCE_ASSUMED, "%s: %s", path, cost->name);
    }
    machine_free(m);
    config_free(c);
}

Test(machine, shipped_profiles_load)
{
    glob_t g;
    cr_assert_eq(glob("machines/*.json", 0, NULL, &g), 0);
    cr_expect_geq(g.gl_pathc, 6);
    for (size_t i = 0; i < g.gl_pathc; i++)
        check_profile(g.gl_pathv[i]);
    globfree(&g);
}
