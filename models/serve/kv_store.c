#include "models/serve/kv_store.h"

bool kv_store_begin(struct kv_store *s, uint32_t host, uint32_t drive, uint64_t block_bytes)
{
    *s = (struct kv_store){.room = {host, drive}};
    s->tier[0] = prefix_new(host, block_bytes, NULL);
    s->tier[1] = drive ? prefix_new(drive, block_bytes, NULL) : NULL;
    return s->tier[0] && (s->tier[1] || !drive);
}

void kv_store_end(struct kv_store *s)
{
    prefix_free(s->tier[0]);
    prefix_free(s->tier[1]);
    *s = (struct kv_store){0};
}

static bool has(const struct kv_store *s, int tier, uint64_t hash)
{
    return s->tier[tier] && prefix_find(s->tier[tier], &hash, 1, NULL);
}

enum kv_place kv_store_find(const struct kv_store *s, uint64_t hash)
{
    if (has(s, 0, hash))
        return KV_HOST;
    return has(s, 1, hash) ? KV_DRIVE : KV_NOWHERE;
}

/* Puts it where it is not, as the one used last; what had to go for it, if anything had. */
static bool put(struct kv_store *s, int tier, uint64_t hash, sim_time now, uint64_t *victim)
{
    struct prefix_stats p;
    prefix_stats(s->tier[tier], &p);
    const bool full = p.held == s->room[tier];
    if (full)
        *victim = prefix_evict(s->tier[tier], now);
    prefix_add(s->tier[tier], hash);
    prefix_give(s->tier[tier], &hash, 1, now);
    return full;
}

static void touch(struct kv_store *s, int tier, uint64_t hash, sim_time now)
{
    prefix_use(s->tier[tier], &hash, 1);
    prefix_give(s->tier[tier], &hash, 1, now);
}

static void spill(struct kv_store *s, uint64_t hash, sim_time now)
{
    uint64_t victim;
    if (!s->tier[1]) {
        s->lost++;
        return;
    }
    if (has(s, 1, hash)) {
        touch(s, 1, hash, now);
        return;
    }
    s->spilled++;
    s->lost += put(s, 1, hash, now, &victim);
}

static void to_host(struct kv_store *s, uint64_t hash, sim_time now)
{
    uint64_t victim;
    if (put(s, 0, hash, now, &victim))
        spill(s, victim, now);
}

enum kv_place kv_store_use(struct kv_store *s, uint64_t hash, sim_time now)
{
    const enum kv_place at = kv_store_find(s, hash);
    if (at == KV_HOST)
        touch(s, 0, hash, now);
    if (at != KV_DRIVE)
        return at;
    touch(s, 1, hash, now);
    s->read++;
    to_host(s, hash, now);
    return at;
}

enum kv_place kv_store_put(struct kv_store *s, uint64_t hash, sim_time now)
{
    const enum kv_place at = kv_store_find(s, hash);
    if (at == KV_HOST)
        touch(s, 0, hash, now);
    else
        to_host(s, hash, now);
    return at;
}
