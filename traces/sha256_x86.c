/* sha256_x86.c - blocks by the SHA instructions of x86: some six times as fast,
 * which halves the time of an import.                                       */
#include "traces/sha256_block.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

static bool ask(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* Asked once: under a hypervisor cpuid traps, and costs more than many blocks. */
bool sha256_have_x86(void)
{
    static _Atomic int known; /* 0: not asked, 1: no, 2: yes */
    if (!known)
        known = 1 + ask();
    return known == 2;
}

/* The instructions want the state as (a b e f) and (c d g h), highest lane first. */
__attribute__((target("sha,sse4.1,ssse3"))) void
sha256_blocks_x86(uint32_t h[8], const unsigned char *p, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
    for (; blocks; blocks--, p += 64) {
        __m128i m[4], abef0 = abef, cdgh0 = cdgh;
        for (int i = 0; i < 4; i++)
            m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), swap);
        for (int g = 0; g < 16; g++) { /* four rounds each */
            __m128i k = _mm_loadu_si128((const __m128i *)&sha256_k[4 * g]);
            __m128i w = _mm_add_epi32(m[g & 3], k);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, w);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(w, 0x0e));
            __m128i w9 = _mm_alignr_epi8(m[(g + 3) & 3], m[(g + 2) & 3], 4);
            __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(m[g & 3], m[(g + 1) & 3]), w9);
            m[g & 3] = _mm_sha256msg2_epu32(sum, m[(g + 3) & 3]);
        }
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sha256_have_x86(void)
{
    return false;
}

void sha256_blocks_x86(uint32_t h[8], const unsigned char *p, size_t blocks)
{
    sha256_blocks_plain(h, p, blocks);
}

#endif
