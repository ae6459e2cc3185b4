/* cmd_trace_make.c - malv trace import, synth, export: from one form into another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cmd_trace.h"
#include "sim/config.h"
#include "traces/convert.h"
#include "traces/schema.h"

static const char import_help[] =
    "usage: malv trace import FILE [-f FORMAT | --map MAP] -o OUT.h5 [--skip-bad N] [--filter "
    "deflate|zstd|none]\n"
    "                         [--source TEXT] [--licence TEXT] [--json] [-q]\n\n"
    "Makes a canonical trace (HDF5, malv-trace/1) of a published one, plain or packed (gzip, xz,\n"
    "zstd).  The format is told by the first line when -f does not name it.  A bad row is an "
    "error\n"
    "with file, line and column; --skip-bad N leaves out up to N of them and counts.\n"
    "A file of your own in somebody's format is labelled as theirs unless --source says whose it\n"
    "is, and --licence on what terms.\n\nformats:\n";

static int one_operand(int argc, char **argv, const char *want, struct err *e)
{
    if (argc == 0)
        return err_set(e, ERR_EUSAGE, "want %s", want);
    return argc > 1 ? err_set(e, ERR_EUSAGE, "no use for \"%s\"", argv[1]) : 0;
}

int trace_import(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    const struct import_format *format = NULL;
    struct column_map map;
    enum store_filter filter;
    struct trace_file *f;
    struct trace_meta meta;
    struct progress p;
    int rc = trace_options(&argc, &argv, "fmozkSLjq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(import_help, stdout);
        trace_print_formats();
        printf("\nexample: malv trace import BurstGPT_1.csv.gz -o burst.h5\n");
        return 0;
    }
    if ((rc = one_operand(argc, argv, "a file", e)) || (rc = trace_filter(&o, &filter, e)))
        return rc;
    if (!o.out)
        return err_set(e, ERR_EUSAGE, "want -o OUT.h5");
    if ((rc = trace_format(&o, &map, &format, e)))
        return rc;
    double began = trace_clock();
    if ((rc = trace_file_open(&f, argv[0], format, o.skip_bad, e)))
        return rc;
    if ((rc = trace_file_label(f, o.source, o.licence, e))) {
        trace_file_close(f);
        return rc;
    }
    progress_begin(&p, "rows", trace_file_expected(f), o.quiet);
    rc = convert_to_store(f, o.out, filter, &meta, trace_tick, &p, e);
    progress_end(&p);
    trace_file_close(f);
    if (!rc)
        trace_print_written(&o, o.out, &meta, trace_clock() - began);
    return rc;
}

static const char synth_help[] =
    "usage: malv trace synth [--preset NAME | --params FILE.json] [-n ROWS] [--rate PER_S] "
    "[--seed S]\n"
    "                        -o OUT.h5 [--filter deflate|zstd|none] [--json] [-q]\n\n"
    "Makes a canonical trace of requests, block I/O, page accesses, scheduler events, VMs, GPU\n"
    "programs, or jobs or nodes of a cluster, any length.  FILE.json holds what an experiment has\n"
    "under \"synth\": parameters, or clients, each with its own arrivals and lengths\n"
    "(docs/traces.md).  The same parameters and seed give the same bytes.  --rate is for "
    "requests.\n";

static void print_presets(void)
{
    const struct synth_kind *k;
    struct synth_named p;
    for (size_t i = 0; (k = synth_kind_at(i)); i++) {
        const char *last = "";
        printf("\npresets of %s:\n", trace_schemas[k->table].table);
        for (size_t j = 0; k->preset_at(j, &p, NULL); j++) {
            printf("  %-16s %s\n", p.name, p.title);
            if (strcmp(last, p.source))
                printf("%19s%s\n", "", p.source);
            last = p.source;
        }
    }
}

/* --params may be a description of clients instead: *c. */
static int clients_of(const struct trace_options *o, struct clients **c, struct err *e)
{
    struct config *doc = NULL;
    *c = NULL;
    int rc = o->params ? config_load(&doc, o->params, e) : 0;
    if (!rc && doc && config_kind(doc) == CONFIG_OBJECT && config_get(doc, "clients"))
        rc = clients_read(c, doc, e);
    config_free(doc);
    if (*c && o->n) {
        (*c)->requests = o->n;
        (*c)->duration_s = 0;
    }
    if (!rc && *c && (o->rate > 0 || o->preset)) {
        clients_free(*c);
        *c = NULL;
        rc = err_set(e, ERR_EUSAGE, "neither --rate nor --preset goes with clients");
    }
    return rc;
}

static int synth_params_of(const struct trace_options *o, struct synth_any *p, struct err *e)
{
    struct config *c = NULL;
    int rc;
    if (o->params && o->preset)
        return err_set(e, ERR_EUSAGE, "want --preset or --params, not both");
    if (o->params) {
        if ((rc = config_load(&c, o->params, e)) == 0)
            rc = synth_any_read(c, p, e);
        if (c)
            config_free(c);
    } else {
        rc = synth_any_preset(o->preset ? o->preset : "mixed", p, e);
    }
    if (rc)
        return rc;
    if (o->n)
        synth_kind_of(p->table)->set_rows(&p->p, o->n);
    if (o->rate > 0 && p->table != TRACE_REQUESTS)
        return err_set(e, ERR_EUSAGE, "--rate is of requests, this makes %s",
                       trace_schemas[p->table].table);
    if (o->rate > 0)
        p->p.requests.rate_per_s = o->rate;
    return 0;
}

int trace_synth(int argc, char **argv, struct err *e)
{
    struct trace_options o = {.seed = 1};
    struct synth_any params;
    struct clients *clients;
    enum store_filter filter;
    struct trace_meta meta;
    struct progress p;
    int rc = trace_options(&argc, &argv, "opPnsrzjq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(synth_help, stdout);
        print_presets();
        printf("\nexample: malv trace synth --preset azure-conv -n 1000000 --seed 7 -o conv.h5\n");
        return 0;
    }
    if (argc)
        return err_set(e, ERR_EUSAGE, "no use for \"%s\"", argv[0]);
    if (!o.out)
        return err_set(e, ERR_EUSAGE, "want -o OUT.h5");
    if ((rc = trace_filter(&o, &filter, e)) || (rc = clients_of(&o, &clients, e)) ||
        (rc = clients ? 0 : synth_params_of(&o, &params, e)))
        return rc;
    double began = trace_clock();
    progress_begin(&p, "rows",
                   clients ? clients->requests : synth_kind_of(params.table)->rows(&params.p),
                   o.quiet);
    rc = clients
             ? convert_clients(clients, o.params, o.seed, o.out, filter, &meta, trace_tick, &p, e)
             : convert_synth(&params, o.seed, o.out, filter, &meta, trace_tick, &p, e);
    progress_end(&p);
    if (!rc)
        trace_print_written(&o, o.out, &meta, trace_clock() - began);
    return rc;
}

static const char export_help[] =
    "usage: malv trace export FILE.h5 [-f FORMAT | --map MAP] [-o OUT]\n\n"
    "Writes a canonical trace in a published format: by default the one that it came from, and\n"
    "then byte for byte as it was (columns that the canonical trace has no place for excepted).\n"
    "Without -o: standard output.\n\n"
    "example: malv trace export code.h5 -o code.csv\n";

/* Into a neighbour of OUT that becomes OUT when it is complete. */
static int export_to(struct trace_file *f, const struct import_format *format, const char *out,
                     struct err *e)
{
    char *temp;
    if (asprintf(&temp, "%s.tmp", out) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    FILE *to = fopen(temp, "wb");
    int rc =
        to ? convert_export(f, format, to, e) : err_set(e, ERR_EIO, "%s: %s", out, strerror(errno));
    if (to && fclose(to) && !rc)
        rc = err_set(e, ERR_EIO, "%s: %s", out, strerror(errno));
    if (!rc && rename(temp, out))
        rc = err_set(e, ERR_EIO, "%s: %s", out, strerror(errno));
    if (rc && to)
        remove(temp);
    free(temp);
    return rc;
}

int trace_export(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    const struct import_format *format = NULL;
    struct column_map map;
    struct trace_file *f;
    int rc = trace_options(&argc, &argv, "fmoq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(export_help, stdout);
        return 0;
    }
    if ((rc = one_operand(argc, argv, "a canonical trace", e)))
        return rc;
    if ((rc = trace_format(&o, &map, &format, e)))
        return rc;
    if (!store_is(argv[0]))
        return err_set(e, ERR_EIO, "%s: not a canonical trace (HDF5)", argv[0]);
    if ((rc = trace_file_open(&f, argv[0], NULL, 0, e)))
        return rc;
    if (!format && !(format = trace_file_format(f)))
        rc = err_set(e, ERR_EUSAGE, "%s: a synthesized trace; -f says which format to write",
                     argv[0]);
    else
        rc = o.out ? export_to(f, format, o.out, e) : convert_export(f, format, stdout, e);
    trace_file_close(f);
    return rc;
}
