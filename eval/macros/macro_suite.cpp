// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/macro_suite.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "eval/macros/macro_items.h"
#include "eval/macros/macro_report.h"
#include "eval/macros/prompt_cost.h"
#include "eval/macros/rouge.h"
#include "eval/measure/line_log.h"
#include "eval/report/record_json.h"
#include "gistnet/macros/macro_lessons.h"

namespace mc::eval {
namespace {

using SuiteJson = nlohmann::ordered_json;
using lm::Segment;

constexpr int kMacroTaskVersion = 1;
constexpr const char* kMacroBank = "macro";
constexpr std::uint32_t kAnswerTokens = 32;
constexpr std::uint32_t kForeignEntries = 4;

// What stands where the instruction would.
struct Shown {
    std::string row;
    Segment segment;
    std::uint64_t bytes = 0;  // kept for it between calls
};

class MacroSuite {
  public:
    MacroSuite(runtime::Engine& engine, const MacroSuiteOptions& options,
               const MacroSuiteProgress& progress, const std::atomic<bool>* cancelled)
        : engine_(engine), options_(options), progress_(progress), cancelled_(cancelled) {}

    Result<SuiteReport> run();

  private:
    using Key = std::tuple<std::string, std::size_t, std::string>;  // set, instruction, message

    std::string configuration() const;
    Result<void> open_log();
    Result<void> make_macros(const MacroInstruction& instruction);
    Result<void> read_instruction(const MacroInstruction& instruction);
    Result<MacroReading> read(const MacroInstruction& instruction, const std::string& message,
                              std::span<const Shown> rows);
    Result<MacroRowReading> read_row(const Shown& shown, std::span<const TokenId> message,
                                     const gistnet::Lesson& reference);
    // The rows full and cached, and the answer that everything is measured with.
    Result<std::vector<MacroRowReading>> read_full(const Shown& shown, gistnet::Lesson& lesson);
    Result<double> nll_behind(const Segment& shown, const gistnet::Lesson& lesson) const;
    void step_done();

    static std::string name_of(const std::string& set, std::size_t index, std::uint32_t entries) {
        return set + "-" + std::to_string(index) + "-" + std::to_string(entries);
    }

    runtime::MacroSettings settings() const {
        runtime::MacroSettings settings;
        settings.steps = options_.steps;
        settings.lessons = options_.lessons;
        settings.seed = options_.seed;
        settings.cancelled = cancelled_;
        return settings;
    }

    lm::BaseModel& model() const { return engine_.model(); }

    double ms_since(std::int64_t begin_ns) const {
        return seconds_between(begin_ns, engine_.clock().monotonic_ns()) * 1e3;
    }

    runtime::Engine& engine_;
    const MacroSuiteOptions& options_;
    const MacroSuiteProgress& progress_;
    const std::atomic<bool>* cancelled_;
    lm::TurnFrame frame_;
    std::unique_ptr<LineLog> log_;
    std::vector<MacroReading> readings_;
    std::set<Key> done_;
    std::map<std::string, std::vector<Gist>> gists_;  // by name
    std::uint64_t steps_done_ = 0;
    std::uint64_t steps_total_ = 0;
};

std::string MacroSuite::configuration() const {
    const EncoderInfo& encoder = engine_.encoder().info();
    const SuiteJson json{{"task", "macro"},
                         {"task_version", kMacroTaskVersion},
                         {"model", model().config().name},
                         {"model_hash", to_hex(model().hash())},
                         {"encoder", encoder.name},
                         {"encoder_hash", to_hex(encoder.hash)},
                         {"device", model().device_description()},
                         {"sets", options_.sets},
                         {"instructions", options_.instructions},
                         {"messages", options_.messages},
                         {"entries", options_.entries},
                         {"steps", options_.steps},
                         {"lessons", options_.lessons},
                         {"seed", options_.seed}};
    return json_text(json, -1);
}

Result<void> MacroSuite::open_log() {
    const Path path = options_.output / "readings.jsonl";
    MC_ASSIGN(log_, LineLog::open(path, configuration()));
    const auto lines = log_->take_lines();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto reading = parse_macro_reading(lines[i]);
        if (!reading)
            return fail(std::move(reading.error())
                            .add_context(path.string() + " line " + std::to_string(i + 2)));
        done_.insert({reading->set, reading->instruction, reading->message});
        readings_.push_back(std::move(*reading));
    }
    return {};
}

void MacroSuite::step_done() {
    ++steps_done_;
    if (progress_) progress_(steps_done_, steps_total_);
}

// The store has those of an earlier run. Lessons are written once for all of an instruction.
Result<void> MacroSuite::make_macros(const MacroInstruction& instruction) {
    MC_ASSIGN(const auto kept, engine_.store().list_macros(kMacroBank));
    MC_ASSIGN(const auto maker, runtime::MacroMaker::make(engine_, instruction.text, settings()));
    std::vector<std::uint32_t> wanted = options_.entries;
    if (std::ranges::find(wanted, kForeignEntries) == wanted.end())
        wanted.push_back(kForeignEntries);
    for (const std::uint32_t entries : wanted) {
        const std::string name = name_of(instruction.set, instruction.index, entries);
        const auto found = std::ranges::find(kept, name, &storage::MacroRecord::name);
        if (found != kept.end() && found->recipe_hash == maker->recipe_hash(entries)) {
            gists_[name] = found->gists;
            continue;
        }
        if (found != kept.end()) MC_TRY(engine_.store().remove_macro(kMacroBank, name));
        MC_ASSIGN(auto macro, maker->distil(entries));
        macro.name = name;
        MC_TRY(engine_.store().add_macro(kMacroBank, macro));
        gists_[name] = std::move(macro.gists);
    }
    step_done();
    return {};
}

Segment shown_gists(const std::vector<Gist>& gists) {
    std::vector<const Gist*> pointers;
    for (const Gist& gist : gists) pointers.push_back(&gist);
    return Segment::of_gists(std::move(pointers));
}

Result<void> MacroSuite::read_instruction(const MacroInstruction& instruction) {
    const std::vector<TokenId> tokens = engine_.tokenizer().encode(instruction.text);
    MC_ASSIGN(const auto plain, gistnet::start_of_macro(engine_.encoder(), tokens,
                                                        gistnet::whole_blocks(tokens.size())));
    std::vector<Shown> rows;
    const auto add_gists = [&](const std::string& row, const std::vector<Gist>& gists) {
        rows.push_back({row, shown_gists(gists), kv_bytes(model().config(), gists.size())});
    };
    rows.push_back({std::string(kFullRow), Segment::of_tokens(tokens), instruction.text.size()});
    rows.push_back({std::string(kNoneRow), {}, 0});
    add_gists("gistnet", plain);
    for (const std::uint32_t entries : options_.entries)
        add_gists("macro-" + std::to_string(entries),
                  gists_.at(name_of(instruction.set, instruction.index, entries)));
    const std::size_t other = (instruction.index + 1) % options_.instructions;
    if (other != instruction.index)
        add_gists("foreign-" + std::to_string(kForeignEntries),
                  gists_.at(name_of(instruction.set, other, kForeignEntries)));
    for (const std::string& message : instruction.messages) {
        if (cancelled_ && cancelled_->load()) return fail(ErrorCode::kCancelled, "interrupted");
        if (!done_.contains({instruction.set, instruction.index, message})) {
            MC_ASSIGN(const MacroReading reading, read(instruction, message, rows));
            const std::string line = to_line(reading);
            MC_TRY(log_->append({line}));
            MC_ASSIGN(auto kept, parse_macro_reading(line));
            readings_.push_back(std::move(kept));
        }
        step_done();
    }
    return {};
}

Result<MacroReading> MacroSuite::read(const MacroInstruction& instruction,
                                      const std::string& message, std::span<const Shown> rows) {
    MacroReading reading{
        instruction.set, instruction.index, rows[0].segment.tokens.size(), message, 0, {}};
    gistnet::Lesson lesson{engine_.tokenizer().encode(message), {}};
    MC_ASSIGN(reading.rows, read_full(rows[0], lesson));
    reading.answer_tokens = lesson.answer.size();
    for (const Shown& shown : rows.subspan(1)) {
        MC_ASSIGN(auto row, read_row(shown, lesson.message, lesson));
        reading.rows.push_back(std::move(row));
    }
    return reading;
}

Result<double> MacroSuite::nll_behind(const Segment& shown, const gistnet::Lesson& lesson) const {
    MC_ASSIGN(const auto scored,
              gistnet::score_lessons(model(), frame_, shown, std::span(&lesson, 1)));
    return gistnet::mean_nll(scored);
}

Result<std::vector<MacroRowReading>> MacroSuite::read_full(const Shown& shown,
                                                           gistnet::Lesson& lesson) {
    std::vector<TokenId> before = frame_.before_instruction;
    before.insert(before.end(), shown.segment.tokens.begin(), shown.segment.tokens.end());
    std::vector<TokenId> after = frame_.before_message;
    after.insert(after.end(), lesson.message.begin(), lesson.message.end());
    after.insert(after.end(), frame_.after_message.begin(), frame_.after_message.end());
    const auto sequence = model().new_sequence();
    const std::int64_t begin_ns = engine_.clock().monotonic_ns();
    const Segment first = Segment::of_tokens(before);
    MC_TRY(sequence->append(std::span(&first, 1)));
    const double first_ms = ms_since(begin_ns);
    const Segment second = Segment::of_tokens(after);
    MC_TRY(sequence->append(std::span(&second, 1)));
    const double both_ms = ms_since(begin_ns);
    MC_ASSIGN(lesson.answer, gistnet::write_greedily(model(), *sequence, kAnswerTokens));
    // A model that has nothing to say says that it ends its turn.
    if (lesson.answer.empty()) lesson.answer = {engine_.tokenizer().eos()};
    MC_ASSIGN(const double nll, nll_behind(shown.segment, lesson));
    const std::uint64_t count = shown.segment.tokens.size();
    const lm::ModelConfig& config = model().config();
    MacroRowReading full{std::string(kFullRow),
                         count,
                         nll,
                         1.0,
                         both_ms,
                         prompt_flops(config, {0, before.size(), 0, after.size()}) / 1e9,
                         shown.bytes,
                         engine_.tokenizer().decode(lesson.answer)};
    MacroRowReading cached = full;
    cached.row = "cached";
    cached.prompt_ms = both_ms - first_ms;
    cached.gflops = prompt_flops(config, {before.size(), 0, 0, after.size()}) / 1e9;
    cached.bytes = kv_bytes(config, count);
    return std::vector<MacroRowReading>{std::move(full), std::move(cached)};
}

Result<MacroRowReading> MacroSuite::read_row(const Shown& shown, std::span<const TokenId> message,
                                             const gistnet::Lesson& reference) {
    const auto prompt = gistnet::prompt_behind(frame_, shown.segment, message);
    const auto sequence = model().new_sequence();
    const std::int64_t begin_ns = engine_.clock().monotonic_ns();
    MC_TRY(sequence->append(prompt));
    MacroRowReading row;
    row.prompt_ms = ms_since(begin_ns);
    row.row = shown.row;
    row.entries = shown.segment.gists.size();
    row.bytes = shown.bytes;
    const std::uint64_t after =
        frame_.before_message.size() + message.size() + frame_.after_message.size();
    row.gflops =
        prompt_flops(model().config(), {0, frame_.before_instruction.size(), row.entries, after}) /
        1e9;
    MC_ASSIGN(const auto answer, gistnet::write_greedily(model(), *sequence, kAnswerTokens));
    row.written = engine_.tokenizer().decode(answer);
    row.rouge_l = rouge_l(row.written, engine_.tokenizer().decode(reference.answer));
    MC_ASSIGN(row.nll, nll_behind(shown.segment, reference));
    return row;
}

Result<SuiteReport> MacroSuite::run() {
    MC_ASSIGN(const lm::ChatFormat* const chat, engine_.chat_format());
    MC_ASSIGN(frame_, chat->turn_frame());
    MC_TRY(open_log());
    MC_ASSIGN(const auto bank, engine_.store().find_bank(kMacroBank));
    if (!bank) MC_TRY(engine_.store().create_bank(kMacroBank));
    steps_total_ = options_.sets.size() * options_.instructions * (1 + options_.messages);
    for (const std::string& set : options_.sets) {
        const auto instructions =
            macro_instructions(set, options_.instructions, options_.messages, options_.seed);
        for (const MacroInstruction& one : instructions) MC_TRY(make_macros(one));
        for (const MacroInstruction& one : instructions) MC_TRY(read_instruction(one));
    }
    const auto cells = measure_macros(readings_, options_.seed);
    return write_suite_report(
        log_->path(), macro_table(cells, options_.command_line),
        macro_results(cells, configuration(), options_.command_line, options_.seed), {});
}

Result<void> check_options(const MacroSuiteOptions& options) {
    for (const std::string& set : options.sets)
        if (std::ranges::find(kMacroSets, set) == std::end(kMacroSets))
            return fail(ErrorCode::kUsage,
                        "no set is called " + set + "; sets are seen, unseen and human");
    if (options.instructions == 0 || options.instructions > kMacroInstructionsMax)
        return fail(ErrorCode::kUsage,
                    "a set has 1 to " + std::to_string(kMacroInstructionsMax) + " instructions");
    if (options.messages == 0 || options.messages > kMacroMessagesMax)
        return fail(ErrorCode::kUsage,
                    "an instruction has 1 to " + std::to_string(kMacroMessagesMax) + " messages");
    return {};
}

}  // namespace

Result<SuiteReport> run_macro_suite(const Config& config, telemetry::Metrics& metrics,
                                    const MacroSuiteOptions& options,
                                    const MacroSuiteProgress& progress,
                                    const std::atomic<bool>* cancelled) {
    MC_TRY(check_options(options));
    Config own = config;
    own.store = options.output / "store";
    std::error_code ignored;
    std::filesystem::create_directories(options.output, ignored);
    MC_ASSIGN(const auto engine,
              runtime::Engine::open(own, runtime::Need::kModel, runtime::Access::kWrite, metrics));
    MacroSuite suite(*engine, options, progress, cancelled);
    return suite.run();
}

}  // namespace mc::eval
