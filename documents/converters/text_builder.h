// SPDX-License-Identifier: Apache-2.0
// Text as a reader and a search want it, out of what a document's markup says.
//
// Paragraphs, headings and lists are parted by blank lines, items, rows of tables and messages by
// line ends; inside a line, white space is one space. Places are noted where headings, pages and
// messages begin. Value type; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "documents/converted_text.h"
#include "documents/heading_path.h"

namespace mc::documents {

class TextBuilder {
  public:
    // bytes_max: of the text. What comes beyond it is dropped, and is_full() says so.
    explicit TextBuilder(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // Inline text: runs of white space become one space. UTF-8, else replaced at the end.
    void text(std::string_view words);
    // Text whose line ends and indentation stay (source code, mail).
    void verbatim(std::string_view lines);
    // What follows begins a line; a paragraph, after a blank line. Of no effect in a cell.
    void end_line();
    void end_paragraph();
    // An item of a list begins a line with its marker ("-", "2."); one without text is none.
    void begin_item(std::string_view marker);
    void end_item();
    // What is written next, begins there. An empty label is none.
    void place(std::string_view label);

    // Headings make places: "Part 1 › Chapter 2". level: 0…kHeadingLevelMax.
    void begin_heading(int level);
    void end_heading();

    // A row of a table is a line, "| a | b |".
    void begin_row();
    void begin_cell();
    void end_row();

    bool is_full() const { return is_full_; }

    // Whether headings say where the text stands.
    bool has_headings() const { return !headings_.empty(); }

    std::size_t size() const { return text_.size(); }

    // Errors: kInvalidInput when the text or its places are more than fit.
    Result<ConvertedText> finish();

  private:
    void pay_white_space();
    void before_text();
    void append(std::string_view bytes);
    void add_place(std::size_t begin, std::string label);

    const std::size_t bytes_max_;
    std::string text_;
    std::vector<Place> places_;
    std::string next_place_;
    std::string next_marker_;
    std::size_t line_ends_ = 0;  // owed before the next text: 0, 1 or 2
    bool space_ = false;         // owed too
    bool in_row_ = false;
    bool is_row_empty_ = false;
    std::size_t row_begin_ = 0;  // with what was owed there
    std::size_t row_line_ends_ = 0;
    bool is_full_ = false;
    int heading_level_ = -1;
    std::size_t heading_begin_ = 0;
    HeadingPath headings_;
};

}  // namespace mc::documents
