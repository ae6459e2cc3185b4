/* fgd.c - fragmentation gradient descent (Weng et al., ATC'23).
 *
 * A job goes where it adds least to the GPUs that are free but of no use to the workload's typical
 * jobs (fragments.h): the score is a logistic function of what the fragment of the node shrinks by,
 * in GPUs, in steps of a hundredth as Kubernetes has them; a part of a GPU tries every GPU.  It
 * needs to know the workload, and a node's fragment is some hundred comparisons: what placing a job
 * of one kind on a node would give is kept until the node changes.                 */
#include <stdlib.h>

#include "fragments.h"
#include "node_fit.h"

#define KINDS_BYTES (64u << 20) /* that kept scores may take */
#define KINDS_MOST  1024u

struct kept {       /* of placing a kind of job on a node */
    uint32_t stamp; /* the node's changes + 1 */
    int8_t score;   /* -1: no room (memory aside) */
    uint8_t gpu;    /* for a part of one */
};
struct kind {
    struct policy_job job; /* of it: CPU, GPUs, models */
    struct kept *at;       /* [n]; NULL: not used yet */
};
struct now { /* a node's fragment as it is */
    uint32_t stamp;
    uint64_t frag;
};

struct fgd {
    const struct policy_host *h;
    uint32_t n, n_demand, kinds;
    const struct policy_demand *demand;
    int64_t step[99];  /* how much F has to shrink for a score of k + 1 */
    struct now *now;   /* [n] */
    struct kind *kind; /* [kinds]: a job's place is a hash of what it wants */
};

static int create(void **self, const struct policy_host *h)
{
    struct fgd *s = *self = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->h = h;
    return 0;
}

static void forget(struct fgd *s)
{
    for (uint32_t k = 0; k < s->kinds; k++)
        free(s->kind[k].at);
    free(s->kind);
    free(s->now);
    s->kind = NULL;
    s->now = NULL;
    s->kinds = s->n = 0;
}
static void destroy(void *self)
{
    forget(self);
    free(self);
}

/* 100 / (1 + exp(-x)) >= k  <=>  x >= ln k - ln (100 - k); logarithms from the series of
 * ln n/(n-1) = 2 atanh 1/(2n-1). */
static void make_steps(struct fgd *s)
{
    double ln[100] = {0};
    uint64_t weight = 0;
    for (uint32_t i = 0; i < s->n_demand; i++)
        weight += s->demand[i].weight;
    for (int n = 2; n < 100; n++) {
        const double z = 1.0 / (2 * n - 1);
        double sum = 0, power = z;
        for (int k = 1; k < 60; k += 2, power *= z * z)
            sum += power / k;
        ln[n] = ln[n - 1] + 2 * sum;
    }
    for (int k = 1; k < 100; k++) {
        const double at = (ln[k] - ln[100 - k]) * 1000 * (double)weight;
        s->step[k - 1] = (int64_t)at;
        s->step[k - 1] += (double)s->step[k - 1] < at; /* rounded up */
    }
}

static int begin(struct fgd *s, const struct policy_seat_obs *o)
{
    forget(s);
    const size_t each = o->n * sizeof(struct kept);
    s->kinds = each < KINDS_BYTES / KINDS_MOST ? KINDS_MOST : (uint32_t)(KINDS_BYTES / each) + 1;
    s->n = o->n;
    s->demand = o->demand;
    s->n_demand = o->n_demand;
    s->now = calloc(s->n, sizeof *s->now);
    s->kind = calloc(s->kinds, sizeof *s->kind);
    if (!s->now || !s->kind)
        return 0;
    make_steps(s);
    return 1;
}

static int same_kind(const struct policy_job *a, const struct policy_job *b)
{
    return a->cpu_milli == b->cpu_milli && a->gpus == b->gpus && a->gpu_milli == b->gpu_milli &&
           a->gpu_models == b->gpu_models;
}

static struct kept *kept_for(struct fgd *s, const struct policy_job *j)
{
    uint64_t h = j->cpu_milli + ((uint64_t)j->gpu_milli << 32) + ((uint64_t)j->gpus << 48);
    h = (h ^ j->gpu_models * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    struct kind *k = &s->kind[(h >> 32) % s->kinds];
    if (!k->at)
        k->at = calloc(s->n, sizeof *k->at);
    else if (!same_kind(&k->job, j))
        for (uint32_t i = 0; i < s->n; i++)
            k->at[i].stamp = 0;
    k->job = *j;
    return k->at;
}

static uint64_t frag_now(struct fgd *s, const struct policy_node *n, const struct fragments_node *f)
{
    struct now *now = &s->now[n->id];
    if (now->stamp != n->changes + 1)
        *now = (struct now){n->changes + 1, fragments(f, s->demand, s->n_demand)};
    return now->frag;
}

static int8_t score(const struct fgd *s, uint64_t before, const struct fragments_node *after)
{
    const int64_t less = (int64_t)(before - fragments(after, s->demand, s->n_demand));
    int lo = 0, hi = 99;
    while (lo < hi) {
        const int mid = (lo + hi) / 2;
        if (less >= s->step[mid])
            lo = mid + 1;
        else
            hi = mid;
    }
    return (int8_t)lo;
}

/* A part of a GPU: on the first of the GPUs where it scores most. */
static void try_gpus(const struct fgd *s, const struct policy_job *j, uint64_t before,
                     struct fragments_node *f, struct kept *to)
{
    for (uint32_t g = 0; g < f->gpus; g++) {
        const uint16_t free = f->gpu_milli[g];
        uint32_t like = 0;
        while (f->gpu_milli[like] != free)
            like++;
        if (free < j->gpu_milli || like < g)
            continue;
        f->gpu_milli[g] = (uint16_t)(free - j->gpu_milli);
        const int8_t at = score(s, before, f);
        f->gpu_milli[g] = free;
        if (at > to->score) {
            to->score = at;
            to->gpu = (uint8_t)g;
        }
    }
}

static void refresh(struct fgd *s, const struct policy_node *n, const struct policy_job *j,
                    struct kept *to)
{
    struct policy_job light = *j;
    light.mem_bytes = 0;
    *to = (struct kept){n->changes + 1, -1, 0};
    if (!node_fits(n, &light))
        return;
    struct fragments_node f = fragments_node(n);
    const uint64_t before = frag_now(s, n, &f);
    f.cpu_milli -= j->cpu_milli;
    if (j->gpus == 1 && j->gpu_milli < POLICY_MILLI) {
        try_gpus(s, j, before, &f, to);
        return;
    }
    const uint32_t set = node_gpus_best(n, j);
    for (uint32_t g = 0; g < f.gpus; g++)
        f.gpu_milli[g] = set >> g & 1 ? 0 : f.gpu_milli[g];
    to->score = score(s, before, &f);
}

static uint32_t place(void *self, const struct policy_seat_obs *o, struct policy_seat *seat)
{
    struct fgd *s = self;
    const struct policy_job *j = &o->job;
    if ((s->n != o->n || s->demand != o->demand || s->n_demand != o->n_demand) && !begin(s, o))
        return 0;
    struct kept *at = kept_for(s, j);
    uint32_t best = POLICY_NONE;
    int most = -1;
    for (uint32_t i = 0; at && i < o->n; i++) {
        if (at[i].stamp != o->node[i].changes + 1)
            refresh(s, &o->node[i], j, &at[i]);
        if (at[i].score > most && o->node[i].mem_free_bytes >= j->mem_bytes) {
            best = i;
            most = at[i].score;
        }
    }
    if (best == POLICY_NONE)
        return node_spread(o, seat);
    seat->node = best;
    if (j->gpus == 1 && j->gpu_milli < POLICY_MILLI)
        seat->gpus = 1u << at[best].gpu;
    else
        seat->gpus = node_gpus_best(&o->node[best], j);
    return 1;
}

POLICY(.name = "fgd", .summary = "cluster: where least is left over that nobody can use (ATC'23)",
       .create = create, .destroy = destroy, .cluster_place = place);
