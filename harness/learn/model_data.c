#include "harness/learn/model_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/base/places.h"
#include "traces/source.h"

static bool ends(const char *s, const char *with)
{
    size_t n = strlen(s), m = strlen(with);
    return n >= m && !strcmp(s + n - m, with);
}

/* A section from its beginning, a text in it, and its end. */
static int wrap(struct config **c, const char *name, const char *begin, const char *text,
                const char *end, struct err *e)
{
    char *json = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&json, &n);
    if (!f)
        return err_set(e, ERR_ENOMEM, "out of memory");
    fputs(begin, f);
    json_string(f, text);
    fputs(end, f);
    fclose(f);
    int rc = json ? config_parse(c, name, json, n, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(json);
    return rc;
}

static int section(struct config **c, const char *text, size_t most, struct err *e)
{
    char end[64];
    *c = NULL;
    if (text[0] == '{')
        return config_parse(c, "trace", text, strlen(text), e);
    if (!strncmp(text, "synth:", 6)) {
        snprintf(end, sizeof end, ", \"requests\": %zu}}", most);
        return wrap(c, text, "{\"synth\": {\"preset\": ", text + 6, end, e);
    }
    if (ends(text, ".json"))
        return config_load(c, text, e);
    if (ends(text, ".h5"))
        return wrap(c, "trace", "{\"file\": ", text, "}", e);
    return wrap(c, "trace", "{\"import\": {\"file\": ", text, "}}", e);
}

static int replay(struct model_data *d, const struct config *c, uint64_t seed, size_t most,
                  bool optional, struct err *e)
{
    char *root = places_root("");
    const struct trace_places where = {NULL, root};
    struct request_source *from = NULL;
    struct trace_about about = {0};
    int rc = trace_source_open(c, seed, &where, &from, &about, e);
    free(root);
    if (rc == ERR_ENAME && optional && strstr(d->text, "data:")) {
        *e = (struct err){0};
        d->absent = true;
        return 0;
    }
    if (rc)
        return rc;
    rc = train_rows_replay(&d->rows, from, most, e);
    from->close(from);
    if (!rc && !(d->about = trace_about_json(&about)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    return rc;
}

int model_data_load(struct model_data *d, const char *text, uint64_t seed, size_t most,
                    bool optional, struct err *e)
{
    struct config *c;
    *d = (struct model_data){.text = strdup(text)};
    int rc = d->text ? section(&c, text, most, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        rc = replay(d, c, seed, most, optional, e);
        config_free(c);
    }
    if (rc)
        model_data_free(d);
    return rc;
}

int model_data_rows(struct row_source **from, const char *text, enum trace_table table,
                    uint64_t seed, size_t most, char **about, struct err *e)
{
    char *root = places_root(""), *json = NULL, limit[40] = "";
    const struct trace_places where = {NULL, root};
    struct trace_about said = {0};
    struct config *c = NULL;
    if (most)
        snprintf(limit, sizeof limit, ",\"limit\":%zu", most);
    int n = text[0] == '{' ? asprintf(&json, "%s", text)
            : !strncmp(text, "synth:", 6)
                ? asprintf(&json, "{\"synth\":{\"preset\":\"%s\"}%s}", text + 6, limit)
                : asprintf(&json, "{\"file\":\"%s\"%s}", text, limit);
    int rc = n < 0 || !root ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
    if (!rc)
        rc = config_parse(&c, "trace", json, strlen(json), e);
    if (!rc)
        rc = trace_rows_open(c, 1u << table, seed, &where, from, &said, e);
    if (!rc && !(*about = trace_about_json(&said))) {
        (*from)->close(*from);
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    }
    config_free(c);
    free(json);
    free(root);
    return rc;
}

void model_data_free(struct model_data *d)
{
    train_rows_free(&d->rows);
    free(d->text);
    free(d->about);
    *d = (struct model_data){0};
}
