/* json_out.h - the two things printf cannot say in JSON. */
#ifndef HARNESS_JSON_OUT_H
#define HARNESS_JSON_OUT_H

#include <stdio.h>

void json_text(FILE *f, const char *s); /* quoted and escaped; NULL is null */
void json_number(FILE *f, double v);    /* shortest that reads back the same; not finite: null */

#endif
