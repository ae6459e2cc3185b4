/* profile.h - a machine profile on disk, with the parts that it includes.
 *
 * "include": ["parts/seL4.json", ...] in a profile (schema malv-machine/1)
 * takes other JSON objects in, in order, section by section; paths begin at
 * the including file's folder, and a part may include parts.  The includer's
 * own leaves win.  Parts carry no schema, name or title.                     */
#ifndef HARNESS_BASE_PROFILE_H
#define HARNESS_BASE_PROFILE_H

#include <stdio.h>

#include "sim/config.h"

/* The whole, without "include"; to config_free. */
int profile_load(struct config **out, const char *path, struct err *e) MUST_CHECK;
/* The same for a profile that is already parsed; folder: where its parts' paths begin. */
int profile_resolve(struct config **out, const struct config *doc, const char *folder,
                    struct err *e) MUST_CHECK;
/* under with over's leaves in their places; to config_free. */
int profile_merge(struct config **out, const struct config *under, const struct config *over,
                  struct err *e) MUST_CHECK;

/* As profiles are written by hand: one leaf a line, two spaces a level. */
void profile_print(const struct config *profile, FILE *f);

#endif
