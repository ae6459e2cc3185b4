/* collective_model.c - model "collective": one collective between the GPUs of a node. */
#include "models/gpu/collective.h"
#include "models/model.h"

struct section {
    const struct config *op, *how;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    uint32_t gpus;
    uint64_t bytes;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, op, false),
    CONFIG_ANY(struct section, how, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_U32(struct section, gpus, 1, COLLECTIVE_GPUS_MAX, true),
    CONFIG_U64(struct section, bytes, 1, 1e12, true),
    CONFIG_END,
};

static int read_ask(const struct config *c, struct collective_ask *a, struct err *e)
{
    struct section s = {0};
    int op = COLLECTIVE_ALL_REDUCE, how = COLLECTIVE_NCCL, rc = config_fill(c, fields, &s, e);
    if (!rc && s.op)
        rc = config_choice(s.op, collective_op_names, &op, e);
    if (!rc && s.how)
        rc = config_choice(s.how, collective_how_names, &how, e);
    *a = (struct collective_ask){(enum collective_op)op, (enum collective_how)how, s.gpus, s.bytes};
    return rc;
}

static int collective_check(const struct config *section, struct err *e)
{
    struct collective_ask a;
    return read_ask(section, &a, e);
}

static int work_out(const struct config *section, const struct machine *m, struct machine_use *use,
                    struct collective_ask *a, struct collective_cost *c, struct err *e)
{
    struct collective_params p;
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"collective\" needs a \"machine\"");
    int rc = read_ask(section, a, e);
    if (!rc)
        rc = machine_use_begin(use, m, e);
    if (!rc)
        rc = collective_params_read(&p, use, a->how, e);
    if (!rc && collective_cost(&p, a, c, e))
        rc = err_wrap(e, e->code, "collective");
    return rc;
}

static int collective_fits(const struct config *section, const struct machine *machine,
                           const char *stack, struct err *e)
{
    (void)stack;
    struct machine_use use = {0};
    struct collective_ask a;
    struct collective_cost c;
    int rc = work_out(section, machine, &use, &a, &c, e);
    machine_use_end(&use);
    return rc;
}

static void report(const struct collective_ask *a, const struct collective_cost *c,
                   struct measures *out)
{
    double ps = (double)c->time, n = a->gpus;
    double share = a->op == COLLECTIVE_ALL_REDUCE  ? 2 * (n - 1) / n
                   : a->op == COLLECTIVE_BROADCAST ? 1
                                                   : (n - 1) / n;
    double rate = ps > 0 ? (double)a->bytes / (ps / 1e12) : 0;
    measures_number(out, "time", "us", BETTER_LESS, ps / 1e6);
    measures_number(out, "bus_bandwidth", "B/s", BETTER_MORE, rate * share);
    measures_number(out, "bandwidth", "B/s", BETTER_MORE, rate);
    measures_number(out, "steps", "1", BETTER_NONE, c->steps);
    measures_number(out, "sent", "B", BETTER_NONE, (double)c->sent);
    measures_number(out, "share.latency", "1", BETTER_NONE, ps > 0 ? c->latency / ps : 1);
    measures_number(out, "share.wire", "1", BETTER_NONE, ps > 0 ? c->wire / ps : 0);
    measures_number(out, "share.local", "1", BETTER_NONE, ps > 0 ? c->local / ps : 0);
}

static int collective_run(const struct config *section, const struct model_env *env,
                          struct measures *out, struct err *e)
{
    struct machine_use use = {0};
    struct collective_ask a;
    struct collective_cost c;
    int rc = work_out(section, env->machine, &use, &a, &c, e);
    if (!rc) {
        report(&a, &c, out);
        machine_use_report(&use, out);
    }
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_collective = {
    .name = "collective",
    .summary = "a collective between the GPUs of a node: steps, bytes, protocols",
    .check = collective_check,
    .fits = collective_fits,
    .headline = "time,bus_bandwidth,steps,share.latency,share.wire",
    .run = collective_run,
};
