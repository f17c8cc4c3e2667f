// SPDX-License-Identifier: Apache-2.0
// ODT (ISO/IEC 26300): content.xml holds headings, paragraphs, lists and tables.
#include <algorithm>

#include "documents/converters/office.h"
#include "documents/converters/text_builder.h"
#include "documents/converters/xml_tree.h"
#include "documents/converters/zip_archive.h"

namespace mc::documents {
namespace {

// Of a document's body, what is no text of it.
constexpr std::string_view kSkippedOfOdt[] = {
    "tracked-changes", "annotation",     "annotation-end", "note-citation",
    "forms",           "variable-decls", "sequence-decls", "index-title-template"};

class OdtReader {
  public:
    explicit OdtReader(TextBuilder& builder) : builder_(builder) {}

    bool enter(const xmlNode& node) {
        if (!is_element(node)) {
            builder_.text(text_of(node));
            return false;
        }
        const std::string_view name = name_of(node);
        if (std::ranges::find(kSkippedOfOdt, name) != std::end(kSkippedOfOdt)) return false;
        if (name == "h") {
            builder_.begin_heading(level_of(node));
        } else if (name == "p" && is_title(node)) {
            builder_.begin_heading(0);
        } else if (name == "list-item") {
            builder_.begin_item("-");
            ++items_;
        } else if (name == "table") {
            if (tables_++ == 0) builder_.end_paragraph();
        } else if (name == "table-row" && tables_ == 1) {
            builder_.begin_row();
        } else if (name == "table-cell" && tables_ == 1) {
            builder_.begin_cell();
        } else if (name == "s" || name == "tab") {
            builder_.text(" ");
        } else if (name == "line-break") {
            builder_.end_line();
        } else if (name == "note-body") {
            builder_.text(" [");
            ++notes_;
        }
        return true;
    }

    void leave(const xmlNode& node) {
        const std::string_view name = name_of(node);
        if (name == "h" || (name == "p" && is_title(node))) {
            builder_.end_heading();
        } else if (name == "p") {
            // Paragraphs of an item stay with it, those of a note inside the line.
            if (notes_ > 0)
                builder_.text(" ");
            else
                items_ > 0 ? builder_.end_line() : builder_.end_paragraph();
        } else if (name == "list-item") {
            --items_;
            builder_.end_item();
        } else if (name == "list" && items_ == 0) {
            builder_.end_paragraph();
        } else if (name == "table") {
            if (--tables_ == 0) builder_.end_paragraph();
        } else if (name == "table-row" && tables_ == 1) {
            builder_.end_row();
        } else if (name == "note-body") {
            builder_.text("]");
            --notes_;
        }
    }

  private:
    static bool is_title(const xmlNode& node) {
        return attribute_of(node, "style-name") == "Title";
    }

    static int level_of(const xmlNode& heading) {
        const std::string level = attribute_of(heading, "outline-level");
        return level.size() == 1 && level[0] >= '1' && level[0] <= '9' ? level[0] - '0' : 1;
    }

    TextBuilder& builder_;
    int items_ = 0;
    int tables_ = 0;
    int notes_ = 0;
};

}  // namespace

Result<ConvertedText> convert_odt(std::string_view content, std::size_t bytes_max) {
    MC_ASSIGN(ZipArchive archive, ZipArchive::open(content, kUnpackedBytesMax));
    MC_ASSIGN(const auto manifest, archive.find("META-INF/manifest.xml"));
    if (manifest && manifest->find("encryption-data") != std::string::npos)
        return fail(ErrorCode::kInvalidInput, "it has a password; save it without one");
    MC_ASSIGN(const std::string body, archive.require("content.xml"));
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_xml(body, "content.xml"));
    const xmlNode* const text = find_element(*tree.root(), "body");
    TextBuilder builder(bytes_max);
    OdtReader reader(builder);
    walk(
        text == nullptr ? *tree.root() : *text,
        [&](const xmlNode& node) { return reader.enter(node); },
        [&](const xmlNode& node) { reader.leave(node); });
    if (builder.size() == 0 && !builder.is_full())
        return fail(ErrorCode::kInvalidInput, "it has no text");
    return builder.finish();
}

}  // namespace mc::documents
