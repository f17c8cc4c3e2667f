// SPDX-License-Identifier: Apache-2.0
#include "storage/index/faiss_vector_index.h"

#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/IDSelector.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/check.h"
#include "storage/codec/faiss_guard.h"
#include "storage/index/packed_node.h"

namespace mc::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");
static_assert(sizeof(faiss::Index::idx_t) == sizeof(std::int64_t));

constexpr std::array<char, 8> kMagic = {'M', 'C', 'V', 'E', 'C', '0', '0', '1'};

// The file: this header, count packed nodes of 8 bytes, count vectors of index_dim halves.
struct FileHeader {
    std::array<char, 8> magic = kMagic;
    std::uint64_t watermark = 0;
    std::uint64_t count = 0;
    std::uint64_t index_dim = 0;
    Hash128 encoder_hash;
    Hash128 checksum;  // XXH3-128 of the header with this field zero, then of the rest
};

static_assert(sizeof(FileHeader) == 64);

using Bytes = std::span<const std::byte>;

Hash128 checksum_of(FileHeader header, Bytes nodes, Bytes codes) {
    header.checksum = {};
    StreamHash hash;
    hash.update(std::as_bytes(std::span(&header, 1)));
    hash.update(nodes);
    hash.update(codes);
    return hash.digest();
}

bool all_finite(std::span<const float> values) {
    for (const float value : values)
        if (!std::isfinite(value)) return false;
    return true;
}

// FAISS asks by position; the filter knows nodes.
class PositionSelector final : public faiss::IDSelector {
  public:
    PositionSelector(const std::vector<std::int64_t>& nodes, const NodeFilter& filter)
        : nodes_(nodes), filter_(filter) {}

    bool is_member(idx_t position) const override {
        return filter_.accepts(nodes_[static_cast<std::size_t>(position)]);
    }

  private:
    const std::vector<std::int64_t>& nodes_;
    const NodeFilter& filter_;
};

class FaissVectorIndex final : public VectorIndex {
  public:
    explicit FaissVectorIndex(VectorIndexOptions options)
        : options_(std::move(options)),
          index_(static_cast<int>(options_.index_dim), faiss::ScalarQuantizer::QT_fp16,
                 faiss::METRIC_INNER_PRODUCT) {}

    Result<void> load();
    Result<void> add(std::span<const NodeId> nodes, std::span<const float> vectors) override;
    Result<std::vector<SearchHit>> search(std::span<const float> query, std::size_t count,
                                          const SearchFilter& filter) const override;

    std::size_t size() const override {
        const std::shared_lock lock(mutex_);
        return nodes_.size();
    }

    CommitNumber watermark() const override {
        const std::shared_lock lock(mutex_);
        return watermark_;
    }

    Result<void> save(CommitNumber watermark) override;
    Result<void> clear() override;

  private:
    Result<void> adopt(Bytes file);

    tl::unexpected<Error> stale(const std::string& what) const {
        return fail(ErrorCode::kStaleIndex,
                    "vector index " + options_.path.string() + " " + what + "; it can be rebuilt");
    }

    const VectorIndexOptions options_;
    mutable std::shared_mutex mutex_;  // guards everything below
    faiss::IndexScalarQuantizer index_;
    std::vector<std::int64_t> nodes_;  // packed, by position in index_
    std::unordered_set<std::int64_t> known_;
    CommitNumber watermark_;
};

Result<void> FaissVectorIndex::load() {
    std::error_code ignored;
    if (!std::filesystem::exists(options_.path, ignored)) return {};
    const auto file = MappedFile::open(options_.path);
    if (!file) return stale("cannot be read (" + file.error().message() + ")");
    return adopt((*file)->bytes());
}

Result<void> FaissVectorIndex::adopt(Bytes file) {
    FileHeader header;
    if (file.size() < sizeof header) return stale("is cut off");
    std::memcpy(&header, file.data(), sizeof header);
    if (header.magic != kMagic) return stale("has another format");
    if (header.index_dim != options_.index_dim || header.encoder_hash != options_.encoder_hash)
        return stale("was made with another gist encoder");
    const Bytes rest = file.subspan(sizeof header);
    const std::size_t row_bytes = sizeof(std::int64_t) + index_.code_size;
    if (header.count > rest.size() || header.count * row_bytes != rest.size())
        return stale("has a size that does not fit its header");
    const Bytes nodes = rest.first(header.count * sizeof(std::int64_t));
    const Bytes codes = rest.subspan(nodes.size());
    if (checksum_of(header, nodes, codes) != header.checksum) return stale("has a wrong checksum");
    nodes_.resize(header.count);
    index_.codes.resize(codes.size());
    if (header.count > 0) {
        std::memcpy(nodes_.data(), nodes.data(), nodes.size());
        std::memcpy(index_.codes.data(), codes.data(), codes.size());
    }
    index_.ntotal = static_cast<faiss::Index::idx_t>(header.count);
    known_.insert(nodes_.begin(), nodes_.end());
    watermark_ = CommitNumber(header.watermark);
    return {};
}

Result<void> FaissVectorIndex::add(std::span<const NodeId> nodes, std::span<const float> vectors) {
    MC_CHECK(vectors.size() == nodes.size() * options_.index_dim, "one vector of width I per node");
    if (nodes.empty()) return {};
    if (!all_finite(vectors))
        return fail(ErrorCode::kInvalidInput, "an index vector holds a number that is not finite");
    const std::unique_lock lock(mutex_);
    std::vector<std::int64_t> packed;
    for (const NodeId node : nodes) {
        MC_ASSIGN(const std::int64_t id, pack_node(node));
        packed.push_back(id);
    }
    MC_TRY(faiss_guard(ErrorCode::kStaleIndex, [&] {
        index_.add(static_cast<faiss::Index::idx_t>(nodes.size()), vectors.data());
    }));
    for (std::size_t i = 0; i < packed.size(); ++i)
        MC_CHECK(known_.insert(packed[i]).second,
                 "node " + to_string(nodes[i]) + " is in the vector index already");
    nodes_.insert(nodes_.end(), packed.begin(), packed.end());
    return {};
}

Result<std::vector<SearchHit>> FaissVectorIndex::search(std::span<const float> query,
                                                        std::size_t count,
                                                        const SearchFilter& filter) const {
    MC_CHECK(query.size() == options_.index_dim, "a query of another width");
    if (!all_finite(query))
        return fail(ErrorCode::kInvalidInput, "the query holds a number that is not finite");
    const std::shared_lock lock(mutex_);
    const std::size_t k = std::min(count, nodes_.size());
    std::vector<SearchHit> hits;
    if (k == 0) return hits;
    std::vector<float> scores(k);
    std::vector<faiss::Index::idx_t> positions(k);
    const NodeFilter accepted(filter);
    PositionSelector selector(nodes_, accepted);
    faiss::SearchParameters parameters;
    if (!accepted.accepts_all()) parameters.sel = &selector;
    MC_TRY(faiss_guard(ErrorCode::kStaleIndex, [&] {
        index_.search(1, query.data(), static_cast<faiss::Index::idx_t>(k), scores.data(),
                      positions.data(), &parameters);
    }));
    for (std::size_t i = 0; i < k; ++i)
        if (positions[i] >= 0)  // FAISS pads with -1
            hits.push_back(
                {unpack_node(nodes_[static_cast<std::size_t>(positions[i])]), scores[i]});
    return hits;
}

Result<void> FaissVectorIndex::save(CommitNumber watermark) {
    const std::unique_lock lock(mutex_);
    if (options_.writable) {
        FileHeader header;
        header.watermark = watermark.value;
        header.count = nodes_.size();
        header.index_dim = options_.index_dim;
        header.encoder_hash = options_.encoder_hash;
        const Bytes nodes = std::as_bytes(std::span(nodes_));
        const Bytes codes = std::as_bytes(std::span(index_.codes));
        header.checksum = checksum_of(header, nodes, codes);
        const std::array<Bytes, 3> pieces = {std::as_bytes(std::span(&header, 1)), nodes, codes};
        MC_TRY(replace_file_pieces(options_.path, pieces));
    }
    watermark_ = watermark;
    return {};
}

Result<void> FaissVectorIndex::clear() {
    const std::unique_lock lock(mutex_);
    if (options_.writable) {
        std::error_code error;
        std::filesystem::remove(options_.path, error);
        if (error) return fail(system_error(error.value(), "cannot remove", options_.path));
    }
    index_.reset();
    nodes_.clear();
    known_.clear();
    watermark_ = CommitNumber(0);
    return {};
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> open_faiss_index(const VectorIndexOptions& options) {
    MC_CHECK(options.index_dim > 0, "index vectors have a width");
    auto index = std::make_unique<FaissVectorIndex>(options);
    MC_TRY(index->load());
    return std::unique_ptr<VectorIndex>(std::move(index));
}

}  // namespace mc::storage
