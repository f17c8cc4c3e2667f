// SPDX-License-Identifier: Apache-2.0
// ZIP archives, and the documents that are such, for tests.
#pragma once

#include <zip.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace mc::documents {

using Entries = std::vector<std::pair<std::string, std::string>>;  // names and contents, in order

inline std::string zip_of(const Entries& entries) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, &error);
    zip_source_keep(target);
    zip* const archive = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
    for (const auto& [name, content] : entries) {
        zip_source_t* const source = zip_source_buffer(archive, content.data(), content.size(), 0);
        const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
        if (name == "mimetype")
            zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    }
    if (zip_close(archive) != 0) std::abort();
    zip_stat_t state;
    zip_stat_init(&state);
    zip_source_stat(target, &state);
    std::string bytes(state.size, '\0');
    zip_source_open(target);
    if (zip_source_read(target, bytes.data(), bytes.size()) !=
        static_cast<zip_int64_t>(bytes.size()))
        std::abort();
    zip_source_close(target);
    zip_source_free(target);
    return bytes;
}

// parts: chapters' files with their XHTML bodies, in the order of the spine.
inline std::string epub_of(const Entries& parts, const Entries& more = {}) {
    std::string items;
    std::string spine;
    Entries entries{{"mimetype", "application/epub+zip"},
                    {"META-INF/container.xml",
                     "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'>"
                     "<rootfiles><rootfile full-path='OEBPS/book.opf'/></rootfiles></container>"}};
    for (const auto& [name, body] : parts) {
        items += "<item id='" + name + "' href='" + name + "'/>";
        spine += "<itemref idref='" + name + "'/>";
        entries.emplace_back("OEBPS/" + name,
                             "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>"
                             "<head><title>Book</title></head><body>" +
                                 body + "</body></html>");
    }
    entries.emplace_back("OEBPS/book.opf", "<package><manifest>" + items + "</manifest><spine>" +
                                               spine + "</spine></package>");
    entries.insert(entries.end(), more.begin(), more.end());
    return zip_of(entries);
}

inline std::string docx_of(const std::string& body, const Entries& more = {}) {
    Entries entries{
        {"[Content_Types].xml", "<Types/>"},
        {"word/document.xml",
         "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
         "<w:body>" +
             body + "</w:body></w:document>"},
        {"word/styles.xml",
         "<w:styles xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
         "<w:style w:styleId='berschrift1'><w:name w:val='heading 1'/></w:style>"
         "<w:style w:styleId='Mine'><w:name w:val='Mine'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr>"
         "</w:style></w:styles>"}};
    entries.insert(entries.end(), more.begin(), more.end());
    return zip_of(entries);
}

inline std::string odt_of(const std::string& body, const Entries& more = {}) {
    Entries entries{
        {"mimetype", "application/vnd.oasis.opendocument.text"},
        {"content.xml",
         "<o:document-content xmlns:o='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
         "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' "
         "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0'><o:body><o:text>" +
             body + "</o:text></o:body></o:document-content>"}};
    entries.insert(entries.end(), more.begin(), more.end());
    return zip_of(entries);
}

}  // namespace mc::documents
