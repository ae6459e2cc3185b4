/* test_tools.c - the scripts that guard the tree can say no. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* $T is a folder of the case's own; fake() puts a command in front of the real one. */
#define PREAMBLE                                                                                   \
    "set -e; T=$(mktemp -d); trap 'rm -rf $T' EXIT; mkdir $T/bin $T/tools $T/sim; "                \
    "fake() { printf '#!/bin/sh\\n%s\\n' \"$2\" >$T/bin/$1; chmod +x $T/bin/$1; }; "               \
    "PATH=$T/bin:$PATH; exec 2>&1; "

static const struct {
    const char *name, *run;
    int status;
    const char *says; /* somewhere in what it prints */
} cases[] = {
    {"every name is defined once: of two, an archive silently gives one",
     "nm -g --defined-only " BUILD "/libmalv.a | awk 'NF == 3 && $2 !~ /[VWu]/ { print $3 }' | "
     "sort | uniq -d >$T/twice; test ! -s $T/twice || { cat $T/twice; exit 1; }; echo once",
     0, "once"},
    {"bootstrap lists a group", "tools/bootstrap --list build", 0, "libhdf5-dev"},
    {"bootstrap: ci has all of test", "tools/bootstrap --list ci", 0, "libcriterion-dev"},
    {"bootstrap refuses an unknown group", "tools/bootstrap everything", 2,
     "no group \"everything\"; want build, test, fuzz, cov, bench or ci"},
    {"bootstrap is quiet when all is there",
     "for p in $(tools/bootstrap --list build); do echo \"$p installed\"; done >$T/all; "
     "fake dpkg-query \"cat $T/all\"; tools/bootstrap; echo rest",
     0, "rest"},
    {"without rights, bootstrap prints the one command",
     "fake dpkg-query 'echo gcc installed'; fake id 'echo 1000'; fake sudo 'exit 1'; "
     "tools/bootstrap",
     2, "  apt-get install --no-install-recommends clang gnuplot-nox libc6-dev"},
    {"with rights, bootstrap installs only what is missing",
     "for p in $(tools/bootstrap --list build); do echo \"$p installed\"; done >$T/all; "
     "sed -i '/^clang/d' $T/all; fake dpkg-query \"cat $T/all\"; fake id 'echo 0'; "
     "fake apt-get \"echo \\$* >>$T/asked\"; tools/bootstrap; cat $T/asked",
     0, "install -y --no-install-recommends clang\n"},
    {"bootstrap refreshes the lists when an install fails",
     "fake dpkg-query ''; fake id 'echo 0'; "
     "fake apt-get \"echo \\$* >>$T/asked; test -e $T/again || { touch $T/again; exit 100; }\"; "
     "tools/bootstrap; cat $T/asked",
     0, "Use-Pty=0 update\n"},
    {"layers holds here", "tools/layers", 0, ""},
    {"layers sees an include that goes up",
     "cp tools/layers $T/tools/; echo '#include \"harness/commands.h\"' >$T/sim/x.c; "
     "$T/tools/layers",
     1, "layers: sim/ may not include harness/commands.h"},
    {"layers sees a library out of its room",
     "cp tools/layers $T/tools/; echo '#include <cjson/cJSON.h>' >$T/sim/x.c; $T/tools/layers", 1,
     "layers: sim/x.c may not include <cjson/"},
};

ParameterizedTestParameters(tools, each_script_answers)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, tools, each_script_answers, .timeout = 60)
{
    char cmd[4096], out[8192] = "";
    snprintf(cmd, sizeof cmd, "%s%s", PREAMBLE, cases[*row].run);
    FILE *p = popen(cmd, "r");
    cr_assert_not_null(p);
    size_t n = fread(out, 1, sizeof out - 1, p);
    out[n] = 0;
    int rc = pclose(p);
    cr_expect_eq(WEXITSTATUS(rc), cases[*row].status, "%s: exit %d: %s", cases[*row].name,
                 WEXITSTATUS(rc), out);
    cr_expect(strstr(out, cases[*row].says), "%s: printed %s", cases[*row].name, out);
}
