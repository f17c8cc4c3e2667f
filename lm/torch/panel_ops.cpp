// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/panel_ops.h"

#include <algorithm>

#include "lm/kernels/panel_kernels.h"
#include "lm/torch/fused_ops.h"

namespace mc::lm {
namespace {

// Rows that make a task of their own where threads outnumber the weight's panels.
constexpr std::int64_t kRowsPerPart = 48;

bool records_gradient(const at::Tensor& x) {
    return c10::GradMode::is_enabled() && x.requires_grad();
}

bool takes_panels(const at::Tensor& x, const at::Tensor& panels) {
    return panels.defined() && x.scalar_type() == at::kBFloat16 && x.is_contiguous() &&
           !records_gradient(x);
}

PanelRows panel_rows(const at::Tensor& x, const at::Tensor& panels, const at::Tensor& out) {
    return {static_cast<const Bf16Bits*>(x.const_data_ptr()),
            static_cast<const Bf16Bits*>(panels.const_data_ptr()),
            out.data_ptr(),
            x.size(1),
            panels.size(0),
            out.size(1)};
}

using Kernel = void (*)(const PanelRows&, std::int64_t, std::int64_t, std::int64_t, std::int64_t);

// Threads share the panels; each part of the rows is a round of its own only when there are more
// threads than panels to go round.
void run(Kernel kernel, const PanelRows& product, std::int64_t rows) {
    const std::int64_t pairs = product.panel_count / 2;
    const std::int64_t threads = at::get_num_threads();
    const std::int64_t wanted = (4 * threads + pairs - 1) / pairs;
    const std::int64_t parts =
        std::max<std::int64_t>(1, std::min(wanted, (rows + kRowsPerPart - 1) / kRowsPerPart));
    at::parallel_for(0, parts * pairs, 1, [&](std::int64_t begin, std::int64_t end) {
        while (begin < end) {
            const std::int64_t part = begin / pairs;
            const std::int64_t stop = std::min(end, (part + 1) * pairs);
            kernel(product, rows * part / parts, rows * (part + 1) / parts, begin - part * pairs,
                   stop - part * pairs);
            begin = stop;
        }
    });
}

}  // namespace

at::Tensor pack_weight(const at::Tensor& weight) {
    const bool fits = weight.device().is_cpu() && weight.scalar_type() == at::kBFloat16 &&
                      weight.size(0) % (2 * kPanelRows) == 0 && weight.size(1) % 2 == 0;
    if (!fits || !has_panel_kernels()) return {};
    const at::Tensor rows = weight.contiguous();
    const std::int64_t count = rows.size(0) / kPanelRows;
    at::Tensor panels = at::empty({count, rows.size(1) / 2, kPanelRows, 2}, rows.options());
    const auto* from = static_cast<const Bf16Bits*>(rows.const_data_ptr());
    auto* to = static_cast<Bf16Bits*>(panels.data_ptr());
    const std::int64_t size = kPanelRows * rows.size(1);
    at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
        pack_panels(from + begin * size, end - begin, rows.size(1), to + begin * size);
    });
    return panels;
}

at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& panels) {
    if (!takes_panels(x, panels)) return at::linear(x, weight);
    at::Tensor out = at::empty({x.size(0), weight.size(0)}, x.options());
    run(panel_product, panel_rows(x, panels, out), x.size(0));
    return out;
}

at::Tensor product_onto(const at::Tensor& residual, const at::Tensor& x, const at::Tensor& weight,
                        const at::Tensor& panels) {
    if (!takes_panels(x, panels) || records_gradient(residual)) return at::linear(x, weight);
    run(panel_product_add, panel_rows(x, panels, residual), x.size(0));
    return {};
}

at::Tensor gated_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& panels) {
    if (!takes_panels(x, panels)) return silu_mul(at::linear(x, weight));
    at::Tensor out = at::empty({x.size(0), weight.size(0) / 2}, x.options());
    run(panel_product_silu, panel_rows(x, panels, out), x.size(0));
    return out;
}

}  // namespace mc::lm
