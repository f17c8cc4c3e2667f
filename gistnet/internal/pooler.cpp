// SPDX-License-Identifier: Apache-2.0
#include "gistnet/internal/pooler.h"

namespace mc::gistnet {
namespace {

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

std::unique_ptr<Pooler> make_untrained_pooler(const std::string& pooling) {
    if (pooling == "kv-mean") return std::make_unique<MeanPooler>();
    if (pooling == "kv-last") return std::make_unique<LastPooler>();
    return nullptr;
}

}  // namespace mc::gistnet
