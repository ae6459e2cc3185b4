/* select_rules.c - which candidate answers, by a table of rules.
 *
 * Rules are tried in order, the first that holds decides:
 *
 *     "spread > 0.5: sjf-mlp; size > 4000: shortest-prompt; fifo"
 *
 * rate (decisions per second), size (their mean, in tokens or bytes), spread
 * (standard deviation over mean) and vm (its number) of the period that ended
 * are compared with a number; a rule without a comparison always holds.
 * Candidates go by their labels.  Good where an operator knows the tenants;
 * it learns nothing.
 *
 * Parameters
 *   rules    the table                                     ("" : keep what answers)  */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define RULES 16

struct rule {
    int feature; /* of names[]; -1: always */
    int above;
    double than;
    char label[64];
};

struct table {
    struct rule rule[RULES];
    int n;
};

static const char *const names[] = {"rate", "size", "spread", "vm"};

static const char *skip(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

/* "spread > 0.5:"; s stays where there is none.  NULL: neither that nor a label. */
static const char *comparison(struct rule *r, const char *s)
{
    r->feature = -1;
    for (int i = 0; i < 4; i++) {
        const size_t n = strlen(names[i]);
        const char *op = skip(s + (strncmp(s, names[i], n) ? 0 : n));
        if (strncmp(s, names[i], n) || (*op != '>' && *op != '<'))
            continue;
        char *end;
        r->feature = i;
        r->above = *op == '>';
        r->than = strtod(op + 1, &end);
        end = (char *)skip(end);
        return *end == ':' ? skip(end + 1) : NULL;
    }
    return s;
}

static int parse(struct table *t, const char *s)
{
    for (s = skip(s); *s; s = skip(s)) {
        struct rule *r = &t->rule[t->n++];
        if (t->n > RULES - 1 || !(s = comparison(r, s)))
            return -1;
        size_t n = strcspn(s, ";");
        const char *next = s + n + (s[n] == ';');
        while (n && s[n - 1] == ' ')
            n--;
        if (!n || n >= sizeof r->label || memchr(s, ':', n) || memchr(s, '>', n) ||
            memchr(s, '<', n))
            return -1;
        memcpy(r->label, s, n);
        r->label[n] = '\0';
        s = next;
    }
    return 0;
}

static int create(void **self, const struct policy_host *h)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t) {
        h->log(h->host, "out of memory");
        return -1;
    }
    if (parse(t, h->param_text(h->host, "rules", ""))) {
        h->log(h->host, "rules: want \"feature > number: label; .. ; label\", features rate, size, "
                        "spread, vm");
        free(t);
        return -1;
    }
    *self = t;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static int holds(const struct rule *r, const struct policy_select_obs *o)
{
    if (r->feature < 0)
        return 1;
    const double v = r->feature < POLICY_CONTEXT ? (double)o->context[r->feature] : o->vm;
    return r->above ? v > r->than : v < r->than;
}

static uint32_t choose(void *self, const struct policy_select_obs *o)
{
    const struct table *t = self;
    for (int i = 0; i < t->n; i++)
        for (uint32_t k = 0; holds(&t->rule[i], o) && k < o->n; k++)
            if (!strcmp(t->rule[i].label, o->candidate[k].label))
                return k;
    return o->current < o->n ? o->current : 0;
}

POLICY(.name = "select-rules", .summary = "per VM: the candidate that a table of rules names",
       .create = create, .destroy = destroy, .policy_select = choose);
