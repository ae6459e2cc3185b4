/* A trace of rows reaches the model that takes its table: what the model counts is what the trace
 * holds. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-row-trace-%ld", (long)getpid());
    char cmd[128];
    snprintf(cmd, sizeof cmd, "mkdir -p %s", dir);
    cr_assert_eq(system(cmd), 0);
}

static void end(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    cr_assert_eq(system(cmd), 0);
}

TestSuite(row_trace, .init = begin, .fini = end);

/* Runs a page cache of 1,000 frames over the section; one measure of its one trial. */
static double measure(const char *section, const char *name)
{
    char path[128], cmd[400], line[4096], key[64];
    double v = -1;
    snprintf(path, sizeof path, "%s/x.json", dir);
    FILE *f = fopen(path, "w");
    fprintf(
        f,
        "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"model\": \"memory\", \"memory\": "
        "{\"cache\": {\"frames\": 1000}}, \"policy\": \"lru\", \"trials\": 1, \"trace\": %s}",
        section);
    fclose(f);
    snprintf(cmd, sizeof cmd, "%s/malv run %s -q --json -o %s/o.h5", BUILD, path, dir);
    FILE *p = popen(cmd, "r");
    snprintf(key, sizeof key, "\"%s\"", name);
    while (fgets(line, sizeof line, p)) {
        char *at = strstr(line, key);
        if (at && v < 0)
            v = strtod(at + strlen(key) + 1, NULL);
    }
    cr_assert_eq(pclose(p), 0, "%s", section);
    return v;
}

Test(row_trace, a_loop_that_fits_misses_once_and_one_that_does_not_always)
{
    const char *fits = "{\"synth\": {\"table\": \"pages\", \"pattern\": \"sequential\", \"pages\": "
                       "1000, \"rows\": 5000}}",
               *not = "{\"synth\": {\"table\": \"pages\", \"pattern\": \"sequential\", \"pages\": "
                      "1001, \"rows\": 5000}, \"limit\": 4000}";
    cr_expect_eq(measure(fits, "misses"), 1000);
    cr_expect_eq(measure(not, "misses"), 4000);
}
