/* setup_idle.c - settings that could have no effect, or none that is meant, are refused. */
#include "models/gpu/setup.h"

static int list_covers(const struct gpu_client_setup *c, struct err *e)
{
    const size_t n = config_count(c->list);
    if (c->count > n)
        return config_complain(config_get(c->at, "count"), e, "at most the %zu times of list_s", n);
    if (c->warmup >= n)
        return config_complain(config_get(c->at, "warmup"), e, "fewer than the %zu times of list_s",
                               n);
    return 0;
}

static int check_client(const struct gpu_client_setup *c, struct err *e)
{
    const struct config *arrivals = config_get(c->at, "arrivals");
    const struct config *whose = arrivals ? config_get(arrivals, "trace_tenant") : NULL;
    if (c->think && c->arrival != ARRIVE_LOOP)
        return config_complain(config_get(c->at, "think_ms"), e,
                               "no \"think_ms\" beside \"arrivals\": it is a loop's pause");
    if (whose && c->arrival != ARRIVE_TRACE)
        return config_complain(whose, e, "no \"trace_tenant\" without the process \"trace\"");
    return c->list ? list_covers(c, e) : 0;
}

/* Seats of the GPU on which most tenants begin. */
static uint32_t most_tenants(const struct gpu_setup *s)
{
    uint32_t on[GPU_DEVICES_MAX] = {0}, most = 0;
    for (size_t i = 0; i < s->clients; i++) {
        uint32_t *n = &on[s->client[i].device];
        *n += s->client[i].copies;
        most = *n > most ? *n : most;
    }
    return most;
}

int gpu_setup_idle(const struct gpu_setup *s, const struct config *section, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < s->clients; i++)
        rc = check_client(&s->client[i], e);
    if (rc || !section)
        return rc;
    if (config_get(section, "coalesce") && !config_get(section, "remote"))
        return config_complain(config_get(section, "coalesce"), e,
                               "a \"remote\" channel beside it");
    if (s->normalize && !s->clients)
        return config_complain(config_get(section, "normalize"), e,
                               "\"tenants\" beside it: a trace runs alone");
    if (s->vgpus && s->vgpus < most_tenants(s))
        return config_complain(config_get(section, "vgpus"), e, "at least %u, one for each tenant",
                               most_tenants(s));
    return 0;
}
