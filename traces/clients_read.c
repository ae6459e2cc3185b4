/* clients_read.c - the description of clients, read and checked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"
#include "traces/clients.h"

#define TOKENS_MAX 1e8
#define TIME_MAX   1e8
#define LIST_MAX   100000u
#define CV_LEAST   0.05
#define CV_MOST    20.0

/* Gamma of x > 0 (Lanczos, g = 7, 9 terms): 13 digits, the same ones everywhere. */
static double gamma_of(double x)
{
    static const double c[9] = {0.99999999999980993,  676.5203681218851,     -1259.1392167224028,
                                771.32342877765313,   -176.61502916214059,   12.507343278686905,
                                -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
    double sum = c[0], t = x + 6.5;
    for (int i = 1; i < 9; i++)
        sum += c[i] / (x - 1 + i);
    return 2.5066282746310005 * sum * dmath_exp((x - 0.5) * dmath_log(t) - t);
}

static double weibull_cv2(double shape)
{
    const double m = gamma_of(1 + 1 / shape);
    return gamma_of(1 + 2 / shape) / (m * m) - 1;
}

double client_shape(enum client_process p, double cv)
{
    if (p != CLIENT_WEIBULL)
        return p == CLIENT_GAMMA ? 1 / (cv * cv) : 1;
    double low = 0.15, high = 30; /* of cv 20 and more, and less than 0.05 */
    for (int i = 0; i < 60; i++) {
        const double mid = (low + high) / 2;
        if (weibull_cv2(mid) > cv * cv)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

double client_scale(enum client_process p, double shape)
{
    return p == CLIENT_WEIBULL ? 1 / gamma_of(1 + 1 / shape) : 1 / shape;
}

struct rate_text {
    struct client_rate r;
    double cv;
    const struct config *process;
};

static int read_rate(const struct config *at, struct client_rate *out, struct err *e)
{
    static const char *const names[] = {"poisson", "gamma", "weibull", NULL};
    static const struct config_field fields[] = {
        {"at_s", CONFIG_T_F64, offsetof(struct rate_text, r.at_s), 0, TIME_MAX, false},
        {"rate_per_s", CONFIG_T_F64, offsetof(struct rate_text, r.rate_per_s), 0, 1e8, true},
        {"shape", CONFIG_T_F64, offsetof(struct rate_text, r.shape), 0.15, 1000, false},
        {"cv", CONFIG_T_F64, offsetof(struct rate_text, cv), CV_LEAST, CV_MOST, false},
        {"process", CONFIG_T_ANY, offsetof(struct rate_text, process), 0, 0, false},
        CONFIG_END,
    };
    struct rate_text t = {0};
    int which = 0, rc = config_fill(at, fields, &t, e);
    if (!rc && t.process)
        rc = config_choice(t.process, names, &which, e);
    if (rc)
        return rc;
    t.r.process = (enum client_process)which;
    if (which == CLIENT_POISSON ? t.cv > 0 || t.r.shape > 0 : (t.cv > 0) == (t.r.shape > 0))
        return config_complain(at, e,
                               which ? "one of \"cv\" and \"shape\""
                                     : "neither \"cv\" nor \"shape\" of a Poisson process");
    if (t.r.shape <= 0)
        t.r.shape = client_shape(t.r.process, t.cv);
    t.r.scale = client_scale(t.r.process, t.r.shape);
    *out = t.r;
    return 0;
}

static int histogram(const struct config *values, const struct config *weights,
                     struct client_length *l, struct err *e)
{
    const size_t n = config_kind(values) == CONFIG_ARRAY ? config_count(values) : 0;
    double sum = 0;
    if (!n || n > LIST_MAX)
        return config_complain(values, e, "a list of 1..%u lengths", LIST_MAX);
    if (!weights || config_kind(weights) != CONFIG_ARRAY || config_count(weights) != n)
        return config_complain(values, e, "as many \"weights\"");
    l->n = n;
    l->value = calloc(n, sizeof *l->value);
    l->below = calloc(n, sizeof *l->below);
    if (!l->value || !l->below)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        double w = 0;
        rc = config_f64(config_at(values, i), 0, TOKENS_MAX, &l->value[i], e);
        if (!rc)
            rc = config_f64(config_at(weights, i), 0, 1e15, &w, e);
        l->below[i] = sum += w;
    }
    if (!rc && sum <= 0)
        return config_complain(weights, e, "a weight above 0");
    for (size_t i = 0; i < n; i++)
        l->below[i] /= sum;
    return rc;
}

struct length_text {
    double min, max, fixed;
    const struct config *values, *weights, *lognormal, *exponential, *pareto;
};

static int two(const struct config *at, const char *first, const char *second, double least,
               struct client_length *l, struct err *e)
{
    const struct config_field fields[] = {
        {first, CONFIG_T_F64, offsetof(struct client_length, a), 1e-3, TOKENS_MAX, true},
        {second ? second : first, CONFIG_T_F64, offsetof(struct client_length, b), least,
         TOKENS_MAX, second != NULL},
        CONFIG_END,
    };
    const struct config_field one[] = {fields[0], CONFIG_END};
    return config_fill(at, second ? fields : one, l, e);
}

static int read_length(const struct config *at, struct client_length *l, struct err *e)
{
    static const struct config_field fields[] = {
        CONFIG_F64(struct length_text, min, 0, TOKENS_MAX, false),
        CONFIG_F64(struct length_text, max, 1, TOKENS_MAX, false),
        CONFIG_F64(struct length_text, fixed, 0, TOKENS_MAX, false),
        CONFIG_ANY(struct length_text, values, false),
        CONFIG_ANY(struct length_text, weights, false),
        CONFIG_ANY(struct length_text, lognormal, false),
        CONFIG_ANY(struct length_text, exponential, false),
        CONFIG_ANY(struct length_text, pareto, false),
        CONFIG_END,
    };
    struct length_text t = {.min = 1, .max = 1e6, .fixed = -1};
    int rc = config_fill(at, fields, &t, e);
    if (rc)
        return rc;
    l->min = t.min;
    l->max = t.max;
    l->a = t.fixed;
    if (t.min > t.max)
        return config_complain(at, e, "min not above max");
    if ((t.fixed >= 0) + !!t.values + !!t.lognormal + !!t.exponential + !!t.pareto != 1)
        return config_complain(at, e, "one of fixed, values, lognormal, exponential, pareto");
    l->kind = t.values        ? LENGTH_VALUES
              : t.lognormal   ? LENGTH_LOGNORMAL
              : t.exponential ? LENGTH_EXPONENTIAL
              : t.pareto      ? LENGTH_PARETO
                              : LENGTH_FIXED;
    if (t.values)
        return histogram(t.values, t.weights, l, e);
    if (t.lognormal)
        return two(t.lognormal, "median", "sigma", 0, l, e);
    if (t.exponential)
        return two(t.exponential, "mean", NULL, 0, l, e);
    return t.pareto ? two(t.pareto, "alpha", "least", 1e-3, l, e) : 0;
}

struct lengths_text {
    double at_s;
    const struct config *prompt, *output, *more;
};

static int read_lengths(const struct config *at, struct client_lengths *l, struct err *e)
{
    static const struct config_field fields[] = {
        CONFIG_F64(struct lengths_text, at_s, 0, TIME_MAX, false),
        CONFIG_ANY(struct lengths_text, prompt, true),
        CONFIG_ANY(struct lengths_text, output, true),
        CONFIG_ANY(struct lengths_text, more, false),
        CONFIG_END,
    };
    struct lengths_text t = {0};
    int rc = config_fill(at, fields, &t, e);
    l->at_s = t.at_s;
    if (!rc)
        rc = read_length(t.prompt, &l->prompt, e);
    if (!rc)
        rc = read_length(t.output, &l->output, e);
    return rc || !t.more ? rc : read_length(t.more, &l->more, e);
}

/* A list whose times begin at 0 and rise, within the period. */
static int check_time(const struct config *list, size_t i, double before, double at, double period,
                      struct err *e)
{
    if (i == 0 && at > 0)
        return config_complain(config_at(list, i), e, "the first at_s to be 0");
    if (i && at <= before)
        return config_complain(config_at(list, i), e, "an at_s after the one before");
    if (period > 0 && at >= period)
        return config_complain(config_at(list, i), e, "an at_s within period_s");
    return 0;
}

static int want_list(const struct config *list, struct err *e)
{
    if (config_kind(list) == CONFIG_ARRAY && config_count(list) && config_count(list) <= LIST_MAX)
        return 0;
    return config_complain(list, e, "a list of at least one, at most %u", LIST_MAX);
}

static int rates(const struct config *list, struct client *c, struct err *e)
{
    double most = 0;
    int rc = want_list(list, e);
    if (!rc && !(c->rate = calloc(config_count(list), sizeof *c->rate)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        struct client_rate *r = &c->rate[c->n_rate++];
        rc = read_rate(config_at(list, i), r, e);
        if (!rc)
            rc = check_time(list, i, i ? r[-1].at_s : 0, r->at_s, c->period_s, e);
        most = r->rate_per_s > most ? r->rate_per_s : most;
    }
    for (size_t i = 0; c->period_s > 0 && i < c->n_rate; i++) {
        const double end = i + 1 < c->n_rate ? c->rate[i + 1].at_s : c->period_s;
        c->mass += c->rate[i].rate_per_s * (end - c->rate[i].at_s);
    }
    return rc || most > 0 ? rc : config_complain(list, e, "a rate above 0");
}

static int all_lengths(const struct config *list, struct client *c, struct err *e)
{
    int rc = want_list(list, e);
    if (!rc && !(c->lengths = calloc(config_count(list), sizeof *c->lengths)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        struct client_lengths *l = &c->lengths[c->n_lengths++];
        rc = read_lengths(config_at(list, i), l, e);
        if (!rc)
            rc = check_time(list, i, i ? l[-1].at_s : 0, l->at_s, c->period_s, e);
    }
    return rc;
}

struct client_text {
    struct client c;
    const char *name, *model;
    const struct config *arrivals, *lengths;
};

static int read_client(const struct config *at, struct clients *all, struct client *out,
                       struct err *e)
{
    static const struct config_field fields[] = {
        CONFIG_STR(struct client_text, name, false),
        CONFIG_STR(struct client_text, model, false),
        {"count", CONFIG_T_U32, offsetof(struct client_text, c.count), 1, CLIENTS_MAX, false},
        {"period_s", CONFIG_T_F64, offsetof(struct client_text, c.period_s), 1, TIME_MAX, false},
        {"follow", CONFIG_T_F64, offsetof(struct client_text, c.follow), 0, 0.999, false},
        {"max_prompt", CONFIG_T_F64, offsetof(struct client_text, c.max_prompt), 1, TOKENS_MAX,
         false},
        {"system_tokens", CONFIG_T_F64, offsetof(struct client_text, c.system_tokens), 0,
         TOKENS_MAX, false},
        CONFIG_ANY(struct client_text, arrivals, true),
        CONFIG_ANY(struct client_text, lengths, true),
        CONFIG_END,
    };
    struct client_text t = {.c = {.count = 1, .max_prompt = 131072, .model = TRACE_NAME_NONE}};
    int rc = config_fill(at, fields, &t, e);
    *out = t.c;
    if (rc)
        return rc;
    if (t.model &&
        (out->model = names_id(all->models, t.model, strlen(t.model))) == TRACE_NAME_NONE)
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (out->count > CLIENTS_MAX - all->all)
        return config_complain(at, e, "at most %u clients in all", CLIENTS_MAX);
    all->all += out->count;
    rc = rates(t.arrivals, out, e);
    return rc ? rc : all_lengths(t.lengths, out, e);
}

struct clients_text {
    double duration_s;
    uint64_t requests;
    uint32_t prefix_block;
    const struct config *clients;
};

static int read_all(struct clients *all, const struct config *at, struct err *e)
{
    static const struct config_field fields[] = {
        CONFIG_F64(struct clients_text, duration_s, 1e-3, TIME_MAX, false),
        CONFIG_U64(struct clients_text, requests, 1, 1e15, false),
        CONFIG_U32(struct clients_text, prefix_block, 0, 65536, false),
        CONFIG_ANY(struct clients_text, clients, true),
        CONFIG_END,
    };
    struct clients_text t = {0};
    int rc = config_fill(at, fields, &t, e);
    if (rc || (rc = want_list(t.clients, e)))
        return rc;
    if (t.duration_s <= 0 && !t.requests)
        return config_complain(at, e, "duration_s or requests: where it ends");
    all->duration_s = t.duration_s;
    all->requests = t.requests;
    all->prefix_block = t.prefix_block;
    if (!(all->models = names_new()) || !(all->c = calloc(config_count(t.clients), sizeof *all->c)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < config_count(t.clients); i++)
        rc = read_client(config_at(t.clients, i), all, &all->c[all->n++], e);
    return rc;
}

int clients_read(struct clients **out, const struct config *at, struct err *e)
{
    struct clients *all = calloc(1, sizeof *all);
    char *text = config_text(at);
    int rc = all && text ? read_all(all, at, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        sha256_text(text, all->digest);
    free(text);
    *out = all;
    if (rc) {
        clients_free(all);
        *out = NULL;
    }
    return rc;
}

static void free_length(struct client_length *l)
{
    free(l->value);
    free(l->below);
}

void clients_free(struct clients *all)
{
    for (size_t i = 0; all && i < all->n; i++) {
        struct client *c = &all->c[i];
        for (size_t k = 0; k < c->n_lengths; k++) {
            free_length(&c->lengths[k].prompt);
            free_length(&c->lengths[k].output);
            free_length(&c->lengths[k].more);
        }
        free(c->lengths);
        free(c->rate);
    }
    if (all) {
        free(all->c);
        names_free(all->models);
    }
    free(all);
}
