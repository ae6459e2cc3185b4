/* select_bandit.c - learns per VM which candidate helps it: a contextual bandit (LinUCB).
 *
 * For each VM and candidate a ridge regression from the period's context (one,
 * rate, size, spread) to a reward, and the candidate with the highest upper
 * confidence bound answers next (Li et al., A contextual-bandit approach to
 * personalized news article recommendation, WWW 2010, algorithm 1).  The
 * reward of a candidate is what the VM's mean cost so far has to do with the
 * candidate's in the period: ref / (ref + cost), 1/2 where they are alike.
 * Outcomes come late and count for the candidate that had decided.  At first
 * every candidate is tried in turn; ties go by the host's random numbers.
 * The state is of fixed size: VMs are hashed into slots.
 *
 * Parameters
 *   alpha    how much a candidate that is little known is favoured        (0.25)
 *   forget   share of what is known that is dropped per period     (0.02)  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define D     4
#define ARMS  16
#define SLOTS 64

struct arm {
    double a[D][D], b[D]; /* sums: x x', r x; the ridge is added when it is solved */
    double tries;
};

struct slot {
    struct arm arm[ARMS];
    double top[D]; /* largest of each feature so far: contexts lie in 0..1 */
    double ref, n; /* mean cost, of how many */
};

struct bandit {
    const struct policy_host *h;
    double alpha, forget;
    struct slot slot[SLOTS];
};

static int create(void **self, const struct policy_host *h)
{
    struct bandit *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->h = h;
    s->alpha = h->param(h->host, "alpha", 0.25);
    s->forget = h->param(h->host, "forget", 0.02);
    if (!(s->alpha >= 0 && s->alpha <= 100) || !(s->forget >= 0 && s->forget < 1)) {
        h->log(h->host, "alpha: want 0..100; forget: want 0..1");
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static void context(struct slot *s, const struct policy_select_obs *o, double *x)
{
    x[0] = 1;
    for (int i = 1; i < D; i++) {
        const double v = (double)o->context[i - 1];
        if (v > s->top[i])
            s->top[i] = v;
        x[i] = s->top[i] > 0 ? v / s->top[i] : 0;
    }
}

/* Solves (A + I) y = v by elimination; A + I is positive definite. */
static void solve(const struct arm *arm, const double *v, double *y)
{
    double m[D][D + 1];
    for (int i = 0; i < D; i++) {
        for (int k = 0; k < D; k++)
            m[i][k] = arm->a[i][k] + (i == k);
        m[i][D] = v[i];
    }
    for (int i = 0; i < D; i++)
        for (int r = i + 1; r < D; r++) {
            const double f = m[r][i] / m[i][i];
            for (int k = i; k <= D; k++)
                m[r][k] -= f * m[i][k];
        }
    for (int i = D - 1; i >= 0; i--) {
        y[i] = m[i][D];
        for (int k = i + 1; k < D; k++)
            y[i] -= m[i][k] * y[k];
        y[i] /= m[i][i];
    }
}

static double dot(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < D; i++)
        sum += a[i] * b[i];
    return sum;
}

static void learn(struct bandit *s, struct slot *v, const struct policy_select_obs *o,
                  const double *x)
{
    for (uint32_t i = 0; i < o->n && i < ARMS; i++) {
        const struct policy_candidate *c = &o->candidate[i];
        struct arm *a = &v->arm[i];
        if (!c->done)
            continue;
        const double n = (double)c->done, cost = (double)c->cost_ns / n;
        v->n = v->n < 1000 ? v->n + n : v->n;
        v->ref += n / v->n * (cost - v->ref);
        const double reward = v->ref > 0 ? v->ref / (v->ref + cost) : 0.5;
        for (int r = 0; r < D; r++) {
            for (int k = 0; k < D; k++)
                a->a[r][k] = (1 - s->forget) * a->a[r][k] + x[r] * x[k];
            a->b[r] = (1 - s->forget) * a->b[r] + reward * x[r];
        }
        a->tries++;
    }
}

static double bound(const struct bandit *s, const struct arm *a, const double *x)
{
    double theta[D], y[D];
    solve(a, a->b, theta);
    solve(a, x, y);
    const double width = dot(x, y);
    return dot(theta, x) + s->alpha * sqrt(width > 0 ? width : 0);
}

static uint32_t choose(void *self, const struct policy_select_obs *o)
{
    struct bandit *s = self;
    struct slot *v = &s->slot[o->vm % SLOTS];
    const uint32_t n = o->n < ARMS ? o->n : ARMS;
    double x[D], best = 0;
    uint32_t chosen = POLICY_NONE;
    context(v, o, x);
    learn(s, v, o, x);
    for (uint32_t i = 0; i < n; i++) {
        const double u = v->arm[i].tries > 0 ? bound(s, &v->arm[i], x) : 1e9;
        const int tie = chosen != POLICY_NONE && u == best;
        if (chosen == POLICY_NONE || u > best || (tie && s->h->random(s->h->host) & 1)) {
            chosen = i;
            best = u;
        }
    }
    return chosen;
}

POLICY(.name = "select-bandit", .summary = "per VM: the candidate that proves best, learned online",
       .create = create, .destroy = destroy, .policy_select = choose);
