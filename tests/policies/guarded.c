#include "tests/policies/guarded.h"

#include <criterion/criterion.h>

static int state;

int guarded_create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = &state;
    return 0;
}

void guarded_destroy(void *self)
{
    cr_expect_eq(self, &state);
}

struct policy_slot guarded(const struct policy_ops *ops)
{
    struct policy_slot p = {.ops = ops, .label = "variant", .out = measures_new()};
    policy_slot_create(&p, NULL, NULL, NULL);
    return p;
}

struct policy_slot guarded_doomed(const struct policy_ops *ops, uint64_t at)
{
    struct policy_slot p = {.ops = ops,
                            .label = "variant",
                            .out = measures_new(),
                            .eject_at = at,
                            .eject_why = EJECT_CRASH,
                            .eject_text = "signal 11"};
    policy_slot_create(&p, NULL, NULL, NULL);
    return p;
}

void guarded_expect(const struct policy_slot *p, uint64_t call, sim_time when, const char *text)
{
    cr_assert_eq(p->out->n_incident, 1, "%zu incidents, want: %s", p->out->n_incident, text);
    const struct measure_incident *i = &p->out->incident[0];
    cr_expect_str_eq(i->kind, "ejected");
    cr_expect_str_eq(i->who, "variant");
    cr_expect_str_eq(i->text, text);
    cr_expect_eq(i->decision, call, "call %llu: %s", (unsigned long long)i->decision, text);
    cr_expect_eq(i->when, when);
}

void guarded_expect_none(const struct policy_slot *p)
{
    cr_expect_eq(p->out->n_incident, 0, "%s", p->out->n_incident ? p->out->incident[0].text : "");
    cr_expect_eq(p->ejected, EJECT_NONE);
}

void guarded_end(struct policy_slot *p)
{
    policy_slot_destroy(p);
    measures_free(p->out);
}
