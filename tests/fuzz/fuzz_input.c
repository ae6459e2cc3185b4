/* fuzz_input.c - any bytes as a file, packed or not: an end or a sentence, in bounded memory. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "traces/input.h"

#define ENOUGH (8u << 20) /* archives can be worth more than anyone wants to wait for */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char out[30011];
    struct err e = {0};
    struct input *in;
    char hex[SHA256_HEX];
    long got;
    if (input_open_memory(&in, "fuzz", data, size, &e)) {
        assert(!strncmp(e.msg, "fuzz", 4));
        return 0;
    }
    bool plain = !strcmp(input_packing(in), "plain");
    while ((got = input_read(in, out, sizeof out, &e)) > 0 && input_bytes(in) < ENOUGH) {
    }
    assert(got >= 0 || (e.code && !strncmp(e.msg, "fuzz: ", 6)));
    if (plain)
        assert(got >= 0 && input_bytes(in) == size);
    input_sha256(in, hex);
    assert(strlen(hex) == 64);
    input_close(in);
    return 0;
}
