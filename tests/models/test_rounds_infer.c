/* test_rounds_infer.c - a policy whose parts take inference: the cluster waits for them. */
#include <criterion/criterion.h>

#include "tests/models/net_rig.h"
#include "tests/models/rounds_rig.h"

static uint32_t oldest(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)self, (void)o;
    net_asked();
    part[0] = (struct policy_part){0, POLICY_NONE, 0, 1};
    return 1;
}

/* Parts for the first job after 7 s; for the second, when the first has left and as long again. */
Test(rounds_infer, a_round_begins_when_its_parts_are_known)
{
    static const struct rig_cost costs[] = {{"a", "fast", NULL, TRACE_COST_MICRO, 1, 0, 1000000}};
    static const char *const types[] = {"fast"};
    static const struct schedule_arrival two[] = {{0, 0, 100, 1}, {1, 0, 50, 1}};
    const struct policy_ops ops = {.name = "oldest", .cluster_share = oldest};
    struct policy_slot slot = {.ops = &ops};
    struct rig_run jobs = {.job = two, .n = 2};
    struct rates *r = rig_rates(costs, 1, types, 1);
    struct machine *machine = net_machine();
    struct machine_use use;
    struct mlaas_config c;
    struct mlaas_bill bill;
    struct schedule_stats stats;
    struct err e = {0};
    net_costs(7e6);
    cr_assert_eq(mlaas_bill_config(&c, NULL, &e), 0);
    cr_assert_eq(machine_use_begin(&use, machine, &e), 0);
    cr_assert_eq(mlaas_bill_open(&bill, &c, NULL, &use, &net_infer, &e), 0);
    const struct schedule_set set = {.rates = r,
                                     .gpus = {1},
                                     .round = 100 * SIM_SEC,
                                     .policy = &slot,
                                     .bill = &bill,
                                     .next = rig_next,
                                     .left = rig_left,
                                     .ctx = &jobs};
    cr_assert_eq(schedule_run(&set, &stats, &e), 0, "%s", e.msg);
    cr_expect_eq(jobs.left_at[0], 107 * SIM_SEC);
    cr_expect_eq(jobs.left_at[1], (107 + 7 + 50) * SIM_SEC);
    mlaas_bill_close(&bill);
    machine_use_end(&use);
    machine_free(machine);
    rates_free(r);
}
