// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/pooler.h"

#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr auto kSlots = static_cast<std::int64_t>(kBlockSize);
constexpr std::int64_t kSlotAxis = 3;

class MeanPooler final : public Pooler {
  public:
    std::string name() const override { return "kv-mean (untrained)"; }

    KeysValues pool_block(const KeysValues& x) const override {
        return {x.keys.mean(kSlotAxis, false, at::kFloat),
                x.values.mean(kSlotAxis, false, at::kFloat)};
    }

    KeysValues pool_children(const KeysValues& x) const override { return pool_block(x); }
};

class LastPooler final : public Pooler {
  public:
    std::string name() const override { return "kv-last (untrained)"; }

    KeysValues pool_block(const KeysValues& x) const override {
        return {x.keys.select(kSlotAxis, -1), x.values.select(kSlotAxis, -1)};
    }

    KeysValues pool_children(const KeysValues& x) const override { return pool_block(x); }
};

}  // namespace

KeysValues blocks_of(const KeysValues& positions) {
    const auto by_block = [](const at::Tensor& x) {
        return x.unflatten(3, {-1, kSlots}).permute({0, 3, 1, 2, 4, 5}).flatten(0, 1);
    };
    return {by_block(positions.keys), by_block(positions.values)};
}

KeysValues families_of(const KeysValues& gists) {
    const auto by_family = [](const at::Tensor& x) {
        return x.unflatten(0, {-1, kSlots}).permute({0, 2, 3, 1, 4});
    };
    return {by_family(gists.keys), by_family(gists.values)};
}

std::unique_ptr<Pooler> make_untrained_pooler(const std::string& pooling) {
    if (pooling == "kv-mean") return std::make_unique<MeanPooler>();
    if (pooling == "kv-last") return std::make_unique<LastPooler>();
    return nullptr;
}

}  // namespace mc::gistnet
