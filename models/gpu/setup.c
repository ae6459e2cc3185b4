#include "models/gpu/setup.h"

#include <stdlib.h>
#include <string.h>

#include "models/stack.h"

static const char *const sharings[] = {
#define X(id, name) name,
    SHARINGS(X)
#undef X
        NULL};

const char *gpu_sharing_name(enum gpu_sharing s)
{
    return sharings[s];
}

static sim_time ns_of(double value, double unit_ns)
{
    return (sim_time)(value * unit_ns + 0.5);
}

/* ---- arrivals -------------------------------------------------------------------- */

struct raw_arrivals {
    const struct config *process, *list_s;
    double rate_per_s;
    uint32_t trace_tenant;
};
static const struct config_field arrival_fields[] = {
    CONFIG_ANY(struct raw_arrivals, process, false),
    CONFIG_ANY(struct raw_arrivals, list_s, false),
    CONFIG_F64(struct raw_arrivals, rate_per_s, 1e-6, 1e9, false),
    CONFIG_U32(struct raw_arrivals, trace_tenant, 0, UINT32_MAX - 1, false),
    CONFIG_END,
};

static int check_list(const struct config *list, struct err *e)
{
    double last = 0, at;
    int rc = config_kind(list) == CONFIG_ARRAY && config_count(list)
                 ? 0
                 : config_complain(list, e, "a list of times in seconds");
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        rc = config_f64(config_at(list, i), 0, 1e9, &at, e);
        if (!rc && at < last)
            rc = config_complain(config_at(list, i), e, "times in order");
        last = at;
    }
    return rc;
}

static int read_arrivals(struct gpu_client_setup *c, const struct config *at, struct err *e)
{
    static const char *const processes[] = {"loop", "poisson", "uniform", "list", "trace", NULL};
    struct raw_arrivals in = {.trace_tenant = GPU_ANYONE};
    int process = -1;
    int rc = config_fill(at, arrival_fields, &in, e);
    if (!rc && in.process)
        rc = config_choice(in.process, processes, &process, e);
    if (rc)
        return rc;
    if (process < 0)
        process = in.list_s ? ARRIVE_LIST : in.rate_per_s > 0 ? ARRIVE_POISSON : ARRIVE_LOOP;
    c->arrival = (enum gpu_arrival)process;
    c->rate = in.rate_per_s;
    c->list = in.list_s;
    c->trace_tenant = in.trace_tenant;
    bool rated = c->arrival == ARRIVE_POISSON || c->arrival == ARRIVE_UNIFORM;
    if (rated != (in.rate_per_s > 0))
        return config_complain(at, e, rated ? "a rate_per_s" : "no rate_per_s without a process");
    if ((c->arrival == ARRIVE_LIST) != (in.list_s != NULL))
        return config_complain(at, e, "list_s with the process \"list\", and only then");
    return c->list ? check_list(c->list, e) : 0;
}

/* ---- one tenant ------------------------------------------------------------------- */

struct raw_client {
    struct gpu_client_setup c;
    const struct config *arrivals, *captured_on, *prio;
    double percent, memory_gib, start_s, think_ms, deadline_ms;
};
#define IN(type, key, lo, hi, req)                                                                 \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct raw_client, c.key), lo, hi, req                     \
    }
static const struct config_field client_fields[] = {
    IN(STR, name, 0, 0, false),
    IN(STR, program, 0, 0, true),
    IN(U32, copies, 1, GPU_COPIES_MAX, false),
    IN(U32, device, 0, GPU_DEVICES_MAX - 1, false),
    IN(U32, partition, 0, GPU_PARTITIONS_MAX - 1, false),
    IN(U32, weight, 1, 1 << 20, false),
    IN(U64, count, 0, 1e12, false),
    IN(U64, warmup, 0, 1e12, false),
    IN(BOOL, background, 0, 0, false),
    CONFIG_ANY(struct raw_client, prio, false),
    CONFIG_ANY(struct raw_client, arrivals, false),
    CONFIG_ANY(struct raw_client, captured_on, false),
    CONFIG_F64(struct raw_client, percent, 0.1, 100, false),
    CONFIG_F64(struct raw_client, memory_gib, 0, 1e6, false),
    CONFIG_F64(struct raw_client, start_s, 0, 1e6, false),
    CONFIG_F64(struct raw_client, think_ms, 0, 1e9, false),
    CONFIG_F64(struct raw_client, deadline_ms, 0, 1e9, false),
    CONFIG_END,
};

static int check_name(const struct config *c, const char *name, struct err *e)
{
    const size_t n = strlen(name);
    if (n && n <= 24 && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return 0;
    return config_complain(config_get(c, "name") ? config_get(c, "name") : c, e,
                           "a \"name\" of 1..24 characters of a-z, 0-9 and _");
}

static int read_prio(const struct config *c, int32_t *out, struct err *e)
{
    double v = 0;
    int rc = c ? config_f64(c, -1000, 1000, &v, e) : 0;
    *out = (int32_t)v;
    if (!rc && (double)*out < v)
        rc = config_complain(c, e, "a whole number");
    return rc;
}

static int read_client(struct gpu_client_setup *out, const struct config *c,
                       const struct rescale_from *from, struct err *e)
{
    struct raw_client in = {.c = {.copies = 1, .weight = 1024, .from = *from, .at = c}};
    int rc = config_fill(c, client_fields, &in, e);
    if (!rc && !in.c.name)
        in.c.name = in.c.program;
    if (!rc)
        rc = check_name(c, in.c.name, e);
    if (!rc && in.arrivals)
        rc = read_arrivals(&in.c, in.arrivals, e);
    if (!rc && in.captured_on)
        rc = rescale_config(&in.c.from, in.captured_on, e);
    if (!rc)
        rc = read_prio(in.prio, &in.c.prio, e);
    if (rc)
        return rc;
    in.c.sms_milli = (uint32_t)(in.percent * 10 + 0.5);
    in.c.memory = (uint64_t)(in.memory_gib * 0x1p30 + 0.5);
    in.c.start = ns_of(in.start_s, 1e9);
    in.c.think = ns_of(in.think_ms, 1e6);
    in.c.deadline = ns_of(in.deadline_ms, 1e6);
    *out = in.c;
    if (out->count && out->warmup >= out->count)
        return config_complain(config_get(c, "warmup"), e, "fewer than \"count\"");
    return 0;
}

/* ---- the section ------------------------------------------------------------------ */

struct raw {
    struct gpu_setup s;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    const struct config *tenants, *sharing, *partitions, *captured_on, *gaps, *lags, *remote;
    const struct config *captured_under, *waits, *events, *infer, *blocks;
    double timeslice_us, launch_us, duration_s, share_ms;
};
#define SET(type, key, lo, hi)                                                                     \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct raw, s.key), lo, hi, false                          \
    }
static const struct config_field fields[] = {
    SET(F64, host, 0, 1000),
    SET(BOOL, normalize, 0, 0),
    SET(U32, vgpus, 1, 256),
    SET(U32, queue_depth, 0, 1 << 16),
    SET(U32, window, 16, 1 << 24),
    SET(U32, coalesce, 1, 1 << 20),
    CONFIG_STR(struct raw, label, false),
    CONFIG_ANY(struct raw, tenants, false),
    CONFIG_ANY(struct raw, sharing, false),
    CONFIG_ANY(struct raw, partitions, false),
    CONFIG_ANY(struct raw, captured_on, false),
    CONFIG_ANY(struct raw, gaps, false),
    CONFIG_ANY(struct raw, blocks, false),
    CONFIG_ANY(struct raw, remote, false),
    CONFIG_ANY(struct raw, lags, false),
    CONFIG_ANY(struct raw, captured_under, false),
    CONFIG_ANY(struct raw, waits, false),
    CONFIG_ANY(struct raw, events, false),
    CONFIG_ANY(struct raw, infer, false),
    CONFIG_F64(struct raw, timeslice_us, 1, 1e7, false),
    CONFIG_F64(struct raw, launch_us, 0, 1e6, false),
    CONFIG_F64(struct raw, duration_s, 1e-6, 1e6, false),
    CONFIG_F64(struct raw, share_ms, 0.01, 1e6, false),
    CONFIG_END,
};

struct raw_partition {
    uint32_t sms, memory_milli, copy_engines;
};
static const struct config_field partition_fields[] = {
    CONFIG_U32(struct raw_partition, sms, 1, 1 << 16, true),
    CONFIG_U32(struct raw_partition, memory_milli, 1, 1000, true),
    CONFIG_U32(struct raw_partition, copy_engines, 1, 64, false),
    CONFIG_END,
};

/* A MIG profile, which the machine explains later (gpu_setup_slices), or numbers. */
static int read_partition(struct gpu_setup *s, const struct config *c, bool named, struct err *e)
{
    struct raw_partition in = {.copy_engines = 1};
    if (named)
        return config_str(c, &s->slice[s->partitions], e);
    const int rc = config_fill(c, partition_fields, &in, e);
    s->partition[s->partitions] = (struct device_partition_want){
        .sms = in.sms, .memory_milli = in.memory_milli, .copy_engines = in.copy_engines};
    return rc;
}

static int read_partitions(struct gpu_setup *s, const struct config *list,
                           const struct config *section, struct err *e)
{
    if ((s->sharing == SHARING_MIG) != (list != NULL))
        return config_complain(list ? list : section, e,
                               "\"partitions\" with the sharing \"mig\", and only then");
    if (!list)
        return 0;
    size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (!n || n > GPU_PARTITIONS_MAX)
        return config_complain(list, e, "a list of 1..%d partitions", GPU_PARTITIONS_MAX);
    const bool named = config_kind(config_at(list, 0)) == CONFIG_STRING;
    int rc = 0;
    for (; !rc && s->partitions < n; s->partitions++)
        rc = read_partition(s, config_at(list, s->partitions), named, e);
    return rc;
}

/* What it asks of the sharing must be there, and its name its own. */
static int check_client(const struct gpu_setup *s, size_t i, struct err *e)
{
    const struct gpu_client_setup *c = &s->client[i];
    if (c->partition && c->partition >= s->partitions)
        return config_complain(config_get(c->at, "partition"), e, "one of the \"partitions\"");
    if (c->sms_milli && s->sharing != SHARING_MPS)
        return config_complain(config_get(c->at, "percent"), e,
                               "no \"percent\": it belongs to the sharing \"mps\"");
    if (!c->count && c->arrival != ARRIVE_LIST && c->arrival != ARRIVE_TRACE && !c->background &&
        !s->duration)
        return config_complain(c->at, e,
                               "a \"count\", \"background\": true, or a \"duration_s\" of the run");
    if (s->sharing == SHARING_EXCLUSIVE && c->copies > 1)
        return config_complain(config_get(c->at, "copies"), e, "1: a GPU of its own has one user");
    for (size_t k = 0; k < i; k++) {
        if (!strcmp(s->client[k].name, c->name))
            return config_complain(c->at, e, "a \"name\" of its own, not \"%s\" again", c->name);
        if (s->sharing == SHARING_EXCLUSIVE && s->client[k].device == c->device)
            return config_complain(c->at, e, "a \"device\" of its own: \"sharing\" is exclusive");
    }
    return 0;
}

static int check_number(const struct gpu_setup *s, const struct config *list, struct err *e)
{
    size_t all = 0;
    for (size_t i = 0; i < s->clients; i++)
        all += s->client[i].copies;
    return all <= POLICY_GPU_TENANTS_MAX
               ? 0
               : config_complain(list, e, "at most %d tenants, copies and all",
                                 POLICY_GPU_TENANTS_MAX);
}

static bool waits_for_one(const struct gpu_setup *s)
{
    bool any = s->duration > 0;
    for (size_t i = 0; i < s->clients; i++)
        any |= !s->client[i].background;
    return any;
}

static int read_clients(struct gpu_setup *s, const struct config *list, struct err *e)
{
    size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (!n || n > POLICY_GPU_TENANTS_MAX)
        return config_complain(list, e, "a list of 1..%d tenants", POLICY_GPU_TENANTS_MAX);
    if (!(s->client = calloc(n, sizeof *s->client)))
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    int rc = 0;
    for (; !rc && s->clients < n; s->clients++)
        rc = read_client(&s->client[s->clients], config_at(list, s->clients), &s->from, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = check_client(s, i, e);
    if (!rc)
        rc = check_number(s, list, e);
    if (!rc && !waits_for_one(s))
        rc = config_complain(list, e, "one tenant that is not in the background");
    return rc;
}

static int read_stack(const char **out, const struct config *c, struct err *e)
{
    int rc = config_str(c, out, e);
    if (!rc && !stack_find(*out, NULL))
        rc = config_complain(c, e, "one of " STACK_NAMES);
    return rc;
}

static int read_words(struct gpu_setup *s, const struct raw *in, struct err *e)
{
    static const char *const gaps[] = {"captured", "device", NULL};
    static const char *const lags[] = {"captured", "smallest", NULL};
    static const char *const waits[] = {"sleep", "poll", NULL};
    static const char *const blocks[] = {"spread", "together", NULL};
    int sharing = SHARING_TIME_SLICE, gap = 0, lag = 0, remote = 0, wait = 0, block = 0;
    int rc = in->sharing ? config_choice(in->sharing, sharings, &sharing, e) : 0;
    if (!rc && in->gaps)
        rc = config_choice(in->gaps, gaps, &gap, e);
    if (!rc && in->remote)
        rc = config_choice(in->remote, remote_kind_names, &remote, e);
    if (!rc && in->lags)
        rc = config_choice(in->lags, lags, &lag, e);
    if (!rc && in->blocks)
        rc = config_choice(in->blocks, blocks, &block, e);
    if (!rc && in->waits)
        rc = config_choice(in->waits, waits, &wait, e);
    if (!rc && in->captured_on)
        rc = rescale_config(&s->from, in->captured_on, e);
    if (!rc && in->captured_under)
        rc = read_stack(&s->captured_under, in->captured_under, e);
    s->polls = wait == 1;
    s->sharing = (enum gpu_sharing)sharing;
    s->remote = (enum remote_kind)remote;
    s->device_gaps = gap == 1;
    s->together = block == 1;
    s->smallest_lags = lag == 1;
    return rc;
}

/* The model has no accelerator for inference, only a core. */
static int read_infer(struct gpu_setup *s, const struct config *section, struct err *e)
{
    int rc = mlaas_config(&s->infer, section, e);
    if (!rc && mlaas_wants_gpu(&s->infer))
        rc = config_complain(section, e, "the place \"core\" for every network");
    return rc;
}

int gpu_setup_read(struct gpu_setup *s, const struct config *section, struct err *e)
{
    struct raw in = {.s = {.host = 1, .window = 1 << 14, .queue_depth = GPU_ANYONE, .coalesce = 1}};
    int rc = section ? config_fill(section, fields, &in, e) : 0;
    *s = in.s;
    if (rc)
        return rc;
    s->timeslice = ns_of(in.timeslice_us, 1e3);
    s->launch = (sim_cost)(in.launch_us * 1e6 + 0.5);
    s->duration = ns_of(in.duration_s, 1e9);
    s->share_period = ns_of(in.share_ms, 1e6);
    rc = read_words(s, &in, e);
    if (!rc)
        rc = read_infer(s, in.infer, e);
    if (!rc)
        rc = read_partitions(s, in.partitions, section, e);
    if (!rc && in.tenants)
        rc = read_clients(s, in.tenants, e);
    if (!rc && in.events)
        rc = gpu_events_read(s, in.events, e);
    if (!rc)
        rc = gpu_setup_idle(s, section, e);
    if (rc)
        gpu_setup_free(s);
    return rc;
}

void gpu_setup_free(struct gpu_setup *s)
{
    free(s->client);
    free(s->event);
    s->client = NULL;
    s->event = NULL;
    s->clients = s->events = 0;
}
