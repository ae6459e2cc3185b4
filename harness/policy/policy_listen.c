#include "harness/policy/policy_listen.h"

#include <stdio.h>

#include "harness/base/fmt.h"

struct listener {
    bool json;
    int asked;
};

static void begin_asked(struct listener *l, const char *name)
{
    printf(l->json ? "%s\n  {\"name\": \"%s\", \"default\": " : "%s  %s = ",
           l->asked++ && l->json ? "," : "", name);
}

static double listen_param(void *host, const char *name, double otherwise)
{
    struct listener *l = host;
    begin_asked(l, name);
    json_number(stdout, otherwise);
    printf(l->json ? "}" : "\n");
    return otherwise;
}

static const char *listen_text(void *host, const char *name, const char *otherwise)
{
    struct listener *l = host;
    begin_asked(l, name);
    json_string(stdout, otherwise);
    printf(l->json ? "}" : "\n");
    return otherwise;
}

static int listen_model(void *host, const char *name, uint32_t *n_in, uint32_t *n_out)
{
    struct listener *l = host;
    if (!l->json)
        printf("  infers with %s\n", name);
    *n_in = *n_out = 0;
    return -1;
}

static void listen_log(void *host, const char *line)
{
    (void)host, (void)line;
}

static uint64_t listen_random(void *host)
{
    (void)host;
    return 0;
}

static int listen_infer(void *host, int model, uint32_t rows, const float *in, float *out)
{
    (void)host, (void)model, (void)rows, (void)in, (void)out;
    return -1;
}

static int listen_features(void *host, const char *name, const struct policy_field *field,
                           uint32_t n_field, uint32_t rows)
{
    struct listener *l = host;
    (void)field, (void)rows;
    if (!l->json)
        printf("  keeps features %s: %u fields\n", name, n_field);
    return -1;
}

/* What it may call although it was told that nothing is there. */
static int no_update(void *host, int model, const char *name)
{
    (void)host, (void)model, (void)name;
    return -1;
}
static int no_training(void *host, int model, const struct policy_train *piece)
{
    (void)host, (void)model, (void)piece;
    return -1;
}
static int no_renewal(void *host, int model)
{
    (void)host, (void)model;
    return -1;
}
static void no_close(void *host, int model)
{
    (void)host, (void)model;
}
static int no_begin(void *host, int registry)
{
    (void)host, (void)registry;
    return -1;
}
static int no_put(void *host, int registry, uint32_t field, float value)
{
    (void)host, (void)registry, (void)field, (void)value;
    return -1;
}
static int no_time(void *host, int registry, uint64_t ns)
{
    (void)host, (void)registry, (void)ns;
    return -1;
}

void policy_listen(const struct policy_ops *o, bool json)
{
    struct listener l = {.json = json};
    struct policy_host h = {.host = &l,
                            .log = listen_log,
                            .random = listen_random,
                            .param = listen_param,
                            .param_text = listen_text,
                            .model_open = listen_model,
                            .infer = listen_infer,
                            .model_update = no_update,
                            .model_close = no_close,
                            .model_train = no_training,
                            .model_renew = no_renewal,
                            .features = listen_features,
                            .feature_begin = no_begin,
                            .feature_put = no_put,
                            .feature_add = no_put,
                            .feature_commit = no_time,
                            .feature_drop = no_time};
    void *self = NULL;
    if (!o->create(&self, &h))
        o->destroy(self);
    fflush(stdout);
}
