// As base/precompiled.h, for the unit tests.
#include <doctest/doctest.h>

#include "base/precompiled.h"
