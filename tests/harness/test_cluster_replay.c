/* test_cluster_replay.c - a run and the replay of its exported trace give the same result. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int sh(const char *fmt, ...)
{
    char cmd[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cmd, sizeof cmd, fmt, ap);
    va_end(ap);
    const int status = system(cmd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void experiment(const char *dir, const char *name, const char *trace)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.json", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fprintf(
        f,
        "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"model\": \"cluster\", \"seed\": 1, "
        "\"trials\": 1, \"policy\": \"tiresias\", \"trace\": %s, \"cluster\": {\"even\": "
        "{\"nodes\": "
        "3, \"gpus\": 8}, \"line\": \"skip-over\", \"preempt\": {}, \"queues\": {\"by\": "
        "\"group\", "
        "\"quota\": {\"a\": 12}}, \"failures\": {\"mtbf_h\": 2}, \"checkpoint\": {\"every_s\": 60, "
        "\"restart_s\": 5}}}\n",
        trace);
    fclose(f);
}

#define MAP                                                                                        \
    "{\\\"submit\\\": {\\\"column\\\": \\\"at\\\", \\\"unit\\\": \\\"s\\\"}, \\\"duration\\\": "   \
    "{\\\"column\\\": \\\"runs\\\", \\\"unit\\\": \\\"s\\\"}, \\\"gpus\\\": {\\\"column\\\": "     \
    "\\\"gpus\\\"}, \\\"group\\\": {\\\"column\\\": \\\"vc\\\"}}"

Test(cluster_replay, an_exported_trace_runs_as_the_run_did, .timeout = 60)
{
    char dir[] = "/tmp/malv-cluster-XXXXXX", text[512];
    cr_assert(mkdtemp(dir));
    /* unsorted, so that what is exported is not what came in by chance */
    sh("printf \"" MAP
       "\" >%s/map.json; awk 'BEGIN {print \"at,runs,gpus,vc\"; for (k = 0; k < 900; "
       "k++) print (k * 37) %% 900 * 11 \",\" 5 + (k * 7919) %% 613 \",\" 1 + (k * 31) %% 9 \",\" "
       "(k %% 3 ? \"a\" : \"b\")}' >%s/jobs.csv",
       dir, dir);
    snprintf(text, sizeof text,
             "{\"import\": {\"map\": \"%s/map.json\", \"file\": \"%s/jobs.csv\"}}", dir, dir);
    experiment(dir, "first", text);
    cr_assert_eq(sh(BUILD
                    "/malv trace import %s/jobs.csv --map %s/map.json -o %s/jobs.h5 >/dev/null",
                    dir, dir, dir),
                 0);
    snprintf(text, sizeof text, "{\"file\": \"%s/jobs.h5\"}", dir);
    experiment(dir, "stored", text);
    cr_assert_eq(
        sh(BUILD "/malv trace export %s/jobs.h5 --map %s/map.json -o %s/again.csv", dir, dir, dir),
        0);
    snprintf(text, sizeof text,
             "{\"import\": {\"map\": \"%s/map.json\", \"file\": \"%s/again.csv\"}}", dir, dir);
    experiment(dir, "again", text);
    for (int i = 0; i < 3; i++) {
        static const char *const name[] = {"first", "stored", "again"};
        cr_assert_eq(sh(BUILD "/malv run -q %s/%s.json -o %s/%s.h5 --json | grep '^{\"index\"' "
                              ">%s/%s.out",
                        dir, name[i], dir, name[i], dir, name[i]),
                     0);
    }
    cr_expect_eq(
        sh("cmp %s/first.out %s/stored.out && cmp %s/first.out %s/again.out", dir, dir, dir, dir),
        0);
    cr_expect_eq(sh("grep -q '\"completed\":900' %s/first.out", dir), 0);
    cr_expect_eq(sh("! grep -q '\"preempted\":0,' %s/first.out", dir), 0);
    sh("rm -r %s", dir);
}
