#include "harness/run/machines.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "harness/run/experiment.h"
#include "harness/run/scale.h"
#include "harness/run/setup.h"
#include "models/machine.h"

#define KEPT 8

struct machines {
    struct kept {
        char *named; /* the value of "machine", as text */
        struct config *profile;
    } kept[KEPT];
    unsigned next; /* the oldest */
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

int machines_open(struct machines **k, struct err *e)
{
    return (*k = calloc(1, sizeof **k)) ? 0 : no_memory(e);
}

static void forget(struct kept *k)
{
    free(k->named);
    config_free(k->profile);
    *k = (struct kept){0};
}

void machines_free(struct machines *k)
{
    for (unsigned i = 0; k && i < KEPT; i++)
        forget(&k->kept[i]);
    free(k);
}

static int from_file(const struct experiment *x, const struct config *named, struct config **out,
                     struct err *e)
{
    const char *relative;
    int rc = config_str(named, &relative, e);
    char *path = rc ? NULL : experiment_find(x, relative, e);
    if (!path)
        return err_wrap(e, rc ? rc : ERR_EIO, "%s", config_path(named));
    rc = profile_load(out, path, e);
    free(path);
    return rc;
}

/* The profile without its includes; borrowed until the next one is asked for. */
static int profile_of(const struct experiment *x, const struct config *named,
                      const struct config **out, struct err *e)
{
    struct machines *k = x->machines;
    struct kept new = {.named = config_text(named)};
    if (!new.named)
        return no_memory(e);
    for (unsigned i = 0; i < KEPT; i++)
        if (k->kept[i].named && !strcmp(k->kept[i].named, new.named)) {
            free(new.named);
            *out = k->kept[i].profile;
            return 0;
        }
    int rc = config_kind(named) == CONFIG_STRING
                 ? from_file(x, named, &new.profile, e)
                 : profile_resolve(&new.profile, named, x->folder, e);
    if (rc) {
        free(new.named);
        return rc;
    }
    forget(&k->kept[k->next]);
    k->kept[k->next] = new;
    k->next = (k->next + 1) % KEPT;
    *out = new.profile;
    return 0;
}

int machines_get(const struct experiment *x, const struct setup *s, struct machine **m, char **text,
                 struct err *e)
{
    const struct config *profile = s->machine;
    *m = NULL;
    if (text)
        *text = NULL;
    if (s->scale && !s->machine)
        return err_set(e, ERR_ENAME, "%s: there is no \"machine\" to scale", config_path(s->scale));
    if (!s->machine)
        return !text || (*text = strdup("")) ? 0 : no_memory(e);
    const bool whole =
        config_kind(s->machine) == CONFIG_OBJECT && !config_get(s->machine, "include");
    int rc = whole ? 0 : profile_of(x, s->machine, &profile, e);
    if (!rc)
        rc = machine_load(m, profile, e);
    if (!rc && s->scale)
        rc = scale_apply(*m, s->scale, e);
    if (!rc && text && !(*text = config_text(profile)))
        rc = no_memory(e);
    if (rc) {
        machine_free(*m);
        *m = NULL;
    }
    return rc;
}
