// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/xml_tree.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <limits>

#include "core/utf8.h"

namespace mc::documents {
namespace {

constexpr std::size_t kDeclarationBytes = 2048;

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return result;
}

// The encoding to be forced on HTML; null: as it declares itself. What is valid UTF-8 is that,
// whatever it declares, and Latin-1 means Windows-1252, as in browsers.
const char* encoding_of_html(std::string_view content) {
    if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff")) return nullptr;
    const bool has_escapes = content.find('\x1b') != std::string_view::npos;  // ISO 2022
    if (!has_escapes && content.find('\0') == std::string_view::npos && !find_invalid_utf8(content))
        return "UTF-8";
    const std::string begin = lower(content.substr(0, kDeclarationBytes));
    const std::size_t declared = begin.find("charset");
    if (declared == std::string::npos) return "windows-1252";
    const std::string_view value = std::string_view(begin).substr(declared, 40);
    return value.find("8859-1\"") != std::string_view::npos ||
                   value.find("8859-1'") != std::string_view::npos
               ? "windows-1252"
               : nullptr;
}

void set_encoding(htmlParserCtxt* parser, const char* encoding) {
    xmlCharEncodingHandler* const handler = xmlFindCharEncodingHandler(encoding);
    if (handler == nullptr || xmlSwitchToEncoding(parser, handler) != 0) return;
    if (parser->input->encoding != nullptr) xmlFree(const_cast<xmlChar*>(parser->input->encoding));
    parser->input->encoding = xmlStrdup(reinterpret_cast<const xmlChar*>(encoding));
}

Result<int> size_of(std::string_view content) {
    if (content.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return fail(ErrorCode::kInvalidInput, "it is larger than 2 GiB; split it");
    return static_cast<int>(content.size());
}

std::string_view view_of(const xmlChar* text) {
    return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

}  // namespace

Result<XmlTree> XmlTree::parse_html(std::string_view content) {
    MC_ASSIGN(const int size, size_of(content));
    const std::unique_ptr<htmlParserCtxt, void (*)(htmlParserCtxt*)> parser(
        htmlCreateMemoryParserCtxt(content.data(), size), htmlFreeParserCtxt);
    if (!parser) return fail(ErrorCode::kInvalidInput, "it holds no HTML");
    htmlCtxtUseOptions(parser.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                         HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    // Tags that nobody closed nest deeper than the parser's limit, which would cut the text there;
    // walk() bears any depth.
    parser->options |= XML_PARSE_HUGE;
    if (const char* encoding = encoding_of_html(content)) set_encoding(parser.get(), encoding);
    htmlParseDocument(parser.get());
    XmlTree tree(parser->myDoc);
    parser->myDoc = nullptr;
    if (tree.document_ == nullptr || tree.root() == nullptr)
        return fail(ErrorCode::kInvalidInput, "it holds no HTML");
    return tree;
}

Result<XmlTree> XmlTree::parse_xml(std::string_view content, const std::string& name) {
    MC_ASSIGN(const int size, size_of(content));
    XmlTree tree(xmlReadMemory(content.data(), size, nullptr, nullptr,
                               XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                   XML_PARSE_NOCDATA | XML_PARSE_COMPACT));
    if (tree.document_ == nullptr || tree.root() == nullptr) {
        const xmlError* const error = xmlGetLastError();
        std::string what(error == nullptr || error->message == nullptr ? "" : error->message);
        while (what.ends_with('\n')) what.pop_back();
        return fail(ErrorCode::kInvalidInput,
                    "its " + name + " is no XML" + (what.empty() ? "" : " (" + what + ")") +
                        ": the file is damaged; save it anew in the program that made it");
    }
    return tree;
}

std::string_view name_of(const xmlNode& node) {
    return view_of(node.name);
}

std::string_view text_of(const xmlNode& node) {
    return node.type == XML_TEXT_NODE || node.type == XML_CDATA_SECTION_NODE ? view_of(node.content)
                                                                             : std::string_view();
}

std::string attribute_of(const xmlNode& node, std::string_view name) {
    if (!is_element(node)) return {};
    for (const xmlAttr* one = node.properties; one != nullptr; one = one->next) {
        if (view_of(one->name) != name) continue;
        std::string value;
        for (const xmlNode* part = one->children; part != nullptr; part = part->next)
            value += text_of(*part);
        return value;
    }
    return {};
}

std::string all_text_of(const xmlNode& node) {
    std::string text;
    walk(
        node,
        [&](const xmlNode& one) {
            text += text_of(one);
            return true;
        },
        [](const xmlNode&) {});
    return text;
}

const xmlNode* find_element(const xmlNode& root, std::string_view name) {
    const xmlNode* found = nullptr;
    walk(
        root,
        [&](const xmlNode& one) {
            if (found == nullptr && is_element(one) && name_of(one) == name) found = &one;
            return found == nullptr;
        },
        [](const xmlNode&) {});
    return found;
}

}  // namespace mc::documents
