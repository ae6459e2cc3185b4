/* open_net.h - how a learned policy begins: its state, its parameters, its network, which the
 * parameter "model" names. */
#ifndef POLICIES_OPEN_NET_H
#define POLICIES_OPEN_NET_H

#include <stdlib.h>

#include "policy.h"

/* Its state, all zero; NULL after saying why. */
static inline void *net_state(const struct policy_host *h, size_t size)
{
    void *self = calloc(1, size);
    if (!self)
        h->log(h->host, "out of memory");
    return self;
}

/* What create answers where it gives up; why NULL: it was said already. */
static inline int net_refuse(const struct policy_host *h, void *self, const char *why)
{
    if (why)
        h->log(h->host, why);
    free(self);
    return -1;
}

/* A handle; -1 after saying why: there is none, or it was trained for another policy. */
static inline int open_named_net(const struct policy_host *h, const char *name, uint32_t inputs,
                                 uint32_t outputs)
{
    uint32_t n_in, n_out;
    const int model = h->model_open(h->host, name, &n_in, &n_out);
    if (model < 0) {
        h->log(h->host, "no model, no predictions");
        return -1;
    }
    if (n_in == inputs && n_out == outputs)
        return model;
    h->log(h->host, "the model has other inputs or outputs than this policy: train it again");
    return -1;
}

/* The same of the parameter "model". */
static inline int open_net(const struct policy_host *h, const char *otherwise, uint32_t inputs,
                           uint32_t outputs)
{
    return open_named_net(h, h->param_text(h->host, "model", otherwise), inputs, outputs);
}

/* The end of create: 0, or -1 without the state where there is no such network. */
static inline int net_created(void **to, void *self, const struct policy_host *h, int model)
{
    if (model < 0)
        return net_refuse(h, self, NULL);
    *to = self;
    return 0;
}

#endif
