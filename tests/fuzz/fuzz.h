/* fuzz.h - the one function a fuzz target defines (libFuzzer's name and type).
 *
 * tests/fuzz/fuzz_NAME.c defines it for one parser; tests/fuzz/corpus/NAME/
 * holds inputs worth keeping.  `make fuzz` mutates them under clang's
 * sanitizers; `make test` replays each once (replay.c), with any compiler.
 * A target must free all it takes and may assert what must hold of any input. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
