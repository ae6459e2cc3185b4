/* uvm_rig.c - unified memory for tests. */
#include "tests/models/uvm_rig.h"

#include <criterion/criterion.h>

const struct uvm_params uvm_usual = {.memory = 64 * UVM_BLOCK,
                                     .in = 100,
                                     .out = 50,
                                     .batch = 256,
                                     .threshold = 51,
                                     .service = UINT64_C(20000000),
                                     .sms = 80,
                                     .tlb_sms = 2,
                                     .held = 56};

struct uvm *uvm_fresh(const struct uvm_params *p)
{
    struct uvm *u;
    struct err e = {0};
    cr_assert_eq(uvm_new(&u, p, &e), 0, "%s", e.msg);
    return u;
}

uint64_t uvm_managed(struct uvm *u, uint64_t bytes, bool on_host)
{
    uint64_t at;
    cr_assert_eq(uvm_alloc(u, bytes, on_host, &at, NULL), 0);
    return at;
}

sim_cost uvm_touched(struct uvm *u, uint64_t at, uint64_t bytes, bool write)
{
    sim_cost t;
    struct err e = {0};
    cr_assert_eq(uvm_touch(u, at, bytes, write, &t, &e), 0, "%s", e.msg);
    return t;
}
