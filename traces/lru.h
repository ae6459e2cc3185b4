/* lru.h - a cache of block ids that forgets the least recently used: for the
 * hit ratios that prefix traces are described by.                           */
#ifndef TRACES_LRU_H
#define TRACES_LRU_H

#include <stdbool.h>
#include <stdint.h>

struct lru;
/* capacity in blocks; 0: never forgets, until it holds LRU_BLOCKS.  NULL: out of memory. */
#define LRU_BLOCKS (1u << 24)
struct lru *lru_new(uint32_t capacity);
void lru_free(struct lru *c);
/* Is it there?  Afterwards it is, as the most recent.  Negative: full, or out of memory. */
int lru_touch(struct lru *c, uint64_t id);

#endif
