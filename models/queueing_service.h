/* queueing_service.h - service times of the textbook queues: a distribution
 * by name with a given mean and squared coefficient of variation.           */
#ifndef MODELS_QUEUEING_SERVICE_H
#define MODELS_QUEUEING_SERVICE_H

#include "sim/config.h"
#include "sim/rng.h"

enum service_kind {
    SERVICE_EXPONENTIAL,
    SERVICE_DETERMINISTIC,
    SERVICE_GAMMA,
    SERVICE_LOGNORMAL,
    SERVICE_HYPEREXPONENTIAL /* two phases, balanced means */
};

struct service {
    enum service_kind kind;
    double scv;  /* variance / mean^2 */
    double a, b; /* the distribution's own parameters, for mean 1 */
};

struct service service_of(enum service_kind kind, double scv);
/* {"distribution": NAME, "scv": X}; scv where the name leaves it open. */
int service_config(const struct config *c, struct service *s, struct err *e) MUST_CHECK;
double service_draw(const struct service *s, struct rng *r, double mean);

#endif
