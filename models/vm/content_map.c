#include "models/vm/content_map.h"

#include <stdlib.h>
#include <string.h>

static size_t home(const struct content_map *m, uint64_t content)
{
    return (size_t)(content * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (m->cap - 1);
}

static size_t find(const struct content_map *m, uint64_t content)
{
    size_t i = home(m, content);
    while (m->slot[i].used && m->slot[i].content != content)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static bool grow(struct content_map *m)
{
    struct content_map bigger = {.cap = m->cap ? 2 * m->cap : 64};
    bigger.slot = calloc(bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].used)
            bigger.slot[find(&bigger, m->slot[i].content)] = m->slot[i];
    bigger.n = m->n;
    free(m->slot);
    *m = bigger;
    return true;
}

bool content_map_put(struct content_map *m, const struct content_place *p)
{
    if (2 * (m->n + 1) > m->cap && !grow(m))
        return false;
    struct content_place *at = &m->slot[find(m, p->content)];
    m->n += !at->used;
    *at = *p;
    at->used = true;
    return true;
}

const struct content_place *content_map_get(const struct content_map *m, uint64_t content)
{
    const struct content_place *at = m->cap ? &m->slot[find(m, content)] : NULL;
    return at && at->used ? at : NULL;
}

/* What follows moves up, so that no search ends too soon. */
void content_map_remove(struct content_map *m, uint64_t content)
{
    if (!content_map_get(m, content))
        return;
    size_t hole = find(m, content);
    for (size_t i = (hole + 1) & (m->cap - 1); m->slot[i].used; i = (i + 1) & (m->cap - 1)) {
        size_t at = home(m, m->slot[i].content);
        if (((i - at) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
            m->slot[hole] = m->slot[i];
            hole = i;
        }
    }
    m->slot[hole].used = false;
    m->n--;
}

void content_map_clear(struct content_map *m)
{
    if (m->cap)
        memset(m->slot, 0, m->cap * sizeof *m->slot);
    m->n = 0;
}

void content_map_free(struct content_map *m)
{
    free(m->slot);
    *m = (struct content_map){0};
}
