/* results_write.c - a set of trials as an HDF5 file, schema malv-results/1.
 *
 *   attributes  schema name title version planned experiment machine trace
 *   columns     what each column of `trials` is: role, unit, which way is better
 *   trials      one row per trial: index, seed, failed, why, factors, numbers, and
 *               NAME.mean .p50 .p90 .p99 of every sketch
 *   sketches    one row per trial and sketch; its buckets are rows
 *               [first, first + n) of `buckets`, its exact state in `packed`
 *   series      one row per trial and series; its bins are elements
 *               [first, first + bins) of `series_integral`
 *   incidents   ejections, warnings, refusals
 *
 * A number that a trial does not have is NaN.                               */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "results/results_tables.h"

static void write_all(struct h5 *f, const struct result_set *rs)
{
    h5_put_text(f, NULL, "schema", RESULTS_SCHEMA);
    h5_put_text(f, NULL, "name", rs->name);
    h5_put_text(f, NULL, "title", rs->title);
    h5_put_text(f, NULL, "version", rs->version);
    h5_put_u64(f, "planned", rs->planned);
    h5_put_text(f, NULL, "experiment", rs->experiment_json);
    h5_put_text(f, NULL, "machine", rs->machine_json);
    h5_put_text(f, NULL, "trace", rs->trace_json);
    results_write_trials(f, rs);
    results_write_sketches(f, rs);
    results_write_series(f, rs);
    results_write_incidents(f, rs);
}

/* The data must be on the disk before the name is: a power cut leaves the old file or the new. */
static int put_in_place(const char *temp, const char *path, struct err *e)
{
    int fd = open(temp, O_RDONLY);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (synced && rename(temp, path) == 0)
        return 0;
    return err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
}

int results_write(const struct result_set *rs, const char *path, struct err *e)
{
    char temp[4096];
    struct h5 *f;
    /* One name: what a kill leaves behind is overwritten by the next run. The journal's lock keeps
     * a second writer away. */
    if (snprintf(temp, sizeof temp, "%s.tmp", path) >= (int)sizeof temp)
        return err_set(e, ERR_EUSAGE, "%s: the path is too long", path);
    int rc = h5_create(&f, temp, e);
    if (rc)
        return rc;
    write_all(f, rs);
    rc = h5_close(f, e);
    if (!rc)
        rc = put_in_place(temp, path, e);
    if (rc)
        unlink(temp);
    return rc;
}
