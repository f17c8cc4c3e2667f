// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_run.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "eval/answers/answer_metrics.h"
#include "eval/answers/answer_report.h"
#include "eval/answers/families.h"
#include "eval/answers/item_reading.h"
#include "eval/answers/reading_log.h"
#include "eval/answers/sentence_pool.h"
#include "eval/report/suite_report.h"

namespace mc::eval {
namespace {

class AnswerRun {
  public:
    AnswerRun(AnswerProgram& program, const AnswersOptions& options,
              const AnswersProgressCallback& progress, const std::atomic<bool>* cancelled)
        : program_(program), options_(options), progress_(progress), cancelled_(cancelled) {}

    Result<void> prepare(const ScorerFacts& facts);
    Result<void> run();
    Result<SuiteReport> report(const ScorerFacts& facts);

  private:
    Result<void> run_memoryless(const ItemSet& set);
    Result<void> run_length(const ItemSet& set, std::uint64_t length);
    Result<void> run_memory(const ItemSet& set, std::uint64_t length, const MemoryText& text,
                            Memory& memory, Reader& reader);
    bool has_all(const ItemSet& set, std::uint64_t length, const MemoryText& text) const;
    Result<void> keep(const AnswerRecord& record);
    std::vector<AnswerRecord> records_asked_for() const;

    std::span<const std::uint64_t> lengths_of(const ItemSet& set) const {
        return set.family == kOneSentence ? options_.sentence_counts : options_.lengths;
    }

    AnswerProgram& program_;
    const AnswersOptions& options_;
    const AnswersProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    std::unique_ptr<lm::ChatFormat> chat_format_;
    SentencePool pool_;
    std::vector<AnswerRow> memoryless_;
    std::vector<AnswerRow> rows_;  // the others
    std::vector<ItemSet> sets_;
    std::string configuration_;
    std::unique_ptr<ReadingLog> log_;
    AnswersProgress state_;
    std::vector<std::string> skipped_;               // cells that no memory of the length holds
    std::map<std::string, std::string> item_lines_;  // by family, length and item
};

AnswerRecord record_for(const ItemSet& set, std::uint64_t length, std::size_t item,
                        const AnswerRow& row) {
    AnswerRecord record;
    record.family = set.family;
    record.task = set.items[item].task;
    record.length = length;
    record.item = item;
    record.row = name_of(row);
    return record;
}

Result<void> AnswerRun::prepare(const ScorerFacts& facts) {
    if (options_.items == 0) return fail(ErrorCode::kUsage, "items must be 1 or more");
    MC_ASSIGN(const auto rows, make_rows(options_.rows, program_.sources()));
    for (const AnswerRow& row : rows) (row.is_memoryless() ? memoryless_ : rows_).push_back(row);
    std::vector<std::string> families = options_.families;
    if (families.empty()) families.assign(family_names().begin(), family_names().end());
    for (const std::string& family : families) MC_TRY(check_family(family));
    MC_ASSIGN(chat_format_, lm::ChatFormat::make(program_.tokenizer()));
    MC_ASSIGN(pool_, read_sentences(options_.documents, program_.tokenizer()));
    const ItemSources sources{program_.tokenizer(), pool_};
    for (const std::string& family : families) {
        MC_ASSIGN(ItemSet set, make_items(family, options_.items, options_.seed, sources));
        state_.readings_total +=
            set.items.size() * (memoryless_.size() + rows_.size() * lengths_of(set).size());
        sets_.push_back(std::move(set));
    }
    std::error_code error;
    std::filesystem::create_directories(options_.output, error);
    if (error) return fail(system_error(error.value(), "cannot create", options_.output));
    configuration_ = answers_configuration(options_, facts, pool_);
    MC_ASSIGN(log_, ReadingLog::open(options_.output / "answers.jsonl", configuration_));
    return {};
}

Result<void> AnswerRun::run() {
    for (const ItemSet& set : sets_) MC_TRY(run_memoryless(set));
    for (const ItemSet& set : sets_)
        for (const std::uint64_t length : lengths_of(set)) MC_TRY(run_length(set, length));
    std::string items;
    for (const auto& [key, line] : item_lines_) items += line + "\n";
    return write_text(options_.output / "items.jsonl", items);
}

Result<void> AnswerRun::run_memoryless(const ItemSet& set) {
    for (std::size_t i = 0; i < set.items.size(); ++i) {
        ItemReading reading(program_.tokenizer());
        for (const AnswerRow& row : memoryless_) {
            AnswerRecord record = record_for(set, 0, i, row);
            if (log_->has(set.family, 0, i, record.row)) {
                ++state_.readings_done;
                continue;
            }
            MC_ASSIGN(auto prompt, memoryless_prompt(row, set.items[i], *chat_format_));
            record.fits = prompt.has_value();
            if (prompt)
                MC_TRY(
                    reading.read(program_.reader(), set.items[i], {}, std::move(*prompt), record));
            MC_TRY(keep(record));
        }
    }
    return {};
}

bool AnswerRun::has_all(const ItemSet& set, std::uint64_t length, const MemoryText& text) const {
    for (const PlacedItem& placed : text.items)
        for (const AnswerRow& row : rows_)
            if (!log_->has(set.family, length, placed.item, name_of(row))) return false;
    return true;
}

Result<void> AnswerRun::run_length(const ItemSet& set, std::uint64_t length) {
    MC_ASSIGN(const std::vector<MemoryText> memories,
              plan_family(set, pool_, length, options_.seed, program_.tokenizer()));
    const std::string cell = set.family + "/" + length_label(set.family, length);
    if (memories.empty()) {
        skipped_.push_back(cell);
        state_.readings_done += set.items.size() * rows_.size();
    }
    std::unique_ptr<MemoryStore> store;
    for (std::size_t m = 0; m < memories.size(); ++m) {
        const MemoryText& text = memories[m];
        for (const PlacedItem& placed : text.items)
            item_lines_[cell + "/" + std::to_string(placed.item)] =
                item_line(set, length, m, placed);
        if (has_all(set, length, text)) {
            state_.readings_done += text.items.size() * rows_.size();
            continue;
        }
        if (!store) {
            MC_ASSIGN(store, program_.open_store(set.family + "-" + std::to_string(length)));
        }
        MC_ASSIGN(const auto memory, store->open(m, text));
        MC_TRY_CONTEXT(run_memory(set, length, text, *memory, store->reader()), cell);
    }
    return {};
}

Result<void> AnswerRun::run_memory(const ItemSet& set, std::uint64_t length, const MemoryText& text,
                                   Memory& memory, Reader& reader) {
    for (const PlacedItem& placed : text.items) {
        const AnswerItem& item = set.items[placed.item];
        ItemReading reading(program_.tokenizer());
        for (const AnswerRow& row : rows_) {
            AnswerRecord record = record_for(set, length, placed.item, row);
            if (log_->has(set.family, length, placed.item, record.row)) {
                ++state_.readings_done;
                continue;
            }
            MC_ASSIGN(auto prompt, memory.prompt(row, item, placed));
            record.fits = prompt.has_value();
            if (prompt)
                MC_TRY(reading.read(reader, item, placed.facts, std::move(*prompt), record));
            MC_TRY(keep(record));
        }
    }
    return {};
}

Result<void> AnswerRun::keep(const AnswerRecord& record) {
    MC_TRY(log_->append(record));
    ++state_.readings_done;
    if (progress_) progress_(state_);
    if (cancelled_ != nullptr && cancelled_->load())
        return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
    return {};
}

// A log may hold more than this run was asked for.
std::vector<AnswerRecord> AnswerRun::records_asked_for() const {
    std::vector<std::string> rows;
    for (const auto* some : {&memoryless_, &rows_})
        for (const AnswerRow& row : *some) rows.push_back(name_of(row));
    std::vector<AnswerRecord> out;
    for (const AnswerRecord& record : log_->records()) {
        const auto set = std::ranges::find(sets_, record.family, &ItemSet::family);
        if (set == sets_.end() || std::ranges::count(rows, record.row) == 0) continue;
        if (record.length == 0 || std::ranges::count(lengths_of(*set), record.length) > 0)
            out.push_back(record);
    }
    return out;
}

Result<SuiteReport> AnswerRun::report(const ScorerFacts& facts) {
    std::vector<AnswerRow> rows = memoryless_;
    rows.insert(rows.end(), rows_.begin(), rows_.end());
    AnswerFindings findings = measure_answers(records_asked_for(), rows, options_.seed);
    findings.skipped = skipped_;
    return write_suite_report(
        options_.output / "answers.jsonl", answers_table(findings, facts, options_),
        answers_results(findings, configuration_, options_.command_line), answers_plots(findings));
}

}  // namespace

Result<SuiteReport> run_answers(AnswerProgram& program, const ScorerFacts& facts,
                                const AnswersOptions& options,
                                const AnswersProgressCallback& progress,
                                const std::atomic<bool>* cancelled) {
    AnswerRun run(program, options, progress, cancelled);
    MC_TRY(run.prepare(facts));
    MC_TRY(run.run());
    return run.report(facts);
}

}  // namespace mc::eval
