/* parse.h - strict numbers out of text slices: every character counts.
 *
 * No signs, spaces, exponents or leading junk; overflow is refused; a NUL is
 * not needed behind the slice.                                              */
#ifndef TRACES_PARSE_H
#define TRACES_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool parse_u64(const char *s, size_t len, uint64_t max, uint64_t *out);
/* "12", "12.5": seconds (or any unit of `unit` ns) to ns, exact; digits below a ns round half up.
 */
bool parse_decimal_ns(const char *s, size_t len, uint64_t unit, uint64_t *out);
/* Writes v ns as a decimal number of units, without trailing zeros; returns its length. */
int format_decimal_ns(char out[40], uint64_t v, uint64_t unit);

/* Calendar time "YYYY-MM-DD HH:MM:SS[.fraction][zone]" (a T for the space is fine). */
struct stamp {
    uint64_t ns;         /* since 1970-01-01 00:00:00, of the wall clock as written */
    int fraction_digits; /* 0: none were written */
    char zone[8];        /* "", "Z", "+00:00": kept, not applied (one trace has one zone) */
};
bool parse_stamp(const char *s, size_t len, struct stamp *out);
int format_stamp(char out[64], uint64_t ns, int fraction_digits); /* without a zone */

#endif
