/* config_text.c - a config back to text, and edited by dotted path. */
#include "sim/config_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_number_text(double v, char *out, size_t n)
{
    if (v == floor(v) && fabs(v) < 1e15) {
        snprintf(out, n, "%.0f", v);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, n, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            return;
    }
}

static void write_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (;;) {
        size_t plain = 0;
        while ((unsigned char)s[plain] >= ' ' && s[plain] != '"' && s[plain] != '\\')
            plain++;
        fwrite(s, 1, plain, f);
        s += plain;
        if (!*s)
            break;
        fprintf(f, *s == '"' || *s == '\\' ? "\\%c" : "\\u%04x", (unsigned char)*s);
        s++;
    }
    fputc('"', f);
}

static void write_value(FILE *f, const struct config *c)
{
    char number[40];
    switch (c->kind) {
    case CONFIG_NULL:
        fputs("null", f);
        return;
    case CONFIG_BOOL:
        fputs(c->truth ? "true" : "false", f);
        return;
    case CONFIG_NUMBER:
        config_number_text(c->number, number, sizeof number);
        fputs(number, f);
        return;
    case CONFIG_STRING:
        write_string(f, c->string);
        return;
    case CONFIG_ARRAY:
    case CONFIG_OBJECT:
        break;
    }
    bool object = c->kind == CONFIG_OBJECT;
    fputc(object ? '{' : '[', f);
    for (size_t i = 0; i < c->n_child; i++) {
        if (i)
            fputc(',', f);
        if (object) {
            write_string(f, c->child[i]->key);
            fputc(':', f);
        }
        write_value(f, c->child[i]);
    }
    fputc(object ? '}' : ']', f);
}

char *config_text(const struct config *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    write_value(f, c);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

struct config *config_copy(const struct config *c)
{
    struct config *n = config_node(c->kind, c->key);
    if (!n)
        return NULL;
    n->truth = c->truth;
    n->number = c->number;
    bool ok = (!c->string || (n->string = strdup(c->string))) &&
              (!c->name || (n->name = strdup(c->name)));
    for (size_t i = 0; ok && i < c->n_child; i++)
        ok = !config_adopt(n, config_copy(c->child[i]));
    if (ok)
        return n;
    config_free(n);
    return NULL;
}

static void forget_paths(struct config *c)
{
    free(c->path);
    c->path = NULL;
    for (size_t i = 0; i < c->n_child; i++)
        forget_paths(c->child[i]);
}

/* Moves the content of src into dst, which keeps its key and place. */
static void replace(struct config *dst, struct config *src)
{
    for (size_t i = 0; i < dst->n_child; i++)
        config_free(dst->child[i]);
    free(dst->child);
    free(dst->string);
    dst->kind = src->kind;
    dst->truth = src->truth;
    dst->number = src->number;
    dst->string = src->string;
    dst->child = src->child;
    dst->n_child = src->n_child;
    dst->cap_child = src->cap_child;
    for (size_t i = 0; i < dst->n_child; i++)
        dst->child[i]->parent = dst;
    src->string = NULL;
    src->child = NULL;
    src->n_child = 0;
    config_free(src);
}

static struct config *descend(struct config *c, const char *key)
{
    if (c->kind == CONFIG_ARRAY) {
        char *end;
        unsigned long i = strtoul(key, &end, 10);
        return *key && !*end && i < c->n_child ? c->child[i] : NULL;
    }
    return (struct config *)config_get(c, key);
}

/* The node at the path, made of empty objects where nothing was. */
static int reach(struct config *root, const char *path, struct config **out, struct err *e)
{
    char *copy = strdup(path), *rest = copy, *key;
    struct config *c = root;
    int rc = copy ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    while (!rc && (key = strsep(&rest, "."))) {
        struct config *next = *key ? descend(c, key) : NULL;
        if (!next && (c->kind != CONFIG_OBJECT || !*key))
            rc = err_set(e, ERR_ENAME, "%s: nothing to set at \"%s\" in path \"%s\"",
                         config_path(c), key, path);
        else if (!next && config_adopt(c, next = config_node(CONFIG_OBJECT, key)))
            rc = err_set(e, ERR_ENOMEM, "out of memory");
        c = next;
    }
    free(copy);
    *out = c;
    return rc;
}

int config_set(struct config *root, const char *path, const char *json, struct err *e)
{
    struct config *value = NULL, *at;
    if (config_parse(&value, path, json, strlen(json), NULL)) { /* a bare word is a string */
        value = config_node(CONFIG_STRING, NULL);
        if (!value || !(value->string = strdup(json))) {
            config_free(value);
            return err_set(e, ERR_ENOMEM, "out of memory");
        }
    }
    int rc = reach(root, path, &at, e);
    if (rc) {
        config_free(value);
        return rc;
    }
    replace(at, value);
    forget_paths(root);
    return 0;
}
