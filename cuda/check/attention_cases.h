// SPDX-License-Identifier: Apache-2.0
// Cases of attention over gists and tokens, of many queries and of one (cases.h).
#pragma once

#include <cmath>
#include <limits>

#include "cuda/check/cases.h"

namespace mc::cuda {

// One layer of a window whose first half is gists with a log-mass, some of them absent; the queries
// are its last entries.
class WindowInputs {
  public:
    WindowInputs(std::int64_t keys, std::int64_t steps)
        : keys_(keys),
          steps_(steps),
          queries_(drawn<Bf16>(query_numbers(), 2, 20)),
          cache_(drawn<Bf16>(2 * cache_numbers(), 2, 21)),
          mass_(drawn(keys * BaseModelSizes::kKvHeads, 5, 22)) {
        for (std::int64_t step = 0; step < steps; ++step) positions_.push_back(keys - steps + step);
        for (std::size_t i = 0; i < mass_.size(); ++i) {
            const bool is_gist = static_cast<std::int64_t>(i) % keys < keys / 2;
            if (!is_gist) mass_[i] = 0;
            if (is_gist && i % 7 == 3) mass_[i] = -std::numeric_limits<float>::infinity();
        }
    }

    std::int64_t query_numbers() const {
        return steps_ * BaseModelSizes::kKvHeads * BaseModelSizes::kGroup *
               BaseModelSizes::kHeadDim;
    }

    std::int64_t cache_numbers() const {
        return keys_ * BaseModelSizes::kKvHeads * BaseModelSizes::kHeadDim;
    }

    // Two products for every key that a query sees.
    double flops() const {
        const auto seen = static_cast<double>(keys_) - static_cast<double>(steps_ - 1) / 2;
        return 4 * static_cast<double>(query_numbers()) * seen;
    }

    double bytes() const {
        return 2 * (2 * static_cast<double>(query_numbers()) +
                    2 * static_cast<double>(cache_numbers())) +
               4 * static_cast<double>(mass_.size());
    }

    template <class Machine>
    Result<Attention> upload_to(Machine& machine) const {
        Attention in{};
        MC_ASSIGN(in.queries, machine.upload(queries_));
        MC_ASSIGN(in.keys, machine.upload(cache_));
        in.values = in.keys + cache_numbers();
        MC_ASSIGN(in.positions, machine.upload(positions_));
        MC_ASSIGN(in.log_mass, machine.upload(mass_));
        in.batch = 1;
        in.steps = steps_;
        in.kv_heads = BaseModelSizes::kKvHeads;
        in.group = BaseModelSizes::kGroup;
        in.head_dim = BaseModelSizes::kHeadDim;
        in.cache_batch_stride = cache_numbers();
        in.cache_head_stride = keys_ * BaseModelSizes::kHeadDim;
        in.mass_batch_stride = keys_ * BaseModelSizes::kKvHeads;
        in.mass_head_stride = keys_;
        in.scale = 1.0F / std::sqrt(static_cast<float>(BaseModelSizes::kHeadDim));
        return in;
    }

  private:
    std::int64_t keys_;
    std::int64_t steps_;
    std::vector<Bf16> queries_;
    std::vector<Bf16> cache_;  // keys, then values
    std::vector<float> mass_;
    std::vector<std::int64_t> positions_;
};

// bf16 has steps of 2^-7 below 2; weights round once, sums run in another order.
inline constexpr double kAttentionAllowed = 0.016;

class TileCase {
  public:
    TileCase(std::int64_t keys, std::int64_t steps)
        : name_(std::to_string(steps) + " queries, " + std::to_string(keys) + " keys"),
          inputs_(keys, steps) {}

    CaseSize size() const {
        return {"attend in tiles", name_, inputs_.bytes(), inputs_.flops(), kAttentionAllowed};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        MC_ASSIGN(const Attention in, inputs_.upload_to(machine));
        MC_ASSIGN(Bf16 * out,
                  machine.template room<Bf16>(static_cast<std::size_t>(inputs_.query_numbers())));
        return ran(machine, AttendTiles{in, out}, out, inputs_.query_numbers(), brings_back);
    }

  private:
    std::string name_;
    WindowInputs inputs_;
};

// One token's attention: parts, then what joins them; its time is that of both.
class RowCase {
  public:
    explicit RowCase(std::int64_t keys)
        : name_("1 query, " + std::to_string(keys) + " keys"), keys_(keys), inputs_(keys, 1) {}

    CaseSize size() const {
        return {"attend one", name_, inputs_.bytes(), inputs_.flops(), kAttentionAllowed};
    }

    template <class Machine>
    Result<Ran> run_on(Machine& machine, bool brings_back) const {
        MC_ASSIGN(const Attention in, inputs_.upload_to(machine));
        AttendParts kernel{in, {}, keys_};
        const auto rows = static_cast<std::size_t>(in.kv_heads * in.group * kernel.part_count());
        MC_ASSIGN(kernel.parts.tops, machine.template room<float>(rows));
        MC_ASSIGN(kernel.parts.sums, machine.template room<float>(rows));
        MC_ASSIGN(kernel.parts.values,
                  machine.template room<float>(rows * BaseModelSizes::kHeadDim));
        MC_ASSIGN(Bf16 * out,
                  machine.template room<Bf16>(static_cast<std::size_t>(inputs_.query_numbers())));
        MC_ASSIGN(const double seconds, machine.run(kernel));
        const JoinParts join{kernel.parts,        out,      in.kv_heads,
                             kernel.part_count(), in.group, in.head_dim};
        MC_ASSIGN(Ran made, ran(machine, join, out, inputs_.query_numbers(), brings_back));
        made.seconds += seconds;
        return made;
    }

  private:
    std::string name_;
    std::int64_t keys_;
    WindowInputs inputs_;
};

}  // namespace mc::cuda
