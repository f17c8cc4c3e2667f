// SPDX-License-Identifier: Apache-2.0
// What gist-probes found, and its curves: each becomes a plot and a group of TensorBoard scalars.
// Pure. Value types.
#pragma once

#include <string>
#include <vector>

#include "eval/repetition/repetition_metrics.h"
#include "eval/report/curve_plot.h"
#include "gistnet/probes/gist_probes.h"
#include "telemetry/tensorboard.h"

namespace mc::eval {

struct EncoderGeometry {
    std::string encoder;  // its label
    std::size_t gist_count = 0;
    std::vector<gistnet::LayerGeometry> layers;
};

struct EncoderPooling {
    std::string encoder;
    std::vector<gistnet::LayerPooling> layers;
};

struct ProbeFindings {
    std::vector<RepetitionGroup> groups;
    std::vector<EncoderGeometry> geometry;
    std::vector<EncoderPooling> pooling;  // of trained encoders
};

struct Figure {
    std::string name;  // "Rs-by-position"
    CurveAxes axes;
    std::vector<Curve> curves;
};

// Of the pool, or of the only document.
std::vector<Figure> probe_figures(const ProbeFindings& findings);

// "Rs-by-position/kv-last", with x as the step.
std::vector<telemetry::ScalarPoint> figure_scalars(const std::vector<Figure>& figures);

}  // namespace mc::eval
