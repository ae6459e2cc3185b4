/* safetensors.h - the file format for weights, both ways.
 *
 * Eight bytes little-endian: the length of a JSON header; the header: name to
 * {"dtype", "shape", "data_offsets"} and, under "__metadata__", text to text;
 * then the data.  As the reference implementation does, offsets must cover the
 * data from its first byte to its last with no hole and no overlap.  A loaded
 * file owns its bytes; tensors and text are borrowed from it.               */
#ifndef HARNESS_LEARN_SAFETENSORS_H
#define HARNESS_LEARN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

#define SAFETENSORS_DIMS 4

struct safetensor {
    const char *name, *dtype; /* "F32", "I8", "I32", .. */
    uint64_t shape[SAFETENSORS_DIMS];
    uint32_t n_dim;
    const void *data; /* may be unaligned in a loaded file: memcpy */
    uint64_t bytes;
};

struct safetensors_text {
    const char *key, *value;
};

struct safetensors;

int safetensors_parse(struct safetensors **st, const char *name, const void *bytes, size_t n,
                      struct err *e) MUST_CHECK;
int safetensors_load(struct safetensors **st, const char *path, struct err *e) MUST_CHECK;
void safetensors_free(struct safetensors *st);

size_t safetensors_count(const struct safetensors *st);
const struct safetensor *safetensors_at(const struct safetensors *st, size_t i);
const struct safetensor *safetensors_find(const struct safetensors *st, const char *name);
const char *safetensors_meta(const struct safetensors *st, const char *key); /* NULL: not there */

/* Same tensors and texts, same bytes.  Keys and names are plain words. */
int safetensors_write(const char *path, const struct safetensor *t, size_t n,
                      const struct safetensors_text *meta, size_t n_meta, struct err *e) MUST_CHECK;

#endif
