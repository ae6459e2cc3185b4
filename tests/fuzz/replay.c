/* replay.c - gives each file named on the command line to a fuzz target, once.
 *
 * What libFuzzer's main does with files, without libFuzzer: so that the corpus
 * is a regression test wherever the program can be built.                    */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char *slurp(FILE *f, size_t *size)
{
    size_t cap = 0;
    unsigned char *all = NULL;
    *size = 0;
    for (;;) {
        if (*size == cap) {
            cap = cap ? 2 * cap : 4096;
            unsigned char *more = realloc(all, cap);
            if (!more) {
                free(all);
                return NULL;
            }
            all = more;
        }
        size_t n = fread(all + *size, 1, cap - *size, f);
        *size += n;
        if (n == 0)
            return all;
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 2;
        }
        size_t size;
        unsigned char *data = slurp(f, &size);
        fclose(f);
        if (!data)
            return 1;
        /* exactly as long as the input, so that a sanitizer sees one byte too many */
        unsigned char *exact = malloc(size ? size : 1);
        for (size_t b = 0; exact && b < size; b++)
            exact[b] = data[b];
        free(data);
        if (!exact)
            return 1;
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
