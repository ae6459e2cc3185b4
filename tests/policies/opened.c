#include "tests/policies/opened.h"

#include <criterion/criterion.h>

struct policy_slot *opened_policy(struct opened *o, const char *name)
{
    struct err e = {0};
    const struct policy_session_want want = {.seed = 1};
    cr_assert_eq(policy_load(&o->policy, name, &e), 0, "%s", e.msg);
    o->own = measures_new();
    o->slot = (struct policy_slot){.ops = policy_ops(o->policy), .label = name, .out = o->own};
    cr_assert_eq(policy_host_open(&o->session, &o->slot, &want, &e), 0, "%s", e.msg);
    return &o->slot;
}

void opened_close(struct opened *o)
{
    struct err e = {0};
    o->slot.out = o->own;
    cr_assert_eq(policy_host_close(o->session, &e), 0, "%s", e.msg);
    cr_expect_eq(o->slot.ejected, EJECT_NONE, "%s", o->slot.eject_note);
    measures_free(o->own);
    policy_unload(o->policy);
}
