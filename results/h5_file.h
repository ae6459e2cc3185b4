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

/* The first call is kept: "WHAT NAME". */
void h5_fail(struct h5 *f, const char *what, const char *name);
/* Types and datasets are the caller's to close; < 0: HDF5 refused. */
int64_t h5_text_type(size_t width); /* bytes, padded with zeros; UTF-8 */
/* on_disk: little-endian whatever the machine.  width: of texts alone. */
int64_t h5_copy_type(enum h5_kind kind, size_t width, bool on_disk);
int64_t h5_dataset(struct h5 *f, const char *name, int64_t type, size_t n); /* new: [n] */
int64_t h5_length(int64_t dataset); /* -1: not of one dimension */

#endif
