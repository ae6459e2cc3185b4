#include "harness/base/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/near.h"

void args_begin(void)
{
    optind = 0; /* glibc: begin anew */
    opterr = 0;
}

/* --NAME or --NAME=VALUE beside the options that there are. */
static void near_option(struct near *n, char *name, const struct option *known)
{
    name[strcspn(name, "=")] = 0;
    near_begin(n, name);
    for (; known->name; known++)
        near_offer(n, known->name);
}

static int no_option(const char *command, const char *said, const struct option *known,
                     struct err *e)
{
    struct near n;
    char name[NEAR_MAX + 2];
    snprintf(name, sizeof name, "%s", said + 2);
    near_option(&n, name, known);
    if (n.best)
        return err_set(e, ERR_EUSAGE, "no option %s; did you mean --%s?", said, n.best);
    return err_set(e, ERR_EUSAGE, "no option %s; see malv %s --help", said, command);
}

int args_refuse(const char *command, char **argv, const struct option *known, struct err *e)
{
    const char *said = argv[optind - 1];
    if (strncmp(said, "--", 2)) /* of letters in a bundle getopt tells only which */
        return err_set(e, ERR_EUSAGE, "no option -%c, or its value is missing; see malv %s --help",
                       optopt, command);
    if (!optopt)
        return no_option(command, said, known, e);
    return err_set(e, ERR_EUSAGE, "option %s %s; see malv %s --help", said,
                   strchr(said, '=') ? "takes no value" : "wants a value", command);
}

int args_repeats(const char *text, int most, int *repeats, struct err *e)
{
    char *end;
    *repeats = (int)strtol(text, &end, 10);
    if (*end || *repeats < 1 || *repeats > most)
        return err_set(e, ERR_EUSAGE, "--repeats: got \"%s\", want 1 to %d", text, most);
    return 0;
}
