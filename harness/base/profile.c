#include "harness/base/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 8 /* of parts in parts */

/* The files that are being read, the innermost first. */
struct chain {
    const char *path, *folder; /* where it lies: its parts' paths begin there */
    int depth;
    const struct chain *up;
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory for the machine profile");
}

static bool is_leaf(const struct config *c)
{
    return config_kind(c) != CONFIG_OBJECT || config_get(c, "value") || config_get(c, "x");
}

static void put_value(FILE *f, const struct config *c)
{
    char *text = config_text(c);
    if (text)
        fprintf(f, "\"%s\":%s", config_key(c), text);
    free(text);
}

/* The members of under and over, section by section; over's leaves win. */
static void put_merged(FILE *f, const struct config *under, const struct config *over)
{
    const char *comma = "";
    fputc('{', f);
    for (size_t i = 0; i < config_count(under); i++) {
        const struct config *u = config_at(under, i), *o = config_get(over, config_key(u));
        fputs(comma, f);
        comma = ",";
        if (o && !is_leaf(u) && !is_leaf(o)) {
            fprintf(f, "\"%s\":", config_key(u));
            put_merged(f, u, o);
        } else {
            put_value(f, o ? o : u);
        }
    }
    for (size_t i = 0; i < config_count(over); i++) {
        const struct config *o = config_at(over, i);
        if (config_get(under, config_key(o)) || !strcmp(config_key(o), "include"))
            continue;
        fputs(comma, f);
        comma = ",";
        put_value(f, o);
    }
    fputc('}', f);
}

int profile_merge(struct config **out, const struct config *under, const struct config *over,
                  struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return no_memory(e);
    put_merged(f, under, over);
    int rc = fclose(f) ? no_memory(e) : config_parse(out, config_path(over), text, len, e);
    free(text);
    return rc;
}

static int resolve(struct config **out, const struct config *doc, const struct chain *here,
                   struct err *e);

static int load(struct config **out, const char *path, const struct chain *up, struct err *e)
{
    struct config *doc;
    *out = NULL;
    int rc = config_load(&doc, path, e);
    if (rc)
        return rc;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    struct chain here = {path, folder, up ? up->depth + 1 : 0, up};
    rc = folder ? resolve(out, doc, &here, e) : no_memory(e);
    free(folder);
    config_free(doc);
    return rc;
}

static int check_chain(const struct config *at, const char *path, const struct chain *here,
                       struct err *e)
{
    for (const struct chain *c = here; c; c = c->up)
        if (c->path && !strcmp(c->path, path))
            return err_set(e, ERR_ENAME, "%s: %s takes itself in", config_path(at), path);
    return here->depth < DEPTH ? 0
                               : err_set(e, ERR_ERANGE,
                                         "%s: got parts within parts, want at most "
                                         "%d deep",
                                         config_path(at), DEPTH);
}

static int load_part(struct config **out, const struct config *at, const struct chain *here,
                     struct err *e)
{
    const char *relative;
    char *path = NULL;
    int rc = config_str(at, &relative, e);
    if (!rc && !*relative)
        rc = config_complain(at, e, "the path of a part");
    if (rc)
        return rc;
    bool as_is = relative[0] == '/' || !strcmp(here->folder, ".");
    if (asprintf(&path, "%s%s%s", as_is ? "" : here->folder, as_is ? "" : "/", relative) < 0)
        return no_memory(e);
    rc = check_chain(at, path, here, e);
    if (!rc && access(path, R_OK)) /* the rest of what can go wrong says where by itself */
        rc = err_set(e, ERR_EIO, "%s: %s: %s", config_path(at), path, strerror(errno));
    if (!rc)
        rc = load(out, path, here, e);
    free(path);
    if (rc)
        return rc;
    if (config_kind(*out) != CONFIG_OBJECT)
        rc = config_complain(*out, e, "an object");
    else if (config_get(*out, "schema"))
        rc = err_set(e, ERR_ENAME, "%s: has a schema; a part is not a whole profile",
                     config_path(*out));
    if (rc) {
        config_free(*out);
        *out = NULL;
    }
    return rc;
}

static int resolve(struct config **out, const struct config *doc, const struct chain *here,
                   struct err *e)
{
    const struct config *list = config_get(doc, "include");
    struct config *all = NULL;
    *out = NULL;
    if (!list)
        return (*out = config_copy(doc)) ? 0 : no_memory(e);
    if (config_kind(list) != CONFIG_ARRAY)
        return config_complain(list, e, "an array of paths");
    int rc = config_parse(&all, config_path(doc), "{}", 2, e);
    for (size_t i = 0; i < config_count(list) && !rc; i++) {
        struct config *part = NULL, *both = NULL;
        rc = load_part(&part, config_at(list, i), here, e);
        if (!rc && !(rc = profile_merge(&both, all, part, e))) {
            config_free(all);
            all = both;
        }
        config_free(part);
    }
    if (!rc)
        rc = profile_merge(out, all, doc, e);
    config_free(all);
    return rc;
}

int profile_load(struct config **out, const char *path, struct err *e)
{
    return load(out, path, NULL, e);
}

int profile_resolve(struct config **out, const struct config *doc, const char *folder,
                    struct err *e)
{
    struct chain here = {NULL, folder, 0, NULL};
    return resolve(out, doc, &here, e);
}

static void print_level(const struct config *section, FILE *f, int level)
{
    fputs("{\n", f);
    for (size_t i = 0; i < config_count(section); i++) {
        const struct config *c = config_at(section, i);
        char *text = is_leaf(c) ? config_text(c) : NULL;
        fprintf(f, "%*s\"%s\": ", 2 * level, "", config_key(c));
        if (text)
            fputs(text, f);
        else
            print_level(c, f, level + 1);
        fputs(i + 1 < config_count(section) ? ",\n" : "\n", f);
        free(text);
    }
    fprintf(f, "%*s}", 2 * level - 2, "");
}

void profile_print(const struct config *profile, FILE *f)
{
    print_level(profile, f, 1);
    fputc('\n', f);
}
