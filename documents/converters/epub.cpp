// SPDX-License-Identifier: Apache-2.0
// EPUB: container.xml names the package, whose spine lists the parts of the book in order.
#include <map>
#include <set>
#include <vector>

#include "documents/converters/html.h"
#include "documents/converters/office.h"
#include "documents/converters/xml_tree.h"
#include "documents/converters/zip_archive.h"

namespace mc::documents {
namespace {

constexpr std::size_t kPartsMax = 20'000;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// "a%20b.xhtml#top" as a name in the archive.
std::string decoded(std::string_view link) {
    link = link.substr(0, link.find('#'));
    std::string name;
    for (std::size_t i = 0; i < link.size(); ++i) {
        const int high = link[i] == '%' && i + 2 < link.size() ? hex_digit(link[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(link[i + 2]) : -1;
        name.push_back(low >= 0 ? static_cast<char>(high * 16 + low) : link[i]);
        if (low >= 0) i += 2;
    }
    return name;
}

// A link seen from a file of the archive, without "." and "..".
std::string resolved(const std::string& from, std::string_view link) {
    const std::string whole =
        from.substr(0,
                    from.find_last_of('/') == std::string::npos ? 0 : from.find_last_of('/') + 1) +
        decoded(link);
    std::vector<std::string> folders;
    for (std::size_t at = 0; at <= whole.size();) {
        const std::size_t end = std::min(whole.find('/', at), whole.size());
        const std::string folder = whole.substr(at, end - at);
        at = end + 1;
        if (folder == ".." && !folders.empty()) folders.pop_back();
        if (!folder.empty() && folder != "." && folder != "..") folders.push_back(folder);
    }
    std::string name;
    for (const std::string& folder : folders) name += (name.empty() ? "" : "/") + folder;
    return name;
}

// The files that the spine lists, in order.
std::vector<std::string> spine_of(const XmlTree& package, const std::string& package_name) {
    std::map<std::string, std::string> files;  // by id
    std::vector<std::string> spine;
    walk(
        *package.root(),
        [&](const xmlNode& node) {
            if (!is_element(node)) return false;
            if (name_of(node) == "item")
                files[attribute_of(node, "id")] =
                    resolved(package_name, attribute_of(node, "href"));
            if (name_of(node) == "itemref" && spine.size() < kPartsMax)
                if (const auto file = files.find(attribute_of(node, "idref")); file != files.end())
                    spine.push_back(file->second);
            return true;
        },
        [](const xmlNode&) {});
    return spine;
}

// Files that only a reader with the key can read. Fonts may be among them in any book.
Result<std::set<std::string>> encrypted_files(ZipArchive& archive) {
    std::set<std::string> names;
    MC_ASSIGN(const auto content, archive.find("META-INF/encryption.xml"));
    if (!content) return names;
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_xml(*content, "META-INF/encryption.xml"));
    walk(
        *tree.root(),
        [&](const xmlNode& node) {
            if (is_element(node) && name_of(node) == "CipherReference")
                names.insert(resolved("", attribute_of(node, "URI")));
            return true;
        },
        [](const xmlNode&) {});
    return names;
}

Result<std::vector<std::string>> parts_of(ZipArchive& archive) {
    MC_ASSIGN(const std::string container, archive.require("META-INF/container.xml"));
    MC_ASSIGN(const XmlTree tree, XmlTree::parse_xml(container, "META-INF/container.xml"));
    const xmlNode* const root_file = find_element(*tree.root(), "rootfile");
    const std::string name =
        root_file == nullptr ? "" : resolved("", attribute_of(*root_file, "full-path"));
    MC_ASSIGN(const std::string package, archive.require(name));
    MC_ASSIGN(const XmlTree package_tree, XmlTree::parse_xml(package, name));
    return spine_of(package_tree, name);
}

}  // namespace

Result<ConvertedText> convert_epub(std::string_view content, std::size_t bytes_max) {
    MC_ASSIGN(ZipArchive archive, ZipArchive::open(content, kUnpackedBytesMax));
    MC_ASSIGN(const auto encrypted, encrypted_files(archive));
    MC_ASSIGN(const auto parts, parts_of(archive));
    TextBuilder builder(bytes_max);
    std::size_t number = 0;
    for (const std::string& part : parts) {
        ++number;
        if (encrypted.contains(part))
            return fail(ErrorCode::kInvalidInput,
                        "it is protected (DRM): only the seller's program can read it");
        MC_ASSIGN(const auto page, archive.find(part));
        if (!page || page->empty()) continue;  // a list of a book's parts may name one too many
        builder.end_paragraph();
        if (!builder.has_headings()) builder.place("part " + std::to_string(number));
        MC_TRY(append_html(*page, builder));
        if (builder.is_full()) break;
    }
    if (builder.size() == 0 && !builder.is_full())
        return fail(ErrorCode::kInvalidInput, "it has no text; its pages may be pictures");
    return builder.finish();
}

}  // namespace mc::documents
