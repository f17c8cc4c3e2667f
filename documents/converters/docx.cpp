// SPDX-License-Identifier: Apache-2.0
// DOCX (ISO/IEC 29500): word/document.xml holds paragraphs of runs of text; word/styles.xml says
// which styles are headings, whatever they are called in the author's language.
#include <map>
#include <vector>

#include "documents/converters/office.h"
#include "documents/converters/text_builder.h"
#include "documents/converters/xml_tree.h"
#include "documents/converters/zip_archive.h"

namespace mc::documents {
namespace {

using HeadingStyles = std::map<std::string, int, std::less<>>;  // level by style

// "heading 2" is level 2, "Title" level 0.
std::optional<int> level_of_name(std::string_view name) {
    if (name == "Title" || name == "title") return 0;
    constexpr std::string_view kHeading = "eading ";
    if (name.size() != kHeading.size() + 2 || name.substr(1, kHeading.size()) != kHeading)
        return std::nullopt;
    const char digit = name.back();
    return digit >= '1' && digit <= '9' ? std::optional(digit - '0') : std::nullopt;
}

std::optional<int> level_of_outline(const std::string& value) {
    if (value.size() != 1 || value[0] < '0' || value[0] > '8') return std::nullopt;
    return value[0] - '0' + 1;
}

std::optional<int> level_of_style(const xmlNode& style) {
    const xmlNode* const name = find_element(style, "name");
    if (name != nullptr)
        if (const auto level = level_of_name(attribute_of(*name, "val"))) return level;
    const xmlNode* const outline = find_element(style, "outlineLvl");
    return outline == nullptr ? std::nullopt : level_of_outline(attribute_of(*outline, "val"));
}

Result<HeadingStyles> heading_styles(ZipArchive& archive) {
    HeadingStyles levels;
    MC_ASSIGN(const auto content, archive.find("word/styles.xml"));
    if (!content) return levels;
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_xml(*content, "word/styles.xml"));
    for (const xmlNode* style = tree.root()->children; style != nullptr; style = style->next) {
        if (!is_element(*style) || name_of(*style) != "style") continue;
        if (const auto level = level_of_style(*style))
            levels[attribute_of(*style, "styleId")] = *level;
    }
    return levels;
}

class DocxReader {
  public:
    DocxReader(TextBuilder& builder, const HeadingStyles& styles)
        : builder_(builder), styles_(styles) {}

    bool enter(const xmlNode& node) {
        if (!is_element(node)) return false;
        const std::string_view name = name_of(node);
        // Fallback repeats what stands before it; del is what a reviewer struck out.
        if (name == "Fallback" || name == "del" || name == "moveFrom") return false;
        if (name == "p") {
            begin_paragraph(node);
        } else if (name == "tbl") {
            // A table in a cell is text of that cell.
            if (tables_++ == 0) builder_.end_paragraph();
        } else if (name == "tr" && tables_ == 1) {
            builder_.begin_row();
        } else if (name == "tc" && tables_ == 1) {
            builder_.begin_cell();
        } else {
            read_run(node, name);
        }
        return name != "t";
    }

    void leave(const xmlNode& node) {
        const std::string_view name = name_of(node);
        if (name == "p") {
            end_paragraph();
        } else if (name == "tbl") {
            if (--tables_ == 0) builder_.end_paragraph();
        } else if (name == "tr" && tables_ == 1) {
            builder_.end_row();
        }
    }

  private:
    void begin_paragraph(const xmlNode& paragraph) {
        const Shape shape = shape_of(paragraph);
        paragraphs_.push_back(shape);
        if (shape.level) {
            builder_.begin_heading(*shape.level);
        } else if (shape.is_item) {
            builder_.begin_item("-");
        }
    }

    void end_paragraph() {
        const Shape shape = paragraphs_.back();
        paragraphs_.pop_back();
        if (shape.level)
            builder_.end_heading();
        else
            shape.is_item ? builder_.end_item() : builder_.end_paragraph();
    }

    void read_run(const xmlNode& node, std::string_view name) {
        if (name == "t") {
            builder_.text(all_text_of(node));
        } else if (name == "tab" || name == "noBreakHyphen") {
            builder_.text(name == "tab" ? " " : "-");
        } else if (name == "br" || name == "cr") {
            builder_.end_line();
        }
    }

    struct Shape {
        std::optional<int> level;  // of a heading
        bool is_item = false;
    };

    Shape shape_of(const xmlNode& paragraph) const {
        Shape shape;
        for (const xmlNode* part = paragraph.children; part != nullptr; part = part->next) {
            if (!is_element(*part) || name_of(*part) != "pPr") continue;
            for (const xmlNode* one = part->children; one != nullptr; one = one->next) {
                if (!is_element(*one)) continue;
                if (name_of(*one) == "numPr") shape.is_item = true;
                if (name_of(*one) == "outlineLvl")
                    shape.level = level_of_outline(attribute_of(*one, "val"));
                if (name_of(*one) != "pStyle") continue;
                const auto style = styles_.find(attribute_of(*one, "val"));
                if (style != styles_.end()) shape.level = style->second;
            }
        }
        return shape;
    }

    TextBuilder& builder_;
    const HeadingStyles& styles_;
    std::vector<Shape> paragraphs_;  // those around: a text box stands inside one
    int tables_ = 0;
};

Result<void> append_part(const std::string& content, const std::string& name,
                         const HeadingStyles& styles, TextBuilder& builder) {
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_xml(content, name));
    DocxReader reader(builder, styles);
    walk(
        *tree.root(), [&](const xmlNode& node) { return reader.enter(node); },
        [&](const xmlNode& node) { reader.leave(node); });
    return {};
}

}  // namespace

Result<ConvertedText> convert_docx(std::string_view content, std::size_t bytes_max) {
    MC_ASSIGN(ZipArchive archive, ZipArchive::open(content, kUnpackedBytesMax));
    MC_ASSIGN(const std::string body, archive.require("word/document.xml"));
    MC_ASSIGN(const HeadingStyles styles, heading_styles(archive));
    TextBuilder builder(bytes_max);
    MC_TRY(append_part(body, "word/document.xml", styles, builder));
    for (const char* name : {"word/footnotes.xml", "word/endnotes.xml"}) {
        MC_ASSIGN(const auto notes, archive.find(name));
        if (!notes) continue;
        builder.end_paragraph();
        MC_TRY(append_part(*notes, name, styles, builder));
    }
    if (builder.size() == 0 && !builder.is_full())
        return fail(ErrorCode::kInvalidInput, "it has no text");
    return builder.finish();
}

}  // namespace mc::documents
