/* synth_ops_plan.c - the kernels of one iteration. */
#include <math.h>
#include <stdlib.h>

#include "sim/dmath.h"
#include "sim/rng.h"
#include "traces/synth_ops.h"

#define NS_PER_US 1000.0
#define HALVINGS  60

uint32_t synth_ops_first_name(const struct synth_ops *p)
{
    return p->net.layers ? NET_NAMES : p->classes;
}

uint64_t synth_ops_kernels(const struct synth_ops *p)
{
    uint64_t n = p->net.kernels;
    for (uint32_t i = 0; i < p->classes; i++)
        n += p->cls[i].count;
    return n;
}

static uint64_t copies(const struct synth_ops *p)
{
    return (p->h2d_bytes > 0) + (p->d2h_bytes > 0);
}

uint64_t synth_ops_rows(const struct synth_ops *p)
{
    uint64_t n = synth_ops_kernels(p);
    return p->launches ? 2 * (n + copies(p)) + 1 : n;
}

double synth_ops_span_us(const struct synth_ops *p)
{
    double kernels = p->net.busy_us, n = (double)synth_ops_kernels(p);
    for (uint32_t i = 0; i < p->classes; i++)
        kernels += p->cls[i].count * p->cls[i].us;
    kernels *= 1 + p->jitter;
    if (!p->launches)
        return kernels;
    double bytes = (double)(p->h2d_bytes + p->d2h_bytes), each = p->launch_us + p->host_us;
    return kernels + (n + (double)copies(p)) * (each + p->latency_us) + p->idle_us +
           (double)copies(p) * p->copy_us * (1 + p->jitter) +
           (bytes > 0 ? bytes / (p->copy_gbps * 1e3) * (1 + p->jitter) : 0);
}

static double ratio(const double *a, const double *b, double x)
{
    return (((a[3] * x + a[2]) * x + a[1]) * x + a[0]) / (((b[2] * x + b[1]) * x + b[0]) * x + 1);
}

/* Wichura, Applied Statistics 37 (1988), algorithm AS 241, PPND7. */
double synth_ops_quantile(double u)
{
    static const double a[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720},
                        b[] = {17.895169469, 78.757757664, 67.187563600},
                        c[] = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103},
                        d[] = {0.73700164250, 0.12021132975, 0},
                        f[] = {6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997},
                        g[] = {0.24197894225, 0.012258202635, 0};
    double q = u - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-dmath_log(q < 0 ? u : 1 - u));
    double z = r <= 5 ? ratio(c, d, r - 1.6) : ratio(f, g, r - 5);
    return q < 0 ? -z : z;
}

static double cut(const struct synth_ops_class *c, double us)
{
    return c->max_us > 0 && us > c->max_us ? c->max_us : us;
}

static double mean_us(const struct synth_ops_class *c, const double *factor, double scale)
{
    double sum = 0;
    for (uint32_t k = 0; k < c->count; k++)
        sum += cut(c, scale * factor[k]);
    return sum / c->count;
}

/* What makes the mean that of the class; by halving, since a bound may cut the long ones. */
static double scale_of(const struct synth_ops_class *c, const double *factor)
{
    double plain = 0, low, high;
    for (uint32_t k = 0; k < c->count; k++)
        plain += factor[k];
    low = high = c->us * c->count / plain;
    for (int i = 0; i < HALVINGS && mean_us(c, factor, high) < c->us * (1 - 1e-12); i++)
        high *= 2;
    for (int i = 0; i < HALVINGS && low < high; i++) {
        double mid = (low + high) / 2;
        *(mean_us(c, factor, mid) < c->us ? &low : &high) = mid;
    }
    return high;
}

static uint32_t sms_of(const struct synth_ops_class *c, double z, struct rng *r)
{
    if (c->sms <= 0)
        return 0;
    double own = rng_normal(r, 0, 1);
    double sms = c->sms * dmath_exp(c->sms_sigma *
                                    (c->coupling * z + sqrt(1 - c->coupling * c->coupling) * own));
    double most = c->sms_max ? c->sms_max : UINT32_MAX / 2;
    return sms < 1 ? 1 : (uint32_t)((sms > most ? most : sms) + 0.5);
}

/* Rounding to whole ns must not add up: what is cut off one goes to the next. */
static bool fill_class(struct synth_kernel *to, const struct synth_ops *p, uint32_t cls,
                       struct rng *r)
{
    const struct synth_ops_class *c = &p->cls[cls];
    double *factor = malloc(c->count * sizeof *factor), left = 0;
    if (!factor)
        return false;
    for (uint32_t k = 0; k < c->count; k++)
        factor[k] = dmath_exp(c->sigma * synth_ops_quantile((k + 0.5) / c->count));
    double scale = scale_of(c, factor);
    for (uint32_t k = 0; k < c->count; k++) {
        double ns = cut(c, scale * factor[k]) * NS_PER_US + left;
        to[k].ns = ns < 1 ? 1 : (uint64_t)(ns + 0.5);
        left = ns - (double)to[k].ns;
        to[k].sms = sms_of(c, synth_ops_quantile((k + 0.5) / c->count), r);
        to[k].cls = cls;
        to[k].bound = c->bound;
    }
    free(factor);
    return true;
}

int synth_ops_plan(struct synth_kernel **out, const struct synth_ops *p, uint64_t seed,
                   struct err *e)
{
    if (p->net.layers)
        return synth_net_step(out, NULL, NULL, &p->net, e);
    uint64_t n = synth_ops_kernels(p), at = 0;
    struct synth_kernel *plan = calloc(n, sizeof *plan);
    struct rng sizes, order;
    *out = plan;
    if (!plan)
        return err_set(e, ERR_ENOMEM, "out of memory");
    rng_init(&sizes, seed, "synth-ops", "sms");
    rng_init(&order, seed, "synth-ops", "order");
    for (uint32_t i = 0; i < p->classes; at += p->cls[i++].count) {
        if (fill_class(plan + at, p, i, &sizes))
            continue;
        free(plan);
        *out = NULL;
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    for (uint64_t i = n - 1; i > 0; i--) {
        uint64_t k = rng_below(&order, i + 1);
        struct synth_kernel t = plan[i];
        plan[i] = plan[k];
        plan[k] = t;
    }
    return 0;
}
