#include "access/policy.h"
