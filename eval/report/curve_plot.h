// SPDX-License-Identifier: Apache-2.0
// Curves over one axis with a legend, as SVG. Pure.
#pragma once

#include <string>
#include <vector>

#include "eval/report/svg.h"

namespace mc::eval {

// A point whose y is not finite is left out.
struct Curve {
    std::string name;
    std::vector<SvgCanvas::Point> points;  // by rising x ≥ 0
    bool is_dashed = false;                // a control
};

struct CurveAxes {
    std::string x;
    std::string y;
    bool is_x_logarithmic = false;  // then points at x = 0 are left out
};

// The vertical axis spans what the curves reach; the horizontal one starts at 0, a logarithmic one
// at the least x.
std::string draw_curves(const std::vector<Curve>& curves, const CurveAxes& axes);

}  // namespace mc::eval
