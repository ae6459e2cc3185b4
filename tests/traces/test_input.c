/* Bytes come out as they went in, or as a sentence. */
#include <criterion/criterion.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "traces/input.h"
#include "traces/sha256_block.h"

/* FIPS 180-4 examples and NIST's million a's. */
static const struct {
    const char *text;
    size_t times;
    const char *want;
} vectors[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

Test(sha256, meets_the_published_vectors)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct sha256 s;
        char hex[SHA256_HEX];
        sha256_init(&s);
        for (size_t k = 0; k < vectors[i].times; k++)
            sha256_add(&s, vectors[i].text, strlen(vectors[i].text));
        sha256_hex(&s, hex);
        cr_expect_str_eq(hex, vectors[i].want);
    }
}

/* However the bytes are cut, the digest is the same. */
Test(sha256, does_not_see_the_cuts)
{
    unsigned char data[257];
    char whole[SHA256_HEX], cut[SHA256_HEX];
    struct sha256 s;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    sha256_init(&s);
    sha256_add(&s, data, sizeof data);
    sha256_hex(&s, whole);
    for (size_t at = 0; at <= sizeof data; at++) {
        sha256_init(&s);
        sha256_add(&s, data, at);
        sha256_hex(&s, cut); /* may be asked in between */
        sha256_add(&s, data + at, sizeof data - at);
        sha256_hex(&s, cut);
        cr_assert_str_eq(cut, whole, "cut at %zu", at);
    }
}

Test(sha256, the_processor_agrees_with_the_standard)
{
    unsigned char data[64 * 9];
    uint32_t plain_h[8], x86_h[8];
    if (!sha256_have_x86())
        cr_skip_test("this processor has no SHA instructions");
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3 ^ i * 41);
    for (size_t n = 0; n <= 9; n++) {
        for (uint32_t i = 0; i < 8; i++)
            plain_h[i] = x86_h[i] = i * 0x9e3779b9u + (uint32_t)n;
        sha256_blocks_plain(plain_h, data, n);
        sha256_blocks_x86(x86_h, data, n);
        cr_assert_eq(memcmp(plain_h, x86_h, sizeof x86_h), 0, "%zu blocks", n);
    }
}

#define LEN 300000

static unsigned char plain[LEN];

static void make_plain(void)
{
    for (size_t i = 0; i < LEN; i++)
        plain[i] = (unsigned char)(i / 3 * i >> 5 ^ i);
}

static size_t pack_gzip(unsigned char *to, size_t room, const unsigned char *from, size_t n)
{
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)(size_t)from;
    z.avail_in = (uInt)n;
    z.next_out = to;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

static size_t pack_xz(unsigned char *to, size_t room, const unsigned char *from, size_t n)
{
    size_t at = 0;
    cr_assert_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, from, n, to, &at, room),
                 LZMA_OK);
    return at;
}

static size_t pack_zstd(unsigned char *to, size_t room, const unsigned char *from, size_t n)
{
    size_t len = ZSTD_compress(to, room, from, n, 3);
    /* with a checksum, so that a flipped bit is noticed */
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    len = ZSTD_compress2(c, to, room, from, n);
    ZSTD_freeCCtx(c);
    return len;
}

static const struct {
    const char *name;
    size_t (*pack)(unsigned char *to, size_t room, const unsigned char *from, size_t n);
} packings[] = {{"gzip", pack_gzip}, {"xz", pack_xz}, {"zstd", pack_zstd}};

/* Reads all in uneven bites; returns the length or the error. */
static long read_all(const void *data, size_t len, unsigned char *to, size_t room, struct err *e)
{
    struct input *in;
    size_t at = 0, bite = 1;
    int rc = input_open_memory(&in, "mem", data, len, e);
    if (rc)
        return rc;
    for (;;) {
        size_t n = bite < room - at ? bite : room - at;
        long got = input_read(in, to + at, n ? n : 1, e);
        if (got <= 0) {
            input_close(in);
            return got < 0 ? got : (long)at;
        }
        at += (size_t)got;
        bite = bite % 9973 + 1 + bite / 2;
    }
}

Test(input, archives_of_two_members_come_out_whole, .init = make_plain)
{
    static unsigned char packed[2 * LEN], out[LEN + 1];
    for (size_t k = 0; k < 3; k++) {
        struct err e = {0};
        size_t a = packings[k].pack(packed, sizeof packed, plain, 1000);
        size_t n = a + packings[k].pack(packed + a, sizeof packed - a, plain + 1000, LEN - 1000);
        long got = read_all(packed, n, out, sizeof out, &e);
        cr_assert_eq(got, LEN, "%s: %ld %s", packings[k].name, got, e.msg);
        cr_assert_eq(memcmp(out, plain, LEN), 0, "%s", packings[k].name);
    }
}

Test(input, truncated_archives_are_sentences, .init = make_plain)
{
    static unsigned char packed[LEN], out[LEN + 1];
    for (size_t k = 0; k < 3; k++) {
        size_t n = packings[k].pack(packed, sizeof packed, plain, 20000);
        for (size_t cut = 6; cut < n; cut += cut < 40 ? 1 : 1 + n / 50) {
            struct err e = {0};
            char want[80];
            cr_assert_eq(read_all(packed, cut, out, sizeof out, &e), ERR_EIO, "%s cut at %zu",
                         packings[k].name, cut);
            snprintf(want, sizeof want, "mem: the %s data ends early: a truncated file",
                     packings[k].name);
            cr_assert_str_eq(e.msg, want);
        }
    }
}

Test(input, flipped_bits_are_sentences, .init = make_plain)
{
    static unsigned char packed[LEN], out[LEN + 1];
    for (size_t k = 0; k < 3; k++) {
        size_t n = packings[k].pack(packed, sizeof packed, plain, 20000);
        for (size_t at = n / 2; at < n / 2 + 20; at++) {
            struct err e = {0};
            packed[at] ^= 0x10;
            long got = read_all(packed, n, out, sizeof out, &e);
            packed[at] ^= 0x10;
            cr_assert_eq(got, ERR_EIO, "%s: byte %zu", packings[k].name, at);
            cr_assert(strstr(e.msg, "mem: damaged ") || strstr(e.msg, "ends early"), "%s", e.msg);
        }
    }
}

Test(input, the_digest_is_of_the_decoded_bytes, .init = make_plain)
{
    static unsigned char packed[LEN], out[LEN + 1];
    char want[SHA256_HEX], got[SHA256_HEX];
    struct sha256 s;
    struct input *in;
    struct err e = {0};
    sha256_init(&s);
    sha256_add(&s, plain, LEN);
    sha256_hex(&s, want);
    size_t n = pack_xz(packed, sizeof packed, plain, LEN);
    cr_assert_eq(input_open_memory(&in, "mem", packed, n, &e), 0);
    cr_assert_str_eq(input_packing(in), "xz");
    while (input_read(in, out, sizeof out, &e) > 0) {
    }
    input_sha256(in, got);
    cr_assert_str_eq(got, want);
    cr_assert_eq(input_bytes(in), LEN);
    input_close(in);
}

Test(input, files_that_are_not_there_and_folders_are_sentences)
{
    struct err e = {0};
    struct input *in;
    cr_assert_eq(input_open(&in, "/nowhere/x", &e), ERR_EIO);
    cr_assert_str_eq(e.msg, "/nowhere/x: No such file or directory");
    e = (struct err){0};
    cr_assert_eq(input_open(&in, "/tmp", &e), ERR_EIO);
    cr_assert_str_eq(e.msg, "/tmp: got a folder, want a file");
}

Test(input, an_empty_file_is_empty)
{
    struct err e = {0};
    unsigned char out[4];
    cr_assert_eq(read_all("", 0, out, sizeof out, &e), 0, "%s", e.msg);
}
