/* fmt.h - values as people and programs read them: numbers with a sensible
 * count of digits, JSON, CSV, and HTML that no input can break out of.      */
#ifndef HARNESS_BASE_FMT_H
#define HARNESS_BASE_FMT_H

#include <stdio.h>

struct fmt {
    char s[40];
};

/* `digits` significant ones, whole part never cut, thousands apart by a thin
 * space: 0.01234, 12.34, 12 340.  NAN is a dash.                            */
struct fmt fmt_number(double v, int digits);
/* "p = 0.0123", "p < 0.0001", "" for NAN. */
struct fmt fmt_p(double p);

void json_string(FILE *f, const char *s); /* with its quotes */
void json_number(FILE *f, double v);   /* shortest that reads back the same; null when not finite */
void csv_text(FILE *f, const char *s); /* quoted only where it must be */
void html_text(FILE *f,
               const char *s); /* <>&"' escaped; bytes that are not UTF-8 shown as U+FFFD */

#endif
