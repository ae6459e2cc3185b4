#include "models/gpu/events.h"

#include <stdlib.h>
#include <string.h>

#include "models/gpu/setup.h"

struct raw {
    double at_s;
    const char *tenant;
    const struct config *what;
    uint32_t to_device;
    bool pinned;
};
static const struct config_field fields[] = {
    CONFIG_F64(struct raw, at_s, 0, 1e6, true),
    CONFIG_STR(struct raw, tenant, true),
    {"do", CONFIG_T_ANY, offsetof(struct raw, what), 0, 0, true},
    CONFIG_U32(struct raw, to_device, 0, GPU_DEVICES_MAX - 1, false),
    CONFIG_BOOL(struct raw, pinned, false),
    CONFIG_END,
};

static int check_move(const struct gpu_setup *s, const struct gpu_event *v, const struct config *c,
                      struct err *e)
{
    const struct config *to = config_get(c, "to_device");
    if ((v->kind == EVENT_MIGRATE) != (to != NULL))
        return config_complain(to ? to : c, e, "a \"to_device\" with \"migrate\", and only then");
    if (to && (s->sharing == SHARING_VGPU_EQUAL || s->sharing == SHARING_VGPU_FIXED))
        return config_complain(config_get(c, "do"), e,
                               "no \"migrate\": seats of a vGPU host stay where they are");
    for (size_t i = 0; to && s->sharing == SHARING_EXCLUSIVE && i < s->clients; i++)
        if (i != v->client && s->client[i].device == v->to_device)
            return config_complain(to, e, "a device of nobody's: \"sharing\" is exclusive");
    return 0;
}

/* Checkpoints and restores of one tenant take turns, in time; who is away comes back. */
static int check_order(const struct gpu_setup *s, size_t n, const struct gpu_event *v,
                       const struct config *c, struct err *e)
{
    bool away = false;
    for (size_t i = 0; i < n; i++)
        if (s->event[i].client == v->client)
            away = s->event[i].kind == EVENT_CHECKPOINT;
    if (n && v->at < s->event[n - 1].at)
        return config_complain(config_get(c, "at_s"), e, "events in order of time");
    if (away != (v->kind == EVENT_RESTORE))
        return config_complain(config_get(c, "do"), e,
                               away ? "\"restore\" after \"checkpoint\""
                                    : "a \"checkpoint\" before it");
    return 0;
}

static int read_event(struct gpu_setup *s, size_t n, const struct config *c, struct err *e)
{
    static const char *const kinds[] = {"checkpoint", "restore", "migrate", NULL};
    struct raw in = {0};
    int kind = 0, rc = config_fill(c, fields, &in, e);
    if (!rc)
        rc = config_choice(in.what, kinds, &kind, e);
    if (rc)
        return rc;
    struct gpu_event *v = &s->event[n];
    *v = (struct gpu_event){.at = (sim_time)(in.at_s * 1e9 + 0.5),
                            .to_device = in.to_device,
                            .kind = (enum gpu_event_kind)kind,
                            .pinned = in.pinned};
    while (v->client < s->clients && strcmp(s->client[v->client].name, in.tenant))
        v->client++;
    if (v->client == s->clients)
        return config_complain(config_get(c, "tenant"), e, "the name of one of the \"tenants\"");
    rc = check_move(s, v, c, e);
    return rc ? rc : check_order(s, n, v, c, e);
}

/* A run that waits for somebody who stays away has no end. */
static int check_end(const struct gpu_setup *s, const struct config *list, struct err *e)
{
    for (size_t i = 0; i < s->clients; i++) {
        bool away = false;
        for (size_t k = 0; k < s->events; k++)
            if (s->event[k].client == i)
                away = s->event[k].kind == EVENT_CHECKPOINT;
        if (away && !s->client[i].background && !s->duration)
            return config_complain(list, e,
                                   "a \"restore\" of \"%s\", or a \"duration_s\" of the run",
                                   s->client[i].name);
    }
    return 0;
}

int gpu_events_read(struct gpu_setup *s, const struct config *list, struct err *e)
{
    size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (!n || !s->clients)
        return config_complain(list, e, "a list of events of \"tenants\"");
    if (!(s->event = calloc(n, sizeof *s->event)))
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    int rc = 0;
    for (; !rc && s->events < n; s->events++)
        rc = read_event(s, s->events, config_at(list, s->events), e);
    return rc ? rc : check_end(s, list, e);
}
