/* store_hdf.h - what the store's files share of HDF5: checked handles, 1-D columns, texts.
 *
 * Handles are HDF5's hid_t, spelled int64_t so that only store*.c needs its headers. */
#ifndef TRACES_STORE_HDF_H
#define TRACES_STORE_HDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/store.h"

/* One row block, one chunk, one read: big enough that per-call cost vanishes. */
#define STORE_CHUNK   65536u
#define STORE_ZSTD_ID 32015

typedef int64_t h5id;

void h5_quiet(void); /* HDF5 may not print its stack: sentences are ours */

/* Columns: width 4 or 8 bytes. */
h5id h5_column_create(h5id group, const char *name, const char *unit, unsigned width, uint64_t fill,
                      enum store_filter filter);
bool h5_column_append(h5id set, unsigned width, uint64_t at, const void *data, size_t n);
/* Opens and checks rank, class and width; -1 with a sentence when it is not as it should be. */
h5id h5_column_open(h5id group, const char *path, const char *name, unsigned width, uint64_t *rows,
                    struct err *e);
bool h5_column_read(h5id set, unsigned width, uint64_t at, void *data, size_t n);

bool h5_text_attr(h5id at, const char *name, const char *text);
bool h5_number_attr(h5id at, const char *name, uint64_t v);
/* False when it is absent or of another kind; a text is cut to n - 1 bytes. */
bool h5_text_attr_get(h5id at, const char *name, char *text, size_t n);
bool h5_number_attr_get(h5id at, const char *name, uint64_t *v);

/* A list of texts as one dataset of NUL-separated bytes plus an offsets column. */
bool h5_texts_write(h5id file, const struct trace_names *names);
int h5_texts_read(h5id file, const char *path, struct trace_names **names, struct err *e);

#endif
