/* names.c - an open-addressing hash over an array of strings. */
#include "traces/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "traces/record.h"

struct trace_names {
    char **text;
    uint32_t count, cap;
    uint32_t *slot; /* number + 1; 0: free */
    uint32_t slots; /* a power of two */
};

struct trace_names *names_new(void)
{
    return calloc(1, sizeof(struct trace_names));
}

void names_free(struct trace_names *n)
{
    if (!n)
        return;
    for (uint32_t i = 0; i < n->count; i++)
        free(n->text[i]);
    free(n->text);
    free(n->slot);
    free(n);
}

/* FNV-1a: names are short and not hostile enough to need more. */
static uint32_t hash(const char *s, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t *find(const struct trace_names *n, const char *s, size_t len)
{
    for (uint32_t i = hash(s, len);; i++) {
        uint32_t *slot = &n->slot[i & (n->slots - 1)];
        if (!*slot || (strlen(n->text[*slot - 1]) == len && !memcmp(n->text[*slot - 1], s, len)))
            return slot;
    }
}

static bool grow(struct trace_names *n)
{
    uint32_t cap = n->cap ? 2 * n->cap : 64;
    if (cap > UINT32_MAX / 4)
        return false;
    char **text = realloc(n->text, cap * sizeof *text);
    if (text)
        n->text = text;
    uint32_t *slot = calloc(4 * (size_t)cap, sizeof *slot);
    if (!text || !slot) {
        free(slot);
        return false;
    }
    free(n->slot);
    n->slot = slot;
    n->slots = 4 * cap;
    n->cap = cap;
    for (uint32_t i = 0; i < n->count; i++)
        *find(n, n->text[i], strlen(n->text[i])) = i + 1;
    return true;
}

uint32_t names_id(struct trace_names *n, const char *text, size_t len)
{
    if (n->count == n->cap && !grow(n))
        return TRACE_NAME_NONE;
    uint32_t *slot = find(n, text, len);
    if (*slot)
        return *slot - 1;
    char *copy = strndup(text, len);
    if (!copy || strlen(copy) != len) { /* an embedded NUL has no place in a name */
        if (copy)
            copy[0] = 0;
        free(copy);
        return TRACE_NAME_NONE;
    }
    n->text[n->count] = copy;
    *slot = ++n->count;
    return n->count - 1;
}

uint32_t names_count(const struct trace_names *n)
{
    return n->count;
}

const char *names_text(const struct trace_names *n, uint32_t id)
{
    return id < n->count ? n->text[id] : NULL;
}
