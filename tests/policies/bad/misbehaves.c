/* misbehaves.c - does what "how" says, at its decision number "at", in any hook or only in the one
 * that "hook" names: bad, key, verdict (bad answers), crash, hang, create, exit, chatter, static;
 * "none" is good, and so is "random", which answers by chance where that is allowed. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

struct bad {
    const struct policy_host *h;
    const char *how, *hook;
    uint64_t at, seen;
    uint32_t frame; /* that came in last */
};

/* Once per question: whether to answer badly; "crash" and the like do not return. */
static int misbehave(struct bad *b, const char *hook, const char *other_name)
{
    volatile int spin = 1;
    int counts = !*b->hook || !strcmp(b->hook, hook);
    if (!counts || b->seen++ != b->at)
        return 0;
    while (!strcmp(b->how, "hang") && spin) {
    }
    if (!strcmp(b->how, "crash"))
        abort();
    if (!strcmp(b->how, "exit"))
        exit(0);
    for (int i = 0; !strcmp(b->how, "chatter") && i < 20; i++)
        b->h->log(b->h->host, "again");
    return !strcmp(b->how, "bad") || !strcmp(b->how, other_name);
}

/* The same where no question is asked: only if "hook" names it. */
static int named(struct bad *b, const char *call, const char *other_name)
{
    return *b->hook && misbehave(b, call, other_name);
}

static int create(void **self, const struct policy_host *h)
{
    struct bad *b = calloc(1, sizeof *b);
    if (!b)
        return -1;
    b->h = h;
    b->how = h->param_text(h->host, "how", "key");
    b->hook = h->param_text(h->host, "hook", "");
    b->at = (uint64_t)h->param(h->host, "at", 5);
    *self = b;
    named(b, "create", "");
    if (strcmp(b->how, "create"))
        return 0;
    h->log(h->host, "the moon is in the wrong quarter");
    free(b);
    return 1;
}

static void destroy(void *self)
{
    free(self);
}

static size_t save(void *self, void *to, size_t room)
{
    struct bad *b = self;
    if (named(self, "save", "size"))
        return SIZE_MAX;
    if (room >= sizeof b->seen)
        memcpy(to, &b->seen, sizeof b->seen);
    return sizeof b->seen;
}

static int restore(void *self, const void *from, size_t n, const char *by)
{
    (void)from, (void)n, (void)by;
    return named(self, "restore", "refuse");
}

/* ---- serve ---------------------------------------------------------------------- */

static int admit(void *self, const struct policy_admit_obs *o)
{
    (void)o;
    return misbehave(self, "serve_admit", "verdict") ? 7 : POLICY_ADMIT;
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    static int64_t ever; /* outlives the policy: the next run sees it */
    struct bad *b = self;
    if (!strcmp(b->how, "static"))
        return ever++;
    if (!strcmp(b->how, "random"))
        return (int64_t)(b->h->random(b->h->host) >> 8);
    return misbehave(b, "serve_batch", "key") ? INT64_MIN
                                              : (int64_t)o->request.oracle_output_tokens;
}

static uint32_t route(void *self, const struct policy_route_obs *o)
{
    uint32_t at = 0;
    if (misbehave(self, "serve_route", "engine"))
        return o->n;
    while (!o->engine[at].takes)
        at++;
    return at;
}

static uint32_t scale(void *self, const struct policy_scale_obs *o)
{
    return misbehave(self, "serve_scale", "engines") ? o->most + 1 : o->least;
}

/* ---- cpu ------------------------------------------------------------------------ */

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    const struct bad *b = self;
    int bad = misbehave(self, "cpu_pick", !strcmp(b->how, "slice") ? "slice" : "task");
    int slice = bad && !strcmp(b->how, "slice");
    answer->task = bad && !slice ? o->n : 0;
    answer->slice_ns = slice ? 1 : POLICY_SLICE_MIN;
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    (void)o;
    return misbehave(self, "cpu_balance", "move") ? -3 : POLICY_LEAVE;
}

/* ---- mem: the frame that came in last goes -------------------------------------- */

static int begin(void *self, const struct policy_mem *m)
{
    (void)m;
    return misbehave(self, "mem_begin", "begin") ? 5 : 0;
}

static void hit(void *self, const struct policy_access *a)
{
    (void)a;
    misbehave(self, "mem_hit", "");
}

static void insert(void *self, const struct policy_access *a)
{
    ((struct bad *)self)->frame = a->frame;
    misbehave(self, "mem_insert", "");
}

static uint32_t evict(void *self, const struct policy_access *a)
{
    (void)a;
    return misbehave(self, "mem_evict", "frame") ? 1u << 30 : ((struct bad *)self)->frame;
}

static void place(void *self, const struct policy_place_obs *o, uint32_t *tier)
{
    if (misbehave(self, "mem_place", "tier") && o->n)
        tier[0] = 77;
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    (void)o;
    return misbehave(self, "mem_readahead", "pages") ? POLICY_READAHEAD_MAX + 1 : 0;
}

/* ---- io ------------------------------------------------------------------------- */

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    return misbehave(self, "io_steer", "device") ? o->n : o->home;
}

static void io_done(void *self, const struct policy_io_done *d)
{
    (void)d;
    misbehave(self, "io_done", "");
}

/* ---- gpu ------------------------------------------------------------------------ */

static void dispatch(void *self, const struct policy_dispatch_obs *o, struct policy_dispatch *a)
{
    const struct bad *b = self;
    int bad = misbehave(self, "gpu_dispatch", !strcmp(b->how, "idle") ? "idle" : "tenant");
    a->tenant = bad ? o->n : POLICY_NONE;
    a->preempt = POLICY_NONE;
    for (uint32_t i = 0; i < o->n && !bad; i++)
        a->tenant = o->tenant[i].waiting ? i : a->tenant;
    if (bad && !strcmp(b->how, "idle"))
        a->tenant = POLICY_NONE;
}

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    if (misbehave(self, "gpu_share", "part") && o->n)
        milli[0] = 0;
}

/* ---- cluster -------------------------------------------------------------------- */

/* GPUs of a node for all of the job; 0: it has no room. */
static uint32_t gpus_on(const struct policy_node *n, const struct policy_job *j)
{
    uint32_t gpus = 0, left = j->gpus;
    for (uint32_t g = 0; g < n->gpus && left; g++)
        if (n->gpu_free_milli[g] >= j->gpu_milli) {
            gpus |= 1u << g;
            left--;
        }
    if (n->model == POLICY_NONE || !(j->gpu_models >> n->model & 1))
        return 0;
    return left || n->cpu_free_milli < j->cpu_milli || n->mem_free_bytes < j->mem_bytes ? 0 : gpus;
}

/* The last node that has room; else not now. */
static uint32_t seat(void *self, const struct policy_seat_obs *o, struct policy_seat *to)
{
    to[0] = (struct policy_seat){o->n, 1};
    if (misbehave(self, "cluster_place", "node"))
        return 1;
    for (uint32_t i = 0; i < o->n; i++)
        if (gpus_on(&o->node[i], &o->job))
            to[0] = (struct policy_seat){i, gpus_on(&o->node[i], &o->job)};
    return to[0].node < o->n;
}

/* Nobody has a part: who fits runs on what is left over. */
static uint32_t parts(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    (void)part;
    return misbehave(self, "cluster_share", "parts") ? o->most + 1 : 0;
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    answer->key = misbehave(self, "cluster_order", "key") ? INT64_MIN : -(int64_t)o->job.id;
}

POLICY(.name = "misbehaves", .summary = "for tests", .create = create, .destroy = destroy,
       .save = save, .restore = restore, .serve_admit = admit, .serve_batch = batch,
       .serve_route = route, .serve_scale = scale, .cpu_pick = pick, .cpu_balance = balance,
       .mem_begin = begin, .mem_hit = hit, .mem_insert = insert, .mem_evict = evict,
       .mem_place = place, .mem_readahead = readahead, .io_steer = steer, .io_done = io_done,
       .gpu_dispatch = dispatch, .gpu_share = share, .cluster_place = seat, .cluster_order = order,
       .cluster_share = parts);
