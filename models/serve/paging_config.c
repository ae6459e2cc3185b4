/* paging_config.c - the section "paging". */
#include "models/serve/paging.h"

struct section {
    struct paging_config c;
    const struct config *by, *layout, *ask;
    double staging_mib;
    uint32_t page_kib;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, by, false),
    CONFIG_ANY(struct section, layout, false),
    CONFIG_ANY(struct section, ask, false),
    CONFIG_F64(struct section, staging_mib, 0, 1 << 16, false),
    CONFIG_U32(struct section, page_kib, 4, 1 << 20, false),
    {"overlap", CONFIG_T_BOOL, offsetof(struct section, c.overlap), 0, 0, false},
    {"host_gib", CONFIG_T_F64, offsetof(struct section, c.host_gib), 0, 1 << 20, false},
    {"ssd_gib", CONFIG_T_F64, offsetof(struct section, c.ssd_gib), 0, 1 << 20, false},
    {"drive", CONFIG_T_STR, offsetof(struct section, c.drive), 0, 0, false},
    CONFIG_END};

static int choose(const struct config *at, const char *const *names, int *v, struct err *e)
{
    return at ? config_choice(at, names, v, e) : 0;
}

/* Keys of the one way beside the other are a mistake. */
static int check(const struct config *at, bool os, const struct section *in, struct err *e)
{
    static const char *const of_os[] = {"ask", "page_kib"};
    if (os && config_get(at, "staging_mib"))
        return config_complain(config_get(at, "staging_mib"), e, "\"by\": \"process\" beside it");
    for (size_t i = 0; !os && i < sizeof of_os / sizeof *of_os; i++)
        if (config_get(at, of_os[i]))
            return config_complain(config_get(at, of_os[i]), e, "\"by\": \"os\" beside it");
    if (in->c.ssd_gib > 0 && in->c.host_gib <= 0)
        return config_complain(config_get(at, "ssd_gib"), e, "\"host_gib\" before it");
    return 0;
}

int paging_config(struct paging_config *c, const struct config *at, struct err *e)
{
    static const char *const who[] = {"process", "os", NULL},
                             *const lie[] = {"blocks", "layers", NULL},
                             *const when[] = {"ahead", "faults", NULL};
    struct section in = {.c = {.drive = "980-pro"}, .page_kib = 2048};
    int by = 0, layout = 0, ask = 0;
    *c = (struct paging_config){0};
    if (!at)
        return 0;
    int rc = config_fill(at, fields, &in, e);
    if (!rc)
        rc = choose(in.by, who, &by, e);
    if (!rc)
        rc = choose(in.layout, lie, &layout, e);
    if (!rc)
        rc = choose(in.ask, when, &ask, e);
    if (!rc)
        rc = check(at, by, &in, e);
    if (rc)
        return rc;
    *c = in.c;
    c->on = true;
    c->by_layer = layout;
    c->pager.way = by ? (ask ? PAGER_FAULTS : PAGER_ASKED)
                      : (in.staging_mib > 0 ? PAGER_STAGED : PAGER_COPIES);
    c->pager.page = (uint64_t)in.page_kib << 10;
    c->pager.staging = (uint64_t)(in.staging_mib * 0x1p20);
    return 0;
}
