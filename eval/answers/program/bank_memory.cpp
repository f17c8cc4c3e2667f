// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/bank_memory.h"

#include <algorithm>

#include "core/clock.h"
#include "core/span_math.h"
#include "eval/answers/program/sentence_sources.h"
#include "runtime/candidate_signals.h"
#include "runtime/gist_maker.h"
#include "runtime/ingest.h"
#include "tree/cover.h"

namespace mc::eval {
namespace {

// Passages that recall looks at, whatever the row shows.
constexpr std::size_t kRecallDepth = 5;

// Entries of the model's context that stay free for what it writes and for the candidates.
constexpr std::uint64_t kWritingRoom = 128;

std::uint64_t entries_of(const std::vector<lm::Segment>& segments) {
    std::uint64_t entries = 0;
    for (const lm::Segment& segment : segments)
        entries += segment.tokens.size() + segment.gists.size();
    return entries;
}

}  // namespace

Result<std::unique_ptr<BankMemory>> BankMemory::open(runtime::Engine& engine,
                                                     const std::string& bank_name,
                                                     const MemoryText& text, bool with_gists,
                                                     const std::atomic<bool>* cancelled) {
    std::unique_ptr<BankMemory> memory(new BankMemory(engine));
    MC_ASSIGN(memory->bank_, runtime::BankSession::open(engine, bank_name, true));
    MC_TRY(memory->ingest(text, cancelled));
    if (with_gists) MC_TRY(memory->make_gists(cancelled));
    memory->sources_ = sentence_sources(*memory->bank_);
    return memory;
}

Result<void> BankMemory::ingest(const MemoryText& text, const std::atomic<bool>* cancelled) {
    for (const MemoryDocument& document : text.documents) {
        runtime::IngestOptions options;
        options.size_bytes_max = document.text.size();
        options.cancelled = cancelled;
        MC_ASSIGN(const auto report,
                  runtime::ingest_text(*bank_, document.name, document.text, options, {}));
        documents_.emplace_back(report.document.id, report.document.token_count);
    }
    return bank_->index_now();
}

Result<void> BankMemory::make_gists(const std::atomic<bool>* cancelled) {
    runtime::GistOptions options;
    options.cancelled = cancelled;
    for (const Stored& stored : documents_)
        MC_TRY(runtime::make_gists(*bank_, stored.first, options));
    return {};
}

Result<std::optional<RowPrompt>> BankMemory::prompt(const AnswerRow& row, const AnswerItem& item,
                                                    const PlacedItem& placed) {
    if (row.kind == RowKind::kOracle && placed.facts.empty()) return std::optional<RowPrompt>();
    const SystemClock clock;
    const std::int64_t begin_ns = clock.monotonic_ns();
    auto prompt = make_prompt(row, item.question, placed);
    if (!prompt && prompt.error().code() == ErrorCode::kOverBudget)
        return std::optional<RowPrompt>();
    if (!prompt) return fail(std::move(prompt.error()));
    prompt->search_ms = static_cast<double>(clock.monotonic_ns() - begin_ns) * 1e-6;
    return std::optional(std::move(*prompt));
}

Result<RowPrompt> BankMemory::make_prompt(const AnswerRow& row, const std::string& question,
                                          const PlacedItem& placed) {
    switch (row.kind) {
        case RowKind::kWindow:
            return window_prompt(row, question, placed);
        case RowKind::kPassages:
            return passage_prompt(row, question, placed);
        case RowKind::kOracle:
            return oracle_prompt(question, placed);
        case RowKind::kRaw:
            return raw_prompt(question, placed);
        case RowKind::kGists:
            return gist_prompt(question, placed);
        case RowKind::kNothing:
        case RowKind::kFact:
            break;
    }
    MC_CHECK(false, "a memoryless row asks no memory");
}

Result<RowPrompt> BankMemory::window_prompt(const AnswerRow& row, const std::string& question,
                                            const PlacedItem& placed) {
    session_.emplace(*bank_);
    runtime::QueryOptions options;
    options.policy = row.policy;
    options.budget = row.budget;
    options.background_entries = row.background;
    options.scope = runtime::RecallScope::of(filter_of(scope_of(placed), placed));
    options.evidence_count = kRecallDepth;
    MC_ASSIGN(const auto report, session_->ask(question, options));
    RowPrompt prompt;
    MC_ASSIGN(prompt.segments, session_->reader_prompt());
    std::vector<FoundPassage> evidence;
    for (const runtime::Evidence& one : report.evidence)
        evidence.push_back({one.document.id, one.tokens});
    prompt.found = spans_of(evidence);
    prompt.looked = true;
    prompt.abstains = !report.known;
    return prompt;
}

Result<RowPrompt> BankMemory::passage_prompt(const AnswerRow& row, const std::string& question,
                                             const PlacedItem& placed) {
    const auto source =
        std::ranges::find(sources_, row.source, [](const auto& one) { return one->name(); });
    MC_CHECK(source != sources_.end(), "rows name sources that there are");
    MC_ASSIGN(const std::vector<FoundPassage> passages,
              (*source)->find(question, std::max(row.count, kRecallDepth),
                              filter_of(scope_of(placed), placed)));
    const auto shown = std::span(passages).first(std::min(passages.size(), row.count));
    MC_ASSIGN(RowPrompt prompt, text_prompt(question, shown));
    prompt.found = spans_of(passages);
    prompt.looked = true;
    return prompt;
}

Result<BankMemory::Weighed> BankMemory::weigh(const AnswerItem& item, const PlacedItem& placed) {
    session_.emplace(*bank_);
    runtime::QueryOptions options;
    options.scope = runtime::RecallScope::of(filter_of(scope_of(placed), placed));
    Weighed weighed;
    MC_ASSIGN(weighed.candidates, session_->candidates(item.question, options));
    std::vector<FoundPassage> shown;
    for (std::size_t i = 0; i < weighed.candidates.passages.size(); ++i)
        shown.push_back(
            {weighed.candidates.passages[i].passage.document, weighed.candidates.shown[i]});
    weighed.spans = spans_of(shown);
    return weighed;
}

Result<std::vector<lm::Segment>> BankMemory::prompt_showing(const std::string& question,
                                                            std::vector<FoundPassage> passages) {
    std::ranges::sort(passages, std::greater(), [](const FoundPassage& one) {
        return std::pair(one.document, one.tokens.begin);
    });  // text_prompt() shows the first one last
    MC_ASSIGN(RowPrompt prompt, text_prompt(question, passages));
    return std::move(prompt.segments);
}

Result<std::vector<lm::Segment>> BankMemory::prompt_showing_gists(const std::string& question,
                                                                  const Passage& passage) {
    MC_ASSIGN(auto found, runtime::passage_gists(bank_->nodes(), passage));
    std::vector<const Gist*> gists;
    for (Gist& gist : found) gists.push_back(&shown_gists_.emplace_back(std::move(gist)));
    std::vector<lm::Segment> middle;
    if (!gists.empty()) middle.push_back(lm::Segment::of_gists(std::move(gists)));
    MC_ASSIGN(RowPrompt prompt, around(question, std::move(middle)));
    return std::move(prompt.segments);
}

Result<RowPrompt> BankMemory::oracle_prompt(const std::string& question, const PlacedItem& placed) {
    std::vector<FoundPassage> passages;
    for (const PlacedFact& fact : placed.facts) {
        const auto& [document, token_count] = documents_[fact.document];
        const std::uint64_t begin = fact.fact.begin / kBlockSize * kBlockSize;
        const std::uint64_t end = (fact.fact.end + kBlockSize - 1) / kBlockSize * kBlockSize;
        passages.push_back({document, {begin, std::min(end, token_count)}});
    }
    std::ranges::reverse(passages);  // told in their order: text_prompt() shows the first one last
    return text_prompt(question, passages);
}

Result<RowPrompt> BankMemory::raw_prompt(const std::string& question, const PlacedItem& placed) {
    std::uint64_t tokens = 0;
    std::vector<FoundPassage> passages;
    for (const auto& [document, token_count] : scope_of(placed)) {
        passages.push_back({document, {0, token_count}});
        tokens += token_count;
    }
    if (tokens > engine_.model().config().context_length)
        return fail(ErrorCode::kOverBudget, "the memory does not fit");
    std::ranges::reverse(passages);
    return text_prompt(question, passages);
}

// The coarsest cover of every document, in order.
Result<RowPrompt> BankMemory::gist_prompt(const std::string& question, const PlacedItem& placed) {
    gists_.clear();
    std::vector<lm::Segment> segments;
    for (const Stored& document : scope_of(placed)) MC_TRY(add_cover(document, segments));
    return around(question, std::move(segments));
}

Result<void> BankMemory::add_cover(const Stored& stored, std::vector<lm::Segment>& segments) {
    const auto& [document, token_count] = stored;
    for (const CoverPiece& piece : coarsest_cover({0, token_count}, tail_begin(token_count))) {
        if (piece.level == Level(0)) {
            MC_ASSIGN(auto tokens, bank_->nodes().read_tokens(document, piece.span));
            segments.push_back(lm::Segment::of_tokens(std::move(tokens)));
            continue;
        }
        const NodeId node{document, piece.level, node_holding(piece.span.begin, piece.level)};
        MC_ASSIGN(auto group,
                  bank_->nodes().find_gists(document, node.level, parent_of(node).index));
        if (!group || slot_in_parent(node) >= group->gists.size())
            return fail(ErrorCode::kCorruption, "the store has no gist for " + to_string(node));
        gists_.push_back(std::move(group->gists[slot_in_parent(node)]));
        segments.push_back(lm::Segment::of_gists({&gists_.back()}));
    }
    return {};
}

// Texts apart by an empty line, the best last, next to the question.
Result<RowPrompt> BankMemory::text_prompt(const std::string& question,
                                          std::span<const FoundPassage> passages) {
    const std::vector<FoundPassage> runs = join_neighbours(passages);
    const std::vector<TokenId> gap = bank_->text().tokenizer().encode("\n\n");
    std::vector<TokenId> text;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        if (!text.empty()) text.insert(text.end(), gap.begin(), gap.end());
        MC_ASSIGN(const auto tokens, bank_->nodes().read_tokens(run->document, run->tokens));
        text.insert(text.end(), tokens.begin(), tokens.end());
    }
    std::vector<lm::Segment> middle;
    if (!text.empty()) middle.push_back(lm::Segment::of_tokens(std::move(text)));
    return around(question, std::move(middle));
}

Result<RowPrompt> BankMemory::around(const std::string& question, std::vector<lm::Segment> middle) {
    MC_ASSIGN(const lm::ChatFormat* const format, engine_.chat_format());
    MC_ASSIGN(lm::ChatPrompt chat, format->prompt(question));
    RowPrompt prompt;
    if (!chat.before_text.empty())
        prompt.segments.push_back(lm::Segment::of_tokens(std::move(chat.before_text)));
    for (lm::Segment& segment : middle) prompt.segments.push_back(std::move(segment));
    prompt.segments.push_back(lm::Segment::of_tokens(std::move(chat.after_text)));
    if (entries_of(prompt.segments) + kWritingRoom > engine_.model().config().context_length)
        return fail(ErrorCode::kOverBudget, "the prompt does not fit the reader's context");
    return prompt;
}

std::span<const BankMemory::Stored> BankMemory::scope_of(const PlacedItem& placed) const {
    const std::span<const Stored> all(documents_);
    return placed.document ? all.subspan(*placed.document, 1) : all;
}

std::vector<DocumentId> BankMemory::filter_of(std::span<const Stored> scope,
                                              const PlacedItem& placed) {
    std::vector<DocumentId> documents;
    if (placed.document) documents.push_back(scope.front().first);
    return documents;
}

std::vector<FoundSpan> BankMemory::spans_of(std::span<const FoundPassage> passages) const {
    std::vector<FoundSpan> spans;
    for (const FoundPassage& passage : passages) {
        const auto document = std::ranges::find(documents_, passage.document, &Stored::first);
        MC_CHECK(document != documents_.end(), "a bank holds the memory's documents alone");
        spans.push_back({static_cast<std::size_t>(document - documents_.begin()), passage.tokens});
    }
    return spans;
}

}  // namespace mc::eval
