// As base/precompiled.h, for the unit tests.
#include "base/precompiled.h"

#include <doctest/doctest.h>
