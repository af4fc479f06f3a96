#include "serve/s3/authentication.h"
