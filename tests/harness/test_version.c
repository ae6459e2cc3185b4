/* What the program says it was built from, and its run records with it. */
#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *said(const char *command)
{
    static char text[4096];
    FILE *f = popen(command, "r");
    cr_assert_not_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    cr_assert_eq(pclose(f), 0, "%s", command);
    return text;
}

Test(version, run_records_name_the_commit_that_version_names)
{
    regex_t like;
    char record[80], dir[] = "/tmp/malv-version-XXXXXX", command[256];
    cr_assert_eq(regcomp(&like, "^malv [0-9.]+, commit ([0-9a-f]{12}(-dirty)?|unknown)\n$",
                         REG_EXTENDED | REG_NOSUB),
                 0);
    const char *all = said(BUILD "/malv --version");
    cr_expect_eq(regexec(&like, all, 0, NULL, 0), 0, "%s", all);
    regfree(&like);
    snprintf(record, sizeof record, "\"commit\": \"%s", strstr(all, "commit ") + strlen("commit "));
    record[strcspn(record, "\n")] = 0;
    cr_assert_not_null(mkdtemp(dir));
    snprintf(command, sizeof command,
             BUILD "/malv run experiments/demo.json -q -o %s/x.h5 && cat %s/x.h5.run.json && "
                   "rm -r %s",
             dir, dir, dir);
    cr_expect(strstr(said(command), record), "%s is not in the record", record);
}
