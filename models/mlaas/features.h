/* features.h - the feature store: registries of vectors that policies of one VM share.
 *
 * A registry has a name, a schema of fields and a ring of rows; the same name
 * opened twice is the same registry.  A vector is captured between begin and
 * commit, field by field, and gets a time when it is committed; a full ring
 * overwrites its oldest.  A field with a history of h becomes h columns: the
 * committed value and the h - 1 before it, newest first, zero before there
 * were so many.  The limits are LAKE's (utcs-scea/LAKE dfeef0f,
 * src/fstore/module.c: 32 registries, a ring of 256 vectors).
 *
 * Handles are 0, 1, ..; every function answers -1 where a handle, a field or a
 * size is wrong, and then changes nothing.                                   */
#ifndef MODELS_MLAAS_FEATURES_H
#define MODELS_MLAAS_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "policies/policy.h"

#define FEATURES_REGISTRIES 32
#define FEATURES_ROWS       256 /* of a ring, unless asked for otherwise */
#define FEATURES_ROWS_MOST  65536
#define FEATURES_COLUMNS    256

struct features;
struct features *features_new(void); /* NULL: out of memory */
void features_free(struct features *f);

/* why[0..n) says what was wrong. */
int features_open(struct features *f, const char *name, const struct policy_field *field,
                  uint32_t n_field, uint32_t rows, char *why, size_t n);
uint32_t features_columns(const struct features *f, int registry); /* 0: no such registry */

int features_begin(struct features *f, int registry); /* forgets what was not committed */
int features_put(struct features *f, int registry, uint32_t field, float value);
int features_add(struct features *f, int registry, uint32_t field, float value);
/* A time before that of the last vector counts as that. */
int features_commit(struct features *f, int registry, uint64_t at_ns);

/* The newest `most` vectors committed at since_ns or later, the oldest of them first; how many.
 * at_ns may be NULL. */
int features_get(const struct features *f, int registry, uint64_t since_ns, uint32_t most,
                 float *rows, uint64_t *at_ns);
int features_drop(struct features *f, int registry, uint64_t until_ns); /* how many went */

#endif
