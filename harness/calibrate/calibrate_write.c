#include "harness/calibrate/calibrate_write.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/base/profile.h"
#include "harness/base/thismachine.h"
#include "harness/base/version.h"

static void print_row(const struct calibrate_row *r, FILE *f)
{
    if (r->skipped[0]) {
        fprintf(f, "  %-24s %21s  %s\n", r->name, "not measured", r->skipped);
        return;
    }
    if (!r->n) {
        fprintf(f, "  %-24s %10.4g %-10s  %s\n", r->name, r->value, r->unit, r->how);
        return;
    }
    fprintf(f, "  %-24s %21s  %s\n", r->name, r->unit, r->how);
    for (size_t i = 0; i < r->n; i++)
        fprintf(f, "  %24llu %10.4g %s\n", (unsigned long long)r->x[i], r->y[i], r->unit);
}

void calibrate_print(const struct calibration *c, FILE *f)
{
    for (size_t i = 0; i < c->rows; i++)
        print_row(&c->row[i], f);
}

/* ---- the profile ---- */

static void put_where(FILE *f, const struct calibrate_row *r)
{
    char cpu[128], kernel[96], text[600];
    thismachine_cpu(cpu, sizeof cpu);
    thismachine_kernel(kernel, sizeof kernel);
    snprintf(text, sizeof text, "malv calibrate (%s): %s; %s, Linux %s", MALV_VERSION, r->how, cpu,
             kernel);
    fputs("\"source\":", f);
    json_string(f, text);
    fputs(",\"evidence\":\"measured\"", f);
}

static void put_numbers(FILE *f, const char *key, const struct calibrate_row *r, bool x)
{
    fprintf(f, "\"%s\":[", key);
    for (size_t i = 0; i < r->n; i++) {
        fputs(i ? "," : "", f);
        if (x)
            fprintf(f, "%llu", (unsigned long long)r->x[i]);
        else
            json_number(f, r->y[i]);
    }
    fputs("],", f);
}

static void put_leaf(FILE *f, const struct calibrate_row *r)
{
    fprintf(f, "\"%s\":{", strchr(r->name, '.') + 1);
    if (r->n) {
        put_numbers(f, "x", r, true);
        put_numbers(f, "y", r, false);
    } else {
        fputs("\"value\":", f);
        json_number(f, r->value);
        fputc(',', f);
    }
    fputs("\"unit\":", f);
    json_string(f, r->unit);
    fputc(',', f);
    put_where(f, r);
    if (!r->n && r->most > r->least) {
        char note[80];
        snprintf(note, sizeof note, "median of repeats from %.4g to %.4g", r->least, r->most);
        fputs(",\"note\":", f);
        json_string(f, note);
    }
    fputc('}', f);
}

static size_t section_length(const char *name)
{
    return strcspn(name, ".");
}

static bool same_section(const struct calibrate_row *a, const struct calibrate_row *b)
{
    size_t n = section_length(a->name);
    return n == section_length(b->name) && !strncmp(a->name, b->name, n);
}

/* All leaves of the section that row i begins; nothing when an earlier row began it. */
static bool put_section(FILE *f, const struct calibration *c, size_t i, bool first)
{
    const char *comma = "";
    const struct calibrate_row *r = &c->row[i];
    if (r->skipped[0])
        return false;
    for (size_t k = 0; k < i; k++)
        if (!c->row[k].skipped[0] && same_section(&c->row[k], r))
            return false;
    fprintf(f, "%s\"%.*s\":{", first ? "" : ",", (int)section_length(r->name), r->name);
    for (size_t k = i; k < c->rows; k++)
        if (!c->row[k].skipped[0] && same_section(&c->row[k], r)) {
            fputs(comma, f);
            put_leaf(f, &c->row[k]);
            comma = ",";
        }
    fputc('}', f);
    return true;
}

static void put_profile(FILE *f, const struct calibration *c, const char *name)
{
    char cpu[128], title[200];
    thismachine_cpu(cpu, sizeof cpu);
    snprintf(title, sizeof title, "measured by malv calibrate on %s", cpu);
    fputs("{\"schema\":\"malv-machine/1\",\"name\":", f);
    json_string(f, name);
    fputs(",\"title\":", f);
    json_string(f, title);
    for (size_t i = 0; i < c->rows; i++)
        put_section(f, c, i, false);
    fputc('}', f);
}

int calibrate_profile(const struct calibration *c, const char *name, const struct config *base,
                      struct config **out, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    struct config *own = NULL;
    *out = NULL;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return err_set(e, ERR_ENOMEM, "out of memory");
    put_profile(f, c, name);
    int rc = fclose(f) ? err_set(e, ERR_ENOMEM, "out of memory")
                       : config_parse(&own, "calibration", text, len, e);
    free(text);
    if (rc)
        return rc;
    if (!base) {
        *out = own;
        return 0;
    }
    rc = profile_merge(out, base, own, e);
    config_free(own);
    return rc;
}
