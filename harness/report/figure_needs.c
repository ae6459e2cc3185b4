/* "needs" of a figure: public data that it cannot do without, and may not be here. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/places.h"
#include "harness/report/figure.h"
#include "traces/source.h"

/* Whether it is there; what says where to obtain it otherwise. */
static int look(struct figure *f, const char *path, struct err *e)
{
    struct err why = {0};
    char *root = places_root(""), *found = NULL;
    const int rc = trace_find(path, &(struct trace_places){NULL, root}, &found, &why);
    free(found);
    free(root);
    if (rc == ERR_ENAME && !(f->absent = strdup(why.msg)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    return rc && rc != ERR_ENAME ? err_set(e, rc, "%s", why.msg) : 0;
}

int figure_needs(struct figure *f, const struct config *list, struct err *e)
{
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "a list of files, \"data:..\", at least one");
    int rc = 0;
    for (size_t i = 0; i < config_count(list) && !rc; i++) {
        const char *path;
        rc = config_str(config_at(list, i), &path, e);
        if (!rc && strncmp(path, "data:", 5))
            rc = config_complain(config_at(list, i), e, "\"data:..\", a file of public data");
        if (!rc && !f->absent)
            rc = look(f, path, e);
    }
    return rc;
}
