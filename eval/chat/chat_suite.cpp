// SPDX-License-Identifier: Apache-2.0
#include "eval/chat/chat_suite.h"

#include <filesystem>
#include <set>
#include <utility>

#include "eval/answers/answer_record.h"
#include "eval/answers/families.h"
#include "eval/answers/sentence_pool.h"
#include "runtime/answer_writer.h"
#include "runtime/chat_session.h"

namespace mc::eval {
namespace {

constexpr const char* kSeenText = "I will remember that.";  // what is answered to a fact
constexpr std::uint64_t kSaidTokens = 80;                   // of a turn of a document
constexpr std::uint64_t kAnsweredTokens = 40;
constexpr std::uint32_t kWrittenTokens = 64;

// Turns of the documents' sentences, one after another, from a random one on.
class Filler {
  public:
    Filler(const SentencePool& pool, Rng& rng)
        : pool_(pool), at_(rng.below(pool.sentences.size())) {}

    text::Turn next() {
        std::string said = take(kSaidTokens);
        return {std::move(said), take(kAnsweredTokens)};
    }

  private:
    std::string take(std::uint64_t tokens_max) {
        std::string text;
        for (std::uint64_t tokens = 0; text.empty() || tokens < tokens_max;) {
            const Sentence& sentence = pool_.sentences[at_];
            text += (text.empty() ? "" : " ") + std::string(sentence.bare());
            tokens += sentence.tokens;
            at_ = (at_ + 1) % pool_.sentences.size();
        }
        return text;
    }

    const SentencePool& pool_;
    std::size_t at_;
};

// One item of each topic: two would answer each other's questions.
std::vector<AnswerItem> choose_items(std::size_t count, std::uint64_t seed,
                                     const lm::Tokenizer& tokenizer) {
    ItemSet set = make_single_facts(2 * count, rng_for(seed, "chat"), tokenizer);
    std::set<std::string> topics;
    std::vector<AnswerItem> items;
    for (std::size_t i = 0; i < set.items.size() && items.size() < count; ++i)
        if (topics.insert(set.groups[i].topic).second) items.push_back(std::move(set.items[i]));
    return items;
}

class ChatSuite {
  public:
    ChatSuite(runtime::Engine& engine, const ChatSuiteOptions& options,
              const ChatSuiteProgress& progress, const std::atomic<bool>* cancelled)
        : engine_(engine), options_(options), progress_(progress), cancelled_(cancelled) {}

    Result<void> open() {
        MC_ASSIGN(bank_, runtime::BankSession::open(engine_, "chat", true));
        items_ = choose_items(options_.facts, options_.seed, engine_.tokenizer());
        return {};
    }

    Result<std::vector<ChatReading>> run();

  private:
    using Chat = std::unique_ptr<runtime::ChatSession>;

    Result<Chat> open_chat(const std::string& name, std::uint64_t budget, bool remembers);
    Result<void> read_alone();
    Result<void> read_at(std::uint64_t distance);
    Result<void> read(runtime::ChatSession& chat, const std::string& row, std::uint64_t distance,
                      std::size_t item);

    std::uint64_t all_entries() const {
        return engine_.model().config().context_length - kWrittenTokens;
    }

    runtime::Engine& engine_;
    const ChatSuiteOptions& options_;
    const ChatSuiteProgress& progress_;
    const std::atomic<bool>* cancelled_;
    std::unique_ptr<runtime::BankSession> bank_;
    std::vector<AnswerItem> items_;
    std::vector<ChatReading> readings_;
};

Result<ChatSuite::Chat> ChatSuite::open_chat(const std::string& name, std::uint64_t budget,
                                             bool remembers) {
    runtime::ChatOptions options;
    options.name = name;
    options.budget = budget;
    options.remembers = remembers;
    return runtime::ChatSession::open(*bank_, options);
}

Result<std::vector<ChatReading>> ChatSuite::run() {
    MC_ASSIGN(const SentencePool pool, read_sentences(options_.documents, engine_.tokenizer()));
    Rng rng = rng_for(options_.seed, "chat filler");
    Filler filler(pool, rng);
    MC_TRY(read_alone());
    MC_ASSIGN(const Chat chat, open_chat("talk", options_.budget, true));
    if (chat->conversation().turn_count() > 0)
        return fail(ErrorCode::kInvalidInput, "the output folder " + options_.output.string() +
                                                  " holds a conversation already; name a new one");
    for (const AnswerItem& item : items_)
        MC_TRY(chat->take_turn({item.facts.front().text, kSeenText}));
    const std::uint64_t told = chat->conversation().document().token_count;
    for (const std::uint64_t distance : options_.distances) {
        while (chat->conversation().document().token_count < told + distance)
            MC_TRY(chat->take_turn(filler.next()));
        MC_TRY(read_at(distance));
    }
    return std::move(readings_);
}

// Rows that have no distance.
Result<void> ChatSuite::read_alone() {
    MC_ASSIGN(const Chat nothing, open_chat("nothing", options_.budget, false));
    for (std::size_t i = 0; i < items_.size(); ++i) {
        MC_TRY(read(*nothing, "nothing", 0, i));
        MC_ASSIGN(const Chat fact, open_chat("fact-" + std::to_string(i), options_.budget, false));
        MC_TRY(fact->take_turn({items_[i].facts.front().text, kSeenText}));
        MC_TRY(read(*fact, "fact", 0, i));
    }
    return {};
}

Result<void> ChatSuite::read_at(std::uint64_t distance) {
    MC_ASSIGN(const Chat chat, open_chat("talk", options_.budget, true));
    MC_ASSIGN(const Chat window, open_chat("talk", options_.budget, false));
    MC_ASSIGN(const Chat whole, open_chat("talk", all_entries(), false));
    MC_ASSIGN(const auto prompt, whole->prompt_for(items_.front().question));
    const bool fits = prompt.turns_shown == whole->conversation().turn_count();
    for (std::size_t i = 0; i < items_.size(); ++i) {
        MC_TRY(read(*chat, "chat", distance, i));
        MC_TRY(read(*window, kChatWindowRow, distance, i));
        if (fits) MC_TRY(read(*whole, "whole", distance, i));
    }
    return {};
}

Result<void> ChatSuite::read(runtime::ChatSession& chat, const std::string& row,
                             std::uint64_t distance, std::size_t item) {
    if (cancelled_ && cancelled_->load()) return fail(ErrorCode::kCancelled, "interrupted");
    const AnswerItem& asked = items_[item];
    ChatReading reading{distance, row, item, asked.question, asked.facts.front().value, "", false,
                        false,    0,   0};
    MC_ASSIGN(const auto prompt, chat.prompt_for(asked.question));
    reading.entries = prompt.cost();
    reading.prompt_ms = prompt.seconds * 1e3;
    const std::string shown = engine_.tokenizer().decode(prompt.tokens);
    reading.shown = shown.find(asked.facts.front().text) != std::string::npos;
    runtime::AnswerOptions writing;
    writing.tokens_max = kWrittenTokens;
    writing.sentences_max = 0;
    const lm::Segment segment = lm::Segment::of_tokens(prompt.tokens);
    MC_ASSIGN(const auto answer, runtime::write_answer(engine_, std::span(&segment, 1), writing));
    reading.written = answer.text;
    reading.exact = holds_text(answer.text, reading.value);
    readings_.push_back(std::move(reading));
    const std::size_t all = items_.size() * (2 + 3 * options_.distances.size());
    if (progress_) progress_(readings_.size(), all);
    return {};
}

}  // namespace

Result<SuiteReport> run_chat_suite(const Config& config, telemetry::Metrics& metrics,
                                   const ChatSuiteOptions& options,
                                   const ChatSuiteProgress& progress,
                                   const std::atomic<bool>* cancelled) {
    Config own = config;
    own.store = options.output / "store";
    std::error_code ignored;
    std::filesystem::create_directories(options.output, ignored);
    MC_ASSIGN(const auto engine,
              runtime::Engine::open(own, runtime::Need::kModel, runtime::Access::kWrite, metrics));
    ChatSuite suite(*engine, options, progress, cancelled);
    MC_TRY(suite.open());
    MC_ASSIGN(const auto readings, suite.run());
    std::string lines;
    for (const ChatReading& reading : readings) lines += to_line(reading) + "\n";
    const Path log = options.output / "readings.jsonl";
    MC_TRY(write_text(log, lines));
    const auto cells = measure_chat(readings, options.seed);
    return write_suite_report(log, chat_table(cells, options.command_line),
                              chat_results(cells, options.command_line, options.seed), {});
}

}  // namespace mc::eval
