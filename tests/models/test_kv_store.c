/* test_kv_store.c - two tiers of blocks, against two lists. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/serve/kv_store.h"
#include "sim/rng.h"

enum { HOST = 12, DRIVE = 30, BLOCKS = 80 };

struct list { /* the last one used first */
    uint64_t hash[DRIVE + 1];
    size_t n, room;
};

static size_t at(const struct list *l, uint64_t hash)
{
    size_t i = 0;
    while (i < l->n && l->hash[i] != hash)
        i++;
    return i;
}

/* To the front; true: what fell off the end is in *victim. */
static bool front(struct list *l, uint64_t hash, uint64_t *victim)
{
    const size_t i = at(l, hash);
    memmove(l->hash + 1, l->hash, i * sizeof *l->hash);
    l->hash[0] = hash;
    l->n += i == l->n;
    if (l->n <= l->room)
        return false;
    *victim = l->hash[--l->n];
    return true;
}

struct plain {
    struct list host, drive;
    uint64_t spilled, read, lost;
};

static void to_host(struct plain *p, uint64_t hash)
{
    uint64_t victim;
    if (!front(&p->host, hash, &victim))
        return;
    if (!p->drive.room) {
        p->lost++;
        return;
    }
    p->spilled += at(&p->drive, victim) == p->drive.n;
    p->lost += front(&p->drive, victim, &victim);
}

static enum kv_place where(const struct plain *p, uint64_t hash)
{
    if (at(&p->host, hash) < p->host.n)
        return KV_HOST;
    return at(&p->drive, hash) < p->drive.n ? KV_DRIVE : KV_NOWHERE;
}

static enum kv_place use(struct plain *p, uint64_t hash)
{
    uint64_t nobody;
    const enum kv_place was = where(p, hash);
    if (was == KV_DRIVE) {
        p->read++;
        front(&p->drive, hash, &nobody);
    }
    if (was != KV_NOWHERE)
        to_host(p, hash);
    return was;
}

static void compare(uint32_t drive, uint64_t seed)
{
    struct kv_store s;
    struct plain p = {.host.room = HOST, .drive.room = drive};
    struct rng g;
    uint64_t places[3] = {0};
    rng_init(&g, seed, "test", "kv store");
    cr_assert(kv_store_begin(&s, HOST, drive, 1));
    for (sim_time i = 0; i < 20000; i++) {
        const uint64_t hash = rng_below(&g, 2) ? rng_below(&g, 15) : rng_below(&g, BLOCKS);
        const bool puts = rng_below(&g, 3);
        const enum kv_place was = where(&p, hash);
        places[was]++;
        cr_assert_eq(kv_store_find(&s, hash), was);
        cr_assert_eq(puts ? kv_store_put(&s, hash, i) : kv_store_use(&s, hash, i), was);
        if (puts)
            to_host(&p, hash);
        else
            use(&p, hash);
    }
    cr_expect_eq(s.spilled, p.spilled);
    cr_expect_eq(s.read, p.read);
    cr_expect_eq(s.lost, p.lost);
    cr_expect(places[KV_HOST] > 1000 && places[KV_NOWHERE] > 1000);
    cr_expect(!drive || places[KV_DRIVE] > 1000);
    kv_store_end(&s);
}

Test(kv_store, blocks_are_where_two_lists_have_them)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        compare(DRIVE, seed);
        compare(0, seed);
    }
}
