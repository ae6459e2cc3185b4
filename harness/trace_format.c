/* Which format a file of malv trace is in: -f, or a column map. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/places.h"
#include "harness/cmd_trace.h"

/* A name of the source tree's maps, or a path. */
static int read_map(const char *name, struct column_map *m, struct err *e)
{
    struct config *doc = NULL;
    char *path = column_map_path(name);
    if (path && strcmp(path, name)) {
        char *there = places_root(path);
        free(path);
        path = there;
    }
    if (!path)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = config_load(&doc, path, e);
    if (!rc)
        rc = column_map_read(m, doc, e);
    config_free(doc);
    free(path);
    return rc;
}

int trace_format(const struct trace_options *o, struct column_map *m,
                 const struct import_format **out, struct err *e)
{
    *out = NULL;
    if (o->map && o->format && strcmp(o->format, "jobs-map") && strcmp(o->format, "requests-map"))
        return err_set(e, ERR_EUSAGE, "want -f or --map, not both");
    if (o->map) {
        *out = &m->format;
        return read_map(o->map, m, e);
    }
    return o->format ? import_format_named(o->format, out, e) : 0;
}

static void print_maps(void)
{
    char *pattern = places_root(COLUMN_MAPS "*.json");
    glob_t g = {0};
    if (!pattern || glob(pattern, 0, NULL, &g)) {
        free(pattern);
        return;
    }
    printf("\ncolumn maps of logs of jobs (--map NAME, or the path of one of your own):\n");
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct column_map m;
        struct config *doc = NULL;
        const char *name = strrchr(g.gl_pathv[i], '/') + 1;
        if (!config_load(&doc, g.gl_pathv[i], NULL) && !column_map_read(&m, doc, NULL))
            printf("  %-14.*s %s\n", (int)strcspn(name, "."), name, m.title);
        config_free(doc);
    }
    globfree(&g);
    free(pattern);
}

void trace_print_formats(void)
{
    const struct import_format *f;
    for (size_t i = 0; (f = import_format_at(i)); i++)
        printf("  %-12s %s\n", f->name, f->title);
    print_maps();
}
