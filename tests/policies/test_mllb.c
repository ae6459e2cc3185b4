/* MLLB's balancing: what it sees, and that its weights answer as what they were taught by. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_balance.h"
#include "harness/learn/model_file.h"
#include "harness/learn/train_machine.h"
#include "policies/mllb_features.h"
#include "tests/policies/retrain.h"

Test(mllb, features_say_what_was_observed)
{
    struct policy_balance_obs o = {.src = {.node = 1}, .dst_idle = POLICY_NEWLY_IDLE};
    o.task.weight = 1024, o.task.cpu = 3;
    o.src_len = 6, o.src_load = 4096, o.dst_load = 16384, o.failed = 2, o.src_astray = 2;
    o.home_node = 0, o.since_ran_ns = 499999;
    float x[MLLB_N];
    static const float want[MLLB_N] = {0.25f, 1, 0, 0, 1, 0, 0, 1, 0.5f, 0.5f, 1, 0, 1, 1, 0.25f};
    mllb_features(&o, x);
    for (int i = 0; i < MLLB_N; i++)
        cr_expect_eq(x[i], want[i], "%d: %g", i, (double)x[i]);
    o.home_node = POLICY_NONE, o.since_ran_ns = 500000, o.src_len = 1;
    mllb_features(&o, x);
    cr_expect(x[1] == 0 && x[6] == 0 && x[7] == 0 && x[8] == 0 && x[12] == 0);
}

Test(mllb, the_command_of_the_provenance_makes_the_shipped_bytes, .timeout = 180)
{
    retrain("mllb", "--requests 1000 --epochs 2");
}

struct net {
    struct model_file *file;
    struct infer *runtime;
    struct infer_model *model;
};

static struct net open_net(void)
{
    struct net n;
    struct err e = {0};
    char why[256];
    cr_assert_eq(model_file_open(&n.file, "mllb", &e), 0, "%s", e.msg);
    cr_expect_str_eq(model_file_meta(n.file, "features"), "mllb/1");
    cr_assert_eq(infer_open(&n.runtime, INFER_CPU, why, sizeof why), 0);
    cr_assert_eq(infer_load(n.runtime, model_file_net(n.file), &n.model, why, sizeof why), 0);
    return n;
}

static void close_net(struct net *n)
{
    infer_unload(n->model);
    infer_close(n->runtime);
    model_file_free(n->file);
}

/* Published for MLLB: 99 % of can_migrate_task's answers. */
Test(mllb, it_answers_as_linux_does_on_seeds_it_never_saw, .timeout = 60)
{
    struct err e = {0};
    struct machine *m;
    struct net net = open_net();
    struct class_rows all = {.n_in = MLLB_N};
    struct class_score s;
    const struct balance_mix *mix;
    cr_assert_eq(train_machine(&m, BALANCE_MACHINE, &e), 0, "%s", e.msg);
    for (size_t i = 0; (mix = model_balance_mix(i)); i++) {
        struct class_run run;
        cr_assert_eq(model_balance_run(&run, mix, m, 3000, 500 + i, &e), 0, "%s", e.msg);
        cr_assert(class_rows_append(&all, &run.rows, 0, run.rows.n));
        class_runs_free(&run, 1);
    }
    const struct class_net asked = {.model = net.model, .n_out = 1};
    cr_assert_eq(class_score(&s, &asked, &all, 0, all.n, 1, &e), 0, "%s", e.msg);
    cr_expect_gt(s.accuracy, 0.99, "%g", s.accuracy);
    cr_expect_gt((double)s.confusion[1][1], 0.9 * (double)(s.confusion[1][0] + s.confusion[1][1]),
                 "moves that it knows: %d of %d", (int)s.confusion[1][1],
                 (int)(s.confusion[1][0] + s.confusion[1][1]));
    class_rows_free(&all);
    close_net(&net);
    machine_free(m);
}

/* The answer moved into a header when a second reader came; its cases are those of before. */
Test(mllb, the_rules_of_linux)
{
    struct policy_balance_obs o = {.dst_idle = POLICY_NEWLY_IDLE, .home_node = POLICY_NONE};
    o.src_len = 3, o.src_load = 3072, o.task.weight = 1024, o.task.cpu = 0;
    o.since_ran_ns = 100;
    cr_expect_eq(balance_linux_answer(&o, 500000, 1), POLICY_LEAVE, "warm");
    o.failed = 2;
    cr_expect_eq(balance_linux_answer(&o, 500000, 1), POLICY_MIGRATE, "tried too often");
    o.failed = 0, o.since_ran_ns = 600000;
    cr_expect_eq(balance_linux_answer(&o, 500000, 1), POLICY_MIGRATE, "cold");
    o.dst_idle = POLICY_BUSY, o.dst_load = 2048;
    cr_expect_eq(balance_linux_answer(&o, 500000, 1), POLICY_LEAVE, "evens nothing out");
}
