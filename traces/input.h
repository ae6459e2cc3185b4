/* input.h - the bytes of a file, whatever it is packed in.
 *
 * Plain, gzip, xz and zstd are told apart by their first bytes, never by the
 * name; archives of several members are read through.  Memory is bounded.
 * A truncated or corrupt archive is an error sentence, never a short read.
 * The digest is of the decoded bytes.                                       */
#ifndef TRACES_INPUT_H
#define TRACES_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/sha256.h"

struct input;

int input_open(struct input **in, const char *path, struct err *e) MUST_CHECK;
/* Over memory that outlives it; name is what complaints call it. */
int input_open_memory(struct input **in, const char *name, const void *data, size_t len,
                      struct err *e) MUST_CHECK;
/* Up to n bytes; 0 the end, negative an error. */
long input_read(struct input *in, void *to, size_t n, struct err *e) MUST_CHECK;
/* All that is left, if it is less than `most` bytes; malloc'd, to be freed after an error too.
 * want: what a longer one is told to be instead. */
int input_read_all(struct input *in, size_t most, const char *want, char **text, size_t *n,
                   struct err *e) MUST_CHECK;
void input_sha256(const struct input *in, char hex[SHA256_HEX]); /* of what was read so far */
uint64_t input_bytes(const struct input *in);
const char *input_name(const struct input *in);
const char *input_packing(const struct input *in); /* "plain", "gzip", "xz", "zstd" */
void input_close(struct input *in);

#endif
