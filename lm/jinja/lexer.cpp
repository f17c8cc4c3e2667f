// SPDX-License-Identifier: Apache-2.0
#include "lm/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace mc::lm::jinja {
namespace {

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Line ends become \n, and one at the very end goes, as Jinja has it.
std::string with_plain_newlines(std::string_view source) {
    std::string out;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            out += source[i];
            continue;
        }
        out += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
    if (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

void append_utf8(unsigned code, std::string& out) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0U | code >> 6);
        out += static_cast<char>(0x80U | (code & 0x3fU));
    } else {
        out += static_cast<char>(0xe0U | code >> 12);
        out += static_cast<char>(0x80U | (code >> 6 & 0x3fU));
        out += static_cast<char>(0x80U | (code & 0x3fU));
    }
}

class Lexer {
  public:
    explicit Lexer(std::string_view source) : source_(with_plain_newlines(source)) {}

    Result<std::vector<Token>> run() {
        while (at_ < source_.size()) MC_TRY(data_and_tag());
        add(TokenKind::kEnd, "");
        return std::move(tokens_);
    }

  private:
    bool sees(std::string_view text) const { return source_.compare(at_, text.size(), text) == 0; }

    void add(TokenKind kind, std::string text) {
        tokens_.push_back({kind, std::move(text), line_});
    }

    void advance(std::size_t count) {
        const auto begin = source_.begin() + static_cast<std::ptrdiff_t>(at_);
        line_ +=
            static_cast<int>(std::count(begin, begin + static_cast<std::ptrdiff_t>(count), '\n'));
        at_ += count;
    }

    void skip_space() {
        while (at_ < source_.size() && is_space(source_[at_])) advance(1);
    }

    Result<void> data_and_tag();
    void add_data(std::size_t end, char kind, char sign);
    Result<void> comment();
    Result<void> tag(bool is_block);
    Result<bool> tag_end(bool is_block, int open_brackets);
    void after_end(std::size_t size, bool drops_space, bool is_block);
    Result<void> tag_token(int& open_brackets);
    Result<void> text_literal();
    Result<void> escape(std::string& out);
    void number();

    std::string source_;
    std::size_t at_ = 0;
    int line_ = 1;
    bool line_starts_ = true;  // the last tag took the newline after it
    std::vector<Token> tokens_;
};

Result<void> Lexer::data_and_tag() {
    std::size_t begin = at_;
    while ((begin = source_.find('{', begin)) != std::string::npos) {
        const char kind = begin + 1 < source_.size() ? source_[begin + 1] : '\0';
        if (kind == '{' || kind == '%' || kind == '#') break;
        ++begin;
    }
    if (begin == std::string::npos) {
        add(TokenKind::kData, source_.substr(at_));
        advance(source_.size() - at_);
        return {};
    }
    const char kind = source_[begin + 1];
    const char next = begin + 2 < source_.size() ? source_[begin + 2] : '\0';
    const char sign = next == '-' || next == '+' ? next : '\0';
    add_data(begin, kind, sign);
    advance(begin + 2 + (sign != '\0' ? 1 : 0) - at_);
    if (kind == '#') return comment();
    return tag(kind == '%');
}

// The data before a tag, without what the tag drops.
void Lexer::add_data(std::size_t end, char kind, char sign) {
    std::string data = source_.substr(at_, end - at_);
    if (sign == '-') {
        while (!data.empty() && is_space(data.back())) data.pop_back();
    } else if (sign != '+' && kind != '{') {
        const std::size_t newline = data.rfind('\n');
        const std::size_t line = newline == std::string::npos ? 0 : newline + 1;
        const bool whole_line = line > 0 || line_starts_;
        if (whole_line &&
            std::all_of(data.begin() + static_cast<std::ptrdiff_t>(line), data.end(), is_space))
            data.resize(line);
    }
    if (!data.empty()) add(TokenKind::kData, std::move(data));
}

Result<void> Lexer::comment() {
    const std::size_t end = source_.find("#}", at_);
    if (end == std::string::npos) return template_error(line_, "a comment that does not end");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    advance(end - at_);
    if (sign == '+') {
        advance(2);
        line_starts_ = false;
        return {};
    }
    after_end(2, sign == '-', true);
    return {};
}

// Takes a tag's end of this size, and the white space after it that it drops.
void Lexer::after_end(std::size_t size, bool drops_space, bool is_block) {
    advance(size);
    line_starts_ = false;
    if (drops_space) {
        skip_space();
        line_starts_ = source_[at_ - 1] == '\n';
    } else if (is_block && at_ < source_.size() && source_[at_] == '\n') {
        advance(1);
        line_starts_ = true;
    }
}

Result<void> Lexer::tag(bool is_block) {
    const int begin_line = line_;
    add(is_block ? TokenKind::kBlockBegin : TokenKind::kPrintBegin, "");
    int open_brackets = 0;
    for (;;) {
        skip_space();
        if (at_ >= source_.size()) return template_error(begin_line, "a tag that does not end");
        MC_ASSIGN(const bool ended, tag_end(is_block, open_brackets));
        if (ended) return {};
        MC_TRY(tag_token(open_brackets));
    }
}

Result<bool> Lexer::tag_end(bool is_block, int open_brackets) {
    if (open_brackets > 0) return false;
    const std::string_view end = is_block ? "%}" : "}}";
    const TokenKind kind = is_block ? TokenKind::kBlockEnd : TokenKind::kPrintEnd;
    if (sees(end)) {
        add(kind, "");
        after_end(2, false, is_block);
        return true;
    }
    const bool has_sign = source_.compare(at_ + 1, 2, end) == 0;
    if (!has_sign || (source_[at_] != '-' && !(is_block && source_[at_] == '+'))) return false;
    const bool drops_space = source_[at_] == '-';
    add(kind, "");
    after_end(3, drops_space, false);
    return true;
}

Result<void> Lexer::tag_token(int& open_brackets) {
    static constexpr std::array<std::string_view, 29> kOperators = {
        "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=",
        "(",  ")",  "[",  "]",  "{",  "}",  ".", ":", "|", ",", ";", "&", "^", "!"};
    const char c = source_[at_];
    if (c == '\'' || c == '"') return text_literal();
    if (is_digit(c)) {
        number();
        return {};
    }
    if (is_word(c)) {
        const std::size_t begin = at_;
        while (at_ < source_.size() && is_word(source_[at_])) ++at_;
        add(TokenKind::kName, source_.substr(begin, at_ - begin));
        return {};
    }
    for (const std::string_view known : kOperators) {
        if (!sees(known)) continue;
        if (known == "(" || known == "[" || known == "{") ++open_brackets;
        if (known == ")" || known == "]" || known == "}") --open_brackets;
        add(TokenKind::kOperator, std::string(known));
        advance(known.size());
        return {};
    }
    std::string what = "the character '";
    what.append(1, c).append("' is not supported");
    return template_error(line_, what);
}

void Lexer::number() {
    const std::size_t begin = at_;
    while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    const bool is_float =
        at_ + 1 < source_.size() && source_[at_] == '.' && is_digit(source_[at_ + 1]);
    if (is_float) {
        ++at_;
        while (at_ < source_.size() && is_digit(source_[at_])) ++at_;
    }
    add(is_float ? TokenKind::kFloat : TokenKind::kInteger, source_.substr(begin, at_ - begin));
}

Result<void> Lexer::text_literal() {
    const char quote = source_[at_];
    const int begin_line = line_;
    std::string text;
    advance(1);
    while (at_ < source_.size() && source_[at_] != quote) {
        if (source_[at_] == '\\') {
            MC_TRY(escape(text));
            continue;
        }
        text += source_[at_];
        advance(1);
    }
    if (at_ >= source_.size()) return template_error(begin_line, "text that does not end");
    advance(1);
    tokens_.push_back({TokenKind::kText, std::move(text), begin_line});
    return {};
}

// Python's escapes; one that it does not know stays as it is.
Result<void> Lexer::escape(std::string& out) {
    constexpr std::string_view kLetters = "\\'\"ntrabfv0\n";
    constexpr std::string_view kMeanings("\\'\"\n\t\r\a\b\f\v\0", 11);
    advance(1);
    const char letter = at_ < source_.size() ? source_[at_] : '\0';
    const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 0;
    if (digits > 0) {
        const std::string code = source_.substr(std::min(at_ + 1, source_.size()), digits);
        const bool is_hex = code.size() == digits &&
                            code.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
        if (!is_hex) return template_error(line_, std::string("the escape \\") + letter);
        append_utf8(static_cast<unsigned>(std::stoul(code, nullptr, 16)), out);
        advance(1 + digits);
        return {};
    }
    const std::size_t known = kLetters.find(letter);
    if (known < kMeanings.size())
        out += kMeanings[known];
    else if (letter != '\n')
        out += std::string("\\") + letter;
    if (at_ < source_.size()) advance(1);
    return {};
}

}  // namespace

tl::unexpected<Error> template_error(int line, const std::string& what) {
    return fail(ErrorCode::kInvalidInput, "line " + std::to_string(line) + ": " + what);
}

Result<std::vector<Token>> tokenize(std::string_view source) {
    return Lexer(source).run();
}

}  // namespace mc::lm::jinja
