/* open_net.h - the network of a learned policy: parameter "model" names it. */
#ifndef POLICIES_OPEN_NET_H
#define POLICIES_OPEN_NET_H

#include "policy.h"

/* A handle; -1 after saying why: there is none, or it was trained for another policy. */
static inline int open_net(const struct policy_host *h, const char *otherwise, uint32_t inputs,
                           uint32_t outputs)
{
    uint32_t n_in, n_out;
    const int model =
        h->model_open(h->host, h->param_text(h->host, "model", otherwise), &n_in, &n_out);
    if (model < 0) {
        h->log(h->host, "no model, no predictions");
        return -1;
    }
    if (n_in == inputs && n_out == outputs)
        return model;
    h->log(h->host, "the model has other inputs or outputs than this policy: train it again");
    return -1;
}

#endif
