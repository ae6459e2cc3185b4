#include "harness/base/args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

void args_begin(void)
{
    optind = 0; /* glibc: begin anew */
    opterr = 0;
}

int args_refuse(const char *command, char **argv, struct err *e)
{
    const char *said = argv[optind - 1];
    if (strncmp(said, "--", 2)) /* of letters in a bundle getopt tells only which */
        return err_set(e, ERR_EUSAGE, "no option -%c, or its value is missing; see malv %s --help",
                       optopt, command);
    if (!optopt)
        return err_set(e, ERR_EUSAGE, "no option %s; see malv %s --help", said, command);
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
