/* sha256.h - the digest that names an input, an archive or a stream of records.
 *
 * FIPS 180-4.  Traces are named by the digest of their decoded bytes, so the
 * same file has one name whether it lies there plain, as .gz or as .xz.     */
#ifndef TRACES_SHA256_H
#define TRACES_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX 65 /* 64 digits and a NUL */

struct sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_hex(const struct sha256 *s, char hex[SHA256_HEX]); /* s may be added to afterwards */
void sha256_text(const char *text, char hex[SHA256_HEX]);

#endif
