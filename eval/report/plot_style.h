// SPDX-License-Identifier: Apache-2.0
// Colours and sizes that all plots share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace mc::eval {

// Okabe and Ito's colours, which people of every colour vision tell apart; black is the pool's.
inline constexpr std::array<std::string_view, 7> kPlotColors = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999"};
inline constexpr std::string_view kPlotInk = "#000000";
inline constexpr std::string_view kPlotGrid = "#dddddd";
inline constexpr double kPlotFontSize = 11;

inline std::string_view plot_color(std::size_t place) {
    return kPlotColors[place % kPlotColors.size()];
}

inline std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

}  // namespace mc::eval
