// SPDX-License-Identifier: Apache-2.0
#include "runtime/chat_session.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/utf8.h"
#include "runtime/answer_writer.h"
#include "runtime/chat_memory.h"
#include "runtime/search/reader_text.h"
#include "working_context/chat_window.h"

namespace mc::runtime {
namespace {

using lm::ChatMessage;
using lm::ChatRole;

// Beside pins alone; with nothing to tell, a template says what its model was trained with.
constexpr std::string_view kSystemText = "You are a helpful assistant.";
constexpr std::string_view kPinsText = "Keep in mind:";
constexpr std::string_view kMemoryText = "From earlier in this conversation:";

std::vector<ChatMessage> system_messages(const ChatProtected& told) {
    if (told == ChatProtected()) return {};
    std::string text = told.system.empty() ? std::string(kSystemText) : told.system;
    if (!told.pins.empty()) text.append("\n\n").append(kPinsText);
    for (const std::string& pin : told.pins) text += "\n- " + pin;
    return {{ChatRole::kSystem, std::move(text)}};
}

std::string memory_frame() {
    std::string frame(kMemoryText);
    return frame.append("\n\n");
}

// What is remembered stands before the message, in its turn.
std::string with_memory(const std::string& message, const std::vector<Evidence>& memory) {
    if (memory.empty()) return message;
    std::string text(kMemoryText);
    for (const Evidence& one : memory) text += "\n" + one.text;
    return text + "\n\n" + message;
}

// Valid UTF-8 without white space at its ends, which templates take away too.
std::string clean(std::string_view text) {
    constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return {};
    return to_valid_utf8(text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin));
}

}  // namespace

// Makes prompts of one conversation, and counts what each part of them takes.
class ChatSession::PromptMaker {
  public:
    static Result<PromptMaker> make(const lm::ChatFormat& format, const ChatProtected& told) {
        PromptMaker maker(format, told);
        MC_ASSIGN(const auto tokens, maker.prompt({}, ""));
        maker.empty_entries_ = tokens.size();
        return maker;
    }

    // Of the system prompt and an empty message.
    std::uint64_t empty_entries() const { return empty_entries_; }

    // What a prompt has more with a message, or with a turn.
    Result<std::uint64_t> entries_of(const std::string& message) const {
        MC_ASSIGN(const auto tokens, prompt({}, message));
        return tokens.size() - empty_entries_;
    }

    Result<std::uint64_t> entries_of(const text::Turn& turn) const {
        MC_ASSIGN(const auto tokens, prompt(std::span(&turn, 1), ""));
        return tokens.size() - empty_entries_;
    }

    Result<std::vector<TokenId>> prompt(std::span<const text::Turn> turns,
                                        const std::string& message) const {
        std::vector<ChatMessage> messages(system_);
        for (const text::Turn& turn : turns) {
            messages.push_back({ChatRole::kUser, turn.user});
            messages.push_back({ChatRole::kAssistant, turn.assistant});
        }
        messages.push_back({ChatRole::kUser, message});
        return format_->conversation(messages);
    }

  private:
    PromptMaker(const lm::ChatFormat& format, const ChatProtected& told)
        : format_(&format), system_(system_messages(told)) {}

    const lm::ChatFormat* format_;
    std::vector<ChatMessage> system_;  // one, or none
    std::uint64_t empty_entries_ = 0;
};

Result<std::unique_ptr<ChatSession>> ChatSession::open(BankSession& bank,
                                                       const ChatOptions& options) {
    std::unique_ptr<ChatSession> session(new ChatSession(bank, options));
    MC_ASSIGN(session->format_, bank.engine().chat_format());
    // Twice: the labels of a transcript may take more tokens than those of a template.
    MC_ASSIGN(session->conversation_, Conversation::open(bank, options.name, 2 * options.budget));
    ChatProtected told = session->conversation_->told_always();
    if (options.system) told.system = to_valid_utf8(*options.system);
    for (const std::string& pin : options.pins)
        if (std::ranges::find(told.pins, pin) == told.pins.end())
            told.pins.push_back(to_valid_utf8(pin));
    MC_TRY(session->protect(told));
    return session;
}

// What does not fit is said before it is kept.
Result<void> ChatSession::protect(const ChatProtected& told) {
    MC_ASSIGN(const auto maker, PromptMaker::make(*format_, told));
    MC_TRY(check_room({options_.budget, maker.empty_entries(), 1}));
    if (told == conversation_->told_always()) return {};
    return conversation_->set_told_always(told);
}

Result<void> ChatSession::pin(const std::string& fact) {
    ChatProtected told = conversation_->told_always();
    told.pins.push_back(to_valid_utf8(fact));
    return protect(told);
}

Result<std::vector<ChatPiece>> ChatSession::turn_pieces(const PromptMaker& maker) const {
    std::vector<ChatPiece> pieces;
    for (const Conversation::KeptTurn& kept : conversation_->recent()) {
        MC_ASSIGN(const std::uint64_t entries, maker.entries_of(kept.turn));
        pieces.push_back({conversation_->document().id, kept.tokens, entries});
    }
    return pieces;
}

Result<ChatWindow> ChatSession::plan(const PromptMaker& maker, const std::string& message,
                                     std::vector<Stretch>& found) {
    MC_ASSIGN(const std::uint64_t message_entries, maker.entries_of(message));
    ChatRoom room{options_.budget, maker.empty_entries(), message_entries};
    MC_TRY(check_room(room));
    MC_ASSIGN(const auto turns, turn_pieces(maker));
    ChatRoom beside_memory = room;
    beside_memory.message_entries += bank_.text().tokenizer().encode(memory_frame()).size();
    if (!options_.remembers || !check_room(beside_memory)) return plan_chat_window(room, turns, {});
    const std::size_t always = turns_shown_always(beside_memory, turns);
    const DocumentRecord& document = conversation_->document();
    const std::uint64_t shown_begin =
        always == 0 ? document.token_count : turns[turns.size() - always].tokens.begin;
    MC_ASSIGN(found, find_chat_memory(
                         bank_, {message, document.id, shown_begin, options_.with_documents}));
    if (found.empty()) return plan_chat_window(room, turns, {});
    std::vector<ChatPiece> memory;
    for (const Stretch& stretch : found)  // a line's end comes with each
        memory.push_back({stretch.document, stretch.tokens, stretch.tokens.count() + 1});
    return plan_chat_window(beside_memory, turns, memory);
}

Result<TurnPrompt> ChatSession::prompt_for(const std::string& message) {
    const Clock& clock = bank_.engine().clock();
    const std::int64_t begin_ns = clock.monotonic_ns();
    const std::string said = clean(message);
    if (said.empty()) return fail(ErrorCode::kInvalidInput, "the message is empty");
    MC_TRY(bank_.index_now());
    MC_ASSIGN(const auto maker, PromptMaker::make(*format_, conversation_->told_always()));
    std::vector<Stretch> found;
    MC_ASSIGN(const ChatWindow window, plan(maker, said, found));
    TurnPrompt prompt;
    MC_ASSIGN(prompt.memory, read_memory(window, found));
    const auto& recent = conversation_->recent();
    std::vector<text::Turn> turns;
    for (std::size_t i = recent.size() - window.turns_shown; i < recent.size(); ++i)
        turns.push_back(recent[i].turn);
    MC_ASSIGN(prompt.tokens, maker.prompt(turns, with_memory(said, prompt.memory)));
    // Parts were counted one by one; where the whole takes more, the oldest makes room.
    while (prompt.tokens.size() > options_.budget && (!turns.empty() || !prompt.memory.empty())) {
        if (!turns.empty())
            turns.erase(turns.begin());
        else
            prompt.memory.erase(prompt.memory.begin());
        MC_ASSIGN(prompt.tokens, maker.prompt(turns, with_memory(said, prompt.memory)));
    }
    prompt.budget = options_.budget;
    prompt.protected_entries = maker.empty_entries();
    prompt.turns_shown = turns.size();
    const std::uint64_t end = conversation_->document().token_count;
    prompt.shown = {turns.empty() ? end : recent[recent.size() - turns.size()].tokens.begin, end};
    prompt.seconds = seconds_between(begin_ns, clock.monotonic_ns());
    return prompt;
}

// In the order of the window, with why each was found.
Result<std::vector<Evidence>> ChatSession::read_memory(const ChatWindow& window,
                                                       std::span<const Stretch> found) const {
    std::vector<Evidence> memory;
    for (const ChatPiece& piece : window.memory) {
        const auto stretch = std::ranges::find_if(found, [&](const Stretch& one) {
            return one.document == piece.document && one.tokens.contains(piece.tokens);
        });
        MC_CHECK(stretch != found.end(), "a window remembers what was found");
        Stretch shown = *stretch;
        shown.tokens = piece.tokens;
        MC_ASSIGN(Evidence evidence, read_evidence(bank_.text(), shown));
        evidence.level = Level(0);
        memory.push_back(std::move(evidence));
    }
    return memory;
}

Result<void> ChatSession::check_model_holds(const AnswerOptions& options) const {
    const std::uint64_t holds = bank_.engine().model().config().context_length;
    if (options_.budget + options.tokens_max <= holds) return {};
    return fail(ErrorCode::kOverBudget,
                "a budget of " + std::to_string(options_.budget) +
                    " entries and an answer of up to " + std::to_string(options.tokens_max) +
                    " tokens do not fit the " + std::to_string(holds) +
                    " positions of the base model; lower --budget or --max-tokens");
}

Result<ChatReply> ChatSession::say(const std::string& message, const AnswerOptions& options) {
    MC_TRY(check_model_holds(options));
    ChatReply reply;
    MC_ASSIGN(reply.prompt, prompt_for(message));
    AnswerOptions answering = options;
    answering.seed += conversation_->turn_count();
    if (const std::string_view stop = format_->stop_string(); !stop.empty())
        answering.stop_strings.emplace_back(stop);
    const lm::Segment segment = lm::Segment::of_tokens(reply.prompt.tokens);
    MC_ASSIGN(reply.answer, write_answer(bank_.engine(), std::span(&segment, 1), answering));
    std::vector<std::string> texts;
    for (const Evidence& evidence : reply.prompt.memory) texts.push_back(evidence.text);
    reply.answer.sources = sources_of(reply.answer.text, message, texts);
    const Clock& clock = bank_.engine().clock();
    const std::int64_t begin_ns = clock.monotonic_ns();
    MC_TRY_CONTEXT(take_turn({message, reply.answer.text}),
                   "keeping turn " + std::to_string(conversation_->turn_count() + 1));
    reply.turn = conversation_->turn_count();
    reply.seconds_commit = seconds_between(begin_ns, clock.monotonic_ns());
    return reply;
}

Result<void> ChatSession::take_turn(const text::Turn& turn) {
    return conversation_->append({clean(turn.user), clean(turn.assistant)});
}

}  // namespace mc::runtime
