/* Packing: small clusters worked out by hand, conservation, what must not matter, and who is
 * ejected. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "models/cluster/packing_curve.h"
#include "models/model.h"
#include "sim/rng.h"
#include "tests/models/cluster_rows.h"
#include "tests/policies/guarded.h"

struct world {
    const struct trace_node *node;
    const struct trace_job *job;
    uint32_t nodes, jobs;
    const char *section;
    uint64_t seed;
};

static int try_run(const struct world *w, struct policy_slot *p, struct measures *out,
                   struct err *e)
{
    struct rows_list nodes = rows_of_nodes(w->node, w->nodes), jobs = rows_of_jobs(w->job, w->jobs);
    struct model_env env = {
        .seed = w->seed, .rows = &jobs.source, .nodes = &nodes.source, .policy = p};
    struct config *c;
    cr_assert_eq(config_parse(&c, "x.json", w->section, strlen(w->section), e), 0, "%s", e->msg);
    const int rc = model_packing.run(c, &env, out, e);
    config_free(c);
    return rc;
}

static struct measures *run(const struct world *w, struct policy_slot *p)
{
    struct measures *m = measures_new();
    struct err e = {0};
    cr_assert_eq(try_run(w, p, m, &e), 0, "%s", e.msg);
    return m;
}

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "no measure %s", name);
    return *v;
}

static struct trace_job pod(uint64_t row, uint32_t gpus, uint32_t milli, uint32_t cpu)
{
    return (struct trace_job){.row = row,
                              .gpus = gpus,
                              .gpu_milli = milli,
                              .cpu_milli = cpu,
                              .gpu_spec = TRACE_NAME_NONE,
                              .user = TRACE_NAME_NONE,
                              .group = TRACE_NAME_NONE};
}

static const struct trace_node pair = {.model = 0, .gpus = 2, .cpu_milli = 8000};

/* Three pods of 0.6 GPU on two GPUs: two find room; what is left, 0.4 of each, is of no use to a
 * pod of 0.6. */
Test(cluster_packing, three_pods_on_two_gpus)
{
    const struct trace_job pods[] = {pod(0, 1, 600, 1), pod(1, 1, 600, 1), pod(2, 1, 600, 1)};
    const struct world w = {&pair, pods, 1, 3, "{\"part\": \"memory\", \"load\": 0.9}", 1};
    struct measures *m = run(&w, NULL);
    cr_expect_float_eq(number(m, "allocation"), 60, 1e-9);
    cr_expect_float_eq(number(m, "fragmented"), 40, 1e-9);
    cr_expect_float_eq(number(m, "fragment_ratio"), 100, 1e-9);
    cr_expect_eq(number(m, "refused"), 1);
    cr_expect_float_eq(number(m, "refused_gpus"), 0.6, 1e-12);
    cr_expect_float_eq(number(m, "allocation.30"), 30, 1e-9);
    cr_expect_float_eq(number(m, "fragmented.30"), 20, 1e-9); /* 0.4 of 2 */
    cr_expect_float_eq(number(m, "allocation.90"), 60, 1e-9);
    measures_free(m);
}

/* What a part of a GPU is, is said, and changes what fits: two halves on a GPU share its memory; as
 * MIG instances each takes 4 of 7 slices. */
Test(cluster_packing, what_a_part_means_is_chosen_and_said)
{
    const struct trace_job pods[] = {pod(0, 1, 500, 1), pod(1, 1, 500, 1), pod(2, 1, 500, 1),
                                     pod(3, 1, 500, 1)};
    static const struct {
        const char *section, *says;
        double allocation;
    } rows[] = {
        {"{\"part\": \"memory\", \"load\": 1}", "of its memory", 100},
        {"{\"part\": \"time\", \"load\": 1}", "of its time", 100},
        {"{\"part\": \"mps\", \"load\": 1}", "of its SMs (MPS)", 100},
        {"{\"part\": \"mig\", \"load\": 1.144}", "a MIG instance", 57.2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct world w = {&pair, pods, 1, 4, rows[i].section, 1};
        struct measures *m = run(&w, NULL);
        cr_expect_float_eq(number(m, "allocation"), rows[i].allocation, 1e-9);
        cr_assert_eq(m->n_incident, 1);
        cr_expect(strstr(m->incident[0].text, rows[i].says), "%s", m->incident[0].text);
        measures_free(m);
    }
}

#define PODS  300
#define NODES 12
static void make(struct trace_node *node, struct trace_job *job, bool alike)
{
    struct rng r;
    rng_init(&r, 5, "test", "packing");
    for (uint32_t i = 0; i < NODES; i++)
        node[i] = (struct trace_node){.model = alike ? 0 : i % 3,
                                      .gpus = alike ? 4 : (uint32_t)rng_below(&r, 9),
                                      .cpu_milli = alike ? 64000 : 96000,
                                      .mem_bytes = 1 << 20};
    for (uint32_t i = 0; i < PODS; i++) {
        static const uint32_t gpus[] = {0, 1, 1, 1, 1, 2, 4};
        const uint32_t g = gpus[rng_below(&r, 7)];
        job[i] = pod(i, g, g == 1 ? 100 * (1 + (uint32_t)rng_below(&r, 10)) : 1000,
                     1000 * (uint32_t)rng_below(&r, 12));
        if (g && rng_below(&r, 4) == 0)
            job[i].gpu_spec = (uint32_t)rng_below(&r, 3);
    }
}

Test(cluster_packing, what_arrived_was_placed_or_refused)
{
    struct trace_node node[NODES];
    struct trace_job job[PODS];
    static const char *const sections[] = {
        "{\"part\": \"memory\", \"load\": 0.5}", "{\"part\": \"memory\", \"load\": 1.3}",
        "{\"part\": \"mig\", \"load\": 6}",
        "{\"part\": \"memory\", \"load\": 1.3, \"draw\": \"go\"}"};
    make(node, job, false);
    double gpus = 0;
    for (int i = 0; i < NODES; i++)
        gpus += node[i].gpus;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const struct world w = {node, job, NODES, PODS, sections[i], 11 + i};
        struct measures *m = run(&w, NULL), *again = run(&w, NULL);
        cr_expect_float_eq(number(m, "arrived") * gpus / 100,
                           number(m, "allocation") * gpus / 100 + number(m, "refused_gpus"), 1e-6);
        cr_expect(number(m, "fragmented") <= 100 - number(m, "allocation") + 1e-9);
        const double load = i == 0 ? 50 : i == 2 ? 600 : 130;
        cr_expect(number(m, "arrived") <= load + 100 * 4 / gpus &&
                      number(m, "arrived") > load - 100 * 4 / gpus,
                  "%s: arrived %g", sections[i], number(m, "arrived"));
        for (size_t k = 0; k < m->n_number; k++)
            cr_expect_eq(m->number[k].value, again->number[k].value, "%s", m->number[k].name);
        measures_free(m);
        measures_free(again);
    }
}

Test(cluster_packing, seeds_and_the_two_streams_draw_other_arrivals)
{
    struct trace_node node[NODES];
    struct trace_job job[PODS];
    make(node, job, false);
    struct world w = {node, job, NODES, PODS, "{\"part\": \"memory\"}", 1}, other = w, go = w;
    other.seed = 2;
    go.section = "{\"part\": \"memory\", \"draw\": \"go\"}";
    struct measures *a = run(&w, NULL), *b = run(&other, NULL), *c = run(&go, NULL);
    cr_expect_neq(number(a, "arrived"), number(b, "arrived"));
    cr_expect_neq(number(a, "arrived"), number(c, "arrived"));
    measures_free(a);
    measures_free(b);
    measures_free(c);
}

/* Neither the order in which the rows come (they are numbered) nor that of nodes that are alike. */
Test(cluster_packing, what_must_not_matter_does_not)
{
    struct trace_node node[NODES];
    struct trace_job job[PODS], back[PODS];
    make(node, job, true);
    for (uint32_t i = 0; i < PODS; i++) {
        job[i].gpu_spec = TRACE_NAME_NONE;
        back[PODS - 1 - i] = job[i];
    }
    const struct world w = {node, job, NODES, PODS, "{\"part\": \"memory\"}", 3};
    const struct world turned = {node, back, NODES, PODS, "{\"part\": \"memory\"}", 3};
    struct measures *a = run(&w, NULL), *b = run(&turned, NULL);
    for (size_t k = 0; k < a->n_number; k++)
        cr_expect_eq(a->number[k].value, b->number[k].value, "%s", a->number[k].name);
    measures_free(a);
    measures_free(b);
}

/* Whom no node can ever hold is turned away, named, and stalls nobody. */
Test(cluster_packing, pods_larger_than_any_node_are_named)
{
    const struct trace_job pods[] = {pod(4, 1, 1000, 1), pod(6, 4, 1000, 1), pod(5, 1, 1000, 9000)};
    const struct world w = {&pair, pods, 1, 3, "{\"part\": \"memory\", \"load\": 3}", 1};
    struct measures *m = run(&w, NULL);
    cr_expect_eq(number(m, "hopeless"), 2);
    cr_expect_eq(number(m, "refused"), 2);
    cr_expect_eq(number(m, "allocation"), 50);
    cr_assert_eq(m->n_incident, 1);
    cr_expect(!strncmp(m->incident[0].text,
                       "2 arrivals want more than any node has; the first is row ", 57),
              "%s", m->incident[0].text);
    measures_free(m);
}

/* ---- policies ------------------------------------------------------------------------- */

static uint32_t calls;
static uint32_t bad_later(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    *seat = (struct policy_seat){o->n, 1};
    return calls++ == 20;
}
static uint32_t bad_at_once(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    (void)self;
    *seat = (struct policy_seat){o->n, 1};
    return 1;
}

Test(cluster_packing, a_bad_answer_ejects_and_the_first_node_with_room_takes_over)
{
    static const struct policy_ops now = {.name = "now",
                                          .create = guarded_create,
                                          .destroy = guarded_destroy,
                                          .cluster_place = bad_at_once},
                                   later = {.name = "later",
                                            .create = guarded_create,
                                            .destroy = guarded_destroy,
                                            .cluster_place = bad_later};
    struct trace_node node[NODES];
    struct trace_job job[PODS];
    make(node, job, false);
    const struct world w = {node, job, NODES, PODS, "{\"part\": \"memory\"}", 4};
    struct policy_slot p = guarded(&now), q = guarded(&later);
    measures_free(p.out); /* the model brings its own */
    measures_free(q.out);
    struct measures *none = run(&w, NULL), *a = run(&w, &p), *b = run(&w, &q);
    cr_expect_eq(number(a, "ejected"), 1);
    cr_expect_eq(number(a, "policy_decisions"), 1);
    cr_expect_eq(number(a, "allocation"), number(none, "allocation"));
    cr_expect_eq(number(a, "fragmented"), number(none, "fragmented"));
    cr_expect_eq(number(b, "policy_decisions"), 21);
    cr_expect(number(b, "refused") >= 20, "it said \"not now\" twenty times");
    measures_free(none);
    p.out = a;
    q.out = b;
    guarded_end(&p);
    guarded_end(&q);
}

/* ---- what is wrong --------------------------------------------------------------------- */

Test(cluster_packing, what_cannot_be_packed_is_refused_in_a_sentence)
{
    const struct trace_job two_halves = pod(7, 2, 500, 1), no_gpu = pod(0, 0, 0, 1);
    const struct {
        struct world w;
        const char *says;
    } rows[] = {
        {{&pair, &two_halves, 1, 1, "{\"part\": \"mps\"}", 1},
         "jobs: row 7: 500/1000 of each of 2 GPUs, want a part of one only"},
        {{&pair, &no_gpu, 1, 1, "{\"part\": \"mps\"}", 1},
         "pods: none of 1 wants a GPU, want some that do"},
        {{&pair, &no_gpu, 1, 1, "{}", 1}, "x.json: key \"part\" is missing"},
        {{&pair, &no_gpu, 1, 1, "{\"part\": \"half\"}", 1},
         "x.json: part: got \"half\", want one of \"memory\", \"time\", \"mps\", \"mig\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct measures *m = measures_new();
        struct err e = {0};
        cr_expect_lt(try_run(&rows[i].w, NULL, m, &e), 0);
        cr_expect_str_eq(e.msg, rows[i].says);
        measures_free(m);
    }
}

Test(cluster_packing, values_are_means_over_the_arrivals_of_a_percent)
{
    static struct packing_curve c;
    struct measures *m = measures_new();
    packing_curve_add(&c, 9.5, 9, 1);   /* halves to the even one: 10 */
    packing_curve_add(&c, 10.5, 11, 2); /* 10 */
    packing_curve_add(&c, 10.51, 99, 9);
    packing_curve_add(&c, 19.2, 19, 3); /* nothing at 20: its neighbours */
    packing_curve_add(&c, 21.4, 20, 5);
    packing_curve_add(&c, 32, 30, 7); /* nothing near 30: what held before */
    packing_curve_add(&c, 5000, 1, 1);
    packing_curve_report(&c, m);
    cr_expect_float_eq(number(m, "allocation.10"), 10, 1e-12);
    cr_expect_float_eq(number(m, "fragmented.10"), 1.5, 1e-12);
    cr_expect_float_eq(number(m, "allocation.20"), 19.5, 1e-12);
    cr_expect_float_eq(number(m, "allocation.30"), 20, 1e-12);
    cr_expect_float_eq(number(m, "fragmented.30"), 5, 1e-12);
    cr_expect_null(measures_find(m, "allocation.40"));
    measures_free(m);
}
