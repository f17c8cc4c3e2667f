// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/html.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "documents/converters/xml_tree.h"

namespace mc::documents {
namespace {

// Nothing of these is read.
constexpr std::string_view kSkipped[] = {
    "script", "style",  "noscript", "template", "head",     "nav",   "form",   "button",
    "select", "iframe", "object",   "svg",      "math",     "audio", "video",  "canvas",
    "map",    "input",  "textarea", "dialog",   "noframes", "embed", "applet", "frameset"};
constexpr std::string_view kSkippedRoles[] = {"navigation", "banner", "contentinfo",
                                              "search",     "menu",   "complementary"};
// Of a page, but not of its articles.
constexpr std::string_view kAround[] = {"footer", "aside"};
constexpr std::string_view kParagraphs[] = {
    "p",       "div",        "section", "article", "main", "header",   "footer",
    "aside",   "blockquote", "ul",      "ol",      "dl",   "table",    "pre",
    "address", "figure",     "center",  "details", "hr",   "fieldset", "body"};
constexpr std::string_view kLines[] = {"dt", "dd", "figcaption", "caption", "summary", "br"};
// What stands in the cells of a table that lays out a page.
constexpr std::string_view kLayout[] = {"table", "h1", "h2", "h3",  "h4",      "ul",
                                        "ol",    "dl", "hr", "pre", "article", "section"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

int heading_level(std::string_view name) {
    return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6' ? name[1] - '0'
                                                                                  : 0;
}

bool is_hidden(const xmlNode& node) {
    for (const xmlAttr* one = node.properties; one != nullptr; one = one->next)
        if (std::string_view(reinterpret_cast<const char*>(one->name)) == "hidden") return true;
    if (attribute_of(node, "aria-hidden") == "true") return true;
    std::string style = attribute_of(node, "style");
    std::erase(style, ' ');
    return style.find("display:none") != std::string::npos;
}

bool is_layout(const xmlNode& table) {
    bool found = false;
    walk(
        table,
        [&](const xmlNode& node) {
            if (&node != &table && is_element(node) && is_one_of(name_of(node), kLayout))
                found = true;
            return !found;
        },
        [](const xmlNode&) {});
    return found;
}

bool has_words(const xmlNode& node) {
    return all_text_of(node).find_first_not_of(" \t\r\n") != std::string::npos;
}

// Where a page says that its content is; else its body.
const xmlNode& content_of(const xmlNode& root) {
    const xmlNode* main = find_element(root, "main");
    if (main == nullptr) {
        walk(
            root,
            [&](const xmlNode& node) {
                if (main == nullptr && attribute_of(node, "role") == "main") main = &node;
                return main == nullptr;
            },
            [](const xmlNode&) {});
    }
    return main != nullptr && has_words(*main) ? *main : root;
}

class PageReader {
  public:
    explicit PageReader(TextBuilder& builder) : builder_(builder) {}

    bool enter(const xmlNode& node) {
        if (!is_element(node)) {
            read_text(node);
            return false;
        }
        const std::string_view name = name_of(node);
        if (builder_.is_full() || is_skipped(node, name)) return false;
        if (const int level = heading_level(name); level > 0) {
            builder_.begin_heading(level);
        } else if (name == "tr" && is_table_) {
            builder_.begin_row();
        } else if ((name == "td" || name == "th") && is_table_) {
            builder_.begin_cell();
        } else if (name == "table") {
            builder_.end_paragraph();
            tables_.push_back(is_table_);
            is_table_ = !is_layout(node);
        } else {
            enter_block(node, name);
        }
        return true;
    }

    void leave(const xmlNode& node) {
        const std::string_view name = name_of(node);
        if (heading_level(name) > 0) {
            builder_.end_heading();
        } else if (name == "tr" && is_table_) {
            builder_.end_row();
        } else if (name == "table") {
            is_table_ = tables_.back();
            tables_.pop_back();
            builder_.end_paragraph();
        } else {
            leave_block(name);
        }
    }

  private:
    void read_text(const xmlNode& node) {
        if (verbatim_ > 0)
            builder_.verbatim(text_of(node));
        else
            builder_.text(text_of(node));
    }

    bool is_skipped(const xmlNode& node, std::string_view name) const {
        if (is_one_of(name, kSkipped) || is_hidden(node)) return true;
        if (articles_ > 0) return false;
        return is_one_of(name, kAround) || is_one_of(attribute_of(node, "role"), kSkippedRoles);
    }

    void enter_block(const xmlNode& node, std::string_view name) {
        if (name == "pre") ++verbatim_;
        if (name == "article" || name == "main") ++articles_;
        if (name == "ol" || name == "ul") {
            // A list inside an item goes on in its lines.
            lists_.empty() ? builder_.end_paragraph() : builder_.end_line();
            lists_.push_back(name == "ol" ? 1 : 0);
        } else if (name == "li") {
            builder_.begin_item(next_marker());
        } else if (is_one_of(name, kLines)) {
            builder_.end_line();
        } else if (is_one_of(name, kParagraphs)) {
            end_paragraph();
        } else if (name == "q") {
            builder_.text("\"");
        } else if (name == "td" || name == "th") {
            builder_.end_line();
        } else if (name == "img" && lists_.empty()) {
            builder_.text(attribute_of(node, "alt"));
        }
    }

    void leave_block(std::string_view name) {
        if (name == "pre") --verbatim_;
        if (name == "article" || name == "main") --articles_;
        if (name == "ol" || name == "ul") {
            lists_.pop_back();
            lists_.empty() ? builder_.end_paragraph() : builder_.end_line();
        } else if (name == "li") {
            builder_.end_item();
        } else if (is_one_of(name, kLines)) {
            if (name != "br") builder_.end_line();
        } else if (is_one_of(name, kParagraphs)) {
            end_paragraph();
        } else if (name == "q") {
            builder_.text("\"");
        } else if (name == "td" || name == "th") {
            builder_.end_line();
        }
    }

    // Paragraphs of an item stay with it.
    void end_paragraph() { lists_.empty() ? builder_.end_paragraph() : builder_.end_line(); }

    std::string next_marker() {
        if (lists_.empty() || lists_.back() == 0) return "-";
        return std::to_string(lists_.back()++) + ".";
    }

    TextBuilder& builder_;
    std::vector<bool> tables_;  // those around
    bool is_table_ = false;     // the one read is no layout
    std::vector<int> lists_;    // numbers of the next items; 0 where items have none
    int verbatim_ = 0;
    int articles_ = 0;
};

void read_page(const xmlNode& root, TextBuilder& builder) {
    PageReader reader(builder);
    walk(
        root, [&](const xmlNode& node) { return reader.enter(node); },
        [&](const xmlNode& node) { reader.leave(node); });
}

void add_title(const xmlNode& root, TextBuilder& builder) {
    const xmlNode* const title = find_element(root, "title");
    if (title == nullptr || find_element(content_of(root), "h1") != nullptr) return;
    builder.begin_heading(1);
    builder.text(all_text_of(*title));
    builder.end_heading();
}

}  // namespace

Result<void> append_html(std::string_view content, TextBuilder& builder) {
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_html(content));
    read_page(content_of(*tree.root()), builder);
    return {};
}

Result<ConvertedText> convert_html(std::string_view content, std::size_t bytes_max) {
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_html(content));
    TextBuilder builder(bytes_max);
    add_title(*tree.root(), builder);
    const std::size_t before = builder.size();
    read_page(content_of(*tree.root()), builder);
    if (builder.size() == before && !builder.is_full())
        return fail(ErrorCode::kInvalidInput,
                    "it has no text: what its page shows may come from scripts; save it from a "
                    "browser as PDF or text and give that");
    return builder.finish();
}

}  // namespace mc::documents
