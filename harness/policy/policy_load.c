#include "harness/policy/policy_load.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"
#include "models/policy_slot.h"
#include "sim/near.h"

struct policy {
    void *object;
    const struct policy_ops *ops;
    char *path;
};

#define NAME_MAX_LEN 64
#define ABI_SEARCH   64 /* older and newer tables we can name in a complaint */

/* ---- what is there --------------------------------------------------------- */

/* File names have '_' where names have '-': both are accepted. */
static void swap_dashes(char *s, char from, char to)
{
    for (; *s; s++)
        if (*s == from)
            *s = to;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct policy_names *out, const char *file, size_t stem)
{
    char **bigger = realloc(out->name, (out->n + 1) * sizeof *bigger);
    if (!bigger)
        return -1;
    out->name = bigger;
    if (!(out->name[out->n] = strndup(file, stem)))
        return -1;
    swap_dashes(out->name[out->n++], '_', '-');
    return 0;
}

int policy_names(struct policy_names *out, struct err *e)
{
    *out = (struct policy_names){0};
    char *where = places_build("policies");
    DIR *d = where ? opendir(where) : NULL;
    free(where);
    if (!d)
        return 0; /* none built: an empty list is the truth */
    int rc = 0;
    for (struct dirent *f; !rc && (f = readdir(d));) {
        size_t len = strlen(f->d_name);
        if (len > 3 && !strcmp(f->d_name + len - 3, ".so") && add_name(out, f->d_name, len - 3))
            rc = err_set(e, ERR_ENOMEM, "listing policies: out of memory");
    }
    closedir(d);
    if (out->n)
        qsort(out->name, out->n, sizeof *out->name, by_name);
    return rc;
}

void policy_names_free(struct policy_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct policy_names){0};
}

/* "arc, cfs, clock and 12 more": as many as have room. */
static void list_names(const struct policy_names *known, char *list, size_t size)
{
    size_t at = (size_t)snprintf(list, size, "%s", known->n ? "" : "none");
    for (size_t i = 0; i < known->n; i++) {
        size_t len = strlen(known->name[i]) + 2;
        if (at + len + sizeof " and 1000 more" > size) {
            snprintf(list + at, size - at, " and %zu more", known->n - i);
            return;
        }
        at += (size_t)snprintf(list + at, size - at, "%s%s", i ? ", " : "", known->name[i]);
    }
}

static int unknown(const char *name, struct err *e)
{
    struct policy_names known;
    int rc = policy_names(&known, e);
    if (!rc) {
        char list[256];
        struct near n;
        near_begin(&n, name);
        for (size_t i = 0; i < known.n; i++)
            near_offer(&n, known.name[i]);
        list_names(&known, list, sizeof list);
        rc = n.best ? err_set(e, ERR_ENAME, "no policy \"%.64s\"%s (malv policy list names them)",
                              name, near_words(&n))
                    : err_set(e, ERR_ENAME,
                              "no policy \"%.64s\"; known: %s (see malv policy list; a path has a "
                              "'/' in it)",
                              name, list);
    }
    policy_names_free(&known);
    return rc;
}

static int find(const char *name, char **path, struct err *e)
{
    if (strchr(name, '/')) {
        if (access(name, R_OK))
            return err_set(e, ERR_ENAME, "%s: no such file, want a policy's .so", name);
        return (*path = strdup(name)) ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    }
    char relative[NAME_MAX_LEN + 16];
    if (!*name || strlen(name) > NAME_MAX_LEN)
        return unknown(name, e);
    snprintf(relative, sizeof relative, "policies/%s.so", name);
    swap_dashes(relative, '-', '_');
    *path = places_build(relative);
    return *path && !access(*path, R_OK) ? 0 : unknown(name, e);
}

/* ---- is it ours -------------------------------------------------------------- */

static int check_name(const char *name)
{
    if (!name || !*name || strlen(name) > NAME_MAX_LEN)
        return -1;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
            return -1;
    return 0;
}

int policy_check_table(const struct policy_ops *o, const char *path, struct err *e)
{
    if (o->abi != POLICY_ABI || o->ops_size != sizeof *o ||
        o->host_size != sizeof(struct policy_host) || o->obs_size != POLICY_OBS_SIZE)
        return err_set(e, ERR_EABI,
                       "%s: built for abi %u (ops %u, host %u, observations %u bytes), this "
                       "tree has abi %d (%zu, %zu, %zu); rebuild it",
                       path, o->abi, o->ops_size, o->host_size, o->obs_size, POLICY_ABI, sizeof *o,
                       sizeof(struct policy_host), POLICY_OBS_SIZE);
    if (check_name(o->name))
        return err_set(e, ERR_EABI, "%s: .name is missing or not a word of [A-Za-z0-9._-]", path);
    if (!o->create || !o->destroy)
        return err_set(e, ERR_EABI, "%s: %s lacks .%s, which every policy must have", path, o->name,
                       o->create ? "destroy" : "create");
    if (!policy_hooks(o))
        return err_set(e, ERR_EABI, "%s: %s decides nothing: no hook that answers", path, o->name);
    return 0;
}

/* The symbol's name carries the version: look which one it was built for. */
static int wrong_symbol(void *object, const char *path, struct err *e)
{
    for (int v = 0; v < ABI_SEARCH; v++) {
        char symbol[32];
        snprintf(symbol, sizeof symbol, "malv_policy_v%d", v);
        if (dlsym(object, symbol))
            return err_set(e, ERR_EABI,
                           "%s: exports %s, this tree wants %s; rebuild it against this policy.h",
                           path, symbol, POLICY_SYMBOL);
    }
    return err_set(e, ERR_EABI, "%s: exports no %s; end the file with POLICY(...)", path,
                   POLICY_SYMBOL);
}

static int open_object(struct policy *p, struct err *e)
{
    p->object = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
    if (!p->object) {
        /* dlerror names the file itself; keep what comes after. */
        const char *why = dlerror(), *after = why ? strstr(why, ": ") : NULL;
        return err_set(e, ERR_EABI, "%s: does not load as a shared object: %s", p->path,
                       after ? after + 2 : "no reason given");
    }
    p->ops = dlsym(p->object, POLICY_SYMBOL);
    return p->ops ? policy_check_table(p->ops, p->path, e) : wrong_symbol(p->object, p->path, e);
}

int policy_load(struct policy **out, const char *name_or_path, struct err *e)
{
    *out = NULL;
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = find(name_or_path, &p->path, e);
    if (!rc)
        rc = open_object(p, e);
    if (rc)
        policy_unload(p);
    else
        *out = p;
    return rc;
}

void policy_unload(struct policy *p)
{
    if (!p)
        return;
    if (p->object)
        dlclose(p->object);
    free(p->path);
    free(p);
}

const struct policy_ops *policy_ops(const struct policy *p)
{
    return p->ops;
}

const char *policy_path(const struct policy *p)
{
    return p->path;
}
