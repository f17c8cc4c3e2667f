// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/store_check.h"

#include <algorithm>
#include <memory>

#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "core/span_math.h"
#include "lm/tokenizer/tokenizer.h"
#include "tree/tree_check.h"
#include "tree/tree_graph.h"

namespace mc::apps {
namespace {

std::uint64_t node_total(const DocumentRecord& document) {
    std::uint64_t nodes = 0;
    for (std::uint8_t level = 1; level <= top_level(document.gist_end).value; ++level)
        nodes += node_count(document.gist_end, Level(level));
    return nodes;
}

// What the texts of a store can be spelled with: its own tokenizer, null where that is not at hand.
std::unique_ptr<lm::Tokenizer> tokenizer_of(const runtime::Engine& engine,
                                            const storage::StoreMeta& meta) {
    auto opened = lm::Tokenizer::open(engine.config().model);
    const bool is_its_own = opened && (*opened)->hash() == meta.identity.tokenizer_hash;
    return is_its_own ? std::move(*opened) : nullptr;
}

// Whether tokens spell nothing that a passage could hold. Without a tokenizer nobody can say.
Result<bool> is_blank(const NodeStore& nodes, const lm::Tokenizer* tokenizer, DocumentId document,
                      TokenSpan span) {
    if (tokenizer == nullptr || span.empty()) return true;
    MC_ASSIGN(const auto tokens, nodes.read_tokens(document, span));
    return apps::is_blank(tokenizer->decode(tokens));
}

// "its passages miss tokens 40:72"; empty when they cover a document without gap or overlap, but
// for what spells nothing.
Result<std::string> passage_gap(const PassageIndex& index, const NodeStore& nodes,
                                const lm::Tokenizer* tokenizer, const DocumentRecord& document) {
    MC_ASSIGN(const auto passages, index.passages_in(document.id, {0, document.token_count}));
    TokenSpan gap;
    for (std::size_t i = 0; i <= passages.size(); ++i) {
        gap.end = i < passages.size() ? passages[i].tokens.begin : document.token_count;
        const bool is_sound = gap.begin <= gap.end;
        MC_ASSIGN(const bool blank,
                  is_sound ? is_blank(nodes, tokenizer, document.id, gap) : Result<bool>(false));
        if (!blank)
            return "document " + to_text(document.id) + ": its passages " +
                   (is_sound ? "miss" : "overlap at") + " tokens " +
                   format_range(std::min(gap.begin, gap.end), std::max(gap.begin, gap.end));
        if (i < passages.size()) gap.begin = passages[i].tokens.end;
    }
    return std::string();
}

// No passage of a version is found.
Result<void> check_versions_are_out(const PassageIndex& index, const NodeStore& nodes,
                                    Findings& findings) {
    MC_ASSIGN(const auto versions, nodes.list_versions());
    for (const DocumentRecord& version : versions) {
        MC_ASSIGN(const auto last, index.last_passage(version.id));
        if (last)
            findings.add_fault("bank " + nodes.bank().name + ", index of passages",
                               "it holds document " + to_text(version.id) +
                                   ", which was superseded; delete the index and it is rebuilt");
    }
    return {};
}

// Passages can be compared only where the index stands at the bank's last commit.
Result<void> check_index(storage::Store& store, const TextEmbedderInfo& embedder,
                         const lm::Tokenizer* tokenizer, const NodeStore& nodes,
                         const std::vector<DocumentRecord>& documents, Findings& findings) {
    const std::string& bank = nodes.bank().name;
    Json line{{"bank", bank}, {"index", "passages"}, {"held", nullptr}};
    const auto opened = store.open_passage_index(bank, embedder);
    MC_ASSIGN(const CommitNumber last_commit, nodes.last_commit());
    if (!opened) {
        // A cache that cannot be opened (stale, or on a full disk) is no damage to the store.
        line["state"] = "unusable: " + opened.error().to_string();
    } else if ((*opened)->watermark() != last_commit) {
        line["held"] = (*opened)->size();
        line["state"] = "behind";
    } else {
        line["held"] = (*opened)->size();
        line["state"] = "current";
        MC_TRY(check_versions_are_out(**opened, nodes, findings));
        for (const DocumentRecord& document : documents) {
            MC_ASSIGN(const std::string gap, passage_gap(**opened, nodes, tokenizer, document));
            if (gap.empty()) continue;
            line["state"] = "wrong";
            findings.add_fault("bank " + bank + ", index of passages",
                               gap + "; delete the index and it is rebuilt");
        }
    }
    findings.indexes.push_back(std::move(line));
    return {};
}

Result<void> check_document(const NodeStore& nodes, const DocumentRecord& document,
                            const GistShape& shape, Findings& findings) {
    const std::string where = "bank " + nodes.bank().name + ", document " + to_text(document.id);
    MC_ASSIGN(const auto violations, tree_violations(nodes, document.id, shape));
    for (const std::string& violation : violations) findings.add_fault(where, violation);
    // What hangs together can only be said of records that can be read.
    if (!violations.empty()) return {};
    MC_ASSIGN(const auto unreachable, reachability_violations(nodes, document.id));
    for (const std::string& violation : unreachable) findings.add_fault(where, violation);
    return {};
}

Result<void> check_bank(storage::Store& store, const TextEmbedderInfo& embedder,
                        const lm::Tokenizer* tokenizer, const std::string& bank,
                        Findings& findings) {
    MC_ASSIGN(const auto nodes, store.bank_store(bank));
    MC_ASSIGN(const auto documents, nodes->list_documents());
    for (const DocumentRecord& document : documents) {
        MC_TRY(check_document(*nodes, document, store.meta().identity.encoder.shape, findings));
        findings.nodes += node_total(document);
        findings.tokens += document.token_count;
        findings.bytes += document.byte_count;
    }
    MC_ASSIGN(const auto versions, nodes->list_versions());
    for (const DocumentRecord& version : versions)
        MC_TRY(check_document(*nodes, version, store.meta().identity.encoder.shape, findings));
    findings.versions += versions.size();
    MC_ASSIGN(const auto violations, journal_violations(*nodes));
    for (const std::string& violation : violations)
        findings.add_fault("bank " + bank + ", journal", violation);
    findings.documents += documents.size();
    return check_index(store, embedder, tokenizer, *nodes, documents, findings);
}

}  // namespace

Result<Findings> check_store(runtime::Engine& engine) {
    storage::Store& store = engine.store();
    Findings findings;
    MC_ASSIGN(const auto summary,
              store.verify_records([&findings](const storage::RecordFault& fault) {
                  findings.add_fault(fault.database + ", " + fault.key, fault.error.to_string());
              }));
    findings.records = summary.records;
    // Trees are read through the records: broken ones would only be reported twice.
    if (summary.faults > 0) return findings;
    MC_ASSIGN(TextEmbedder* const embedder, engine.embedder());
    const TextEmbedderInfo info = embedder ? embedder->info() : TextEmbedderInfo();
    const auto tokenizer = tokenizer_of(engine, store.meta());
    MC_ASSIGN(const auto banks, store.list_banks());
    for (const BankRecord& bank : banks)
        MC_TRY(check_bank(store, info, tokenizer.get(), bank.name, findings));
    return findings;
}

}  // namespace mc::apps
