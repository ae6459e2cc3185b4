/* outfile.h - text that becomes a file: gathered in memory through a FILE,
 * then written whole (files.h), so a reader never meets half a page.        */
#ifndef HARNESS_BASE_OUTFILE_H
#define HARNESS_BASE_OUTFILE_H

#include <stdio.h>

#include "sim/err.h"

struct outtext {
    FILE *f; /* print here */
    char *data;
    size_t len;
};

int outtext_open(struct outtext *t, struct err *e) MUST_CHECK;
int outtext_close(struct outtext *t,
                  struct err *e) MUST_CHECK; /* data and len are valid, f is gone */
void outtext_free(struct outtext *t);        /* also when still open */

int outfile_mkdir(const char *dir, struct err *e) MUST_CHECK; /* with its parents */
/* Closes t and writes it to DIR/NAME; frees t whatever happens. */
int outtext_save(struct outtext *t, const char *dir, const char *name, struct err *e) MUST_CHECK;

#endif
