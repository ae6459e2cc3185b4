/* host_plan.h - a machine with tenants in a few numbers: drawn, run, and made smaller.
 *
 * A failing plan is shrunk: one number after another is lowered as long as the
 * plan still fails, until no single step down fails any more.                  */
#ifndef TESTS_MODELS_HOST_PLAN_H
#define TESTS_MODELS_HOST_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { PLAN_VMS = 4, PLAN_NUMBERS = 12 };
struct host_plan {
    uint32_t cpus, millis, stack, vms;
    struct plan_vm {
        /* program, vcpus, threads, lock, pv, poll, passed disk, budget, ticks, blocking, pages,
         * size; 0 is the simplest of each */
        uint32_t n[PLAN_NUMBERS];
    } vm[PLAN_VMS];
};
enum {
    PLAN_PROGRAM,
    PLAN_VCPUS,
    PLAN_THREADS,
    PLAN_LOCK,
    PLAN_PV,
    PLAN_POLL,
    PLAN_PASSED,
    PLAN_BUDGET,
    PLAN_TICK,
    PLAN_BLOCKING,
    PLAN_PAGES,
    PLAN_SIZE
};

struct host_plan plan_draw(uint64_t seed);
char *plan_text(const struct host_plan *p); /* a "host" section; malloc'd */
const char *plan_stack(const struct host_plan *p);
uint64_t plan_weight(const struct host_plan *p); /* the sum of its numbers: how big it is */
struct host_plan plan_shrink(struct host_plan p, bool (*fails)(const struct host_plan *, void *),
                             void *ctx);

#endif
