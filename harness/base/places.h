/* places.h - where the program's own files are: found from the executable.
 *
 * The program runs from its build tree: BUILD/malv, BUILD/policies/X.so,
 * BUILD/../policies/weights, BUILD/../machines.  Nothing is looked up in the
 * current directory or the environment.  Results are malloc'd.              */
#ifndef HARNESS_BASE_PLACES_H
#define HARNESS_BASE_PLACES_H

#include "sim/err.h"

char *
places_build(const char *relative); /* beside the executable; NULL: cannot tell, or no memory */
char *places_root(const char *relative); /* in the source tree around it */

#endif
