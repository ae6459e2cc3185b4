/* lru.c - chained hash and a doubly linked list through one array of nodes. */
#include "traces/lru.h"

#include <assert.h>
#include <stdlib.h>

struct node {
    uint64_t id;
    uint32_t chain; /* next in the bucket */
    uint32_t older, newer;
};

struct lru {
    struct node *node; /* 1-based; node[0] is the ring's end: newer = oldest, older = newest */
    uint32_t n, cap, limit;
    uint32_t *bucket, buckets; /* a power of two */
};

static uint32_t *bucket_of(const struct lru *c, uint64_t id)
{
    uint64_t h = id * UINT64_C(0x9e3779b97f4a7c15);
    return &c->bucket[(h >> 32) & (c->buckets - 1)];
}

static bool grow(struct lru *c)
{
    uint32_t cap = c->cap ? 2 * c->cap : 1024, buckets = 2 * cap;
    struct node *node = cap > LRU_BLOCKS ? NULL : realloc(c->node, (cap + 1) * sizeof *node);
    if (!node)
        return false;
    c->node = node;
    uint32_t *bucket = calloc(buckets, sizeof *bucket);
    if (!bucket)
        return false;
    if (!c->cap)
        c->node[0] = (struct node){0};
    free(c->bucket);
    c->bucket = bucket;
    c->buckets = buckets;
    c->cap = cap;
    for (uint32_t i = 1; i <= c->n; i++) {
        uint32_t *b = bucket_of(c, c->node[i].id);
        c->node[i].chain = *b;
        *b = i;
    }
    return true;
}

struct lru *lru_new(uint32_t capacity)
{
    struct lru *c = calloc(1, sizeof *c);
    if (!c || !grow(c)) {
        lru_free(c);
        return NULL;
    }
    c->limit = capacity;
    return c;
}

void lru_free(struct lru *c)
{
    if (!c)
        return;
    free(c->node);
    free(c->bucket);
    free(c);
}

static void unlink_node(struct lru *c, uint32_t i)
{
    c->node[c->node[i].older].newer = c->node[i].newer;
    c->node[c->node[i].newer].older = c->node[i].older;
}

static void make_newest(struct lru *c, uint32_t i)
{
    uint32_t newest = c->node[0].older;
    c->node[i].older = newest;
    c->node[i].newer = 0;
    c->node[newest].newer = i;
    c->node[0].older = i;
}

/* Takes the oldest out of list and bucket; its node is free again. */
static uint32_t forget_oldest(struct lru *c)
{
    uint32_t i = c->node[0].newer, *at = bucket_of(c, c->node[i].id);
    assert(i);
    unlink_node(c, i);
    while (*at != i)
        at = &c->node[*at].chain;
    *at = c->node[i].chain;
    return i;
}

int lru_touch(struct lru *c, uint64_t id)
{
    for (uint32_t i = *bucket_of(c, id); i; i = c->node[i].chain) {
        if (c->node[i].id != id)
            continue;
        unlink_node(c, i);
        make_newest(c, i);
        return 1;
    }
    uint32_t i;
    if (c->limit && c->n == c->limit) {
        i = forget_oldest(c);
    } else {
        if (c->n == c->cap && !grow(c))
            return -1;
        i = ++c->n;
    }
    uint32_t *b = bucket_of(c, id);
    c->node[i] = (struct node){.id = id, .chain = *b};
    *b = i;
    make_newest(c, i);
    return 0;
}
