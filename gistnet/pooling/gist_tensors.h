// SPDX-License-Identifier: Apache-2.0
// Gists ↔ tensors. Letters: N gists, L layers, H KV heads, D head width, K = 32, I index width.
#pragma once

#include <span>
#include <vector>

#include "gistnet/pooling/pooler.h"
#include "tree/gist.h"
#include "tree/gist_encoder.h"

namespace mc::gistnet {

// Keys and values (N, L, H, D), log-mass (N, L, H) where it is defined, and index vectors (N, I) as
// N gists without statistics. Numbers beyond binary16's range are clamped to its largest, log-mass
// is rounded to its steps; a gist whose log-mass is 0 everywhere has none.
std::vector<Gist> make_gists(const KeysValues& pooled, const at::Tensor& index_vectors);

// Log-mass (…, L, H) in nats as steps, int8 on the CPU, and back.
at::Tensor log_mass_steps(const at::Tensor& log_mass);
at::Tensor log_mass_nats(const at::Tensor& steps);

// Keys and values of gists (N, L, 2, H, D) f32, and their log-mass (N, L, H) in nats, undefined
// where none has any; on the CPU. Requires: gists of this shape, one at least.
at::Tensor stack_gists(std::span<const Gist> gists, const GistShape& shape);
at::Tensor stack_log_mass(std::span<const Gist> gists, const GistShape& shape);

// Children's keys and values (N, L, H, K, D), f32, on the device, and their log-mass (N, L, H, K)
// where any has some.
// Requires: every family has kBlockSize gists of this shape.
KeysValues stack_children(std::span<const SiblingGists> families, const GistShape& shape,
                          at::Device device);

// Children's index vectors (N, K, I). Requires: as above.
at::Tensor stack_index_vectors(std::span<const SiblingGists> families, const GistShape& shape);

// x (…, I) at unit length; a zero row stays zero.
at::Tensor at_unit_length(const at::Tensor& x);

}  // namespace mc::gistnet
