/* program_read.c - a workload out of an experiment. */
#include <stddef.h>
#include <string.h>

#include "models/host/program.h"

struct raw { /* one op as written */
    const struct config *op, *ops;
    double us, kib, memory_bound, working_set_mib;
    uint64_t count;
    uint32_t id, sms;
    bool poll;
};

#define OPF            CONFIG_ANY(struct raw, op, true)
#define US             CONFIG_F64(struct raw, us, 0, 1e9, true)
#define KIB            CONFIG_F64(struct raw, kib, 0.001, 1e9, true)
#define COUNT(lo, req) CONFIG_U64(struct raw, count, lo, 1e9, req)
#define ID             CONFIG_U32(struct raw, id, 0, PROGRAM_IDS - 1, false)

static const struct config_field plain[] = {OPF, CONFIG_END};
static const struct config_field compute[] = {
    OPF, US, CONFIG_F64(struct raw, memory_bound, 0, 1, false),
    CONFIG_F64(struct raw, working_set_mib, 0, 1e7, false), CONFIG_END};
static const struct config_field numbered[] = {OPF, ID, CONFIG_END};
static const struct config_field sized[] = {OPF, KIB, CONFIG_END};
static const struct config_field fetch[] = {
    OPF, KIB, CONFIG_U64(struct raw, count, 1, PROGRAM_FETCH_MAX, false), CONFIG_END};
static const struct config_field counted[] = {OPF, COUNT(1, false), CONFIG_END};
static const struct config_field launch[] = {
    OPF, US, COUNT(1, false), ID, CONFIG_U32(struct raw, sms, 1, 65536, false), CONFIG_END};
static const struct config_field copy[] = {OPF, KIB, ID, CONFIG_END};
static const struct config_field sync[] = {OPF, ID, CONFIG_BOOL(struct raw, poll, false),
                                           CONFIG_END};
static const struct config_field timed[] = {OPF, US, CONFIG_END};
static const struct config_field shared[] = {OPF, ID, COUNT(1, true), CONFIG_END};
static const struct config_field loop[] = {OPF, COUNT(0, true), CONFIG_ANY(struct raw, ops, true),
                                           CONFIG_END};

static const struct {
    const char *name; /* NULL: not to be written */
    const struct config_field *fields;
} kinds[] = {
    [OP_compute] = {"compute", compute}, [OP_syscall] = {"syscall", plain},
    [OP_lock] = {"lock", numbered},      [OP_unlock] = {"unlock", numbered},
    [OP_read] = {"read", sized},         [OP_write] = {"write", sized},
    [OP_fetch] = {"fetch", fetch},       [OP_send] = {"send", counted},
    [OP_receive] = {"receive", counted}, [OP_touch] = {"touch", sized},
    [OP_launch] = {"launch", launch},    [OP_stage] = {"stage", sized},
    [OP_copy] = {"copy", copy},          [OP_sync] = {"sync", sync},
    [OP_sleep] = {"sleep", timed},       [OP_barrier] = {"barrier", shared},
    [OP_put] = {"put", shared},          [OP_take] = {"take", shared},
    [OP_loop] = {"loop", loop},          [OP_end] = {NULL, NULL},
    [OP_begin] = {"begin", plain},       [OP_done] = {"done", plain},
};

static int read_kind(const struct config *c, enum op_kind *kind, struct err *e)
{
    const char *name;
    const struct config *op = config_kind(c) == CONFIG_OBJECT ? config_get(c, "op") : NULL;
    if (!op)
        return config_complain(c, e, "an object with an \"op\"");
    int rc = config_str(op, &name, e);
    for (int k = 0; !rc && k < OP_KINDS; k++)
        if (kinds[k].name && !strcmp(kinds[k].name, name)) {
            *kind = (enum op_kind)k;
            return 0;
        }
#define X(o) " " #o
    return rc ? rc
              : config_complain(op, e, "one of" PROGRAM_OPS(X) " (end closes a loop's \"ops\")");
#undef X
}

static int read_ops(struct program *p, const struct config *list, int depth, struct err *e);

static int read_op(struct program *p, const struct config *c, int depth, struct err *e)
{
    struct raw in = {.count = 1};
    enum op_kind kind = OP_syscall;
    int rc = read_kind(c, &kind, e);
    if (!rc)
        rc = config_fill(c, kinds[kind].fields, &in, e);
    if (rc)
        return rc;
    const double bytes = (kind == OP_compute ? in.working_set_mib * 1024 : in.kib) * 1024;
    const struct op op = {.kind = kind,
                          .poll = in.poll,
                          .id = in.id,
                          .count = in.count,
                          .ns = (sim_time)(in.us * 1e3 + 0.5),
                          .bytes = (uint64_t)(bytes + 0.5),
                          .memory_bound = in.memory_bound,
                          .sms = in.sms};
    if (!program_add(p, op))
        return config_complain(c, e, "at most %d ops in a program", PROGRAM_OPS_MAX);
    if (kind != OP_loop)
        return 0;
    if (depth == PROGRAM_DEPTH_MAX)
        return config_complain(c, e, "loops at most %d deep", PROGRAM_DEPTH_MAX);
    rc = read_ops(p, in.ops, depth + 1, e);
    if (!rc && !program_add(p, (struct op){.kind = OP_end}))
        rc = config_complain(c, e, "at most %d ops in a program", PROGRAM_OPS_MAX);
    return rc;
}

static int read_ops(struct program *p, const struct config *list, int depth, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "a list of ops, at least one");
    int rc = 0;
    for (size_t i = 0; !rc && i < config_count(list); i++)
        rc = read_op(p, config_at(list, i), depth, e);
    return rc;
}

/* ---- "program": "ops" ---------------------------------------------------------- */

struct raw_crew {
    const char *name;
    uint32_t threads;
    bool daemon, own_stream;
    const struct config *ops;
};
static const struct config_field crew_fields[] = {
    CONFIG_STR(struct raw_crew, name, false),
    CONFIG_U32(struct raw_crew, threads, 1, 256, false),
    CONFIG_BOOL(struct raw_crew, daemon, false),
    CONFIG_BOOL(struct raw_crew, own_stream, false),
    CONFIG_ANY(struct raw_crew, ops, true),
    CONFIG_END};

struct raw_workload {
    const struct config *program, *crews;
    double jitter, rate_per_s;
};
static const struct config_field ops_fields[] = {
    CONFIG_ANY(struct raw_workload, program, true), CONFIG_ANY(struct raw_workload, crews, true),
    CONFIG_F64(struct raw_workload, jitter, 0, 0.9, false),
    CONFIG_F64(struct raw_workload, rate_per_s, 0, 1e7, false), CONFIG_END};

static int read_crew(struct workload *w, const struct config *c, struct err *e)
{
    struct raw_crew in = {.name = "thread", .threads = 1};
    int rc = config_fill(c, crew_fields, &in, e);
    if (rc)
        return rc;
    struct crew *crew = &w->crew[w->n++];
    *crew = (struct crew){in.name, in.threads, in.daemon, in.own_stream, {0}};
    rc = read_ops(&crew->program, in.ops, 0, e);
    const char *wrong = rc ? NULL : program_wrong(&crew->program);
    return wrong ? config_complain(in.ops, e, "%s", wrong) : rc;
}

static int read_crews(struct workload *w, const struct config *c, struct err *e)
{
    struct raw_workload in = {.jitter = 0.02};
    int rc = config_fill(c, ops_fields, &in, e);
    if (rc)
        return rc;
    const size_t n = config_kind(in.crews) == CONFIG_ARRAY ? config_count(in.crews) : 0;
    if (!n || n > CREWS_MAX)
        return config_complain(in.crews, e, "a list of 1..%d crews", CREWS_MAX);
    w->jitter = in.jitter;
    w->rate_per_s = in.rate_per_s;
    w->requests = in.rate_per_s > 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = read_crew(w, config_at(in.crews, i), e);
    return rc;
}

int workload_read(struct workload *w, const struct config *c, struct err *e)
{
    int preset = 0;
    *w = (struct workload){0};
    if (config_kind(c) != CONFIG_OBJECT || !config_get(c, "program"))
        return config_complain(c, e, "an object with a \"program\"");
    int rc = config_choice(config_get(c, "program"), preset_names, &preset, e);
    if (!rc)
        rc = preset_names[preset + 1] ? preset_read(w, preset, c, e) : read_crews(w, c, e);
    if (rc)
        workload_free(w);
    return rc;
}
