// SPDX-License-Identifier: Apache-2.0
#include "eval/gist_probes/probe_figures.h"

#include <cmath>
#include <numeric>
#include <string_view>

namespace mc::eval {

namespace {

// One family of slices: "position1", "position2", …
struct SliceAxis {
    const char* prefix;
    const char* title;
};

constexpr SliceAxis kSliceAxes[] = {{"position", "position in the block"},
                                    {"quintile", "fifth of the tokens by NLL after nothing"},
                                    {"block", "block of the repeated text"}};

struct RowQuantity {
    const char* name;
    const char* title;
    Estimate RepetitionRow::*estimate;
};

constexpr RowQuantity kRowQuantities[] = {
    {"probability", "mean probability of the right token", &RepetitionRow::probability},
    {"Rs", "specific recovery of the repeated text", &RepetitionRow::share}};

std::vector<std::string> conditions_of(const RepetitionGroup& group) {
    std::vector<std::string> names;
    for (const RepetitionRow& row : group.rows)
        if (row.slice == group.rows.front().slice) names.push_back(row.condition);
    return names;
}

Figure slice_figure(const RepetitionGroup& group, const SliceAxis& axis,
                    const RowQuantity& quantity) {
    Figure figure{
        std::string(quantity.name) + "-by-" + axis.prefix, {axis.title, quantity.title}, {}};
    for (const std::string& condition : conditions_of(group)) {
        Curve curve{condition, {}, condition.starts_with(kShuffledPrefix)};
        bool is_defined = false;
        for (std::size_t i = 1;; ++i) {
            const RepetitionRow* row = group.find(condition, axis.prefix + std::to_string(i));
            if (row == nullptr) break;
            const double value = (row->*quantity.estimate).value;
            is_defined = is_defined || std::isfinite(value);
            curve.points.push_back({static_cast<double>(i), value});
        }
        if (is_defined) figure.curves.push_back(std::move(curve));
    }
    return figure;
}

Figure geometry_figure(const std::vector<EncoderGeometry>& geometry, const char* name,
                       const char* title, double gistnet::VectorGeometry::*member) {
    Figure figure{name, {"layer", title}, {}};
    for (const EncoderGeometry& encoder : geometry) {
        Curve keys{encoder.encoder + " keys", {}};
        Curve values{encoder.encoder + " values", {}, true};
        for (std::size_t l = 0; l < encoder.layers.size(); ++l) {
            keys.points.push_back({static_cast<double>(l), encoder.layers[l].keys.*member});
            values.points.push_back({static_cast<double>(l), encoder.layers[l].values.*member});
        }
        figure.curves.push_back(std::move(keys));
        figure.curves.push_back(std::move(values));
    }
    return figure;
}

// The mean of all queries, then each query.
Figure entropy_figure(const std::vector<EncoderPooling>& pooling) {
    Figure figure{"pooling-entropy", {"layer", "entropy of the pooling weights, nats"}, {}};
    for (const EncoderPooling& encoder : pooling) {
        const std::size_t queries = encoder.layers.front().entropy.size();
        std::vector<Curve> curves = {{encoder.encoder, {}}};
        for (std::size_t j = 0; j < queries; ++j)
            curves.push_back({encoder.encoder + " query " + std::to_string(j + 1), {}, true});
        for (std::size_t l = 0; l < encoder.layers.size(); ++l) {
            const std::vector<double>& entropy = encoder.layers[l].entropy;
            const double sum = std::accumulate(entropy.begin(), entropy.end(), 0.0);
            const auto x = static_cast<double>(l);
            curves[0].points.push_back({x, sum / static_cast<double>(queries)});
            for (std::size_t j = 0; j < queries; ++j)
                curves[1 + j].points.push_back({x, entropy[j]});
        }
        figure.curves.insert(figure.curves.end(), curves.begin(), curves.end());
    }
    return figure;
}

}  // namespace

std::vector<Figure> probe_figures(const ProbeFindings& findings) {
    std::vector<Figure> figures;
    for (const SliceAxis& axis : kSliceAxes)
        for (const RowQuantity& quantity : kRowQuantities)
            figures.push_back(slice_figure(findings.groups.back(), axis, quantity));
    figures.push_back(geometry_figure(findings.geometry, "effective-rank", "effective rank",
                                      &gistnet::VectorGeometry::effective_rank));
    figures.push_back(geometry_figure(findings.geometry, "mean-cosine", "mean pairwise cosine",
                                      &gistnet::VectorGeometry::mean_cosine));
    if (!findings.pooling.empty()) figures.push_back(entropy_figure(findings.pooling));
    return figures;
}

std::vector<telemetry::ScalarPoint> figure_scalars(const std::vector<Figure>& figures) {
    std::vector<telemetry::ScalarPoint> scalars;
    for (const Figure& figure : figures)
        for (const Curve& curve : figure.curves)
            for (const auto& [x, y] : curve.points)
                if (std::isfinite(y))
                    scalars.push_back({figure.name + "/" + curve.name,
                                       static_cast<std::uint64_t>(std::llround(x)),
                                       static_cast<float>(y)});
    return scalars;
}

}  // namespace mc::eval
