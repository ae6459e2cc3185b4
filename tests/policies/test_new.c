/* What `malv policy new` writes compiles without a word, loads and behaves. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/policy/policy_check.h"
#include "harness/policy/policy_load.h"

Test(policy_new, what_it_writes_compiles_loads_and_behaves)
{
    char dir[] = "/tmp/malv-new-XXXXXX", command[1024], so[128];
    cr_assert(mkdtemp(dir));
    snprintf(so, sizeof so, "%s/my_order2.so", dir);
    snprintf(command, sizeof command,
             BUILD
             "/malv policy new my-order2 %s >/dev/null && "
             "cc -std=c11 -Wall -Wextra -Werror -fPIC -shared -Ipolicies %s/my_order2.c -o %s",
             dir, dir, so);
    cr_assert_eq(system(command), 0);
    struct policy *p;
    struct policy_check r;
    struct policy_check_want want = {.requests = 200};
    struct err e = {0};
    cr_assert_eq(policy_load(&p, so, &e), 0, "%s", e.msg);
    cr_expect_str_eq(policy_ops(p)->name, "my-order2");
    cr_assert_eq(policy_check(&r, policy_ops(p), &want, &e), 0, "%s", e.msg);
    cr_expect(r.fine, "%s", r.why);
    policy_unload(p);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_expect_eq(system(command), 0);
}
