/* files.h - whole small files, in and out.  A write is to a temporary beside
 * the target, synced and renamed: nobody ever sees half a file.             */
#ifndef HARNESS_BASE_FILES_H
#define HARNESS_BASE_FILES_H

#include <stddef.h>

#include "sim/err.h"

/* malloc'd, with a zero byte after the end; files over `most` bytes are refused. */
int files_read(const char *path, size_t most, unsigned char **data, size_t *n,
               struct err *e) MUST_CHECK;
int files_write(const char *path, const void *data, size_t n, struct err *e) MUST_CHECK;

#endif
