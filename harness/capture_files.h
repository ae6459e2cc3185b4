/* capture_files.h - the folder in which the processes of a captured command leave their raw files.
 *
 * It lies beside the trace, so that a malv that is killed loses nothing: the files in it, laid end
 * to end, are what `malv trace import` reads.                                                    */
#ifndef HARNESS_CAPTURE_FILES_H
#define HARNESS_CAPTURE_FILES_H

#include <limits.h>
#include <stddef.h>

#include "sim/err.h"

/* Makes an empty folder OUT.XXXXXX; its absolute path goes to dir. */
int capture_files_begin(const char *out, char *dir, size_t n, struct err *e) MUST_CHECK;
/* All files of dir, in the order in which their processes began, become one; dir goes.  No files:
 * no raw file either.  Fails: nothing is lost, the sentence says where it is. */
int capture_files_gather(const char *dir, const char *raw, int *files, struct err *e) MUST_CHECK;

#endif
