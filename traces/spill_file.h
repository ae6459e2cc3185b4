/* spill_file.h - the file without a name behind spill.c. */
#ifndef TRACES_SPILL_FILE_H
#define TRACES_SPILL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

#define SPILL_BLOCK ((size_t)64 << 10) /* bytes read or written at once, if there is room */

/* In $TMPDIR or /tmp; gone with the program.  ERR_EIO with a sentence. */
int spill_open_file(int *fd, struct err *e) MUST_CHECK;
int spill_read_all(int fd, unsigned char *v, size_t n, uint64_t at, struct err *e) MUST_CHECK;

/* Records put end to end into a file through a buffer. */
struct spill_outlet {
    int fd;
    uint64_t at;
    unsigned char *buf;
    size_t have, room;
};

int spill_outlet_open(struct spill_outlet *o, int fd, uint64_t at, size_t size, struct err *e)
    MUST_CHECK; /* size: of a record; buf is the caller's to free */
int spill_outlet_put(struct spill_outlet *o, const void *record, size_t size,
                     struct err *e) MUST_CHECK;
int spill_outlet_flush(struct spill_outlet *o, struct err *e) MUST_CHECK;

#endif
