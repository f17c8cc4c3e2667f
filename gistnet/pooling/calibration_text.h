// SPDX-License-Identifier: Apache-2.0
// Plain prose whose mean hidden state is the centre that index vectors are measured from.
//
// Last-layer hidden states share one large common direction; without taking it off, every cosine is
// near 1. A text of mixed everyday subjects estimates that direction; what it says does not matter.
// Changing a letter changes every index vector: give the encoder a new name then.
#pragma once

#include <string_view>

namespace mc::gistnet {

inline constexpr std::string_view kCalibrationText =
    R"(The bridge was closed for the winter, so we took the longer road along the river. Most of the
houses there were built of brick, two floors high, with small gardens in front. A woman was sweeping
her steps and told us that the market had moved to the square behind the church.

Water boils at a lower temperature on a mountain than at sea level, because the air presses less on
its surface. For the same reason, beans take longer to cook in a hut at three thousand metres. A lid
that holds the steam in raises the pressure and shortens the wait.

In 1962 the town had nine thousand inhabitants and one railway station. The council voted, by eleven
votes to six, to buy the old mill and turn it into a library. The work cost more than planned, took
four years, and ended with a concert that nobody had paid for.

"Did you lock the door?" he asked. "I thought you had the key," she said, and both of them laughed,
since neither had. They went back, found the cat asleep on the step, and set out once more.

To sort a list of names, compare two neighbours at a time and swap them when they are out of order.
Repeat until a whole pass makes no swap. The method is simple to explain and slow to run: a list
twice as long takes four times as much work, which is why other methods are used in practice.

Bread needs flour, water, salt, yeast and time. Mix the dough in the evening, leave it in a cool
place overnight, shape it in the morning, and bake it when the oven is as hot as it will go. Let the
loaf rest before cutting it, however good it smells.
)";

}  // namespace mc::gistnet
