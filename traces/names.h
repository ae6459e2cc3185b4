/* names.h - texts that records refer to by a small number (models, users, pods).
 *
 * Numbers are given in order of first mention, so the same input gives the
 * same numbers.                                                             */
#ifndef TRACES_NAMES_H
#define TRACES_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct trace_names;
struct trace_names *names_new(void); /* NULL: out of memory */
void names_free(struct trace_names *n);
/* The number of a text, giving it one if need be; TRACE_NAME_NONE: out of memory. */
uint32_t names_id(struct trace_names *n, const char *text, size_t len);
uint32_t names_count(const struct trace_names *n);
const char *names_text(const struct trace_names *n, uint32_t id); /* NULL: no such number */

#endif
