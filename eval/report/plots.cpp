// SPDX-License-Identifier: Apache-2.0
#include "eval/report/plots.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/files.h"
#include "eval/report/curve_plot.h"
#include "eval/report/plot_style.h"
#include "eval/report/svg.h"

namespace mc::eval {

namespace {

using Point = SvgCanvas::Point;

constexpr double kPanelWidth = 230;
constexpr double kPanelGap = 24;
constexpr double kLabelWidth = 230;
constexpr double kTop = 56;

// Ratios beyond this range stand at its edge; the table has them.
constexpr double kRatioMin = -0.2;
constexpr double kRatioMax = 1.1;

struct Quantity {
    const char* name;
    Estimate ConditionMetrics::*estimate;
};

std::vector<std::string> main_slices(const GroupMetrics& group) {
    std::vector<std::string> slices;
    for (const char* name : {"64", "512", "33-96", "top10"})
        if (group.find(kConditionNone, name) != nullptr) slices.push_back(name);
    return slices;
}

// Conditions for which the quantity is defined anywhere, in the order of the table.
std::vector<std::string> defined_conditions(std::span<const GroupMetrics* const> groups,
                                            const Quantity& quantity) {
    std::vector<std::string> names;
    for (const GroupMetrics* group : groups)
        for (const ConditionMetrics& row : group->rows)
            if (std::isfinite((row.*quantity.estimate).value) &&
                std::find(names.begin(), names.end(), row.condition) == names.end())
                names.push_back(row.condition);
    return names;
}

// Rows of conditions, one panel a slice, in a row one dot a group.
class DotPlot {
  public:
    DotPlot(std::vector<const GroupMetrics*> groups, const Quantity& quantity)
        : groups_(std::move(groups)),
          quantity_(quantity),
          conditions_(defined_conditions(groups_, quantity)),
          slices_(main_slices(*groups_.front())),
          row_height_(std::max(16.0, 5.0 * static_cast<double>(groups_.size()) + 6)),
          bottom_(kTop + row_height_ * static_cast<double>(conditions_.size())),
          canvas_(kLabelWidth + panel_left(slices_.size()) - panel_left(0), bottom_ + 28) {}

    std::string draw() && {
        draw_legend();
        for (std::size_t c = 0; c < conditions_.size(); ++c)
            canvas_.text({kLabelWidth - 8, row_middle(c) + 4}, conditions_[c], TextAnchor::kEnd,
                         kPlotFontSize);
        for (std::size_t s = 0; s < slices_.size(); ++s) {
            draw_axis(s);
            for (std::size_t c = 0; c < conditions_.size(); ++c)
                for (std::size_t g = 0; g < groups_.size(); ++g) draw_dot(s, c, g);
        }
        return std::move(canvas_).take();
    }

  private:
    static double panel_left(std::size_t panel) {
        return kLabelWidth + (kPanelWidth + kPanelGap) * static_cast<double>(panel);
    }

    static double x_of(std::size_t panel, double value) {
        const double shown = std::clamp(value, kRatioMin, kRatioMax);
        return panel_left(panel) + kPanelWidth * (shown - kRatioMin) / (kRatioMax - kRatioMin);
    }

    double row_middle(std::size_t row) const {
        return kTop + row_height_ * (static_cast<double>(row) + 0.5);
    }

    std::string_view color(std::size_t group) const {
        return groups_[group]->is_pool ? kPlotInk : plot_color(group);
    }

    void draw_legend() {
        double x = 12;
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            const std::string name = Path(groups_[g]->name).filename().string();
            canvas_.circle({x, 16}, 3, color(g));
            canvas_.text({x + 7, 20}, name, TextAnchor::kStart, kPlotFontSize);
            x += 24 + 6.5 * static_cast<double>(name.size());
        }
    }

    void draw_axis(std::size_t panel) {
        canvas_.text({panel_left(panel) + kPanelWidth / 2, kTop - 10},
                     std::string(quantity_.name) + "@" + slices_[panel], TextAnchor::kMiddle,
                     kPlotFontSize + 1);
        for (int tenth = 0; tenth <= 10; tenth += 2) {
            const double x = x_of(panel, tenth / 10.0);
            canvas_.line({x, kTop}, {x, bottom_}, kPlotGrid, 1);
            canvas_.text({x, bottom_ + 16}, short_number(tenth / 10.0), TextAnchor::kMiddle,
                         kPlotFontSize);
        }
    }

    void draw_dot(std::size_t panel, std::size_t condition, std::size_t group) {
        const ConditionMetrics* row = groups_[group]->find(conditions_[condition], slices_[panel]);
        if (row == nullptr) return;
        const Estimate& estimate = row->*quantity_.estimate;
        if (!std::isfinite(estimate.value)) return;
        const double y =
            row_middle(condition) +
            5 * (static_cast<double>(group) - (static_cast<double>(groups_.size()) - 1) / 2);
        if (std::isfinite(estimate.low))
            canvas_.line({x_of(panel, estimate.low), y}, {x_of(panel, estimate.high), y},
                         color(group), 1.5);
        canvas_.circle({x_of(panel, estimate.value), y}, 2.5, color(group));
    }

    std::vector<const GroupMetrics*> groups_;
    Quantity quantity_;
    std::vector<std::string> conditions_;
    std::vector<std::string> slices_;
    double row_height_;
    double bottom_;
    SvgCanvas canvas_;
};

// What the plot along the horizon shows: no codecs, no inputs far off the scale, one raw control.
bool is_main_condition(std::string_view name) {
    const bool is_raw = name.starts_with("last-");
    return name.find(':') == std::string_view::npos && (!is_raw || name == "last-64") &&
           name != "embedding-mean" && name != "zero" && name != kConditionOracle;
}

// Mean NLL of all windows in bins along the horizon: middle position (from 1) and NLL.
std::vector<Point> nll_by_position(std::span<const DocumentScores> scores, std::size_t condition) {
    constexpr std::size_t kBins = 24;
    const std::size_t horizon = scores.front().horizon;
    const std::size_t width = (horizon - 1 + kBins - 1) / kBins;
    std::vector<Point> points;
    for (std::size_t begin = 1; begin < horizon; begin += width) {
        const std::size_t end = std::min(begin + width, horizon);
        double sum = 0;
        double count = 0;
        for (const DocumentScores& document : scores)
            for (std::size_t w = 0; w < document.window_count; ++w)
                for (const double nll : document.row(condition, w).subspan(begin, end - begin)) {
                    sum += nll;
                    count += 1;
                }
        points.push_back({static_cast<double>(begin + end + 1) / 2, sum / count});
    }
    return points;
}

}  // namespace

std::vector<Plot> result_plots(std::span<const GroupMetrics> groups,
                               std::span<const DocumentScores> scores) {
    std::vector<Plot> plots;
    for (const std::string subset : {"", "oracle"}) {
        std::vector<const GroupMetrics*> members;
        for (const GroupMetrics& group : groups)
            if (group.subset == subset) members.push_back(&group);
        if (members.empty()) continue;
        const std::string suffix = subset.empty() ? ".svg" : "-" + subset + ".svg";
        for (const Quantity& quantity : {Quantity{"Rs", &ConditionMetrics::specific_recovery},
                                         Quantity{"R", &ConditionMetrics::recovery}})
            plots.push_back({quantity.name + suffix, DotPlot(members, quantity).draw()});
    }
    std::vector<Curve> curves;
    for (std::size_t c = 0; c < scores.front().conditions.size(); ++c) {
        const std::string& name = scores.front().conditions[c].name;
        if (is_main_condition(name))
            curves.push_back({name, nll_by_position(scores, c), name.starts_with(kShuffledPrefix)});
    }
    plots.push_back(
        {"nll.svg", draw_curves(curves, {"horizon token", "mean NLL in nats, all windows"})});
    return plots;
}

}  // namespace mc::eval
