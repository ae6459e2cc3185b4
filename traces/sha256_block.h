/* sha256_block.h - the two ways to digest blocks of 64 bytes (for sha256.c and its test). */
#ifndef TRACES_SHA256_BLOCK_H
#define TRACES_SHA256_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_k[64];

void sha256_blocks_plain(uint32_t h[8], const unsigned char *p, size_t blocks);
void sha256_blocks_x86(uint32_t h[8], const unsigned char *p, size_t blocks);
bool sha256_have_x86(void); /* does this processor have the SHA instructions? */

#endif
