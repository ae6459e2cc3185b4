#include "harness/base/version.h"

const char *version_commit = "unknown";
