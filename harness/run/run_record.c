/* run_record.c - how a run went; the one place where the wall clock is written down. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/base/version.h"
#include "harness/run/run_show.h"

static void json_text(FILE *f, const char *name, const char *value)
{
    fprintf(f, ",\n \"%s\": ", name);
    json_string(f, value);
}

static void json_value(FILE *f, const char *name, double value)
{
    fprintf(f, ",\n \"%s\": ", name);
    json_number(f, value);
}

int run_record_write(const struct result_set *rs, const char *out, const struct runner_report *r,
                     struct err *e)
{
    struct outtext t;
    struct utsname host = {0};
    char path[4096], when[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    uname(&host);
    int rc = outtext_open(&t, e);
    if (rc)
        return rc;
    fputs("{\"schema\": \"malv-run/1\"", t.f);
    json_text(t.f, "results", out);
    json_text(t.f, "name", rs->name);
    json_text(t.f, "version", rs->version);
    json_text(t.f, "commit", version_commit);
    json_text(t.f, "finished", when);
    json_text(t.f, "host", host.nodename);
    json_text(t.f, "system", host.release);
    json_text(t.f, "architecture", host.machine);
    json_value(t.f, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
    json_text(t.f, "backend", r->backend[0] ? r->backend : "none: nothing was inferred");
    json_value(t.f, "jobs", r->jobs);
    json_value(t.f, "ranks", r->ranks);
    json_value(t.f, "trials", (double)r->ran);
    json_value(t.f, "resumed", (double)r->resumed);
    json_value(t.f, "failed", (double)r->failed);
    json_value(t.f, "wall_s", r->wall_s);
    fputs("}\n", t.f);
    rc = outtext_close(&t, e);
    snprintf(path, sizeof path, "%s.run.json", out);
    if (!rc)
        rc = files_write(path, t.data, t.len, e);
    outtext_free(&t);
    return rc;
}
