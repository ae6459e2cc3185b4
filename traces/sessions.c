/* sessions.c - a binary heap ordered by (when, id). */
#include "traces/sessions.h"

#include <stdlib.h>

struct sessions {
    struct session *at; /* 1-based */
    size_t n, cap;
};

struct sessions *sessions_new(void)
{
    return calloc(1, sizeof(struct sessions));
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    free(s->at);
    free(s);
}

static bool before(const struct session *a, const struct session *b)
{
    return a->when != b->when ? a->when < b->when : a->id < b->id;
}

bool sessions_push(struct sessions *s, const struct session *one)
{
    if (s->n + 1 >= s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 256;
        struct session *more = realloc(s->at, cap * sizeof *more);
        if (!more)
            return false;
        s->at = more;
        s->cap = cap;
    }
    size_t i = ++s->n;
    for (; i > 1 && before(one, &s->at[i / 2]); i /= 2)
        s->at[i] = s->at[i / 2];
    s->at[i] = *one;
    return true;
}

bool sessions_pop_before(struct sessions *s, uint64_t t, struct session *out)
{
    if (s->n == 0 || s->at[1].when > t)
        return false;
    *out = s->at[1];
    struct session last = s->at[s->n--];
    size_t i = 1, child;
    for (; (child = 2 * i) <= s->n; i = child) {
        if (child < s->n && before(&s->at[child + 1], &s->at[child]))
            child++;
        if (!before(&s->at[child], &last))
            break;
        s->at[i] = s->at[child];
    }
    if (s->n)
        s->at[i] = last;
    return true;
}
