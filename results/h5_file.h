/* h5_file.h - what h5.c and h5_rows.c share; handles are HDF5's hid_t. */
#ifndef RESULTS_H5_FILE_H
#define RESULTS_H5_FILE_H

#include <stdio.h>

#include "results/h5.h"

struct h5 {
    int64_t file;
    char *path;
    char what[96]; /* the first thing that failed; "" while all is well */
};

void h5_fail(struct h5 *f, const char *what, const char *name);
int64_t h5_text_type(size_t width);
int64_t h5_copy_type(enum h5_kind kind, size_t width, bool on_disk);
int64_t h5_dataset(struct h5 *f, const char *name, int64_t type, size_t n);
int64_t h5_length(int64_t dataset);

#endif
