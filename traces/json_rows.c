#include "traces/json_rows.h"

#include <string.h>

bool json_rows_sniff(const char *head, size_t len, const char *a, const char *b)
{
    return len && head[0] == '{' && memmem(head, len, a, strlen(a)) &&
           memmem(head, len, b, strlen(b));
}

static int member(struct importer *im, const struct json_rows *f, struct json *j,
                  struct trace_request *r, unsigned *seen)
{
    const char *key;
    size_t len;
    unsigned i = 0;
    const size_t key_at = j->at;
    if (!json_key(j, &key, &len))
        return 0;
    while (f->key[i] && (len != strlen(f->key[i]) || memcmp(key, f->key[i], len)))
        i++;
    if (!f->key[i] || (i < f->needed && *seen & 1u << i)) {
        j->at = key_at;
        json_fail(j, f->key[i] ? "every key once" : f->known);
        return 0;
    }
    if (i < f->needed) {
        *seen |= 1u << i;
        return f->value(im, j, i, r);
    }
    json_skip(j);
    return 0;
}

static int complain(const struct lines *l, const struct json *j, struct err *e)
{
    const char *got = l->text + j->at;
    size_t n = strcspn(got, " ,]}:");
    if (n == 0 && j->at < l->len)
        n = 1;
    const char *quote = *got == '"' ? "" : "\"";
    return err_set(e, ERR_EPARSE, "%s:%llu:%zu: got %s%.*s%s, want %s", input_name(l->in),
                   (unsigned long long)l->number, j->at + 1, quote, n < 40 ? (int)n : 40, got,
                   quote, j->wrong);
}

static int complete(const struct lines *l, const struct json_rows *f, unsigned seen, struct err *e)
{
    for (unsigned i = 0; i < f->needed; i++)
        if (!(seen & 1u << i))
            return err_set(e, ERR_EPARSE, "%s:%llu:1: key \"%s\" is missing", input_name(l->in),
                           (unsigned long long)l->number, f->key[i]);
    return 1;
}

int json_rows_next(struct importer *im, const struct json_rows *f, struct trace_request *r,
                   struct err *e)
{
    struct lines *l = &im->csv.lines;
    struct json j;
    unsigned seen = 0;
    int rc;
    do
        rc = lines_next(l, e);
    while (rc == 1 && l->len == 0);
    if (rc <= 0)
        return rc;
    json_begin(&j, l->text, l->len);
    if (json_expect(&j, '{', "an object {...}")) {
        do {
            if ((rc = member(im, f, &j, r, &seen)) < 0)
                return err_set(e, rc, "out of memory");
        } while (json_take(&j, ','));
        json_expect(&j, '}', "a comma or }");
    }
    return json_end(&j) ? complete(l, f, seen, e) : complain(l, &j, e);
}
