/* Nodes of a cluster: the index against a scan of all, conservation, and the default placement. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/nodes.h"
#include "models/cluster/nodes_index.h"
#include "tests/models/cluster_rows.h"

static struct nodes *open_list(const struct trace_node *node, uint32_t n, uint32_t rack)
{
    struct rows_list l = rows_of_nodes(node, n);
    struct nodes *out;
    struct err e = {0};
    cr_assert_eq(nodes_open(&out, &l.source, rack, &e), 0, "%s", e.msg);
    return out;
}

static const struct trace_node few[] = {
    {.model = TRACE_NAME_NONE, .gpus = 0, .cpu_milli = 8000, .mem_bytes = 100},
    {.model = 0, .gpus = 2, .cpu_milli = 8000, .mem_bytes = 100},
    {.model = 1, .gpus = 4, .cpu_milli = 16000, .mem_bytes = 200},
    {.model = 2, .gpus = 8, .cpu_milli = 64000, .mem_bytes = 800},
};

static struct policy_job job(uint32_t gpus, uint32_t milli, uint32_t cpu, uint64_t mem)
{
    return (struct policy_job){.gpus = gpus,
                               .gpu_milli = milli,
                               .cpu_milli = cpu,
                               .mem_bytes = mem,
                               .gpu_models = POLICY_ANY_MODEL};
}

Test(cluster_nodes, what_a_trace_says_of_them)
{
    struct nodes *n = open_list(few, 4, 2);
    cr_expect_eq(n->n, 4);
    cr_expect_eq(n->gpus, 14);
    cr_expect_eq(n->racks, 2);
    cr_expect_eq(n->node[0].model, POLICY_NONE);
    cr_expect_eq(n->node[2].rack, 1);
    cr_expect_eq(nodes_models(n, "P100|G2"), 6);
    cr_expect_eq(nodes_models(n, "H100"), 0);
    cr_expect_eq(nodes_models(n, NULL), POLICY_ANY_MODEL);
    cr_expect_eq(n->gpu_milli_free, 14000);
    nodes_free(n);
}

Test(cluster_nodes, too_many_gpus_and_none_at_all_are_refused)
{
    const struct trace_node big = {.gpus = 17};
    struct rows_list l = rows_of_nodes(&big, 1);
    struct nodes *n;
    struct err e = {0};
    cr_expect_lt(nodes_open(&n, &l.source, 0, &e), 0);
    cr_expect_str_eq(e.msg, "nodes: node 0 has 17 GPUs, want at most 16");
    cr_expect_null(n);
    l.at = l.n = 0;
    e = (struct err){0};
    cr_expect_lt(nodes_open(&n, &l.source, 0, &e), 0);
    cr_expect_str_eq(e.msg, "nodes: there are none, want at least one");
}

Test(cluster_nodes, the_first_node_that_has_room)
{
    struct nodes *n = open_list(few, 4, 0);
    struct policy_seat seat[4];
    struct policy_job j = job(0, 0, 1000, 1);
    cr_expect_eq(nodes_first(n, &j, 1, seat), 1);
    cr_expect(seat[0].node == 0 && seat[0].gpus == 0);
    j = job(1, 300, 1000, 1);
    cr_expect_eq(nodes_first(n, &j, 1, seat), 1);
    cr_expect(seat[0].node == 1 && seat[0].gpus == 1);
    nodes_take(n, &j, seat, 1);
    struct policy_seat other[1];
    struct policy_job two = job(2, 1000, 1000, 1);
    cr_expect_eq(nodes_first(n, &two, 1, other), 1);
    cr_expect(other[0].node == 2 && other[0].gpus == 3, "GPU 0 of node 1 has a part taken");
    j.gpu_milli = 600; /* where least is left over: the GPU that has a part taken */
    cr_expect_eq(nodes_first(n, &j, 1, other), 1);
    cr_expect(other[0].node == 1 && other[0].gpus == 1);
    two.gpu_models = nodes_models(n, "G2");
    cr_expect_eq(nodes_first(n, &two, 1, other), 1);
    cr_expect_eq(other[0].node, 3);
    two.gpu_models = 0;
    cr_expect_eq(nodes_first(n, &two, 1, other), 0);
    cr_expect_not(nodes_ever(n, &two, 1));
    nodes_free(n);
}

Test(cluster_nodes, a_job_larger_than_a_node_spreads_when_it_may)
{
    struct nodes *n = open_list(few, 4, 0);
    struct policy_seat seat[4];
    struct policy_job j = job(11, 1000, 22000, 11);
    cr_expect_eq(nodes_first(n, &j, 1, seat), 0);
    cr_expect_not(nodes_ever(n, &j, 1));
    cr_expect(nodes_ever(n, &j, 4));
    cr_assert_eq(nodes_first(n, &j, 4, seat), 3);
    cr_expect(seat[0].node == 1 && seat[0].gpus == 3);
    cr_expect(seat[1].node == 2 && seat[1].gpus == 15);
    cr_expect(seat[2].node == 3 && seat[2].gpus == 31);
    nodes_take(n, &j, seat, 3);
    cr_expect_eq(n->gpu_milli_free, 3000);
    cr_expect_eq(n->node[2].cpu_free_milli, 16000 - 8000);
    cr_expect_eq(n->node[2].kinds, 1u << 11);
    cr_expect_eq(nodes_first(n, &j, 4, seat + 1), 0);
    cr_expect_not(nodes_ever(
        n, &(struct policy_job){.gpus = 15, .gpu_milli = 1000, .gpu_models = POLICY_ANY_MODEL}, 4));
    j.cpu_milli = 66000; /* 6 CPUs for each GPU: one on node 1, two on node 2, ten on node 3 */
    struct nodes *empty = open_list(few, 4, 0);
    cr_expect_eq(nodes_first(empty, &j, 4, seat), 3);
    cr_expect(seat[0].gpus == 1 && seat[1].gpus == 3 && seat[2].gpus == 255);
    nodes_free(empty);
    nodes_free(n);
}

Test(cluster_nodes, parts_of_seats_add_up)
{
    for (uint32_t gpus = 1; gpus < 20; gpus++) {
        const uint64_t all = UINT64_C(0xfffffffffffffff) / gpus + gpus;
        uint64_t sum = 0;
        for (uint32_t before = 0; before < gpus;) {
            const uint32_t here = 1 + before % 3 < gpus - before ? 1 + before % 3 : gpus - before;
            const uint64_t part = policy_seat_part(all, gpus, before, here);
            cr_expect(part >= all / gpus * here && part <= (all / gpus + 1) * here);
            sum += part;
            before += here;
        }
        cr_expect_eq(sum, all);
    }
}

Test(cluster_nodes, what_a_part_of_a_gpu_is)
{
    cr_expect_eq(nodes_part_milli(PART_MEMORY, 333), 333);
    cr_expect_eq(nodes_part_milli(PART_TIME, 1), 1);
    cr_expect_eq(nodes_part_milli(PART_MPS, 331), 340);
    cr_expect_eq(nodes_part_milli(PART_MPS, 1000), 1000);
    static const uint32_t mig[][2] = {{1, 143},   {142, 143}, {143, 286},  {285, 286},
                                      {428, 429}, {571, 572}, {572, 1000}, {1000, 1000}};
    for (size_t i = 0; i < sizeof mig / sizeof *mig; i++)
        cr_expect_eq(nodes_part_milli(PART_MIG, mig[i][0]), mig[i][1], "%u", mig[i][0]);
}

/* ---- at random ---------------------------------------------------------------------- */

#define NODES 37
#define HELD  64

static struct nodes *random_nodes(struct rng *r)
{
    struct trace_node list[NODES];
    for (int i = 0; i < NODES; i++)
        list[i] = (struct trace_node){.model = (uint32_t)rng_below(r, 3),
                                      .gpus = (uint32_t)rng_below(r, 9),
                                      .cpu_milli = 1000 * (uint32_t)rng_below(r, 64),
                                      .mem_bytes = rng_below(r, 500)};
    return open_list(list, NODES, 4);
}

static struct policy_job random_job(struct rng *r)
{
    const uint32_t gpus = (uint32_t)rng_below(r, 12);
    struct policy_job j =
        job(gpus, !gpus ? 0 : 1000, (uint32_t)rng_below(r, 30000), rng_below(r, 90));
    if (gpus == 1)
        j.gpu_milli = 1 + (uint32_t)rng_below(r, 1000);
    if (rng_below(r, 3) == 0)
        j.gpu_models = 1 + rng_below(r, 7);
    return j;
}

static bool has_room(const struct policy_node *node, const struct policy_job *j)
{
    uint32_t fit = 0;
    for (uint32_t g = 0; g < node->gpus; g++)
        fit += node->gpu_free_milli[g] >= j->gpu_milli;
    return node->cpu_free_milli >= j->cpu_milli && node->mem_free_bytes >= j->mem_bytes &&
           (!j->gpus || (fit >= j->gpus && j->gpu_models >> node->model & 1));
}

Test(cluster_nodes, the_index_finds_what_a_scan_of_all_finds)
{
    struct rng r;
    rng_init(&r, 7, "test", "nodes");
    struct nodes *n = random_nodes(&r);
    struct policy_job held[HELD];
    struct policy_seat seat[HELD][NODES];
    uint32_t seats[HELD] = {0}, placed = 0, spread = 0, none = 0;
    struct policy_node *before = malloc(NODES * sizeof *before);
    memcpy(before, n->node, NODES * sizeof *before);
    for (int step = 0; step < 4000; step++) {
        const uint32_t h = (uint32_t)rng_below(&r, HELD);
        if (seats[h]) {
            nodes_give(n, &held[h], seat[h], seats[h]);
            seats[h] = 0;
            continue;
        }
        held[h] = random_job(&r);
        uint32_t want = 0;
        while (want < NODES && !has_room(&n->node[want], &held[h]))
            want++;
        seats[h] = nodes_first(n, &held[h], NODES, seat[h]);
        if (want < NODES)
            cr_assert(seats[h] == 1 && seat[h][0].node == want);
        if (!seats[h]) {
            none++;
            continue;
        }
        cr_assert(nodes_ever(n, &held[h], NODES));
        const struct policy_seat_obs o = {
            .job = held[h], .n = n->n, .node = n->node, .most = NODES};
        char why[128];
        cr_assert_null(policy_seats_bad(&o, seat[h], seats[h], why, sizeof why), "%s", why);
        nodes_take(n, &held[h], seat[h], seats[h]);
        placed++;
        spread += seats[h] > 1;
    }
    cr_expect(placed > 1000 && spread > 50 && none > 50, "%u %u %u", placed, spread, none);
    for (uint32_t h = 0; h < HELD; h++)
        if (seats[h])
            nodes_give(n, &held[h], seat[h], seats[h]);
    for (uint32_t i = 0; i < NODES; i++) {
        before[i].changes = n->node[i].changes;
        cr_expect_eq(memcmp(&before[i], &n->node[i], sizeof before[i]), 0, "node %u", i);
    }
    cr_expect_eq(n->gpu_milli_free, n->gpu_milli);
    cr_expect_eq(n->cpu_milli_free, n->cpu_milli);
    cr_expect_eq(n->mem_bytes_free, n->mem_bytes);
    free(before);
    nodes_free(n);
}

Test(cluster_nodes, another_order_of_the_same_nodes)
{
    struct rng r;
    rng_init(&r, 9, "test", "order");
    struct nodes *n = open_list(few, 4, 2);
    uint32_t at[4][4] = {{0}};
    for (int i = 0; i < 4000; i++) {
        nodes_shuffle(n, &r);
        for (uint32_t k = 0; k < 4; k++) {
            cr_assert_eq(n->node[k].id, k);
            at[n->node[k].gpus / 4 + (n->node[k].gpus > 0)][k]++;
        }
    }
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            cr_expect(at[a][b] > 900 && at[a][b] < 1100, "%d at %d: %u", a, b, at[a][b]);
    struct policy_seat seat[1];
    struct policy_job eight = job(8, 1000, 0, 0);
    cr_assert_eq(nodes_first(n, &eight, 1, seat), 1);
    cr_expect_eq(n->node[seat[0].node].gpus, 8);
    nodes_free(n);
}
