/* hosts_full.c - nodes as full machines: who is on each, and how fast that lets them be.
 *
 * Nodes whose jobs have changed are looked at once, after all else that happens
 * at that moment, so that only mixes that last are simulated.                  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/hosts.h"
#include "models/cluster/mix.h"

_Static_assert(MIX_GPUS == POLICY_NODE_GPUS, "every GPU of a node may be shared");

struct resident {
    uint32_t slot, seat;
};
struct full_node {
    struct resident *on;
    uint32_t n, cap;
    bool changed;
};

/* How a job fares: on each of its seats, and then on the slowest, by which it goes.  micro 0: on no
 * machine that would slow it. */
struct pace {
    struct mix_speed speed;
};

struct spent { /* GPU time of jobs while they worked: ns x milli-GPUs, and that times millionths */
    wide all, at_speed, alone;
};
struct full {
    const struct nodes *nodes;
    const struct full_config *c;
    struct mixes *mixes;
    struct full_node *node; /* [nodes->n] */
    uint32_t *changed;      /* [nodes->n]: nodes to look at */
    uint32_t n_changed;
    bool booked;
    struct spent sum, by_rule[FULL_RULES];
    wide share[MIX_SHARES];
};

int full_open(struct full **out, struct cluster *s, const struct nodes *nodes)
{
    struct full *f = *out = calloc(1, sizeof *f);
    if (!f)
        return cluster_no_memory(s);
    f->nodes = nodes;
    f->c = &s->c.full;
    f->node = calloc(nodes->n + 1, sizeof *f->node);
    f->changed = calloc(nodes->n + 1, sizeof *f->changed);
    if (!f->node || !f->changed)
        return cluster_no_memory(s);
    return mixes_open(&f->mixes, f->c, s->env, s->e);
}

void full_close(struct full *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; f->node && i < f->nodes->n; i++)
        free(f->node[i].on);
    mixes_close(f->mixes);
    free(f->node);
    free(f->changed);
    free(f);
}

int full_read(const struct full *f, struct cluster *s, const struct trace_job *row, struct job *j)
{
    const uint32_t rule = full_rule(f->c, row, s->env->rows);
    if (rule == f->c->n)
        return err_set(s->e, ERR_ERANGE,
                       "cluster.hosts.jobs: job %llu of the trace (%u GPUs) is none of them, want "
                       "one without conditions at the end",
                       (unsigned long long)row->row + 1, row->gpus);
    j->runs = rule;
    return 0;
}

/* ---- who is where -------------------------------------------------------------------- */

static bool sit(struct full_node *node, struct resident who)
{
    if (node->n == node->cap) {
        const uint32_t cap = node->cap ? 2 * node->cap : 4;
        struct resident *more = realloc(node->on, cap * sizeof *more);
        if (!more)
            return false;
        node->on = more;
        node->cap = cap;
    }
    node->on[node->n++] = who;
    return true;
}

static void rise(struct full_node *node, struct resident who)
{
    for (uint32_t i = 0; i < node->n; i++)
        if (node->on[i].slot == who.slot && node->on[i].seat == who.seat) {
            node->on[i] = node->on[--node->n];
            return;
        }
}

static void look(void *ctx, uint64_t unused);

static void mark(struct full *f, struct cluster *s, uint32_t node)
{
    if (f->node[node].changed)
        return;
    f->node[node].changed = true;
    f->changed[f->n_changed++] = node;
    if (!f->booked)
        sim_after(s->sim, 0, -3, look, s, 0); /* after the scheduler */
    f->booked = true;
}

/* Until its nodes are looked at, at this very moment, it is as fast as on GPUs of its own. */
void full_join(struct full *f, struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    if (!(j->pace = calloc(j->n_seat + 1, sizeof *j->pace))) {
        cluster_no_memory(s);
        return;
    }
    for (uint32_t i = 0; i < j->n_seat; i++) {
        if (!sit(&f->node[j->seat[i].node], (struct resident){slot, i}))
            cluster_no_memory(s);
        mark(f, s, j->seat[i].node);
    }
}

void full_leave(struct full *f, struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    for (uint32_t i = 0; i < j->n_seat; i++) {
        rise(&f->node[j->seat[i].node], (struct resident){slot, i});
        mark(f, s, j->seat[i].node);
    }
    free(j->pace);
    j->pace = NULL;
}

/* ---- how fast they are ------------------------------------------------------------------ */

static struct mix_kind kind_of(const struct job *j)
{
    const bool part = j->seen.gpus == 1 && j->seen.gpu_milli < 1000;
    return (struct mix_kind){(uint16_t)j->runs, (uint16_t)(part ? j->seen.gpu_milli : 1000)};
}

static int too_many(const struct cluster *s, uint32_t node)
{
    return err_set(s->e, ERR_ERANGE,
                   "cluster.hosts: node %u has more than %d kinds of jobs at once", node,
                   MIX_PARTS);
}

/* The slowest of a seat's GPUs sets its pace; an empty one has none yet. */
static void slow_down(struct pace *p, const struct mix_speed *v)
{
    if (!p->speed.micro || v->micro < p->speed.micro)
        p->speed = *v;
}

static void apply(struct cluster *s, const struct mix *x, const struct mix_speed *v,
                  const struct resident *who, uint16_t group)
{
    struct job *j = &s->job[who->slot];
    const uint32_t kind = mix_order(kind_of(j));
    for (uint32_t i = 0; i < x->n; i++)
        if (mix_order(x->part[i].kind) == kind && x->part[i].group == group)
            slow_down(&j->pace[who->seat], &v[i]);
}

/* VMs that a job has on a node. */
static uint32_t vms(const struct full *f, const struct job *j, uint32_t seat)
{
    const uint32_t gpus = (uint32_t)__builtin_popcount(j->seat[seat].gpus);
    return f->c->rule[j->runs].by_seat || !gpus ? 1 : gpus;
}

static bool on_gpu(const struct cluster *s, const struct resident *who, uint32_t gpu)
{
    return s->job[who->slot].seat[who->seat].gpus >> gpu & 1;
}

/* The GPU of which it has a part; MIX_GPUS: its GPUs are its own. */
static uint32_t shared_gpu(const struct cluster *s, const struct resident *who)
{
    const struct job *j = &s->job[who->slot];
    const uint32_t gpus = j->seat[who->seat].gpus;
    return kind_of(j).milli < 1000 && gpus ? (uint32_t)__builtin_ctz(gpus) : MIX_GPUS;
}

/* Who is on a host; group: of each of its GPUs, 0 where nobody shares it. */
static bool mix_of_host(const struct full *f, const struct cluster *s, uint32_t number,
                        struct mix *x, uint16_t *group)
{
    const struct full_node *node = &f->node[number];
    struct mix gpu[MIX_GPUS] = {0};
    uint32_t gpus = 0, at[MIX_GPUS] = {0};
    uint16_t of[MIX_GPUS] = {0};
    bool room = true;
    for (uint32_t i = 0; room && i < node->n; i++) {
        const struct job *j = &s->job[node->on[i].slot];
        const uint32_t g = shared_gpu(s, &node->on[i]);
        room = g < MIX_GPUS ? mix_add(&gpu[g], kind_of(j), 1)
                            : mix_add(x, kind_of(j), vms(f, j, node->on[i].seat));
    }
    for (uint32_t g = 0; g < MIX_GPUS; g++)
        if (gpu[g].n) {
            at[gpus] = g;
            gpu[gpus++] = gpu[g]; /* those that are shared, close together */
        }
    room = room && mix_join(x, gpu, gpus, of);
    for (uint32_t i = 0; room && i < gpus; i++)
        group[at[i]] = of[i];
    return room;
}

static int look_at_host(struct full *f, struct cluster *s, uint32_t number)
{
    struct full_node *node = &f->node[number];
    struct mix x = {0};
    uint16_t group[MIX_GPUS + 1] = {0};
    const struct mix_speed *v;
    if (!mix_of_host(f, s, number, &x, group))
        return too_many(s, number);
    int rc = x.n ? mixes_speeds(f->mixes, &x, &v, s->e) : 0;
    for (uint32_t i = 0; !rc && i < node->n; i++)
        apply(s, &x, v, &node->on[i], group[shared_gpu(s, &node->on[i])]);
    return rc;
}

static int look_at_gpu(struct full *f, struct cluster *s, uint32_t number, uint32_t gpu)
{
    struct full_node *node = &f->node[number];
    struct mix x = {0};
    const struct mix_speed *v;
    for (uint32_t i = 0; i < node->n; i++)
        if (on_gpu(s, &node->on[i], gpu) && !mix_add(&x, kind_of(&s->job[node->on[i].slot]), 1))
            return too_many(s, number);
    int rc = x.n ? mixes_speeds(f->mixes, &x, &v, s->e) : 0;
    for (uint32_t i = 0; !rc && i < node->n; i++)
        if (on_gpu(s, &node->on[i], gpu))
            apply(s, &x, v, &node->on[i], 0);
    return rc;
}

static int look_at(struct full *f, struct cluster *s, uint32_t number)
{
    const struct full_node *node = &f->node[number];
    int rc = 0;
    for (uint32_t i = 0; i < node->n; i++)
        s->job[node->on[i].slot].pace[node->on[i].seat] = (struct pace){0};
    if (f->c->model == FULL_HOST)
        return look_at_host(f, s, number);
    for (uint32_t g = 0; !rc && g < f->nodes->node[number].gpus; g++)
        rc = look_at_gpu(f, s, number, g);
    return rc;
}

/* The slowest member of a gang sets its pace. */
static void set_speed(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    struct pace *of_all = &j->pace[j->n_seat], worst = {0};
    for (uint32_t i = 0; i < j->n_seat; i++)
        if (j->pace[i].speed.micro)
            slow_down(&worst, &j->pace[i].speed);
    if (!memcmp(&worst, of_all, sizeof worst))
        return;
    run_speed(s, slot, worst.speed.micro ? worst.speed.micro : 1000000);
    *of_all = worst;
}

static void look(void *ctx, uint64_t unused)
{
    struct cluster *s = ctx;
    struct full *f = hosts_full(s);
    int rc = s->rc;
    (void)unused;
    f->booked = false;
    for (uint32_t i = 0; !rc && i < f->n_changed; i++)
        rc = look_at(f, s, f->changed[i]);
    for (uint32_t i = 0; !rc && i < f->n_changed; i++)
        for (uint32_t k = 0; k < f->node[f->changed[i]].n; k++)
            set_speed(s, f->node[f->changed[i]].on[k].slot);
    while (f->n_changed)
        f->node[f->changed[--f->n_changed]].changed = false;
    if (rc)
        cluster_fail(s, rc);
}

/* ---- where the time went ------------------------------------------------------------------- */

static void spend(struct spent *to, wide time, const struct mix_speed *v)
{
    to->all += time;
    to->at_speed += time * v->micro;
    to->alone += time * v->alone;
}

void full_worked(struct full *f, const struct job *j, uint64_t wall)
{
    const struct mix_speed *v = &j->pace[j->n_seat].speed;
    const wide time = (wide)wall * j->milli;
    if (!v->micro || !time)
        return;
    spend(&f->sum, time, v);
    spend(&f->by_rule[j->runs], time, v);
    for (uint32_t i = 0; i < MIX_SHARES; i++)
        f->share[i] += time * v->share[i];
}

static void number(struct measures *out, const char *of, const char *what, double v)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", of, what);
    measures_number(out, name, "1", BETTER_NONE, v);
}

/* from - to, over all. */
static double part(const struct spent *s, wide from, wide to)
{
    const double more = from < to ? -(double)(to - from) : (double)(from - to);
    return s->all ? more / ((double)s->all * 1e6) : 0;
}

/* Of the time in which jobs worked: what the bare machine would have taken, what the stack adds,
 * what neighbours do; and the same by what the machine's model books. */
void full_report(const struct full *f, struct measures *out)
{
    const struct spent *s = &f->sum;
    measures_number(out, "hosts.speed", "1", BETTER_MORE, part(s, s->at_speed, 0));
    measures_number(out, "hosts.lost_alone", "1", BETTER_LESS, part(s, s->all * 1000000, s->alone));
    measures_number(out, "hosts.lost_neighbours", "1", BETTER_LESS, part(s, s->alone, s->at_speed));
    measures_number(out, "hosts.gpu_hours", "GPU-h", BETTER_NONE, (double)s->all / 1e12 / 3600);
    for (uint32_t i = 0; mixes_share_name(f->mixes, i); i++)
        number(out, "hosts.share", mixes_share_name(f->mixes, i), part(s, f->share[i], 0));
    for (uint32_t i = 0; i < f->c->n; i++) {
        const struct spent *of = &f->by_rule[i];
        if (!of->all)
            continue;
        number(out, f->c->rule[i].name, "speed", part(of, of->at_speed, 0));
        number(out, f->c->rule[i].name, "alone", part(of, of->alone, 0));
    }
    mixes_report(f->mixes, out);
}
