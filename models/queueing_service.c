#include "models/queueing_service.h"

#include <math.h>
#include <stddef.h>

#include "sim/dmath.h"

static const char *const names[] = {"exponential", "deterministic",    "gamma",
                                    "lognormal",   "hyperexponential", NULL};

struct service service_of(enum service_kind kind, double scv)
{
    struct service s = {.kind = kind, .scv = scv};
    switch (kind) {
    case SERVICE_EXPONENTIAL:
        s.scv = 1;
        break;
    case SERVICE_DETERMINISTIC:
        s.scv = 0;
        break;
    case SERVICE_GAMMA: /* shape and scale */
        s.a = 1 / scv;
        s.b = scv;
        break;
    case SERVICE_LOGNORMAL: /* mu and sigma */
        s.b = sqrt(dmath_log1p(scv));
        s.a = -0.5 * s.b * s.b;
        break;
    case SERVICE_HYPEREXPONENTIAL: /* odds of the first phase; means 1/2a and 1/2(1-a) */
        s.a = 0.5 * (1 + sqrt((scv - 1) / (scv + 1)));
        break;
    }
    return s;
}

double service_draw(const struct service *s, struct rng *r, double mean)
{
    switch (s->kind) {
    case SERVICE_EXPONENTIAL:
        return rng_exponential(r, mean);
    case SERVICE_DETERMINISTIC:
        return mean;
    case SERVICE_GAMMA:
        return mean * rng_gamma(r, s->a, s->b);
    case SERVICE_LOGNORMAL:
        return mean * rng_lognormal(r, s->a, s->b);
    case SERVICE_HYPEREXPONENTIAL:
        break;
    }
    double odds = rng_unit(r) < s->a ? s->a : 1 - s->a;
    return rng_exponential(r, mean / (2 * odds));
}

struct fields {
    const struct config *distribution, *scv;
};

int service_config(const struct config *c, struct service *s, struct err *e)
{
    static const struct config_field fields[] = {CONFIG_ANY(struct fields, distribution, true),
                                                 CONFIG_ANY(struct fields, scv, false), CONFIG_END};
    struct fields f = {0};
    int kind = 0, rc = config_fill(c, fields, &f, e);
    if (!rc)
        rc = config_choice(f.distribution, names, &kind, e);
    if (rc)
        return rc;
    bool open = kind >= SERVICE_GAMMA;
    if (open && !f.scv)
        return config_complain(c, e, "\"scv\" beside \"distribution\": \"%s\"", names[kind]);
    if (!open && f.scv)
        return config_complain(f.scv, e, "no \"scv\": \"%s\" has its own", names[kind]);
    double scv = 1, least = kind == SERVICE_HYPEREXPONENTIAL ? 1 : 0.001;
    if (open && (rc = config_f64(f.scv, least, 1000, &scv, e)))
        return rc;
    *s = service_of(kind, scv);
    return 0;
}
