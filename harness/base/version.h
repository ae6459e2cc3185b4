/* version.h - what results and `malv --version` say this program is. */
#ifndef HARNESS_BASE_VERSION_H
#define HARNESS_BASE_VERSION_H

#ifndef MALV_VERSION
#define MALV_VERSION "0.1.0"
#endif

#endif
