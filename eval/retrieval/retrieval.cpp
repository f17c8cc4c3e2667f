// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/retrieval.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "core/clock.h"
#include "core/hash.h"
#include "core/span_math.h"
#include "eval/report/suite_report.h"
#include "eval/retrieval/retrieval_record.h"
#include "eval/retrieval/retrieval_vectors.h"
#include "lm/base_model.h"
#include "storage/store.h"
#include "working_context/hit_fusion.h"

namespace mc::eval {
namespace {

constexpr std::size_t kTextsPerCall = 2048;

constexpr const char* kBm25 = "bm25";
constexpr const char* kUntrained = "mean";
constexpr const char* kTrained = "index";

struct Outside {
    std::string name;
    Path path;
};

Result<std::vector<Outside>> parse_vectors(const std::vector<std::string>& settings) {
    std::vector<Outside> out;
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == setting.size())
            return fail(ErrorCode::kUsage, "vectors '" + setting + "' are not NAME=FILE");
        out.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
    }
    return out;
}

// The product's own text index, in a store of its own that is gone afterwards.
class TextIndex {
  public:
    static Result<std::unique_ptr<TextIndex>> make(const Haystack& haystack, const Path& folder);

    ~TextIndex() {
        index_.reset();
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    Result<CandidateLists> search(const Haystack& haystack,
                                  std::span<const RetrievalQuery> queries) const {
        CandidateLists lists;
        for (const RetrievalQuery& query : queries) {
            MC_ASSIGN(const auto found,
                      index_->search_words(query.text, kCandidates + query.repeated_blocks, {}));
            std::vector<SearchHit> hits;
            for (const PassageHit& hit : found) hits.push_back({block_of(hit.passage), hit.score});
            leave_out_repeated(haystack, query, hits);
            lists.push_back(std::move(hits));
        }
        return lists;
    }

  private:
    explicit TextIndex(Path folder) : folder_(std::move(folder)) {}

    // Blocks are this index's passages.
    static NodeId block_of(const Passage& passage) {
        return {passage.document, Level(1), node_holding(passage.tokens.begin, Level(1))};
    }

    Path folder_;
    SystemClock clock_;
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<PassageIndex> index_;
};

Result<std::unique_ptr<TextIndex>> TextIndex::make(const Haystack& haystack, const Path& folder) {
    std::unique_ptr<TextIndex> out(new TextIndex(folder));
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);  // of a run that was killed
    storage::StoreOptions options;
    options.directory = folder;
    options.mode = storage::StoreMode::kWriteOrCreate;
    options.clock = &out->clock_;
    // It holds texts alone: no model made anything in it.
    options.identity = storage::StoreIdentity{"none", {}, {}, {"none", {}, {1, 1, 1, 1}}};
    MC_ASSIGN(out->store_, storage::Store::open(options));
    MC_TRY(out->store_->create_bank("haystack"));
    MC_ASSIGN(out->index_, out->store_->open_passage_index("haystack", TextEmbedderInfo()));
    std::vector<PassageText> blocks;
    for (std::size_t i = 0; i < haystack.blocks.size(); ++i) {
        const NodeId block = haystack.blocks[i];
        blocks.push_back({{block.document, span_of(block)}, haystack.texts[i]});
        if (blocks.size() < kTextsPerCall && i + 1 < haystack.blocks.size()) continue;
        MC_TRY(out->index_->add(blocks, {}));
        blocks.clear();
    }
    return out;
}

struct System {
    std::string name;
    CandidateLists lists;
};

void add_fusion(std::vector<System>& systems, const std::vector<std::string>& names) {
    std::vector<WeightedLists> parts;
    std::string name;
    for (const std::string& part : names) {
        name += (name.empty() ? "" : "+") + part;
        for (const System& system : systems)
            if (system.name == part)
                parts.push_back({&system.lists, part == kBm25 ? kLexicalWeight : kVectorWeight});
    }
    systems.push_back({name, fuse_lists(parts)});
}

// Every system by itself, then the fusions.
Result<std::vector<System>> search_all(const lm::BaseModel& model, const RetrievalOptions& options,
                                       const Haystack& haystack,
                                       std::span<const RetrievalQuery> queries,
                                       const std::string& texts_hash,
                                       const RetrievalProgressCallback& progress,
                                       const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const std::vector<Outside> outside, parse_vectors(options.vectors));
    std::vector<System> systems;
    for (const Outside& one : outside) {  // first: a wrong file is said before any work
        MC_ASSIGN(const VectorTable table, load_vectors(one.path, haystack, queries, texts_hash));
        systems.push_back({one.name, search_vectors(haystack, queries, table)});
    }
    MC_ASSIGN(const auto texts, TextIndex::make(haystack, options.output / "text-index"));
    MC_ASSIGN(CandidateLists bm25, texts->search(haystack, queries));
    systems.push_back({kBm25, std::move(bm25)});
    std::vector<std::string> kinds = {options.index};
    if (options.untrained) kinds.push_back(kUntrained);
    MC_ASSIGN(const auto reader, gistnet::IndexReader::make(model, kinds));
    const auto done = [&](std::uint64_t blocks) {
        if (progress) progress({blocks, haystack.blocks.size()});
    };
    MC_ASSIGN(const auto tables, read_vectors(model, *reader, haystack, queries, texts_hash,
                                              options.output / "vectors", done, cancelled));
    systems.push_back({kTrained, search_vectors(haystack, queries, tables[0])});
    add_fusion(systems, {kBm25, kTrained});
    if (options.untrained) {
        systems.push_back({kUntrained, search_vectors(haystack, queries, tables[1])});
        add_fusion(systems, {kBm25, kUntrained});
    }
    for (const Outside& one : outside) {
        add_fusion(systems, {kBm25, one.name});
        add_fusion(systems, {kTrained, one.name});
        add_fusion(systems, {kBm25, kTrained, one.name});
    }
    return systems;
}

}  // namespace

Result<SuiteReport> run_retrieval(const lm::BaseModel& model, const RetrievalOptions& options,
                                  const RetrievalProgressCallback& progress,
                                  const std::atomic<bool>* cancelled) {
    if (options.queries == 0) return fail(ErrorCode::kUsage, "queries must be 1 or more");
    MC_ASSIGN(const Haystack haystack, read_haystack(model.tokenizer(), options.documents));
    MC_ASSIGN(const auto queries,
              plan_queries(haystack, model.tokenizer(), options.queries, options.seed));
    const std::string texts_hash = hash_of_texts(haystack, queries);
    std::error_code failed;
    std::filesystem::create_directories(options.output, failed);
    if (failed) return fail(system_error(failed.value(), "make folder", options.output));
    const Path texts = options.output / "texts.json";
    MC_TRY(write_text(texts, texts_json(haystack, queries, texts_hash)));

    MC_ASSIGN(const auto systems,
              search_all(model, options, haystack, queries, texts_hash, progress, cancelled));
    RetrievalFindings findings;
    for (const System& system : systems)
        findings.systems.push_back({system.name, ranks_of(haystack, queries, system.lists)});
    for (const RetrievalQuery& query : queries) findings.kinds.push_back(query.kind);
    findings.blocks = haystack.blocks.size();
    findings.documents = haystack.names;
    findings.texts_hash = texts_hash;
    findings.model_hash = to_hex(model.hash());
    findings.seed = options.seed;
    findings.command_line = options.command_line;
    MC_TRY(write_text(options.output / "ranks.jsonl", retrieval_ranks(findings)));
    return write_suite_report(texts, retrieval_table(findings), retrieval_json(findings), {});
}

}  // namespace mc::eval
