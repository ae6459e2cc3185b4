/* json.h - one line of JSON, read left to right without a tree.
 *
 * For traces of JSON lines, where building a tree per row costs ten times the
 * row.  Strict: RFC 8259, integers only where integers are asked for.  The
 * first mistake is kept in `wrong` (what was wanted) with its place in `at`;
 * after it every call does nothing.                                         */
#ifndef TRACES_JSON_H
#define TRACES_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    const char *text; /* NUL-terminated */
    size_t len, at;
    const char *wrong; /* NULL: all well so far */
    int depth;
};

void json_begin(struct json *j, const char *text, size_t len);
bool json_take(struct json *j, char c); /* steps over c if it is next */
bool json_expect(struct json *j, char c, const char *want);
/* A key without escapes and its colon; false: not there or malformed. */
bool json_key(struct json *j, const char **key, size_t *len);
bool json_u64(struct json *j, uint64_t max, uint64_t *out);
void json_skip(struct json *j); /* any value */
bool json_end(struct json *j);  /* nothing but space is left */
void json_fail(struct json *j, const char *want);

#endif
