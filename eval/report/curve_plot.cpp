// SPDX-License-Identifier: Apache-2.0
#include "eval/report/curve_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "eval/report/plot_style.h"

namespace mc::eval {

namespace {

using Point = SvgCanvas::Point;

class CurvePlot {
  public:
    CurvePlot(const std::vector<Curve>& curves, const CurveAxes& axes)
        : curves_(curves),
          axes_(axes),
          height_(std::max(360.0, 40 + 18 * static_cast<double>(curves.size()))),
          canvas_(kWidth + 250, height_) {
        for (const Curve& curve : curves_)
            for (const auto& [x, y] : curve.points) {
                if (!is_shown({x, y})) continue;
                x_min_ = std::min(x_min_, x);
                x_max_ = std::max(x_max_, x);
                y_min_ = std::min(y_min_, y);
                y_max_ = std::max(y_max_, y);
            }
        if (y_min_ > y_max_) y_min_ = y_max_ = 0;  // nothing to show
        if (y_max_ <= y_min_) y_max_ = y_min_ + 1;
        if (!axes_.is_x_logarithmic) x_min_ = 0;
        x_min_ = std::min(x_min_, x_max_ / 2);
    }

    std::string draw() && {
        draw_axes();
        for (std::size_t c = 0; c < curves_.size(); ++c) {
            std::vector<Point> points;
            for (const Point& point : curves_[c].points)
                if (is_shown(point)) points.push_back(place(point));
            const std::string_view dashes = curves_[c].is_dashed ? "4 3" : "";
            canvas_.polyline(points, plot_color(c), dashes);
            const double y = 28 + 18 * static_cast<double>(c);
            canvas_.polyline(std::array<Point, 2>{{{kWidth + 16, y - 4}, {kWidth + 40, y - 4}}},
                             plot_color(c), dashes);
            canvas_.text({kWidth + 46, y}, curves_[c].name, TextAnchor::kStart, kPlotFontSize);
        }
        return std::move(canvas_).take();
    }

  private:
    static constexpr double kWidth = 560;
    static constexpr double kLeft = 56;
    static constexpr double kTop = 24;
    static constexpr double kBottomMargin = 44;

    bool is_shown(const Point& point) const {
        return std::isfinite(point.second) && (!axes_.is_x_logarithmic || point.first > 0);
    }

    // 0 at the left end of the horizontal axis, 1 at the right one.
    double x_share(double x) const {
        if (axes_.is_x_logarithmic) return std::log(x / x_min_) / std::log(x_max_ / x_min_);
        return x / x_max_;
    }

    double x_at(double share) const {
        if (axes_.is_x_logarithmic) return x_min_ * std::pow(x_max_ / x_min_, share);
        return x_max_ * share;
    }

    Point place(const Point& point) const {
        const double x = kLeft + (kWidth - kLeft) * x_share(point.first);
        const double share = (point.second - y_min_) / (y_max_ - y_min_);
        return {x, height_ - kBottomMargin - share * (height_ - kBottomMargin - kTop)};
    }

    void draw_axes() {
        for (int tick = 0; tick <= 4; ++tick) {
            const double value = y_min_ + (y_max_ - y_min_) * tick / 4.0;
            const double y = place({x_max_, value}).second;
            canvas_.line({kLeft, y}, {kWidth, y}, kPlotGrid, 1);
            canvas_.text({kLeft - 6, y + 4}, short_number(value), TextAnchor::kEnd, kPlotFontSize);
            const double position = std::round(x_at(tick / 4.0));
            canvas_.text({place({position, 0}).first, height_ - kBottomMargin + 16},
                         short_number(position), TextAnchor::kMiddle, kPlotFontSize);
        }
        canvas_.text({(kLeft + kWidth) / 2, height_ - 8}, axes_.x, TextAnchor::kMiddle,
                     kPlotFontSize);
        canvas_.text({kLeft, kTop - 10}, axes_.y, TextAnchor::kStart, kPlotFontSize);
    }

    const std::vector<Curve>& curves_;
    const CurveAxes& axes_;
    double height_;
    SvgCanvas canvas_;
    double x_min_ = std::numeric_limits<double>::infinity();
    double x_max_ = 1;
    double y_min_ = std::numeric_limits<double>::infinity();
    double y_max_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

std::string draw_curves(const std::vector<Curve>& curves, const CurveAxes& axes) {
    return CurvePlot(curves, axes).draw();
}

}  // namespace mc::eval
