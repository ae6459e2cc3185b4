/* What `malv policy new` writes compiles without a word, loads and behaves. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/policy/policy_check.h"
#include "harness/policy/policy_load.h"
#include "models/policy_slot.h"

static const struct {
    const char *name, *file, *option, *hooks;
} made[] = {
    {"my-order2", "my_order2", "", "serve.admit serve.batch"},
    {"my-cpu", "my_cpu", "--hook cpu.balance", "cpu.pick cpu.balance"},
    {"my-cache", "my_cache", "--hook mem", "mem.evict mem.place mem.readahead"},
    {"my-disks", "my_disks", "--hook io.steer", "io.steer"},
    {"my-cluster", "my_cluster", "--hook cluster.place",
     "cluster.order cluster.place cluster.share"},
    {"my-gpu", "my_gpu", "--hook gpu.share", "gpu.dispatch gpu.share"},
    {"my-jobs", "my_jobs", "--hook cluster.order", "cluster.order cluster.place cluster.share"},
};

static void expect_hooks(const struct policy_ops *o, const char *want)
{
    char got[256] = "";
    for (int h = 0; h < POLICY_HOOKS_N; h++)
        if (policy_has_hook(o, (enum policy_hook)h)) {
            strcat(got, *got ? " " : "");
            strcat(got, policy_hook_name((enum policy_hook)h));
        }
    cr_expect_str_eq(got, want);
}

static void try_one(size_t row, const char *dir)
{
    char command[1024], so[128];
    struct policy *p;
    struct policy_check r;
    struct policy_check_want want = {.steps = 300};
    struct err e = {0};
    snprintf(so, sizeof so, "%s/%s.so", dir, made[row].file);
    snprintf(command, sizeof command,
             BUILD "/malv policy new %s %s %s >/dev/null && ! grep -i template_ %s/%s.c && "
                   "cc -std=c11 -Wall -Wextra -Werror -fPIC -shared -Ipolicies %s/%s.c -o %s",
             made[row].name, dir, made[row].option, dir, made[row].file, dir, made[row].file, so);
    cr_assert_eq(system(command), 0, "%s", command);
    cr_assert_eq(policy_load(&p, so, &e), 0, "%s", e.msg);
    cr_expect_str_eq(policy_ops(p)->name, made[row].name);
    expect_hooks(policy_ops(p), made[row].hooks);
    cr_assert_eq(policy_check(&r, policy_ops(p), &want, &e), 0, "%s", e.msg);
    cr_expect(r.fine, "%s: %s", made[row].name, r.why);
    cr_expect_gt(r.decisions, 300);
    policy_unload(p);
}

Test(policy_new, what_it_writes_compiles_loads_and_behaves, .timeout = 120)
{
    char dir[] = "/tmp/malv-new-XXXXXX", command[64];
    cr_assert(mkdtemp(dir));
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        try_one(i, dir);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_expect_eq(system(command), 0);
}
