/* prefix.c - see prefix.h. */
#include "models/serve/prefix.h"

#include <assert.h>
#include <stdlib.h>

#include "models/mem/page_table.h"

struct link {
    uint32_t older, newer;
};

struct prefix {
    struct page_table table;
    uint64_t *owner;   /* [frames]: the block; POLICY_PAGE_NONE: free */
    uint64_t *told;    /* [frames]: the same where the policy knows of it; else POLICY_PAGE_NONE */
    uint32_t *users;   /* [frames] */
    uint32_t *spare;   /* [frames]: free frames, a stack */
    struct link *idle; /* [frames + 1]: a ring in order of becoming idle; the last is its anchor */
    uint32_t frames, n_spare;
    struct policy_slot *evict; /* NULL: the one idle for longest goes */
    struct prefix_stats stats;
};

struct prefix *prefix_new(uint32_t blocks, uint64_t block_bytes, struct policy_slot *evict)
{
    assert(blocks >= 1 && blocks < PAGE_TABLE_NONE);
    struct prefix *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->frames = p->n_spare = blocks;
    p->owner = malloc(blocks * sizeof *p->owner);
    p->told = malloc(blocks * sizeof *p->told);
    p->users = calloc(blocks, sizeof *p->users);
    p->spare = malloc(blocks * sizeof *p->spare);
    p->idle = malloc(((size_t)blocks + 1) * sizeof *p->idle);
    if (!p->owner || !p->told || !p->users || !p->spare || !p->idle ||
        !page_table_init(&p->table, blocks)) {
        prefix_free(p);
        return NULL;
    }
    p->idle[blocks] = (struct link){blocks, blocks};
    for (uint32_t f = 0; f < blocks; f++) {
        p->owner[f] = p->told[f] = POLICY_PAGE_NONE;
        p->spare[f] = blocks - 1 - f;
    }
    const struct policy_mem about = {.frames = blocks,
                                     .tiers = 1,
                                     .page_bytes = block_bytes < UINT32_MAX ? (uint32_t)block_bytes
                                                                            : UINT32_MAX};
    p->evict = evict && policy_slot_mem_begin(evict, &about) ? evict : NULL;
    return p;
}

void prefix_free(struct prefix *p)
{
    if (!p)
        return;
    page_table_free(&p->table);
    free(p->owner);
    free(p->told);
    free(p->users);
    free(p->spare);
    free(p->idle);
    free(p);
}

uint32_t prefix_find(const struct prefix *p, const uint64_t *hash, uint32_t n, uint32_t *idle)
{
    uint32_t found = 0, unused = 0;
    for (uint32_t f; found < n; found++) {
        f = page_table_find(&p->table, hash[found]);
        if (f == PAGE_TABLE_NONE)
            break;
        unused += p->users[f] == 0;
    }
    if (idle)
        *idle = unused;
    return found;
}

static void idle_begins(struct prefix *p, uint32_t frame)
{
    const uint32_t anchor = p->frames, last = p->idle[anchor].older;
    p->idle[frame] = (struct link){last, anchor};
    p->idle[last].newer = frame;
    p->idle[anchor].older = frame;
    p->stats.idle++;
}

static void idle_ends(struct prefix *p, uint32_t frame)
{
    const struct link l = p->idle[frame];
    p->idle[l.older].newer = l.newer;
    p->idle[l.newer].older = l.older;
    p->stats.idle--;
}

static bool use(struct prefix *p, uint32_t frame)
{
    const bool idle = p->users[frame]++ == 0;
    if (idle)
        idle_ends(p, frame);
    return idle;
}

void prefix_use(struct prefix *p, const uint64_t *hash, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t f = page_table_find(&p->table, hash[i]);
        assert(f != PAGE_TABLE_NONE);
        use(p, f);
    }
}

enum prefix_added prefix_add(struct prefix *p, uint64_t hash)
{
    uint32_t f = page_table_find(&p->table, hash);
    if (f != PAGE_TABLE_NONE)
        return use(p, f) ? PREFIX_WOKEN : PREFIX_TWICE;
    assert(p->n_spare && "the caller's memory holds more blocks than it has room for");
    f = p->spare[--p->n_spare];
    p->owner[f] = hash;
    p->users[f] = 1;
    page_table_put(&p->table, hash, f);
    p->stats.added++;
    p->stats.held++;
    return PREFIX_NEW;
}

static void tell(struct prefix *p, uint32_t frame, uint32_t depth, sim_time now)
{
    const struct policy_access a = {
        .now_ns = now, .page = p->owner[frame], .frame = frame, .depth = depth};
    if (!p->evict)
        return;
    if (p->told[frame] == a.page) {
        policy_slot_hit(p->evict, &a);
        return;
    }
    p->told[frame] = a.page;
    policy_slot_insert(p->evict, &a);
}

uint32_t prefix_give(struct prefix *p, const uint64_t *hash, uint32_t n, sim_time now)
{
    uint32_t idle = 0;
    for (uint32_t i = n; i-- > 0;) {
        uint32_t f = page_table_find(&p->table, hash[i]);
        assert(f != PAGE_TABLE_NONE && p->users[f]);
        tell(p, f, i, now);
        if (--p->users[f])
            continue;
        idle_begins(p, f);
        idle++;
    }
    return idle;
}

/* Every idle block was told of when it was given back, so that a policy always has one to name;
 * each answer leaves it one block less to name. */
static uint32_t named(struct prefix *p, sim_time now)
{
    const struct policy_access incoming = {
        .now_ns = now, .page = POLICY_PAGE_NONE, .frame = POLICY_NONE};
    while (p->evict) {
        uint32_t f = policy_slot_evict(p->evict, &incoming, p->frames, p->told);
        if (f == POLICY_NONE)
            return f;
        p->told[f] = POLICY_PAGE_NONE;
        if (!p->users[f])
            return f;
    }
    return POLICY_NONE;
}

uint64_t prefix_evict(struct prefix *p, sim_time now)
{
    assert(p->stats.idle);
    uint32_t f = named(p, now);
    if (f == POLICY_NONE)
        f = p->idle[p->frames].newer;
    const uint64_t hash = p->owner[f];
    page_table_remove(&p->table, hash);
    p->owner[f] = p->told[f] = POLICY_PAGE_NONE;
    p->spare[p->n_spare++] = f;
    idle_ends(p, f);
    p->stats.held--;
    p->stats.evicted++;
    return hash;
}

void prefix_stats(const struct prefix *p, struct prefix_stats *out)
{
    *out = p->stats;
}

bool prefix_sound(const struct prefix *p)
{
    uint64_t held = 0, idle = 0, ring = 0, slots = 0, spares = 0;
    for (uint32_t f = 0; f < p->frames; f++) {
        const bool taken = p->owner[f] != POLICY_PAGE_NONE;
        held += taken;
        idle += taken && !p->users[f];
        if (taken ? page_table_find(&p->table, p->owner[f]) != f : p->users[f] != 0)
            return false;
        if (p->told[f] != POLICY_PAGE_NONE && p->told[f] != p->owner[f])
            return false;
    }
    for (uint32_t f = p->idle[p->frames].newer; f != p->frames; f = p->idle[f].newer)
        ring += p->users[f] == 0;
    for (uint64_t i = 0; i <= p->table.mask; i++)
        slots += p->table.slot[i].page != UINT64_MAX;
    for (uint32_t i = 0; i < p->n_spare; i++)
        spares += p->owner[p->spare[i]] == POLICY_PAGE_NONE;
    return held == slots && held == p->stats.held && idle == p->stats.idle && ring == idle &&
           spares == p->n_spare && held + spares == p->frames &&
           held == p->stats.added - p->stats.evicted;
}
