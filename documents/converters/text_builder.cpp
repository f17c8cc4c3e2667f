// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/text_builder.h"

#include <algorithm>
#include <utility>

#include "core/utf8.h"

namespace mc::documents {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Characters that only printing needs: soft hyphens, marks of zero width, byte-order marks.
std::size_t invisible_size(std::string_view text) {
    for (const std::string_view one : {"\u00ad", "\u200b", "\u2060", "\ufeff"})
        if (text.starts_with(one)) return one.size();
    return 0;
}

}  // namespace

void TextBuilder::append(std::string_view bytes) {
    if (is_full_) return;
    if (bytes.size() > bytes_max_ - text_.size()) {
        is_full_ = true;
        return;
    }
    text_ += bytes;
}

void TextBuilder::add_place(std::size_t begin, std::string label) {
    if (label.empty()) return;
    if (!places_.empty() && places_.back().begin == begin)
        places_.back().label = std::move(label);
    else if (places_.empty() || places_.back().label != label)
        places_.push_back({begin, std::move(label)});
    if (places_.size() > kPlacesMax) is_full_ = true;
}

void TextBuilder::pay_white_space() {
    if (!text_.empty()) {
        if (line_ends_ > 0)
            append(line_ends_ == 1 ? "\n" : "\n\n");
        else if (space_)
            append(" ");
    }
    line_ends_ = 0;
    space_ = false;
}

void TextBuilder::before_text() {
    pay_white_space();
    is_row_empty_ = false;
    if (!next_place_.empty()) add_place(text_.size(), std::exchange(next_place_, {}));
    if (!next_marker_.empty()) append(std::exchange(next_marker_, {}) + " ");
}

void TextBuilder::text(std::string_view words) {
    for (std::size_t at = 0; at < words.size() && !is_full_;) {
        const std::string_view rest = words.substr(at);
        if (is_space(words[at]) || rest.starts_with("\u00a0")) {
            space_ = true;
            at += is_space(words[at]) ? 1 : 2;
            continue;
        }
        if (const std::size_t skipped = invisible_size(rest); skipped > 0) {
            at += skipped;
            continue;
        }
        if (is_control(words[at])) {
            ++at;
            continue;
        }
        std::size_t end = at + 1;
        while (end < words.size() && static_cast<unsigned char>(words[end]) > ' ' &&
               static_cast<unsigned char>(words[end]) < 0x7f &&
               static_cast<unsigned char>(words[at]) < 0x7f)
            ++end;
        if (static_cast<unsigned char>(words[at]) >= 0x80)
            end = at + std::max<std::size_t>(utf8_character_size(rest), 1);
        before_text();
        append(words.substr(at, end - at));
        at = end;
    }
}

void TextBuilder::verbatim(std::string_view lines) {
    if (in_row_) return text(lines);
    for (std::size_t at = 0; at < lines.size() && !is_full_;) {
        const std::size_t end = std::min(lines.find('\n', at), lines.size());
        std::string line(lines.substr(at, end - at));
        std::erase_if(line, [](char c) { return is_control(c) && c != '\t'; });
        if (line.find_first_not_of(" \t") == std::string::npos) {
            if (end < lines.size()) line_ends_ = std::min<std::size_t>(line_ends_ + 1, 2);
        } else {
            before_text();
            append(line);
            if (end < lines.size()) line_ends_ = 1;
        }
        at = end + 1;
    }
}

void TextBuilder::end_line() {
    if (in_row_ || heading_level_ >= 0)
        space_ = true;
    else
        line_ends_ = std::max<std::size_t>(line_ends_, 1);
}

void TextBuilder::end_paragraph() {
    if (in_row_ || heading_level_ >= 0)
        space_ = true;
    else
        line_ends_ = 2;
}

void TextBuilder::begin_item(std::string_view marker) {
    end_line();
    next_marker_ = marker;
}

void TextBuilder::end_item() {
    next_marker_.clear();
    end_line();
}

void TextBuilder::place(std::string_view label) {
    next_place_ = short_label(label);
}

void TextBuilder::begin_heading(int level) {
    if (in_row_ || heading_level_ >= 0) return;
    end_paragraph();
    heading_level_ = std::clamp(level, 0, kHeadingLevelMax);
    heading_begin_ = text_.empty() ? 0 : text_.size() + 2;
}

void TextBuilder::end_heading() {
    if (heading_level_ < 0) return;
    const int level = std::exchange(heading_level_, -1);
    end_paragraph();
    if (text_.size() <= heading_begin_) return;
    add_place(heading_begin_,
              headings_.enter(level, std::string_view(text_).substr(heading_begin_)));
}

void TextBuilder::begin_row() {
    end_heading();
    end_line();
    in_row_ = is_row_empty_ = true;
    row_begin_ = text_.size();
    row_line_ends_ = line_ends_;
}

void TextBuilder::begin_cell() {
    if (line_ends_ == 0) space_ = false;
    pay_white_space();
    append(text_.size() == row_begin_ || text_.ends_with('\n') ? "|" : " |");
    space_ = true;
}

// A row of empty cells is none.
void TextBuilder::end_row() {
    if (!std::exchange(in_row_, false)) return;
    space_ = false;
    if (is_row_empty_) {
        text_.resize(row_begin_);
        line_ends_ = row_line_ends_;
        return;
    }
    if (!text_.ends_with('|')) append(" |");
    end_line();
}

Result<ConvertedText> TextBuilder::finish() {
    if (is_full_)
        return fail(ErrorCode::kInvalidInput,
                    "it has more than " + std::to_string(bytes_max_) +
                        " bytes of text, or more places than are kept; split it, or raise "
                        "--ingest-bytes-max");
    // Offsets stay: what is no UTF-8 was to be replaced before it came here.
    if (find_invalid_utf8(text_))
        return fail(ErrorCode::kInvalidInput, "its text is in an encoding that it does not name");
    if (!text_.empty() && text_.size() < bytes_max_) text_ += "\n";
    std::erase_if(places_, [&](const Place& place) { return place.begin >= text_.size(); });
    return ConvertedText{std::move(text_), std::move(places_)};
}

}  // namespace mc::documents
