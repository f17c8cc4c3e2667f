// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_encoder.h"

#include <cmath>

#include "core/hash.h"
#include "core/rng.h"
#include "core/span_math.h"

namespace mc {
namespace {

constexpr GistShape kShape{2, 1, 4, 16};

template <class T>
std::uint64_t hash_of(std::span<const T> values) {
    return xxh3_64(std::as_bytes(values));
}

// Finite binary16 numbers of magnitude 1 to 2.
std::vector<std::uint16_t> keys_and_values(std::uint64_t seed) {
    Rng rng(seed);
    std::vector<std::uint16_t> kv(kShape.kv_count());
    for (auto& half : kv) half = static_cast<std::uint16_t>((rng.next() & 0x83ff) | 0x3c00);
    return kv;
}

std::vector<float> normalised(std::vector<float> vector) {
    float square = 0;
    for (const float x : vector) square += x * x;
    if (square == 0) {
        vector[0] = 1;
        return vector;
    }
    for (float& x : vector) x /= std::sqrt(square);
    return vector;
}

// The sum of one random direction per token.
std::vector<float> bag_of(std::span<const TokenId> tokens) {
    std::vector<float> sum(kShape.index_dim);
    for (const TokenId token : tokens) {
        Rng rng(static_cast<std::uint64_t>(token));
        for (float& x : sum) x += static_cast<float>(rng.uniform()) - 0.5f;
    }
    return normalised(std::move(sum));
}

}  // namespace

FakeEncoder::FakeEncoder() : info_{"fake (hash)", xxh3_128({}), kShape} {}

Result<void> FakeEncoder::count_call() {
    if (calls_left_ && *calls_left_ == 0) {
        return fail(ErrorCode::kModel, "the fake encoder was told to fail");
    }
    if (calls_left_) --*calls_left_;
    return {};
}

Result<std::vector<std::vector<Gist>>> FakeEncoder::encode_windows(
    std::span<const ReadWindow> windows, bool with_statistics) {
    MC_TRY(count_call());
    last_windows_.assign(windows.begin(), windows.end());
    std::vector<std::vector<Gist>> made;
    for (const ReadWindow& window : windows) {
        const std::span<const TokenId> tokens(window.tokens);
        MC_CHECK(tokens.size() > window.context_count, "window without new tokens");
        MC_CHECK((tokens.size() - window.context_count) % kBlockSize == 0, "part of a block");
        std::vector<Gist>& gists = made.emplace_back();
        for (std::size_t at = window.context_count; at < tokens.size(); at += kBlockSize) {
            const std::uint64_t seed = hash_of(tokens.first(at + kBlockSize));
            Gist gist{keys_and_values(seed), {}, bag_of(tokens.subspan(at, kBlockSize)), {}};
            if (with_statistics) {
                Rng rng(~seed);
                gist.statistics = {static_cast<float>(rng.uniform()) * 8,
                                   static_cast<float>(rng.uniform()) * 8};
            }
            gists.push_back(std::move(gist));
        }
    }
    return made;
}

Result<std::vector<Gist>> FakeEncoder::encode_parents(std::span<const SiblingGists> families) {
    MC_TRY(count_call());
    std::vector<Gist> parents;
    for (const SiblingGists& family : families) {
        MC_CHECK(family.size() == kBlockSize, "a family is 32 siblings");
        std::vector<std::uint64_t> hashes;
        std::vector<float> sum(kShape.index_dim);
        NodeStatistics mean{0, 0};
        for (const Gist& child : family) {
            hashes.push_back(hash_of<std::uint16_t>(child.kv));
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += child.index_vector[i];
            mean.mean_nll += child.statistics.mean_nll / float{kBlockSize};
            mean.mean_entropy += child.statistics.mean_entropy / float{kBlockSize};
        }
        parents.push_back({keys_and_values(hash_of<std::uint64_t>(hashes)),
                           {},
                           normalised(std::move(sum)),
                           mean});
    }
    return parents;
}

}  // namespace mc
