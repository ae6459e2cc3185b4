/* main.c - finds the command, prints its complaint, chooses the exit status. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "harness/commands.h"
#include "harness/base/version.h"

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv, struct err *e);
} commands[] = {
#define X(name, summary) {#name, summary, cmd_##name},
    COMMANDS(X)
#undef X
        {NULL, NULL, NULL}};

static int usage(FILE *to)
{
    fprintf(to, "usage: malv COMMAND [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; commands[i].name; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\nmalv COMMAND --help says more.\n");
    return to == stdout ? 0 : 2;
}

/* Large blocks go back to the system when freed: otherwise the heap of a process that streams a
 * long trace is as fragmented as its chunks are uneven, and grows with their number. */
#define LARGE_BLOCK (64 << 10) /* bytes */

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    if (argc < 2)
        return usage(stderr);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return usage(stdout);
    if (!strcmp(argv[1], "--version")) {
        printf("malv %s\n", MALV_VERSION);
        return 0;
    }
    for (size_t i = 0; commands[i].name; i++) {
        if (strcmp(argv[1], commands[i].name))
            continue;
        struct err e = {0};
        int rc = commands[i].run(argc - 1, argv + 1, &e);
        if (e.code && e.msg[0])
            fprintf(stderr, "malv %s: %s\n", argv[1], e.msg);
        return rc > 0 ? rc : err_status(rc);
    }
    fprintf(stderr, "malv: no command \"%s\"; malv --help lists them\n", argv[1]);
    return 2;
}
