// SPDX-License-Identifier: Apache-2.0
#include "runtime/macros.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mc::runtime {
namespace {

// Chosen on the seen instructions of the suite `macro` (docs/lab-log.md).
constexpr std::uint32_t kKeptLessons = 4;  // beside the lessons; they say what the gists are worth
constexpr double kDescentRate = 0.03;
// Part of the recipe: another number whenever equal settings make other gists.
constexpr int kRecipeVersion = 1;

std::string_view without_white_space_around(std::string_view text) {
    constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

Result<void> check_settings(const MacroSettings& settings) {
    if (settings.entries == 0 || settings.entries > kMacroEntriesMax)
        return fail(ErrorCode::kUsage,
                    "a macro has 1 to " + std::to_string(kMacroEntriesMax) + " gists");
    if (settings.steps > kMacroStepsMax)
        return fail(ErrorCode::kUsage,
                    "a macro takes at most " + std::to_string(kMacroStepsMax) + " steps");
    if (settings.lessons == 0 || settings.lessons > kMacroLessonsMax)
        return fail(ErrorCode::kUsage,
                    "a macro is made with 1 to " + std::to_string(kMacroLessonsMax) + " lessons");
    return {};
}

Error other_base_model(const storage::MacroRecord& macro, const lm::BaseModel& model) {
    return Error(ErrorCode::kModelMismatch,
                 "macro \"" + macro.name + "\" holds keys and values of base model " +
                     macro.base_model_name + " (" + to_hex(macro.base_model_hash) + "), not of " +
                     model.config().name + " (" + to_hex(model.hash()) +
                     "): make it again from its text, which `megacontext macro show` prints");
}

}  // namespace

Result<std::unique_ptr<MacroMaker>> MacroMaker::make(Engine& engine, std::string_view text,
                                                     const MacroSettings& settings) {
    MC_TRY(check_settings(settings));
    std::unique_ptr<MacroMaker> maker(new MacroMaker(engine, settings));
    maker->text_ = without_white_space_around(text);
    if (maker->text_.empty()) return fail(ErrorCode::kInvalidInput, "the instruction is empty");
    maker->tokens_ = engine.tokenizer().encode(maker->text_);
    if (maker->tokens_.size() > gistnet::kInstructionTokensMax)
        return fail(ErrorCode::kInvalidInput, "the instruction has " +
                                                  std::to_string(maker->tokens_.size()) +
                                                  " tokens; a macro stands for at most " +
                                                  std::to_string(gistnet::kInstructionTokensMax) +
                                                  ": shorten it, or `ingest` what it tells");
    MC_ASSIGN(const lm::ChatFormat* const chat, engine.chat_format());
    MC_ASSIGN(maker->frame_, chat->turn_frame());
    return maker;
}

gistnet::MacroProgress MacroMaker::progress_of(std::string_view phase) const {
    if (!settings_.progress) return {};
    return [this, phase](std::uint64_t done, std::uint64_t total) {
        settings_.progress(phase, done, total);
    };
}

Hash128 MacroMaker::recipe_hash(std::uint32_t entries) const {
    StreamHash hash;
    const auto add = [&hash](const auto& value) {
        hash.update(std::as_bytes(std::span(&value, 1)));
    };
    add(kRecipeVersion);
    add(engine_.model().hash());
    add(engine_.encoder().info().hash);
    add(entries);
    add(settings_.steps);
    add(settings_.lessons);
    add(settings_.seed);
    hash.update(std::as_bytes(std::span(text_)));
    return hash.digest();
}

Result<void> MacroMaker::write_lessons() {
    if (!lessons_.empty()) return {};
    const std::int64_t begin_ns = engine_.clock().monotonic_ns();
    gistnet::LessonOptions options;
    options.count = settings_.lessons + kKeptLessons;
    options.seed = settings_.seed;
    options.progress = progress_of("lessons");
    options.cancelled = settings_.cancelled;
    MC_ASSIGN(auto all, gistnet::write_lessons(engine_.model(), frame_, tokens_, options));
    if (all.size() <= kKeptLessons)
        return fail(ErrorCode::kInvalidInput,
                    "the base model has too little to say to this instruction to learn from");
    const auto kept = all.end() - kKeptLessons;
    kept_.assign(kept, all.end());
    const auto nll_behind = [&](const lm::Segment& instruction) -> Result<double> {
        MC_ASSIGN(const auto scored,
                  gistnet::score_lessons(engine_.model(), frame_, instruction, kept_));
        return gistnet::mean_nll(scored);
    };
    MC_ASSIGN(nll_none_, nll_behind({}));
    MC_ASSIGN(nll_full_, nll_behind(lm::Segment::of_tokens(tokens_)));
    lessons_.assign(all.begin(), kept);
    seconds_lessons_ = seconds_between(begin_ns, engine_.clock().monotonic_ns());
    return {};
}

Result<storage::MacroRecord> MacroMaker::distil(std::uint32_t entries) {
    MC_TRY(write_lessons());
    const std::int64_t begin_ns = engine_.clock().monotonic_ns();
    MC_ASSIGN(const auto start, gistnet::start_of_macro(engine_.encoder(), tokens_, entries));
    gistnet::DescentOptions options;
    options.steps = settings_.steps;
    options.learning_rate = kDescentRate;
    options.seed = settings_.seed;
    options.progress = progress_of("descent");
    options.cancelled = settings_.cancelled;
    MC_ASSIGN(auto found,
              gistnet::descend_macro(engine_.model(), frame_, tokens_, lessons_, start, options));
    std::vector<const Gist*> shown;
    for (const Gist& gist : found.gists) shown.push_back(&gist);
    MC_ASSIGN(const auto scored,
              gistnet::score_lessons(engine_.model(), frame_, lm::Segment::of_gists(shown), kept_));
    storage::MacroRecord macro;
    macro.created_us = engine_.clock().now_us();
    macro.text = text_;
    macro.token_count = static_cast<std::uint32_t>(tokens_.size());
    macro.base_model_name = engine_.model().config().name;
    macro.base_model_hash = engine_.model().hash();
    macro.recipe_hash = recipe_hash(entries);
    macro.steps = settings_.steps;
    macro.seed = settings_.seed;
    macro.gists = std::move(found.gists);
    macro.nll_none = static_cast<float>(nll_none_);
    macro.nll_full = static_cast<float>(nll_full_);
    macro.nll_gists = static_cast<float>(gistnet::mean_nll(scored));
    macro.seconds = static_cast<float>(seconds_lessons_ +
                                       seconds_between(begin_ns, engine_.clock().monotonic_ns()));
    return macro;
}

Result<MadeMacro> create_macro(Engine& engine, std::string_view bank, const std::string& name,
                               std::string_view text, const MacroSettings& settings) {
    MC_TRY(storage::Store::check_macro_name(name));  // before minutes of work
    MC_ASSIGN(const auto maker, MacroMaker::make(engine, text, settings));
    const Hash128 recipe = maker->recipe_hash(settings.entries);
    MC_ASSIGN(const auto macros, engine.store().list_macros(bank));
    for (const storage::MacroRecord& macro : macros) {
        if (macro.name != name) continue;
        if (macro.recipe_hash == recipe) return MadeMacro{macro, MacroOutcome::kAlreadyThere};
        return fail(ErrorCode::kInvalidInput,
                    "macro \"" + name + "\" has " +
                        (macro.text == maker->text() ? "other settings" : "another text") +
                        "; give another name, or `megacontext macro remove " + name + "` first");
    }
    MadeMacro made;
    const auto same = std::ranges::find(macros, recipe, &storage::MacroRecord::recipe_hash);
    if (same != macros.end()) {
        made = {*same, MacroOutcome::kSameGists};
        made.macro.created_us = engine.clock().now_us();
    } else {
        MC_ASSIGN(made.macro, maker->distil(settings.entries));
    }
    made.macro.name = name;
    MC_TRY(engine.store().add_macro(bank, made.macro));
    return made;
}

Result<storage::MacroRecord> open_macro(Engine& engine, std::string_view bank,
                                        std::string_view name) {
    MC_ASSIGN(storage::MacroRecord macro, engine.store().read_macro(bank, name));
    if (macro.base_model_hash != engine.model().hash())
        return fail(other_base_model(macro, engine.model()));
    return macro;
}

}  // namespace mc::runtime
