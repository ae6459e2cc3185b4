/* version.h - what results and `malv --version` say this program is. */
#ifndef HARNESS_BASE_VERSION_H
#define HARNESS_BASE_VERSION_H

#ifndef MALV_VERSION
#define MALV_VERSION "0.1.0"
#endif

/* Of the source: twelve digits, "-dirty" if files differed from it; "unknown" without git.  Set by
 * main, which alone is compiled again for it.  In what says how a run went, never in results: these
 * are the same for any build of a version. */
extern const char *version_commit;

#endif
