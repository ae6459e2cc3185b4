/* Makes gnuplot's SVG fit to stand inside a page. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/report/plot.h"

/* What gnuplot writes for the colours that plot.c asked for, and what the
 * page's style sheet sets instead, so that a dark page has a dark figure.    */
static const struct {
    const char *from, *to;
} repaint[] = {
    {"rgb(34,34,51)", "var(--ink)"},
    {"rgb( 34,  34,  51)", "var(--ink)"},
    {"rgb(141, 147, 161)", "var(--axis)"},
    {"rgb(217, 221, 227)", "var(--grid)"},
    {"color=\"black\"", "color=\"var(--ink)\""},
    {"fill=\"#fdfdfe\"", "fill=\"none\""},
    {"color=\"#FDFDFE\"", "color=\"transparent\""},
    {"font-family=\"sans-serif\"", ""},
};

static size_t starts(const char *s, const char *with)
{
    const size_t n = strlen(with);
    return strncmp(s, with, n) ? 0 : n;
}

/* Ids must be unique in the page: they and what refers to them get the figure's name. */
static size_t rename_id(const char *s, const char *name, FILE *out)
{
    static const char *const mark[] = {"id='", "id=\"", "xlink:href='#"};
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++) {
        const size_t n = starts(s, mark[i]);
        if (n) {
            fprintf(out, "%s%s-", mark[i], name);
            return n;
        }
    }
    return 0;
}

static size_t copy_some(const char *s, const char *name, FILE *out)
{
    for (size_t i = 0; i < sizeof repaint / sizeof *repaint; i++) {
        const size_t n = starts(s, repaint[i].from);
        if (n) {
            fputs(repaint[i].to, out);
            return n;
        }
    }
    const size_t n = rename_id(s, name, out);
    if (n)
        return n;
    fputc(*s, out);
    return 1;
}

/* The first byte of the drawing proper, behind gnuplot's title, maker and marker shapes' filters.
 */
static void copy_svg(const char *svg, const char *name, FILE *out)
{
    static const struct {
        const char *from, *to;
    } drop[] = {{"<title>", "</title>"}, {"<desc>", "</desc>"}, {"<filter", "</filter>"}};
    for (const char *s = svg; *s;) {
        const char *end = NULL;
        for (size_t i = 0; i < sizeof drop / sizeof *drop; i++)
            if (starts(s, drop[i].from) && (end = strstr(s, drop[i].to)))
                end += strlen(drop[i].to);
        s = end ? end : s + copy_some(s, name, out);
    }
}

#define MOST_SVG ((size_t)64 << 20)

int plot_inline(const char *dir, const char *name, const char *alt, FILE *out, struct err *e)
{
    char path[PATH_MAX];
    unsigned char *data;
    size_t len;
    if (snprintf(path, sizeof path, "%s/%s.svg", dir, name) >= (int)sizeof path)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", dir);
    int rc = files_read(path, MOST_SVG, &data, &len, e);
    if (rc)
        return rc;
    const char *svg = strstr((const char *)data, "<svg");
    if (svg) {
        fputs("<svg role=\"img\" aria-label=\"", out);
        html_text(out, alt);
        fputs("\" ", out);
        copy_svg(svg + 4, name, out);
    } else {
        rc = err_set(e, ERR_EFAIL, "%s: gnuplot wrote no SVG", path);
    }
    free(data);
    return rc;
}
