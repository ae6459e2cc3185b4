/* queueing.c - the queues whose answers are in textbooks.
 *
 * Poisson customers, one resource of sim/station.h (or several in a row), and
 * the measures that a closed form exists for.  It is here to be checked: if
 * M/M/1 comes out wrong, nothing built on these resources can be right.
 * Arrivals go on until every measured customer has left, so that the last of
 * them meet the same load as the first.                                     */
#include <stdlib.h>

#include "models/model.h"
#include "models/queueing_service.h"
#include "sim/station.h"

enum system { MM1, MMC, MD1, MG1, MG1PS, ERLANGB, TANDEM };
static const char *const systems[] = {"mm1",   "mmc",     "md1",    "mg1",
                                      "mg1ps", "erlangb", "tandem", NULL};

enum { STAGES_MAX = 16 };

struct setup {
    int system;
    double rho, mean_s;
    uint64_t servers, stages, customers, warmup;
    struct service service;
};

/* ---- the section ---- */

struct section {
    const struct config *system, *service;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    double rho, service_mean_s;
    uint64_t servers, stages, customers, warmup;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, system, true),
    CONFIG_STR(struct section, label, false),
    CONFIG_F64(struct section, rho, 0.001, 100, true),
    CONFIG_ANY(struct section, service, false),
    CONFIG_F64(struct section, service_mean_s, 1e-6, 1e6, false),
    CONFIG_U64(struct section, servers, 1, 100000, false),
    CONFIG_U64(struct section, stages, 1, STAGES_MAX, false),
    CONFIG_U64(struct section, customers, 1, 1e12, false),
    CONFIG_U64(struct section, warmup, 0, 1e12, false),
    CONFIG_END};

static bool takes_service(int system)
{
    return system == MG1 || system == MG1PS || system == ERLANGB;
}

static int read_service(const struct section *s, struct setup *q, struct err *e)
{
    q->service = service_of(q->system == MD1 ? SERVICE_DETERMINISTIC : SERVICE_EXPONENTIAL, 1);
    if (!s->service)
        return 0;
    if (!takes_service(q->system))
        return config_complain(s->service, e, "no \"service\": \"%s\" has its own",
                               systems[q->system]);
    return service_config(s->service, &q->service, e);
}

static int read_setup(const struct config *c, struct setup *q, struct err *e)
{
    struct section s = {.service_mean_s = 1, .servers = 1, .stages = 2, .customers = 200000};
    s.warmup = 20000;
    int rc = config_fill(c, fields, &s, e);
    if (!rc)
        rc = config_choice(s.system, systems, &q->system, e);
    if (rc)
        return rc;
    q->rho = s.rho;
    q->mean_s = s.service_mean_s;
    q->servers = s.servers;
    q->stages = q->system == TANDEM ? s.stages : 1;
    q->customers = s.customers;
    q->warmup = s.warmup;
    if (q->rho >= 1 && q->system != ERLANGB)
        return config_complain(config_get(c, "rho"), e, "less than 1: the queue would only grow");
    if (q->servers > 1 && q->system != MMC && q->system != ERLANGB)
        return config_complain(config_get(c, "servers"), e, "1: \"%s\" has one server",
                               systems[q->system]);
    return read_service(&s, q, e);
}

/* ---- the run ---- */

struct queueing;

struct customer {
    struct job job;
    struct queueing *q;
    sim_time arrived, service, waited;
    uint64_t number, stage;
    struct customer *next_free;
};

struct block { /* customers are made by the dozen and given back all at once */
    struct block *next;
    struct customer customer[64];
};

struct queueing {
    struct setup set;
    struct sim *sim;
    struct station *station[STAGES_MAX];
    struct sharer *sharer; /* instead of the station */
    struct rng arrivals, services;
    double gap_ns; /* mean time between arrivals */
    struct customer *free;
    struct block *blocks;
    uint64_t left, blocked, delayed;
    double waited, slowdown;
    struct sketch *sojourn; /* ms */
    sim_time since;         /* when the first measured customer came */
    double busy_before;     /* server-ns of work until then */
    bool failed;            /* out of memory */
};

static void customer_give(struct queueing *q, struct customer *c)
{
    c->next_free = q->free;
    q->free = c;
}

static struct customer *customer_take(struct queueing *q)
{
    if (!q->free) {
        struct block *b = calloc(1, sizeof *b);
        if (!b)
            return NULL;
        b->next = q->blocks;
        q->blocks = b;
        for (size_t i = 0; i < sizeof b->customer / sizeof *b->customer; i++)
            customer_give(q, &b->customer[i]);
    }
    struct customer *c = q->free;
    q->free = c->next_free;
    return c;
}

static double busy_ns(const struct queueing *q)
{
    double sum = 0;
    struct station_stats st;
    for (uint64_t i = 0; i < q->set.stages; i++) {
        if (q->sharer)
            sharer_stats(q->sharer, &st);
        else
            station_stats(q->station[i], &st);
        sum += st.busy_ns;
    }
    return sum;
}

static bool measured(const struct queueing *q, uint64_t number)
{
    return number >= q->set.warmup && number - q->set.warmup < q->set.customers;
}

static void gone(struct queueing *q)
{
    if (++q->left == q->set.customers)
        sim_stop(q->sim);
}

static void enter_stage(struct customer *c);

static void leave_stage(void *ctx, uint64_t unused)
{
    (void)unused;
    struct customer *c = ctx;
    struct queueing *q = c->q;
    c->waited += c->job.started - c->job.arrived;
    c->service += c->job.service;
    if (++c->stage < q->set.stages) {
        enter_stage(c);
        return;
    }
    if (measured(q, c->number)) {
        sim_time sojourn = sim_now(q->sim) - c->arrived;
        sketch_add(q->sojourn, (double)sojourn / 1e6);
        q->waited += (double)c->waited;
        q->delayed += c->waited > 0;
        q->slowdown += (double)sojourn / (double)c->service;
        gone(q);
    }
    customer_give(q, c);
}

static void enter_stage(struct customer *c)
{
    struct queueing *q = c->q;
    double ns = service_draw(&q->set.service, &q->services, q->set.mean_s * 1e9);
    c->job = (struct job){.service = (sim_time)(ns + 0.5), .done = leave_stage, .ctx = c};
    c->job.service += !c->job.service; /* at least one nanosecond, so that a slowdown exists */
    if (q->sharer)
        sharer_submit(q->sharer, &c->job);
    else
        station_submit(q->station[c->stage], &c->job);
}

static void admit(struct queueing *q, uint64_t number)
{
    if (q->set.system == ERLANGB && station_busy(q->station[0]) == q->set.servers) {
        q->blocked += measured(q, number);
        if (measured(q, number))
            gone(q);
        return;
    }
    struct customer *c = customer_take(q);
    if (!c) {
        q->failed = true;
        sim_stop(q->sim);
        return;
    }
    *c = (struct customer){.q = q, .number = number, .arrived = sim_now(q->sim)};
    enter_stage(c);
}

static void arrive(void *ctx, uint64_t number)
{
    struct queueing *q = ctx;
    if (number == q->set.warmup) {
        q->since = sim_now(q->sim);
        q->busy_before = busy_ns(q);
    }
    sim_time gap = (sim_time)(rng_exponential(&q->arrivals, q->gap_ns) + 0.5);
    sim_after(q->sim, gap, 0, arrive, q, number + 1);
    admit(q, number);
}

static void report(const struct queueing *q, struct measures *out)
{
    double n = (double)q->set.customers, served = n - (double)q->blocked;
    double span = (double)(sim_now(q->sim) - q->since) * (double)(q->set.servers * q->set.stages);
    double busy = busy_ns(q) - q->busy_before;
    measures_number(out, "sojourn_mean", "s", BETTER_LESS, sketch_mean(q->sojourn) / 1e3);
    measures_number(out, "sojourn_p99", "s", BETTER_LESS, sketch_quantile(q->sojourn, 0.99) / 1e3);
    if (!q->sharer) {
        measures_number(out, "wait_mean", "s", BETTER_LESS, served ? q->waited / served / 1e9 : 0);
        measures_number(out, "wait_prob", "1", BETTER_LESS,
                        served ? (double)q->delayed / served : 0);
    }
    measures_number(out, "slowdown_mean", "1", BETTER_LESS, served ? q->slowdown / served : 0);
    if (q->set.system == ERLANGB)
        measures_number(out, "block_prob", "1", BETTER_LESS, (double)q->blocked / n);
    measures_number(out, "util", "1", BETTER_NONE, span > 0 ? busy / span : 0);
    measures_number(out, "events", "1", BETTER_NONE, (double)sim_fired(q->sim));
}

static bool start(struct queueing *q, const struct model_env *env, struct measures *out)
{
    struct sim_options opt = env->sim;
    opt.seed = env->seed;
    q->sim = sim_new(&opt);
    q->sojourn = measures_sketch(out, "sojourn", "ms", env->exact);
    if (!q->sim || !q->sojourn)
        return false;
    rng_init(&q->arrivals, env->seed, "queueing", "arrivals");
    rng_init(&q->services, env->seed, "queueing", "services");
    q->gap_ns = q->set.mean_s * 1e9 / (q->set.rho * (double)q->set.servers);
    if (q->set.system == MG1PS)
        return (q->sharer = sharer_new(q->sim, "server", 1)) != NULL;
    for (uint64_t i = 0; i < q->set.stages; i++)
        if (!(q->station[i] = station_new(q->sim, "server", (unsigned)q->set.servers)))
            return false;
    return true;
}

static void finish(struct queueing *q)
{
    for (struct block *b; (b = q->blocks);) {
        q->blocks = b->next;
        free(b);
    }
    for (uint64_t i = 0; i < STAGES_MAX; i++)
        station_free(q->station[i]);
    sharer_free(q->sharer);
    sim_free(q->sim);
}

static int queueing_check(const struct config *section, struct err *e)
{
    struct setup set = {0};
    return read_setup(section, &set, e);
}

static int queueing_run(const struct config *section, const struct model_env *env,
                        struct measures *out, struct err *e)
{
    struct queueing q = {0};
    int rc = read_setup(section, &q.set, e);
    if (rc)
        return rc;
    if (start(&q, env, out)) {
        sim_after(q.sim, 0, 0, arrive, &q, 0);
        sim_run(q.sim, SIM_NEVER);
        q.failed |= sim_failed(q.sim) || sketch_failed(q.sojourn);
        report(&q, out);
    } else {
        q.failed = true;
    }
    finish(&q);
    return q.failed ? err_set(e, ERR_ENOMEM, "queueing: out of memory") : 0;
}

const struct model_ops model_queueing = {
    .name = "queueing",
    .summary =
        "textbook queues with closed forms: M/M/1, M/M/c, M/G/1, processor sharing, Erlang B",
    .headline = "sojourn_mean,sojourn_p99,wait_mean,block_prob,util",
    .check = queueing_check,
    .run = queueing_run,
};
