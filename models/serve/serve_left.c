/* serve_left.c - see serve_left.h. */
#include "models/serve/serve_left.h"

#include <assert.h>
#include <stdlib.h>

static struct left_run *at(const struct serve_left *l, uint64_t i)
{
    return &l->run[i & (l->room - 1)];
}

bool left_begin(struct serve_left *l, uint64_t blocks)
{
    *l = (struct serve_left){.room = 64};
    l->run = calloc(l->room, sizeof *l->run);
    uint64_t ticket;
    return l->run && left_put(l, blocks, false, &ticket);
}

void left_free(struct serve_left *l)
{
    free(l->run);
    l->run = NULL;
}

static bool grow(struct serve_left *l)
{
    struct left_run *run = calloc(2 * l->room, sizeof *run);
    if (!run)
        return false;
    for (uint64_t i = l->first; i < l->end; i++)
        run[i & (2 * l->room - 1)] = *at(l, i);
    free(l->run);
    l->run = run;
    l->room *= 2;
    return true;
}

bool left_put(struct serve_left *l, uint64_t blocks, bool kept, uint64_t *ticket)
{
    *ticket = LEFT_NOBODY;
    l->blocks += blocks;
    if (l->end > l->first && !kept && !at(l, l->end - 1)->kept) { /* two of nobody's are one */
        at(l, l->end - 1)->blocks += blocks;
        return true;
    }
    if (l->end - l->first == l->room && !grow(l))
        return false;
    *at(l, l->end) = (struct left_run){blocks, kept};
    if (kept)
        *ticket = l->end;
    l->end++;
    return true;
}

void left_take(struct serve_left *l, uint64_t blocks)
{
    assert(blocks <= l->blocks);
    l->blocks -= blocks;
    if (!blocks)
        return;
    while (l->first < l->end) {
        struct left_run *r = at(l, l->first);
        const uint64_t n = r->blocks < blocks ? r->blocks : blocks;
        r->blocks -= n;
        blocks -= n;
        if (r->blocks)
            break;
        l->first++;
    }
    assert(!blocks);
}

uint64_t left_claim(struct serve_left *l, uint64_t ticket, uint64_t most)
{
    if (ticket == LEFT_NOBODY || ticket < l->first)
        return 0;
    struct left_run *r = at(l, ticket);
    const uint64_t n = r->blocks < most ? r->blocks : most;
    r->blocks -= n;
    r->kept = false;
    l->blocks -= n;
    return n;
}
