/* cpus_config.c - topology and costs from the profile's "cpu" section. */
#include <inttypes.h>

#include "models/cpu/cpus.h"

static int count(struct machine_use *u, const char *name, uint32_t *out, struct err *e)
{
    double v = 0;
    int rc = machine_value(u, name, QUANTITY_COUNT, &v, e);
    if (!rc && (v < 1 || v > 4096 || v != (uint32_t)v))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: got %g, want an integer 1..4096",
                     u->machine->name, name, v);
    if (!rc)
        *out = (uint32_t)v;
    return rc;
}

static int ratio(struct machine_use *u, const char *name, double lo, double hi, double *out,
                 struct err *e)
{
    int rc = machine_value(u, name, QUANTITY_COUNT, out, e);
    if (!rc && !(*out >= lo && *out <= hi))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": %s: got %g, want a number %g..%g",
                     u->machine->name, name, *out, lo, hi);
    return rc;
}

static int period(struct machine_use *u, sim_time *out, struct err *e)
{
    sim_cost ps = 0;
    int rc = machine_ps(u, "cpu.balance_period", &ps, e);
    if (!rc && ps < 1000)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": cpu.balance_period: want at least 1 ns",
                     u->machine->name);
    *out = ps / 1000;
    return rc;
}

int cpus_config(struct cpus_config *c, struct machine_use *use, struct err *e)
{
    *c = (struct cpus_config){0};
    int rc = count(use, "cpu.sockets", &c->sockets, e);
    if (!rc)
        rc = count(use, "cpu.cores_per_socket", &c->cores_per_socket, e);
    if (!rc)
        rc = count(use, "cpu.threads_per_core", &c->threads_per_core, e);
    if (!rc)
        rc = machine_ps(use, "cpu.context_switch", &c->context_switch, e);
    if (!rc)
        rc = machine_ps(use, "cpu.wake_same", &c->wake_same, e);
    if (!rc)
        rc = machine_ps(use, "cpu.wake_cross", &c->wake_cross, e);
    if (!rc)
        rc = machine_ps(use, "cpu.migrate_core", &c->migrate_core, e);
    if (!rc)
        rc = machine_ps(use, "cpu.migrate_node", &c->migrate_node, e);
    if (!rc)
        rc = ratio(use, "cpu.remote_slowdown", 1, 100, &c->remote_slowdown, e);
    if (!rc)
        rc = ratio(use, "cpu.smt_speed", 0.1, 1, &c->smt_speed, e);
    if (!rc)
        rc = period(use, &c->balance_period, e);
    uint64_t all = (uint64_t)c->sockets * c->cores_per_socket * c->threads_per_core;
    if (!rc && all > POLICY_CPUS_MAX)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": cpu: got %" PRIu64 " CPUs, want at most %d",
                     use->machine->name, all, POLICY_CPUS_MAX);
    return rc;
}
