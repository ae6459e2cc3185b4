/* Closed forms from the textbooks against the simulator: the textbook's value
 * must lie inside the confidence interval over seeds.  99.9 % per point, so
 * that all of them together still hold with some 97 %; seeds are fixed.      */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/model.h"

enum { SEEDS = 12 };
#define T_999 4.437 /* Student's t, 11 degrees of freedom, 99.9 % two-sided */

static const struct row {
    const char *section, *measure;
    double want;
} rows[] = {
    /* M/M/1, rho 0.7: sojourn is exponential with rate 1 - rho */
    {"\"system\":\"mm1\",\"rho\":0.7", "sojourn_mean", 3.3333333333},
    {"\"system\":\"mm1\",\"rho\":0.7", "sojourn_p99", 15.350567287},
    {"\"system\":\"mm1\",\"rho\":0.7", "wait_mean", 2.3333333333},
    {"\"system\":\"mm1\",\"rho\":0.7", "wait_prob", 0.7},
    {"\"system\":\"mm1\",\"rho\":0.7", "util", 0.7},
    /* M/M/4, rho 0.8: Erlang C = 0.5964 (Gross & Harris), wait = C / (c (1 - rho)) */
    {"\"system\":\"mmc\",\"servers\":4,\"rho\":0.8", "wait_prob", 0.5964325},
    {"\"system\":\"mmc\",\"servers\":4,\"rho\":0.8", "wait_mean", 0.7455406},
    {"\"system\":\"mmc\",\"servers\":4,\"rho\":0.8", "sojourn_mean", 1.7455406},
    /* M/D/1 and M/G/1: Pollaczek-Khinchine, wait = rho (1 + scv) / 2 (1 - rho) */
    {"\"system\":\"md1\",\"rho\":0.7", "wait_mean", 1.1666666667},
    {"\"system\":\"mg1\",\"rho\":0.7,\"service\":{\"distribution\":\"gamma\",\"scv\":0.25}",
     "wait_mean", 1.4583333333},
    {"\"system\":\"mg1\",\"rho\":0.6,\"service\":{\"distribution\":\"hyperexponential\",\"scv\":4}",
     "wait_mean", 3.75},
    {"\"system\":\"mg1\",\"rho\":0.6,\"service\":{\"distribution\":\"lognormal\",\"scv\":2}",
     "wait_mean", 2.25},
    /* M/G/1-PS: 1 / (1 - rho), whatever the distribution; so is the mean slowdown */
    {"\"system\":\"mg1ps\",\"rho\":0.7", "sojourn_mean", 3.3333333333},
    {"\"system\":\"mg1ps\",\"rho\":0.7,\"service\":{\"distribution\":\"deterministic\"}",
     "sojourn_mean", 3.3333333333},
    {"\"system\":\"mg1ps\",\"rho\":0.6,\"service\":{\"distribution\":\"hyperexponential\",\"scv\":"
     "4}",
     "sojourn_mean", 2.5},
    {"\"system\":\"mg1ps\",\"rho\":0.6,\"service\":{\"distribution\":\"lognormal\",\"scv\":2}",
     "slowdown_mean", 2.5},
    /* Erlang B, 10 servers: a = 7 and a = 12; insensitive to the distribution */
    {"\"system\":\"erlangb\",\"servers\":10,\"rho\":0.7", "block_prob", 0.0787409},
    {"\"system\":\"erlangb\",\"servers\":10,\"rho\":1.2", "block_prob", 0.301925},
    {"\"system\":\"erlangb\",\"servers\":10,\"rho\":0.7,"
     "\"service\":{\"distribution\":\"lognormal\",\"scv\":2}",
     "block_prob", 0.0787409},
    /* two M/M/1 in a row (Jackson): sojourn is Erlang-2 with rate 1 - rho */
    {"\"system\":\"tandem\",\"rho\":0.7", "sojourn_mean", 6.6666666667},
    {"\"system\":\"tandem\",\"rho\":0.7", "sojourn_p99", 22.127840},
    {"\"system\":\"tandem\",\"rho\":0.7,\"stages\":3", "sojourn_mean", 10},
};

ParameterizedTestParameters(queueing, meets_the_closed_form)
{
    static size_t index[sizeof rows / sizeof *rows];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof rows / sizeof *rows);
}

static struct config *section_of(const struct row *r)
{
    char text[256];
    struct config *c = NULL;
    struct err e = {0};
    snprintf(text, sizeof text, "{%s,\"customers\":40000,\"warmup\":3000}", r->section);
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), &e), 0, "%s", e.msg);
    return c;
}

static double run(const struct config *section, uint64_t seed, struct sim_options opt,
                  const char *name)
{
    struct err e = {0};
    struct measures *m = measures_new();
    struct model_env env = {.seed = seed, .sim = opt, .exact = true};
    cr_assert_eq(model_queueing.run(section, &env, m, &e), 0, "%s", e.msg);
    const double *found = measures_find(m, name);
    cr_assert_not_null(found, "no measure %s", name);
    double v = *found;
    measures_free(m);
    return v;
}

ParameterizedTest(size_t *index, queueing, meets_the_closed_form)
{
    const struct row *r = &rows[*index];
    struct config *c = section_of(r);
    double v[SEEDS], mean = 0, var = 0;
    for (int i = 0; i < SEEDS; i++)
        mean += (v[i] = run(c, 1000 + (uint64_t)i, (struct sim_options){0}, r->measure)) / SEEDS;
    for (int i = 0; i < SEEDS; i++)
        var += (v[i] - mean) * (v[i] - mean) / (SEEDS - 1);
    double half = T_999 * sqrt(var / SEEDS);
    cr_expect(fabs(mean - r->want) <= half, "%s %s: %g +- %g, the book has %g", r->section,
              r->measure, mean, half, r->want);
    cr_expect_lt(half, 0.15 * r->want, "%s: the interval is too wide to mean anything: %g",
                 r->section, half);
    config_free(c);
}

/* Rule 1 of the house: the queue kind and the order among ties do not show. */
Test(queueing, heap_and_shuffled_ties_change_nothing)
{
    struct row r = {"\"system\":\"mg1ps\",\"rho\":0.8", "sojourn_mean", 0};
    struct config *c = section_of(&r);
    double a = run(c, 5, (struct sim_options){0}, r.measure);
    double b = run(c, 5, (struct sim_options){.queue = SIM_QUEUE_HEAP}, r.measure);
    double d = run(c, 5, (struct sim_options){.shuffle_ties = true, .shuffle_seed = 3}, r.measure);
    cr_expect_eq(a, b);
    cr_expect_eq(a, d);
    config_free(c);
}

static const struct bad {
    const char *section, *says;
} bads[] = {
    {"{\"system\":\"mm2\",\"rho\":0.5}", NULL},
    {"{\"system\":\"mm1\",\"rho\":1}",
     "t: rho: got 1, want less than 1: the queue would only grow"},
    {"{\"system\":\"mm1\"}", NULL},
    {"{\"system\":\"mm1\",\"rho\":0.5,\"servers\":2}",
     "t: servers: got 2, want 1: \"mm1\" has one server"},
    {"{\"system\":\"mm1\",\"rho\":0.5,\"service\":{\"distribution\":\"deterministic\"}}",
     "t: service: got an object, want no \"service\": \"mm1\" has its own"},
    {"{\"system\":\"mg1\",\"rho\":0.5,\"service\":{\"distribution\":\"gamma\"}}",
     "t: service: got an object, want \"scv\" beside \"distribution\": \"gamma\""},
    {"{\"system\":\"mg1\",\"rho\":0.5,\"service\":{\"distribution\":\"deterministic\",\"scv\":2}}",
     "t: service.scv: got 2, want no \"scv\": \"deterministic\" has its own"},
    {"{\"system\":\"mg1\",\"rho\":0.5,\"service\":{\"distribution\":\"hyperexponential\",\"scv\":0."
     "5}}",
     "t: service.scv: got 0.5, want a number 1..1000"},
};

Test(queueing, a_wrong_section_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct config *c = NULL;
        struct err e = {0};
        cr_assert_eq(config_parse(&c, "t", bads[i].section, strlen(bads[i].section), &e), 0);
        cr_expect_neq(model_queueing.check(c, &e), 0, "%s", bads[i].section);
        if (bads[i].says)
            cr_expect_str_eq(e.msg, bads[i].says);
        config_free(c);
    }
}
