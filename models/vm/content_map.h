/* content_map.h - from a page's content to where one like it is.  Open addressing, no holes. */
#ifndef MODELS_VM_CONTENT_MAP_H
#define MODELS_VM_CONTENT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct content_place {
    uint64_t content, page; /* page: of the guest, where that is meant */
    uint32_t where;         /* a frame, or the number of a guest */
    bool used;
};
struct content_map {
    struct content_place *slot;
    size_t n, cap; /* cap: a power of two, or 0 */
};
bool content_map_put(struct content_map *m, const struct content_place *p); /* not there yet */
const struct content_place *content_map_get(const struct content_map *m, uint64_t content);
void content_map_remove(struct content_map *m, uint64_t content);
void content_map_clear(struct content_map *m);
void content_map_free(struct content_map *m);

#endif
