#include "models/cluster/mix.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"

#define BUCKETS   4096u
#define SPEED_MAX 4e9 /* millionths: more is nonsense */

struct kept {
    struct kept *next;
    uint64_t hash;
    struct mix_part *part;   /* [n] */
    struct mix_speed *speed; /* [n] */
    uint32_t n;
};

/* A kind that was met: what it takes on the bare machine, and its speed alone on the stack.  There
 * are at most as many as rules times thousandths. */
struct known {
    struct mix_kind kind;
    double bare; /* s */
    double alone;
};

struct mixes {
    const struct full_config *c;
    const struct model_env *env;
    struct kept *bucket[BUCKETS], *last; /* last: with no room to keep any */
    uint32_t n_kept;
    struct known *known;
    uint32_t n_known, cap_known;
    char *share[MIX_SHARES]; /* names */
    uint32_t shares;
    struct measures *told; /* incidents of all runs */
    uint64_t looked, runs, events;
};

/* ---- a mix ------------------------------------------------------------------------ */

bool mix_add(struct mix *x, struct mix_kind kind, uint32_t n)
{
    uint32_t i = 0;
    while (i < x->n && mix_order(x->part[i].kind) < mix_order(kind))
        i++;
    if (i < x->n && mix_order(x->part[i].kind) == mix_order(kind)) {
        x->part[i].n += n;
        return true;
    }
    if (x->n == MIX_PARTS)
        return false;
    memmove(&x->part[i + 1], &x->part[i], (x->n - i) * sizeof *x->part);
    x->part[i] = (struct mix_part){kind, n, 0, 1};
    x->n++;
    return true;
}

/* FNV-1a over kinds, counts and groups. */
static uint64_t hash_of(const struct mix *x)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (uint32_t i = 0; i < x->n; i++) {
        const struct mix_part *p = &x->part[i];
        const uint32_t word[3] = {mix_order(p->kind), p->n, (uint32_t)p->group << 16 | p->times};
        for (int k = 0; k < (p->group ? 12 : 8); k++)
            h = (h ^ (word[k / 4] >> (k % 4 * 8) & 0xff)) * UINT64_C(1099511628211);
    }
    return h;
}

static bool same_part(const struct mix_part *a, const struct mix_part *b)
{
    return mix_order(a->kind) == mix_order(b->kind) && a->n == b->n && a->group == b->group &&
           a->times == b->times;
}

static bool same(const struct kept *k, const struct mix *x)
{
    if (k->n != x->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!same_part(&k->part[i], &x->part[i]))
            return false;
    return true;
}

/* ---- those that are kept ------------------------------------------------------------- */

static void kept_free(struct kept *k)
{
    if (!k)
        return;
    free(k->part);
    free(k->speed);
    free(k);
}

static void forget(struct mixes *m)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct kept *k; (k = m->bucket[i]);) {
            m->bucket[i] = k->next;
            kept_free(k);
        }
    m->n_kept = 0;
}

static struct kept *find(const struct mixes *m, const struct mix *x, uint64_t hash)
{
    struct kept *k = m->bucket[hash % BUCKETS];
    while (k && (k->hash != hash || !same(k, x)))
        k = k->next;
    return k;
}

static struct kept *kept_new(const struct mix *x, uint64_t hash)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    *k = (struct kept){.hash = hash, .n = x->n};
    k->part = malloc((x->n + 1) * sizeof *k->part);
    k->speed = calloc(x->n + 1, sizeof *k->speed);
    if (!k->part || !k->speed) {
        kept_free(k);
        return NULL;
    }
    memcpy(k->part, x->part, x->n * sizeof *k->part);
    return k;
}

/* When there is no room all are forgotten: they are functions of the mix, and come back the same.
 */
static void keep(struct mixes *m, struct kept *k)
{
    if (!m->c->memo) {
        kept_free(m->last);
        m->last = k;
        return;
    }
    if (m->n_kept == m->c->memo)
        forget(m);
    m->n_kept++;
    k->next = m->bucket[k->hash % BUCKETS];
    m->bucket[k->hash % BUCKETS] = k;
}

/* ---- a simulation within ------------------------------------------------------------------ */

static uint64_t seed_of(const struct mixes *m, uint64_t hash)
{
    struct rng r;
    rng_init_indexed(&r, m->env->seed, "cluster", "mix", hash);
    return rng_u64(&r);
}

/* What a reader must know of any of the runs is told once. */
static void tell(struct mixes *m, const struct measures *from)
{
    for (size_t i = 0; i < from->n_incident; i++) {
        const struct measure_incident *n = &from->incident[i];
        bool known = strcmp(n->kind, "assumed") && strcmp(n->kind, "warning");
        for (size_t k = 0; !known && k < m->told->n_incident; k++)
            known = !strcmp(m->told->incident[k].text, n->text);
        if (!known)
            measures_incident(m->told, n->kind, n->who, 0, 0, n->text);
    }
}

static int run(struct mixes *m, const struct mix *x, const char *text, bool bare,
               struct measures *out, struct err *e)
{
    const struct model_env *env = m->env;
    const struct model_env within = {.seed = seed_of(m, hash_of(x)),
                                     .sim = {.queue = env->sim.queue,
                                             .shuffle_ties = env->sim.shuffle_ties,
                                             .shuffle_seed = env->sim.shuffle_seed},
                                     .machine = env->machine,
                                     .program = env->program,
                                     .n_programs = env->n_programs,
                                     .stack = bare ? NULL : env->stack};
    struct config *section;
    int rc = config_parse(&section, "hosts", text, strlen(text), e);
    if (rc)
        return rc;
    rc = full_model(m->c)->run(section, &within, out, e);
    config_free(section);
    const double *events = measures_find(out, "events");
    m->runs++;
    m->events += events ? (uint64_t)*events : 0;
    return rc;
}

static int simulate(struct mixes *m, const struct mix *x, bool bare, struct measures **out,
                    struct err *e)
{
    char *text = full_section(m->c, m->env->machine, x, bare);
    *out = measures_new();
    int rc = text && *out ? run(m, x, text, bare, *out, e)
                          : err_set(e, ERR_ENOMEM, "cluster: out of memory");
    free(text);
    if (!rc)
        tell(m, *out);
    if (rc) {
        char who[256];
        full_say(m->c, x, who, sizeof who);
        err_wrap(e, rc, "cluster.hosts: a machine with %s", who);
        measures_free(*out);
        *out = NULL;
    }
    return rc;
}

static int seen_of(struct mixes *m, const struct measures *from, const struct mix *x, uint32_t i,
                   struct mix_seen *seen, struct err *e)
{
    full_seen(m->c, from, x, i, seen);
    if (seen->time > 0)
        return 0;
    char who[256];
    full_say(m->c, x, who, sizeof who);
    return err_set(e, ERR_ERANGE,
                   "cluster.hosts: a machine with %s: no operation of %s ended within the time "
                   "that it is looked at, want a longer \"duration_s\"",
                   who, m->c->rule[x->part[i].kind.rule].name);
}

/* ---- alone ----------------------------------------------------------------------------------- */

static int time_alone(struct mixes *m, struct mix_kind kind, bool bare, double *time, struct err *e)
{
    struct mix x;
    struct measures *out;
    struct mix_seen seen;
    mix_alone(&x, m->c, kind);
    int rc = simulate(m, &x, bare, &out, e);
    if (rc)
        return rc;
    rc = seen_of(m, out, &x, 0, &seen, e);
    measures_free(out);
    *time = seen.time;
    return rc;
}

/* time: of the mix x, in which there may be nobody else. */
static int know(struct mixes *m, const struct mix *x, uint32_t part, double time, struct known *out,
                struct err *e)
{
    const struct mix_kind kind = x->part[part].kind;
    for (uint32_t i = 0; i < m->n_known; i++)
        if (mix_order(m->known[i].kind) == mix_order(kind)) {
            *out = m->known[i];
            return 0;
        }
    *out = (struct known){.kind = kind};
    int rc = time_alone(m, kind, true, &out->bare, e);
    if (!rc && !mix_is_alone(x))
        rc = time_alone(m, kind, false, &time, e);
    if (rc)
        return rc;
    out->alone = out->bare / time;
    if (m->n_known == m->cap_known) {
        const uint32_t cap = m->cap_known ? 2 * m->cap_known : 16;
        struct known *more = realloc(m->known, cap * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "cluster: out of memory");
        m->known = more;
        m->cap_known = cap;
    }
    m->known[m->n_known++] = *out;
    return 0;
}

/* ---- speeds ------------------------------------------------------------------------------------
 */

static uint32_t micro(double part)
{
    const double v = part * 1e6 + 0.5;
    return v < 1 ? 1 : v > SPEED_MAX ? (uint32_t)SPEED_MAX : (uint32_t)v;
}

/* Names are learned from the first that has any. */
static bool learn_names(struct mixes *m, const struct mix_seen *seen)
{
    for (; m->shares < seen->n; m->shares++)
        if (!(m->share[m->shares] = strdup(seen->category[m->shares])))
            return false;
    return true;
}

static int fill(struct mixes *m, const struct mix *x, const struct measures *from, struct kept *k,
                struct err *e)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < x->n; i++) {
        struct mix_seen seen;
        struct known alone;
        rc = seen_of(m, from, x, i, &seen, e);
        if (!rc)
            rc = know(m, x, i, seen.time, &alone, e);
        if (rc)
            break;
        k->speed[i].micro = micro(alone.bare / seen.time);
        k->speed[i].alone = micro(alone.alone);
        for (uint32_t c = 0; c < seen.n; c++)
            k->speed[i].share[c] = (uint32_t)(seen.share[c] * 1e6 + 0.5);
        if (!learn_names(m, &seen))
            rc = err_set(e, ERR_ENOMEM, "cluster: out of memory");
    }
    return rc;
}

int mixes_speeds(struct mixes *m, const struct mix *x, const struct mix_speed **out, struct err *e)
{
    const uint64_t hash = hash_of(x);
    struct kept *k = find(m, x, hash);
    m->looked++;
    if (!k) {
        struct measures *from = NULL;
        if (!(k = kept_new(x, hash)))
            return err_set(e, ERR_ENOMEM, "cluster: out of memory");
        int rc = simulate(m, x, false, &from, e);
        if (!rc)
            rc = fill(m, x, from, k, e);
        measures_free(from);
        if (rc) {
            kept_free(k);
            return rc;
        }
        keep(m, k);
    }
    *out = k->speed;
    return 0;
}

const char *mixes_share_name(const struct mixes *m, uint32_t i)
{
    return i < m->shares ? m->share[i] : NULL;
}

/* ---- life ---------------------------------------------------------------------------------------
 */

int mixes_open(struct mixes **out, const struct full_config *c, const struct model_env *env,
               struct err *e)
{
    struct mixes *m = *out = calloc(1, sizeof *m);
    if (!m || !(m->told = measures_new()))
        return err_set(e, ERR_ENOMEM, "cluster: out of memory");
    m->c = c;
    m->env = env;
    return 0;
}

void mixes_close(struct mixes *m)
{
    if (!m)
        return;
    forget(m);
    kept_free(m->last);
    for (uint32_t i = 0; i < m->shares; i++)
        free(m->share[i]);
    free(m->known);
    measures_free(m->told);
    free(m);
}

void mixes_report(const struct mixes *m, struct measures *out)
{
    measures_number(out, "hosts.simulated", "1", BETTER_NONE, (double)m->runs);
    measures_number(out, "hosts.asked", "1", BETTER_NONE, (double)m->looked);
    measures_number(out, "hosts.events", "1", BETTER_NONE, (double)m->events);
    for (size_t i = 0; i < m->told->n_incident; i++) {
        const struct measure_incident *n = &m->told->incident[i];
        measures_incident(out, n->kind, n->who, 0, 0, n->text);
    }
}
