// SPDX-License-Identifier: Apache-2.0
// Stores for tests: a directory of their own, a small gist shape, gists and batches made from
// numbers, so that the same arguments give the same bytes.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT: mkdtemp is POSIX

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/rng.h"
#include "core/span_math.h"
#include "formats/half_float.h"
#include "storage/store.h"

namespace mc::storage {

// A directory that goes away with its scope.
class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "mc-store-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }

    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const Path& path() const { return path_; }

  private:
    Path path_;
};

inline StoreIdentity test_identity() {
    StoreIdentity identity;
    identity.base_model_name = "tiny-llama";
    identity.base_model_hash = {1, 2};
    identity.tokenizer_hash = {3, 4};
    identity.encoder = {"fake", {5, 6}, {2, 1, 4, 8}};
    return identity;
}

inline const Clock& test_clock() {
    static const SimulatedClock clock;
    return clock;
}

inline StoreOptions test_options(const Path& directory,
                                 StoreMode mode = StoreMode::kWriteOrCreate) {
    StoreOptions options;
    options.directory = directory;
    options.mode = mode;
    options.identity = test_identity();
    options.map_bytes_initial = 1 << 20;
    options.clock = &test_clock();
    return options;
}

// Opens or ends the test with the error.
inline std::unique_ptr<Store> open_or_die(const StoreOptions& options) {
    auto store = Store::open(options);
    if (!store) {
        ADD_FAILURE() << store.error().to_string();
        std::abort();
    }
    return std::move(*store);
}

// A gist whose numbers follow from its node; kv and index vector survive fp16 bit for bit. Blocks
// of odd index have a log-mass.
inline Gist gist_of(NodeId node, const GistShape& shape) {
    Rng rng(std::hash<NodeId>{}(node));
    Gist gist;
    for (std::uint64_t i = 0; i < shape.kv_count(); ++i)
        gist.kv.push_back(float_to_half(static_cast<float>(rng.uniform() * 4 - 2)));
    for (std::uint32_t i = 0; i < shape.index_dim; ++i)
        gist.index_vector.push_back(
            half_to_float(float_to_half(static_cast<float>(rng.uniform() * 2 - 1))));
    gist.statistics = {static_cast<float>(rng.uniform()), static_cast<float>(rng.uniform())};
    for (std::uint64_t i = 0; node.index.value % 2 == 1 && i < shape.log_mass_count(); ++i)
        gist.log_mass.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(256)) - 128));
    return gist;
}

// The next count tokens of a document and every gist that they complete.
inline IngestBatch next_batch(const DocumentRecord& before, std::uint64_t count,
                              TokenId vocabulary = 49152,
                              const GistShape& shape = test_identity().encoder.shape) {
    IngestBatch batch;
    batch.document = before;
    for (std::uint64_t i = 0; i < count; ++i) {
        Rng rng(before.id.value * 1'000'003 + before.token_count + i);
        batch.tokens.push_back(
            static_cast<TokenId>(rng.below(static_cast<std::uint64_t>(vocabulary))));
        batch.token_sizes_bytes.push_back(static_cast<std::uint16_t>(1 + rng.below(5)));
        batch.document.byte_count += batch.token_sizes_bytes.back();
    }
    batch.document.token_count += count;
    for (Level level(1); level <= top_level(batch.document.token_count);
         level = Level(static_cast<std::uint8_t>(level.value + 1)))
        for (std::uint64_t i = node_count(before.token_count, level);
             i < node_count(batch.document.token_count, level); ++i) {
            const NodeId node{before.id, level, NodeIndex(i)};
            batch.gists.push_back({node, gist_of(node, shape)});
        }
    return batch;
}

// No log-mass is a log-mass of zero.
inline bool same_gist(const Gist& a, const Gist& b) {
    const auto log_mass = [](const Gist& gist, std::size_t count) {
        std::vector<std::int8_t> steps = gist.log_mass;
        steps.resize(count, 0);
        return steps;
    };
    const std::size_t count = std::max(a.log_mass.size(), b.log_mass.size());
    return a.kv == b.kv && a.index_vector == b.index_vector &&
           log_mass(a, count) == log_mass(b, count) &&
           a.statistics.mean_nll == b.statistics.mean_nll &&
           a.statistics.mean_entropy == b.statistics.mean_entropy;
}

}  // namespace mc::storage
