/* test_stack.c - stacks are lists, and what they cost is the sum of their lists. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/explain.h"
#include "harness/base/profile.h"
#include "models/stack.h"

static struct machine *shipped(void)
{
    struct config *c;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, "machines/h100-server.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    config_free(c);
    return m;
}

static void add(void *ctx, const struct stack_row *r)
{
    double *ps = ctx;
    if (r->cost)
        *ps += r->cost->value;
}

/* The cost that models charge and the explanation that people read are the same sum. */
Test(stack, cost_is_the_sum_of_the_explained_crossings)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (int p = 0; p < STACK_PATHS_N; p++) {
        double explained = 0, charged = 0;
        cr_assert_eq(stack_explain(m, (enum stack_path_id)p, add, &explained, &e), 0, "%s", e.msg);
        for (size_t i = 0; stack_at(i); i++) {
            struct stack_cost c;
            if (!stack_at(i)->path[p].exists) {
                cr_expect_lt(stack_cost(stack_at(i), (enum stack_path_id)p, &u, &c, &e), 0);
                continue;
            }
            cr_assert_eq(stack_cost(stack_at(i), (enum stack_path_id)p, &u, &c, &e), 0, "%s",
                         e.msg);
            charged += (double)(c.cpu_before + c.wire_before + c.wire_after + c.cpu_after +
                                c.gpu_slice + c.gpu_switch);
            cr_expect_eq(c.crossings, stack_at(i)->path[p].n);
        }
        cr_expect_float_eq(explained, charged, 10, "%s", stack_path_name((enum stack_path_id)p));
    }
    machine_use_end(&u);
    machine_free(m);
}

/* LAKE's own measurement (utcs-scea/LAKE, mllb.csv): one inference of a tiny network through the
 * daemon takes 31 us with its copies.  The list was calibrated on the difference of two columns,
 * so this checks that nothing is missing or counted twice. */
Test(stack, the_lake_path_adds_up_to_what_lake_measured)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct stack_cost c;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    cr_assert_eq(stack_cost(stack_find("lake", &e), STACK_infer_gpu_daemon, &u, &c, &e), 0);
    double us = (double)(c.cpu_before + c.wire_before + c.wire_after + c.cpu_after) / 1e6 + 1.5;
    cr_expect_float_eq(us, 31, 2, "%g us", us);
    machine_use_end(&u);
    machine_free(m);
}

/* What virtualization adds can only add; what only exists in one place is said to be absent. */
Test(stack, a_guest_pays_what_the_metal_pays_and_more)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (int p = 0; p < STACK_PATHS_N; p++) {
        struct stack_cost metal, guest;
        if (!strncmp(stack_path_name((enum stack_path_id)p), "infer_gpu", 9) ||
            p == STACK_hypercall || p == STACK_stage)
            continue;
        cr_assert_eq(stack_cost(stack_find("native", &e), (enum stack_path_id)p, &u, &metal, &e),
                     0);
        cr_assert_eq(stack_cost(stack_find("kvm", &e), (enum stack_path_id)p, &u, &guest, &e), 0);
        cr_expect_leq(metal.cpu_before + metal.wire_before, guest.cpu_before + guest.wire_before);
    }
    struct stack_cost c;
    cr_expect_lt(stack_cost(stack_find("kvm", &e), STACK_infer_gpu_daemon, &u, &c, &e), 0);
    cr_expect_str_eq(e.msg, "stack \"kvm\" has no path infer_gpu_daemon");
    e = (struct err){0};
    cr_expect_null(stack_find("xen", &e));
    cr_expect_str_eq(e.msg, "no stack \"xen\", want one of native, kvm, kvm-vgpu, kvm-mig, "
                            "kvm-mps, kvm-remote, lake, malv");
    machine_use_end(&u);
    machine_free(m);
}

static sim_cost everything(const struct stack_cost *c)
{
    return c->cpu_before + c->wire_before + c->wire_after + c->cpu_after + c->gpu_slice +
           c->gpu_switch;
}

/* Each crossing has one kind, so that a tenant's time can be split by them. */
Test(stack, kinds_add_up_to_the_whole)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (int p = 0; p < STACK_PATHS_N; p++)
        for (size_t i = 0; stack_at(i); i++) {
            const struct stack_path *path = &stack_at(i)->path[p];
            struct stack_cost c;
            if (!path->exists)
                continue;
            cr_assert_eq(stack_cost(stack_at(i), (enum stack_path_id)p, &u, &c, &e), 0);
            sim_cost ps = 0;
            size_t n = 0, work = 0;
            for (int k = 0; k < STACK_KINDS_N; k++) {
                ps += c.kind_ps[k];
                n += c.kind_n[k];
            }
            for (size_t x = 0; x < path->n; x++)
                work += !path->crossing[x].cost;
            cr_expect_eq(ps, everything(&c), "%s", stack_path_name((enum stack_path_id)p));
            cr_expect_eq(n + work, path->n);
        }
    machine_use_end(&u);
    machine_free(m);
}

static const struct {
    enum stack_path_id path;
    const char *stack;
    uint32_t trap, ipc, exit, irq, wake;
} stories[] = {
    {STACK_syscall, "malv", 1, 0, 0, 0, 0},    {STACK_block_read, "native", 1, 0, 0, 0, 0},
    {STACK_block_read, "kvm", 2, 0, 1, 0, 1},  {STACK_block_read, "malv", 1, 3, 1, 0, 0},
    {STACK_block_done, "malv", 0, 1, 0, 2, 1}, {STACK_page_fault, "kvm", 1, 0, 1, 0, 0},
    {STACK_page_fault, "malv", 2, 2, 1, 0, 0}, {STACK_ipi, "native", 0, 0, 0, 1, 0},
    {STACK_ipi, "kvm", 0, 0, 1, 1, 0},         {STACK_sync, "lake", 1, 0, 0, 1, 1},
    {STACK_decide, "malv", 0, 2, 0, 0, 0},     {STACK_decide, "kvm", 0, 0, 0, 0, 0},
};

Test(stack, tenants_paths_cross_what_their_story_says)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        struct stack_cost c;
        cr_assert_eq(stack_cost(stack_find(stories[i].stack, &e), stories[i].path, &u, &c, &e), 0);
        cr_expect_eq(c.kind_n[KIND_trap], stories[i].trap, "story %zu", i);
        cr_expect_eq(c.kind_n[KIND_ipc], stories[i].ipc, "story %zu", i);
        cr_expect_eq(c.kind_n[KIND_exit], stories[i].exit, "story %zu", i);
        cr_expect_eq(c.kind_n[KIND_irq], stories[i].irq, "story %zu", i);
        cr_expect_eq(c.kind_n[KIND_wake], stories[i].wake, "story %zu", i);
    }
    machine_use_end(&u);
    machine_free(m);
}

/* Results of `serve` rest on these sums (ps): a list that changes them must say so. */
static const struct {
    enum stack_path_id path;
    sim_cost native, kvm, malv;
} sums[] = {
    {STACK_request_in, 207500000, 213500000, 213862000},
    {STACK_launch, 2927000, 2927000, 4437000},
    {STACK_complete, 645000, 645000, 645000},
    {STACK_token_out, 5100000, 6610000, 7211000},
};

Test(stack, sums_that_serving_rests_on)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        const char *const stack[] = {"native", "kvm", "lake", "malv"};
        sim_cost want[] = {sums[i].native, sums[i].kvm, sums[i].native, sums[i].malv};
        for (size_t k = 0; k < 4; k++) {
            struct stack_cost c;
            cr_assert_eq(stack_cost(stack_find(stack[k], &e), sums[i].path, &u, &c, &e), 0);
            cr_expect_eq(everything(&c), want[k], "%s on %s: %lu", stack_path_name(sums[i].path),
                         stack[k], (unsigned long)everything(&c));
        }
    }
    machine_use_end(&u);
    machine_free(m);
}

static char *explained(const char *path, bool json, int *rc, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct machine *m = shipped();
    *rc = explain_print(m, path, json, f, e);
    machine_free(m);
    fclose(f);
    return text;
}

Test(stack, explain_prints_every_crossing_with_its_source)
{
    struct err e = {0};
    int rc;
    char *text = explained("launch", false, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_expect(strstr(text, "malv") && strstr(text, "cost.gpu_dispatch, assumed: "), "%s", text);
    cr_expect(strstr(text, "native") && strstr(text, "2427.0 ns"), "%s", text);
    free(text);
    text = explained("infer", false, &rc, &e);
    cr_expect(strstr(text, "kvm        no such path") && strstr(text, "no crossing"), "%s", text);
    free(text);
    text = explained("nowhere", false, &rc, &e);
    cr_expect_eq(rc, ERR_ENAME);
    cr_expect(strstr(e.msg, "want one of request_in launch"), "%s", e.msg);
    free(text);
}

Test(stack, explain_as_json_parses)
{
    struct err e = {0};
    struct config *c;
    int rc;
    char *text = explained("all", true, &rc, &e);
    cr_assert_eq(config_parse(&c, "explain", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_gt(config_count(c), 40);
    cr_expect_not_null(config_get(config_at(c, 0), "source"));
    config_free(c);
    free(text);
}

static bool same_path(const struct stack *a, const struct stack *b, int p)
{
    return a->path[p].exists == b->path[p].exists && a->path[p].n == b->path[p].n &&
           a->path[p].crossing == b->path[p].crossing;
}

/* An ablation is malv but for its mechanism's paths, and these are what others have. */
Test(stack, without_a_mechanism_is_malv_but_for_that_mechanism)
{
#define BIT(p)  (1u << STACK_##p)
#define SUBMITS (BIT(infer_gpu_kernel) | BIT(infer_gpu_graph) | BIT(infer_gpu_mailbox))
#define MOVES   (BIT(move) | BIT(move_page) | BIT(gpu_fault))
    static const struct {
        const char *name, *like; /* whose paths stand in; NULL: nobody's */
        unsigned paths, gone;    /* not malv's; of them not there at all */
    } want[] = {
        {"malv-without-micro-lake", NULL, SUBMITS | BIT(infer_gpu_daemon), SUBMITS},
        {"malv-without-microkernel", "kvm",
         BIT(request_in) | BIT(token_out) | BIT(block_read) | BIT(block_write) | BIT(block_done) |
             BIT(net_send) | BIT(net_recv) | BIT(page_fault) | BIT(infer_cpu) | SUBMITS |
             BIT(decide) | BIT(hypercall) | BIT(stage) | MOVES | BIT(os_read),
         0},
        {"malv-without-gpu-virtualization", "kvm", BIT(launch) | BIT(copy) | BIT(sync) | MOVES, 0},
        {"malv-without-mlaas", "kvm", BIT(infer_cpu) | SUBMITS | BIT(decide), SUBMITS},
    };
    const unsigned own = BIT(infer_cpu) | SUBMITS | BIT(decide) | BIT(stage) | MOVES | BIT(os_read);
    struct err e = {0};
    const struct stack *malv = stack_find("malv", &e);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct stack *s = stack_find(want[i].name, &e);
        const struct stack *like = want[i].like ? stack_find(want[i].like, &e) : NULL;
        cr_assert(s == stack_without(i) && s, "%s", want[i].name);
        for (int p = 0; p < STACK_PATHS_N; p++) {
            cr_expect_eq(same_path(s, malv, p), !(want[i].paths & 1u << p), "%s: %s", s->name,
                         stack_path_name((enum stack_path_id)p));
            cr_expect_eq(s->path[p].exists, malv->path[p].exists ? !(want[i].gone & 1u << p)
                                                                 : (want[i].paths & 1u << p) != 0);
            if (like && want[i].paths & 1u << p &&
                (strcmp(s->name, "malv-without-microkernel") || !(own & 1u << p)))
                cr_expect(same_path(s, like, p), "%s: %s", s->name,
                          stack_path_name((enum stack_path_id)p));
        }
        cr_expect(stack_in_vm(s));
    }
    cr_expect_null(stack_without(sizeof want / sizeof *want));
    cr_expect_null(stack_find("malv-without-x", &e));
    cr_expect(strstr(e.msg, "micro-lake, -microkernel, -gpu-virtualization or -mlaas"), "%s",
              e.msg);
    cr_expect(!stack_in_vm(stack_find("native", &e)) && !stack_in_vm(stack_find("lake", &e)));
    cr_expect(stack_in_vm(stack_find("kvm", &e)));
}

/* The OS's part of a path is its CPU time but for the tenant's own work. */
Test(stack, the_os_takes_all_of_the_cpus_but_the_tenants_own_work)
{
    struct machine *m = shipped();
    struct machine_use u;
    struct err e = {0};
    cr_assert_eq(machine_use_begin(&u, m, &e), 0);
    const double parse = machine_find(m, "cost.request_parse")->value,
                 emit = machine_find(m, "cost.token_emit")->value;
    for (size_t i = 0; stack_at(i); i++)
        for (int p = 0; p < STACK_PATHS_N; p++) {
            struct stack_cost c;
            if (!stack_at(i)->path[p].exists)
                continue;
            cr_assert_eq(stack_cost(stack_at(i), (enum stack_path_id)p, &u, &c, &e), 0);
            const double own = p == STACK_request_in ? parse : p == STACK_token_out ? emit : 0;
            cr_expect_float_eq((double)c.os, (double)(c.cpu_before + c.cpu_after) - own, 1, "%s %s",
                               stack_at(i)->name, stack_path_name((enum stack_path_id)p));
        }
    machine_use_end(&u);
    machine_free(m);
}
