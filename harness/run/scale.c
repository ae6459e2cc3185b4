#include "harness/run/scale.h"

#include <stdio.h>
#include <string.h>

#define FACTOR_MOST 1e6
#define DEPTH       8
#define NAME_LEN    256

static int apply_one(struct machine *m, const char *name, const struct config *at, struct err *e)
{
    double factor = 1;
    int rc = config_f64(at, 1 / FACTOR_MOST, FACTOR_MOST, &factor, e);
    if (!rc && (rc = machine_scale(m, name, factor, e)))
        err_wrap(e, rc, "%s", config_path(at));
    return rc;
}

static int walk(struct machine *m, const char *prefix, const struct config *section, int depth,
                struct err *e)
{
    char name[NAME_LEN];
    int rc = 0;
    if (config_kind(section) != CONFIG_OBJECT || depth > DEPTH)
        return config_complain(section, e, "an object of constants and factors");
    for (size_t i = 0; i < config_count(section) && !rc; i++) {
        const struct config *c = config_at(section, i);
        if (!depth && !strcmp(config_key(c), "label"))
            continue;
        const int n =
            snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", config_key(c));
        if (n < 0 || (size_t)n >= sizeof name)
            rc = config_complain(c, e, "the name of a constant");
        else if (config_kind(c) == CONFIG_OBJECT)
            rc = walk(m, name, c, depth + 1, e);
        else
            rc = apply_one(m, name, c, e);
    }
    return rc;
}

int scale_apply(struct machine *m, const struct config *scale, struct err *e)
{
    return walk(m, "", scale, 0, e);
}
