#include "sim/config_tree.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_FILE_MAX (64u << 20) /* bytes: no hand-written document is larger */

struct config *config_node(enum config_kind kind, const char *key)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->kind = kind;
    if (key && !(c->key = strdup(key))) {
        free(c);
        return NULL;
    }
    return c;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_child; i++)
        config_free(c->child[i]);
    free(c->child);
    free(c->key);
    free(c->string);
    free(c->path);
    free(c->name);
    free(c);
}

int config_adopt(struct config *parent, struct config *child)
{
    if (!child)
        return ERR_ENOMEM;
    if (parent->n_child == parent->cap_child) {
        size_t cap = parent->cap_child ? 2 * parent->cap_child : 8;
        struct config **grown = realloc(parent->child, cap * sizeof *grown);
        if (!grown) {
            config_free(child);
            return ERR_ENOMEM;
        }
        parent->child = grown;
        parent->cap_child = cap;
    }
    child->parent = parent;
    child->index = parent->n_child;
    parent->child[parent->n_child++] = child;
    return 0;
}

static enum config_kind kind_of(const cJSON *j)
{
    if (cJSON_IsBool(j))
        return CONFIG_BOOL;
    if (cJSON_IsNumber(j))
        return CONFIG_NUMBER;
    if (cJSON_IsString(j))
        return CONFIG_STRING;
    if (cJSON_IsArray(j))
        return CONFIG_ARRAY;
    if (cJSON_IsObject(j))
        return CONFIG_OBJECT;
    return CONFIG_NULL;
}

static int convert_children(struct config *c, const cJSON *j, struct err *e);

static int convert(const cJSON *j, struct config *into, struct err *e)
{
    into->truth = cJSON_IsTrue(j);
    into->number = cJSON_IsNumber(j) ? j->valuedouble : 0;
    if (!isfinite(into->number)) /* 1e999: cJSON makes it infinite, which is not JSON again */
        return err_set(e, ERR_ERANGE, "%s: got a number too large to hold, want one within 1.7e308",
                       config_path(into));
    if (cJSON_IsString(j) && !(into->string = strdup(j->valuestring)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    return convert_children(into, j, e);
}

static int convert_children(struct config *c, const cJSON *j, struct err *e)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, j)
    {
        if (item->string && config_get(c, item->string))
            return err_set(e, ERR_EPARSE, "%s: key \"%s\" is given twice", config_path(c),
                           item->string);
        struct config *child = config_node(kind_of(item), item->string);
        if (config_adopt(c, child))
            return err_set(e, ERR_ENOMEM, "out of memory");
        int rc = convert(item, child, e);
        if (rc)
            return rc;
    }
    return 0;
}

/* The comma that nothing follows, where the text ends a list or an object at `at`; or NULL. */
static const char *comma_before(const char *text, const char *at)
{
    if (*at != '}' && *at != ']')
        return NULL;
    while (at > text && isspace((unsigned char)at[-1]))
        at--;
    return at > text && at[-1] == ',' ? at - 1 : NULL;
}

/* cJSON says only where it stopped; people want a line, a column and what stands there. */
static int complain_syntax(const char *name, const char *text, size_t len, const char *stop,
                           struct err *e)
{
    if (!stop || stop < text || stop > text + len)
        stop = text + len;
    while (stop > text && stop < text + len && isspace((unsigned char)*stop))
        stop--; /* cJSON stops behind what it could not take */
    const char *comma = comma_before(text, stop);
    stop = comma ? comma : stop;
    unsigned line = 1, column = 1;
    for (const char *p = text; p < stop; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    if (comma)
        return err_set(e, ERR_EPARSE,
                       "%s:%u:%u: got a comma before the end of a list or an "
                       "object, want none",
                       name, line, column);
    if (stop >= text + len || !*stop)
        return err_set(e, ERR_EPARSE,
                       "%s:%u:%u: got the end of the text, want the rest of the JSON", name, line,
                       column);
    int n = 0;
    while (n < 20 && stop + n < text + len && (unsigned char)stop[n] >= ' ')
        n++;
    return err_set(e, ERR_EPARSE, "%s:%u:%u: got \"%.*s\", want valid JSON", name, line, column, n,
                   stop);
}

int config_parse(struct config **out, const char *name, const char *text, size_t len, struct err *e)
{
    *out = NULL;
    char *copy = malloc(len + 1); /* cJSON wants the final NUL to find trailing garbage */
    if (!copy)
        return err_set(e, ERR_ENOMEM, "out of memory");
    memcpy(copy, text, len);
    copy[len] = 0;
    const char *stop = NULL;
    cJSON *j = cJSON_ParseWithLengthOpts(copy, len + 1, &stop, 1);
    int rc = j ? 0 : complain_syntax(name, copy, len, stop, e);
    struct config *c = rc ? NULL : config_node(kind_of(j), NULL);
    if (!rc && (!c || !(c->name = strdup(name))))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = convert(j, c, e);
    cJSON_Delete(j);
    free(copy);
    if (rc) {
        config_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

static int slurp(const char *path, char **text, size_t *len, struct err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
    size_t cap = 1 << 16;
    char *p = NULL;
    int rc = 0;
    *len = 0;
    for (;;) {
        char *grown = realloc(p, cap);
        if (!grown) {
            rc = err_set(e, ERR_ENOMEM, "%s: out of memory", path);
            break;
        }
        p = grown;
        *len += fread(p + *len, 1, cap - *len, f);
        if (ferror(f))
            rc = err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
        else if (*len == CONFIG_FILE_MAX)
            rc = err_set(e, ERR_ERANGE, "%s: larger than %u MiB, want a JSON document", path,
                         CONFIG_FILE_MAX >> 20);
        if (rc || *len < cap)
            break;
        cap *= 2;
    }
    fclose(f);
    if (rc) {
        free(p);
        return rc;
    }
    *text = p;
    return 0;
}

int config_load(struct config **c, const char *path, struct err *e)
{
    *c = NULL;
    char *text = NULL;
    size_t len = 0;
    int rc = slurp(path, &text, &len, e);
    if (rc)
        return rc;
    rc = config_parse(c, path, text, len, e);
    free(text);
    return rc;
}
