/* A run and the replay of its exported trace give the same result: every measure, to the last
 * digit, whether the rows come from a synthesizer, from the store, or from an export. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], *wanted;

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-replay-XXXXXX");
    cr_assert(mkdtemp(dir));
}

static void end(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    cr_assert_eq(system(cmd), 0);
    free(wanted);
}

TestSuite(replay, .init = begin, .fini = end, .timeout = 120);

static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void sh(const char *fmt, ...)
{
    char cmd[1024], what[900];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(cmd, sizeof cmd, "cd %s && %s", dir, what);
    cr_assert_eq(system(cmd), 0, "%s", cmd);
}

/* The experiment with this trace: all that `run --json` says of its trial. */
static char *result(const char *experiment, const char *trace)
{
    char cmd[512], *out = calloc(1, 1 << 20);
    snprintf(cmd, sizeof cmd, "%s/x.json", dir);
    FILE *f = fopen(cmd, "w");
    cr_assert(f && out);
    fprintf(
        f, "{\"schema\": \"malv-experiment/1\", \"name\": \"x\", \"trials\": 1, %s, \"trace\": %s}",
        experiment, trace);
    fclose(f);
    snprintf(cmd, sizeof cmd, BUILD "/malv run %s/x.json -q --json -o %s/o.h5", dir, dir);
    FILE *p = popen(cmd, "r");
    cr_assert_gt(fread(out, 1, (1 << 20) - 1, p), 100, "%s", trace);
    cr_assert_eq(pclose(p), 0, "%s", trace);
    char *trials = strstr(out, "\"numbers\"");
    cr_assert_not_null(trials);
    memmove(out, trials, strlen(trials) + 1);
    return out;
}

/* Holds the result against the first one. */
static void same(const char *experiment, const char *trace)
{
    char *now = result(experiment, trace);
    if (wanted)
        cr_expect_str_eq(now, wanted, "%s", trace);
    else
        wanted = strdup(now);
    free(now);
}

Test(replay, requests)
{
    const char *serve = "\"model\": \"serve\", \"machine\": \"machines/h100-server.json\", "
                        "\"serve\": {\"max_running\": 64}";
    char *malv = realpath(BUILD "/malv", NULL), *other;
    same(serve, "{\"synth\": {\"preset\": \"azure-conv\", \"requests\": 2000, \"seed\": 7}}");
    sh("%s trace synth -q --preset azure-conv -n 2000 --seed 7 -o a.h5", malv);
    same(serve, "{\"file\": \"a.h5\"}");
    sh("%s trace export a.h5 -f azure-llm -o a.csv", malv);
    same(serve, "{\"import\": {\"format\": \"azure-llm\", \"file\": \"a.csv\"}}");
    sh("%s trace import -q a.csv -o b.h5 && %s trace export b.h5 -o b.csv && cmp a.csv b.csv", malv,
       malv);
    same(serve, "{\"file\": \"b.h5\"}");
    other = result(serve, "{\"file\": \"a.h5\", \"limit\": 1999}");
    cr_expect_str_neq(other, wanted, "one request fewer must show");
    free(other);
    free(malv);
}

/* Jobs of odd times and parts of GPUs, not in order of time. */
static void write_jobs(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/jobs.csv", dir);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs("at,runs,gpus,vc\n", f);
    for (unsigned k = 0; k < 2000; k++)
        fprintf(f, "2024-05-%02u %02u:%02u:%02u.%03u,%u.25,%s,vc%u\n", 1 + k * 7 % 5, k * 13 % 24,
                k * 31 % 60, k * 17 % 60, k % 1000, 60 + k * 7919 % 20011,
                k % 9 == 0   ? "0.5"
                : k % 7 == 0 ? "8"
                             : "1",
                k % 3);
    fclose(f);
    snprintf(path, sizeof path, "%s/map.json", dir);
    f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs("{\"submit\": {\"column\": \"at\", \"unit\": \"datetime\"}, \"duration\": {\"column\": "
          "\"runs\", \"unit\": \"s\"}, \"gpus\": {\"column\": \"gpus\"}, \"group\": {\"column\": "
          "\"vc\"}}\n",
          f);
    fclose(f);
}

Test(replay, jobs)
{
    const char *cluster =
        "\"model\": \"cluster\", \"cluster\": {\"even\": {\"nodes\": 12, \"gpus\": "
        "8}, \"line\": \"skip-over\", \"fraction\": {\"of\": \"time\"}, "
        "\"preempt\": {\"every_s\": 60}}, \"policy\": \"las\"";
    char *malv = realpath(BUILD "/malv", NULL), *other;
    write_jobs();
    same(cluster, "{\"import\": {\"file\": \"jobs.csv\", \"map\": \"map.json\"}}");
    sh("%s trace import -q jobs.csv --map map.json -o a.h5", malv);
    same(cluster, "{\"file\": \"a.h5\"}");
    sh("%s trace export a.h5 --map map.json -o again.csv && cmp jobs.csv again.csv", malv);
    same(cluster, "{\"import\": {\"file\": \"again.csv\", \"map\": \"map.json\"}}");
    other = result(cluster, "{\"file\": \"a.h5\", \"limit\": 1999}");
    cr_expect_str_neq(other, wanted, "one job fewer must show");
    free(other);
    free(malv);
}
