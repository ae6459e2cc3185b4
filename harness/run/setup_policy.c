/* setup_policy.c - which policy answers at which hook. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/setup.h"

struct variant {
    const char *name, *label;
    const struct config *params;
};
static const struct config_field variant_fields[] = {
    CONFIG_STR(struct variant, name, true),
    CONFIG_STR(struct variant, label, false),
    CONFIG_ANY(struct variant, params, false),
    CONFIG_END,
};

/* "fifo", or {"name": .., "label": .., "params": {..}}. */
int setup_choice(struct policy_choice *c, const struct config *at, struct err *e)
{
    struct variant v = {0};
    c->at = at;
    if (config_kind(at) == CONFIG_STRING) {
        int rc = config_str(at, &c->name, e);
        c->label = c->name;
        return rc;
    }
    if (config_kind(at) != CONFIG_OBJECT)
        return config_complain(at, e, "a policy's name or {\"name\", \"label\", \"params\"}");
    int rc = config_fill(at, variant_fields, &v, e);
    if (rc)
        return rc;
    if (v.params && config_kind(v.params) != CONFIG_OBJECT)
        return config_complain(v.params, e, "an object of parameters");
    c->name = v.name;
    c->label = v.label ? v.label : v.name;
    c->params = v.params;
    return 0;
}

static int no_hook(const struct config *at, const char *family, const char *hook, struct err *e)
{
    char list[512] = "";
    for (int h = 0, n = 0; h < POLICY_HOOK_POLICY_SELECT; h++)
        n += snprintf(list + n, sizeof list - (size_t)n, "%s%s", h ? ", " : "",
                      policy_hook_name((enum policy_hook)h));
    return err_set(e, ERR_ENAME, "%s: no hook \"%.40s%s%.40s\", want one of %s", config_path(at),
                   family, *hook ? "." : "", hook, list);
}

/* POLICY_HOOKS_N: none; hook "": any of the family. */
static int find_hook(const char *family, const char *hook)
{
    size_t n = strlen(family);
    for (int h = 0; h < POLICY_HOOKS_N; h++) {
        const char *name = policy_hook_name((enum policy_hook)h);
        if (!strncmp(name, family, n) && name[n] == '.' && (!*hook || !strcmp(name + n + 1, hook)))
            return h;
    }
    return POLICY_HOOKS_N;
}

static int read_family(struct setup *s, const struct config *family, struct err *e)
{
    const char *name = config_key(family);
    if (find_hook(name, "") == POLICY_HOOKS_N)
        return no_hook(family, name, "", e);
    if (config_kind(family) != CONFIG_OBJECT)
        return config_complain(family, e, "an object of its hooks and who answers them");
    for (size_t i = 0; i < config_count(family); i++) {
        const struct config *at = config_at(family, i);
        int hook = find_hook(name, config_key(at));
        const bool lives = config_kind(at) == CONFIG_OBJECT && config_get(at, "candidates");
        int rc = hook == POLICY_HOOKS_N || !config_key(at)[0] ? no_hook(at, name, config_key(at), e)
                 : lives ? setup_life(s, (enum policy_hook)hook, at, e)
                         : setup_choice(&s->policy[1 + hook], at, e);
        if (rc)
            return rc;
    }
    return 0;
}

int setup_policies(struct setup *s, const struct config *policy, const struct config *policies,
                   struct err *e)
{
    int rc = policy ? setup_choice(&s->policy[0], policy, e) : 0;
    if (!rc && policies && config_kind(policies) != CONFIG_OBJECT)
        return config_complain(policies, e, "an object of hooks and who answers them");
    for (size_t i = 0; policies && i < config_count(policies) && !rc; i++)
        rc = read_family(s, config_at(policies, i), e);
    return rc;
}

/* ---- one spelling ---------------------------------------------------------------- */

static bool dotted(const struct config *policies)
{
    for (size_t i = 0; policies && i < config_count(policies); i++)
        if (config_key(config_at(policies, i)) && strchr(config_key(config_at(policies, i)), '.'))
            return true;
    return false;
}

static int set_nested(struct config *doc, const struct config *at, struct err *e)
{
    char *path = NULL, *text = config_text(at);
    const char *key = config_key(at), *dot = strchr(key, '.');
    const struct config *policies = config_get(doc, "policies"), *family = NULL;
    int rc = text && asprintf(&path, "policies.%s", key) >= 0 ? 0 : ERR_ENOMEM;
    if (rc)
        err_set(e, rc, "out of memory for the experiment");
    char *stem = dot ? strndup(key, (size_t)(dot - key)) : NULL;
    if (!rc && stem)
        family = config_get(policies, stem);
    if (!rc && family && config_kind(family) != CONFIG_OBJECT)
        rc = config_complain(family, e, "an object of its hooks and who answers them");
    else if (!rc && family && config_get(family, dot + 1))
        rc = err_set(e, ERR_ENAME, "%s: \"%s\" is given twice", config_path(policies), key);
    if (!rc)
        rc = config_set(doc, path, text, e);
    free(stem);
    free(text);
    free(path);
    return rc;
}

int setup_nest_policies(struct config *doc, struct err *e)
{
    const struct config *was = config_get(doc, "policies");
    if (!was || config_kind(was) != CONFIG_OBJECT || !dotted(was))
        return 0;
    struct config *old = config_copy(doc);
    int rc = old ? config_set(doc, "policies", "{}", e) : ERR_ENOMEM;
    was = old ? config_get(old, "policies") : NULL;
    for (int pass = 0; pass < 2; pass++) /* whole families first, then what joins them */
        for (size_t i = 0; was && i < config_count(was) && !rc; i++) {
            const struct config *at = config_at(was, i);
            if (!!strchr(config_key(at), '.') == pass)
                rc = set_nested(doc, at, e);
        }
    config_free(old);
    return rc;
}
