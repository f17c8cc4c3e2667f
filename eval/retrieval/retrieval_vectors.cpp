// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/retrieval_vectors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/hash.h"
#include "core/span_math.h"
#include "formats/safetensors.h"
#include "lm/base_model.h"
#include "tree/read_window.h"

namespace mc::eval {
namespace {

constexpr std::size_t kPartBlocks = 1024;
constexpr std::size_t kPartQueries = 512;

using Rows = std::vector<std::vector<float>>;  // for each kind, row-major

lm::SafetensorsTensor view_of(const std::string& name, const std::vector<float>& values,
                              std::uint32_t dim) {
    return {name,
            lm::SafetensorsDtype::kF32,
            {values.size() / dim, dim},
            std::as_bytes(std::span(values))};
}

Result<std::vector<float>> values_of(const lm::SafetensorsFile& file, const std::string& name,
                                     std::uint64_t rows, std::uint64_t dim) {
    const lm::SafetensorsTensor* found = file.find_tensor(name);
    const bool fits = found != nullptr && found->dtype == lm::SafetensorsDtype::kF32 &&
                      found->shape.size() == 2 && found->shape[0] == rows &&
                      (dim == 0 ? found->shape[1] > 0 : found->shape[1] == dim);
    if (!fits)
        return fail(ErrorCode::kInvalidInput, file.name() + ": tensor " + name +
                                                  " is missing, or is not F32 with " +
                                                  std::to_string(rows) + " rows");
    std::vector<float> values(found->data.size() / sizeof(float));
    std::memcpy(values.data(), found->data.data(), found->data.size());
    return values;
}

std::string field(const lm::SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
}

class Reading {
  public:
    Reading(const lm::BaseModel& model, const gistnet::IndexReader& reader,
            const Haystack& haystack, std::span<const RetrievalQuery> queries, Path folder,
            std::string identity)
        : model_(model),
          reader_(reader),
          haystack_(haystack),
          queries_(queries),
          folder_(std::move(folder)),
          identity_(std::move(identity)) {}

    // Blocks [first, first + count) of the haystack.
    Result<Rows> read_blocks(std::size_t first, std::size_t count) const;
    Result<Rows> read_queries(std::size_t first, std::size_t count) const;

    Result<std::optional<Rows>> load(const std::string& part, std::size_t rows) const;
    Result<void> save(const std::string& part, const Rows& rows) const;

  private:
    Path path_of(const std::string& part) const { return folder_ / (part + ".safetensors"); }

    const lm::BaseModel& model_;
    const gistnet::IndexReader& reader_;
    const Haystack& haystack_;
    std::span<const RetrievalQuery> queries_;
    Path folder_;
    std::string identity_;
};

void append(Rows& to, const Rows& more, std::span<const gistnet::IndexReader::Kind> kinds,
            std::size_t rows) {
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        const auto end = more[k].begin() + static_cast<std::ptrdiff_t>(rows * kinds[k].dim);
        to[k].insert(to[k].end(), more[k].begin(), end);
    }
}

// Windows as ingest reads them; one that reaches over a part's end is read for both parts.
Result<Rows> Reading::read_blocks(std::size_t first, std::size_t count) const {
    Rows rows(reader_.kinds().size());
    std::size_t at = first;
    while (at < first + count) {
        const NodeId node = haystack_.blocks[at];
        const auto& document = haystack_.tokens[node.document.value - 1];
        const ReadWindow window =
            read_window_at(document, 0, {span_of(node).begin, tail_begin(document.size())});
        MC_ASSIGN(const Rows made, reader_.read_window(window));
        const std::size_t fresh = (window.tokens.size() - window.context_count) / kBlockSize;
        const std::size_t wanted = std::min(fresh, first + count - at);
        append(rows, made, reader_.kinds(), wanted);
        at += wanted;
    }
    return rows;
}

Result<Rows> Reading::read_queries(std::size_t first, std::size_t count) const {
    std::vector<std::vector<TokenId>> texts;
    for (std::size_t i = first; i < first + count; ++i)
        texts.push_back(model_.tokenizer().encode(queries_[i].text));
    return reader_.read_texts(texts);
}

Result<std::optional<Rows>> Reading::load(const std::string& part, std::size_t rows) const {
    std::error_code ignored;
    if (!std::filesystem::exists(path_of(part), ignored)) return std::nullopt;
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(path_of(part)));
    if (field(*file, "identity") != identity_) return std::nullopt;
    Rows out;
    for (std::size_t k = 0; k < reader_.kinds().size(); ++k) {
        MC_ASSIGN(auto values,
                  values_of(*file, "kind" + std::to_string(k), rows, reader_.kinds()[k].dim));
        out.push_back(std::move(values));
    }
    return out;
}

Result<void> Reading::save(const std::string& part, const Rows& rows) const {
    std::vector<lm::SafetensorsTensor> tensors;
    for (std::size_t k = 0; k < rows.size(); ++k)
        tensors.push_back(view_of("kind" + std::to_string(k), rows[k], reader_.kinds()[k].dim));
    return lm::write_safetensors(path_of(part), tensors, {{"identity", identity_}});
}

}  // namespace

Result<std::vector<VectorTable>> read_vectors(
    const lm::BaseModel& model, const gistnet::IndexReader& reader, const Haystack& haystack,
    std::span<const RetrievalQuery> queries, const std::string& texts_hash, const Path& folder,
    const std::function<void(std::uint64_t)>& blocks_done, const std::atomic<bool>* cancelled) {
    std::string identity = texts_hash + " " + to_hex(model.hash());
    for (const auto& kind : reader.kinds()) identity += " " + to_hex(kind.parameters);
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail(system_error(failed.value(), "make folder", folder));

    const Reading reading(model, reader, haystack, queries, folder, identity);
    std::vector<VectorTable> tables;
    for (const auto& kind : reader.kinds()) tables.push_back({kind.dim, {}, {}});
    const auto part = [&](const std::string& name, std::size_t first, std::size_t count,
                          bool of_blocks) -> Result<void> {
        if (cancelled != nullptr && cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
        MC_ASSIGN(auto rows, reading.load(name, count));
        if (!rows) {
            MC_ASSIGN(rows, of_blocks ? reading.read_blocks(first, count)
                                      : reading.read_queries(first, count));
            MC_TRY(reading.save(name, *rows));
        }
        for (std::size_t k = 0; k < tables.size(); ++k) {
            auto& to = of_blocks ? tables[k].blocks : tables[k].queries;
            to.insert(to.end(), (*rows)[k].begin(), (*rows)[k].end());
        }
        return {};
    };
    for (std::size_t first = 0; first < queries.size(); first += kPartQueries)
        MC_TRY(part("queries-" + std::to_string(first / kPartQueries), first,
                    std::min(kPartQueries, queries.size() - first), false));
    for (std::size_t first = 0; first < haystack.blocks.size(); first += kPartBlocks) {
        const std::size_t count = std::min(kPartBlocks, haystack.blocks.size() - first);
        MC_TRY(part("blocks-" + std::to_string(first / kPartBlocks), first, count, true));
        if (blocks_done) blocks_done(first + count);
    }
    return tables;
}

Result<VectorTable> load_vectors(const Path& path, const Haystack& haystack,
                                 std::span<const RetrievalQuery> queries,
                                 const std::string& texts_hash) {
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(path));
    if (field(*file, "texts_hash") != texts_hash)
        return fail(ErrorCode::kInvalidInput,
                    path.string() + ": made for other texts (" + field(*file, "texts_hash") +
                        ", this run's are " + texts_hash +
                        "): make it again from the texts.json of this run's output");
    VectorTable table;
    MC_ASSIGN(table.blocks, values_of(*file, "blocks", haystack.blocks.size(), 0));
    table.dim = static_cast<std::uint32_t>(table.blocks.size() / haystack.blocks.size());
    MC_ASSIGN(table.queries, values_of(*file, "queries", queries.size(), table.dim));
    return table;
}

}  // namespace mc::eval
