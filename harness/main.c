/* main.c - finds the command, prints its complaint, chooses the exit status. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/commands.h"
#include "commit.h"
#include "harness/base/version.h"
#include "sim/near.h"

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

/* What was printed for a script has arrived: a full disk is not success. */
static int printed(struct err *e)
{
    const bool failed = ferror(stdout);
    if (!fflush(stdout) && !failed)
        return 0;
    return err_set(e, ERR_EIO, "standard output: %s", strerror(errno ? errno : EIO));
}

static int unknown(const char *said)
{
    struct near n;
    near_begin(&n, said);
    for (size_t i = 0; commands[i].name; i++)
        near_offer(&n, commands[i].name);
    fprintf(stderr, "malv: no command \"%s\"%s\n", said,
            n.best ? near_words(&n) : "; malv --help lists them");
    return 2;
}

/* Large blocks go back to the system when freed: otherwise the heap of a process that streams a
 * long trace is as fragmented as its chunks are uneven, and grows with their number. */
#define LARGE_BLOCK (64 << 10) /* bytes */

int main(int argc, char **argv)
{
    char *asked[4];
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    version_commit = MALV_COMMIT;
    if (argc < 2)
        return usage(stderr);
    if (!strcmp(argv[1], "help") && argc == 3) /* malv help run: as malv run --help */
        argv = memcpy(asked, (char *[]){argv[0], argv[2], "--help", NULL}, sizeof asked);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return usage(stdout);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("malv %s, commit %s\n", MALV_VERSION, version_commit);
        return 0;
    }
    for (size_t i = 0; commands[i].name; i++) {
        if (strcmp(argv[1], commands[i].name))
            continue;
        struct err e = {0};
        int rc = commands[i].run(argc - 1, argv + 1, &e);
        if (!rc)
            rc = printed(&e);
        if (e.code && e.msg[0])
            fprintf(stderr, "malv %s: %s\n", argv[1], e.msg);
        return rc > 0 ? rc : err_status(rc);
    }
    return unknown(argv[1]);
}
