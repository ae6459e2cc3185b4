/* kv_store.h - blocks of prompts that the GPU had no memory for: in the host's, and on a drive.
 *
 * Host memory keeps the blocks used last; what it gives up goes to the drive,
 * which forgets those used longest ago.  A block that the GPU takes back stays
 * here too, as its content never changes: to give it up again costs nothing. */
#ifndef MODELS_SERVE_KV_STORE_H
#define MODELS_SERVE_KV_STORE_H

#include "models/serve/prefix.h"

enum kv_place { KV_NOWHERE, KV_HOST, KV_DRIVE };

struct kv_store {
    struct prefix *tier[2];       /* host, drive; NULL: none */
    uint32_t room[2];             /* blocks */
    uint64_t spilled, read, lost; /* host to drive; drive to host; forgotten altogether */
};

/* Blocks of room in host memory (at least 1) and on the drive.  false: out of memory. */
bool kv_store_begin(struct kv_store *s, uint32_t host, uint32_t drive, uint64_t block_bytes);
void kv_store_end(struct kv_store *s);
enum kv_place kv_store_find(const struct kv_store *s, uint64_t hash);
/* It is used again; from the drive it comes to host memory.  Where it was. */
enum kv_place kv_store_use(struct kv_store *s, uint64_t hash, sim_time now);
/* It is stored, if it is not.  Where it was: in host memory nothing need be copied. */
enum kv_place kv_store_put(struct kv_store *s, uint64_t hash, sim_time now);

#endif
