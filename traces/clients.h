/* clients.h - requests as the sum of their clients, each with its own process of arrivals and its
 * own lengths, both changing with the time of day: what ServeGen (Xiang et al., NSDI'26) found that
 * workloads of language models are made of.
 *
 *   {"duration_s": S or "requests": N, "prefix_block": tokens of a block (0: no hashes),
 *    "clients": [{
 *      "name", "model"   words; "count": N  so many of them, each by itself (default 1)
 *      "period_s": P     what follows repeats every P seconds (default: the last of it stays)
 *      "arrivals": [{"at_s": T, "rate_per_s": R, "process": "poisson", "gamma" or "weibull",
 *                    "cv": C or "shape": K}, ...]            from T on; the first at 0
 *      "lengths":  [{"at_s": T, "prompt": D, "output": D, "more": D}, ...]
 *      "follow": F       probability that a request goes on with what was said before it: its
 *                        prompt is all of that and `more` (default: prompt) tokens
 *      "max_prompt": tokens at which a talk ends (default 131072)
 *      "system_tokens": leading tokens that all prompts of this description share }, ...]}
 * where D is one of {"values": [..], "weights": [..]} (a histogram, as ServeGen publishes them),
 * {"lognormal": {"median", "sigma"}}, {"exponential": {"mean"}}, {"pareto": {"alpha", "least"}},
 * {"fixed": N}, each with "min" and "max" if one likes.
 *
 * Gaps between a client's requests are a renewal process of mean 1 in its own time, in which
 * rate(t) dt passes in dt: its rate is met whatever the shape.  A pure function of the description
 * and the seed.  Memory: of the clients, not of the requests.                */
#ifndef TRACES_CLIENTS_H
#define TRACES_CLIENTS_H

#include "sim/config.h"
#include "sim/err.h"
#include "traces/names.h"
#include "traces/record.h"
#include "traces/sha256.h"

#define CLIENTS_MAX 1000000u

enum client_process { CLIENT_POISSON, CLIENT_GAMMA, CLIENT_WEIBULL, CLIENT_PROCESSES };
struct client_rate {
    double at_s, rate_per_s, shape, scale; /* of gaps with mean 1 */
    enum client_process process;
};

enum length_kind {
    LENGTH_NONE,
    LENGTH_FIXED,
    LENGTH_VALUES,
    LENGTH_LOGNORMAL,
    LENGTH_EXPONENTIAL,
    LENGTH_PARETO
};
struct client_length {
    enum length_kind kind;
    double a, b, min, max; /* median and sigma, the mean, alpha and the least, the number */
    double *value, *below; /* [n]: the histogram and its cumulative shares */
    size_t n;
};
struct client_lengths {
    double at_s;
    struct client_length prompt, output, more;
};

struct client {
    uint32_t count, model; /* index into models; TRACE_NAME_NONE */
    double period_s;       /* 0: none */
    double mass;           /* requests expected in a period */
    struct client_rate *rate;
    struct client_lengths *lengths;
    size_t n_rate, n_lengths;
    double follow, max_prompt, system_tokens;
};
struct clients {
    struct client *c;
    size_t n;
    uint32_t all;      /* counts added up */
    double duration_s; /* 0: until `requests` */
    uint64_t requests;
    uint32_t prefix_block;
    struct trace_names *models;
    char digest[SHA256_HEX]; /* of the description */
};

int clients_read(struct clients **out, const struct config *at, struct err *e) MUST_CHECK;
void clients_free(struct clients *c); /* NULL is fine */
/* The shape of unit-mean gaps with this coefficient of variation. */
double client_shape(enum client_process p, double cv);
double client_scale(enum client_process p, double shape);
/* Takes c over, errors too. */
int clients_open(struct row_source **out, struct clients *c, uint64_t seed,
                 struct err *e) MUST_CHECK;
double clients_span_s(const struct clients *c);                         /* nominal */
const struct trace_names *clients_names(const struct row_source *rows); /* of an opened one */

#endif
