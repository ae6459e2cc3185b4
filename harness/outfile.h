/* outfile.h - files that are there whole or not at all.
 *
 * Text is gathered in memory through a FILE and written to a temporary
 * neighbour that is renamed into place, so a reader never meets half a page. */
#ifndef HARNESS_OUTFILE_H
#define HARNESS_OUTFILE_H

#include <stdio.h>

#include "sim/err.h"

struct outtext {
    FILE *f; /* print here */
    char *data;
    size_t len;
};

int outtext_open(struct outtext *t, struct err *e) MUST_CHECK;
int outtext_close(struct outtext *t, struct err *e) MUST_CHECK; /* data and len are valid, f is gone */
void outtext_free(struct outtext *t);                           /* also when still open */

int outfile_write(const char *path, const char *data, size_t len, struct err *e) MUST_CHECK;
int outfile_mkdir(const char *dir, struct err *e) MUST_CHECK; /* with its parents */
/* Closes t and writes it to DIR/NAME; frees t whatever happens. */
int outtext_save(struct outtext *t, const char *dir, const char *name, struct err *e) MUST_CHECK;
/* The whole file, with a zero behind it; *data is malloc'd. */
int outfile_read(const char *path, char **data, size_t *len, struct err *e) MUST_CHECK;

#endif
