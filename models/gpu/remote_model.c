/* remote_model.c - model "remote": one iteration of a program, at home and through a channel. */
#include "models/gpu/remote.h"
#include "models/model.h"

struct section {
    const struct config *channel;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    uint64_t calls, sync_calls, sample_bytes, result_bytes, batch;
    double local_ms;
    uint32_t coalesce;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, channel, true),
    CONFIG_STR(struct section, label, false),
    CONFIG_U64(struct section, calls, 1, 1e7, true),
    CONFIG_U64(struct section, sync_calls, 0, 1e7, false),
    CONFIG_U64(struct section, sample_bytes, 0, 1e10, false),
    CONFIG_U64(struct section, result_bytes, 0, 1e10, false),
    CONFIG_U64(struct section, batch, 1, 1e6, false),
    CONFIG_F64(struct section, local_ms, 0, 1e7, true),
    CONFIG_U32(struct section, coalesce, 1, 1 << 20, false),
    CONFIG_END,
};

struct setup {
    enum remote_kind kind;
    struct remote_work work;
    uint32_t coalesce;
    uint64_t batch;
};

static int read_setup(const struct config *c, struct setup *s, struct err *e)
{
    struct section in = {.batch = 1, .coalesce = 1};
    int kind = 0, rc = config_fill(c, fields, &in, e);
    if (!rc)
        rc = config_choice(in.channel, remote_kind_names, &kind, e);
    if (!rc && in.sync_calls > in.calls)
        rc = config_complain(config_get(c, "sync_calls"), e, "at most \"calls\", which is %llu",
                             (unsigned long long)in.calls);
    *s = (struct setup){.kind = (enum remote_kind)kind, .coalesce = in.coalesce, .batch = in.batch};
    s->work = (struct remote_work){.calls = in.calls,
                                   .sync_calls = in.sync_calls,
                                   .in = in.sample_bytes * in.batch,
                                   .out = in.result_bytes * in.batch,
                                   .local = (sim_cost)(in.local_ms * 1e9 + 0.5)};
    return rc;
}

static int remote_check(const struct config *section, struct err *e)
{
    struct setup s;
    return read_setup(section, &s, e);
}

static int ready(const struct config *section, const struct machine *m, struct machine_use *use,
                 struct setup *s, struct remote_channel *c, struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"remote\" needs a \"machine\"");
    int rc = read_setup(section, s, e);
    if (!rc)
        rc = machine_use_begin(use, m, e);
    if (!rc)
        rc = remote_channel_read(c, s->kind, use, e);
    c->coalesce = s->coalesce;
    return rc;
}

static int remote_fits(const struct config *section, const struct machine *machine,
                       const char *stack, struct err *e)
{
    (void)stack;
    struct machine_use use = {0};
    struct setup s;
    struct remote_channel c;
    int rc = ready(section, machine, &use, &s, &c, e);
    machine_use_end(&use);
    return rc;
}

static void report(const struct setup *s, const struct remote_cost *r, struct measures *out)
{
    double time = (double)r->time, local = (double)s->work.local;
    measures_number(out, "time", "ms", BETTER_LESS, time / 1e9);
    measures_number(out, "local", "ms", BETTER_LESS, local / 1e9);
    measures_number(out, "loss", "1", BETTER_LESS, time > 0 ? 1 - local / time : 0);
    measures_number(out, "samples_per_s", "1/s", BETTER_MORE,
                    time > 0 ? (double)s->batch / (time / 1e12) : 0);
    measures_number(out, "messages", "1", BETTER_LESS, (double)r->messages);
    measures_number(out, "busy.guest", "1", BETTER_NONE, time > 0 ? (double)r->guest / time : 0);
    measures_number(out, "busy.server", "1", BETTER_NONE, time > 0 ? (double)r->server / time : 0);
    measures_number(out, "busy.gpu", "1", BETTER_MORE, time > 0 ? local / time : 0);
    measures_number(out, "busy.payload", "1", BETTER_LESS,
                    time > 0 ? (double)r->payload / time : 0);
}

static int remote_model_run(const struct config *section, const struct model_env *env,
                            struct measures *out, struct err *e)
{
    struct machine_use use = {0};
    struct setup s;
    struct remote_channel c;
    struct remote_cost r;
    int rc = ready(section, env->machine, &use, &s, &c, e);
    if (!rc) {
        remote_run(&c, &s.work, &r);
        report(&s, &r, out);
        machine_use_report(&use, out);
    }
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_remote = {
    .name = "remote",
    .summary = "API remoting: a guest's GPU calls through a channel to whoever holds the GPU",
    .check = remote_check,
    .fits = remote_fits,
    .headline = "loss,time,samples_per_s,busy.server,busy.payload",
    .run = remote_model_run,
};
