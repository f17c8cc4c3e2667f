// SPDX-License-Identifier: Apache-2.0
#include "documents/kind.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace mc::documents {
namespace {

struct KindRow {
    Kind kind;
    std::string_view name;
    std::string_view title;
    std::string_view media_type;
};

constexpr KindRow kRows[] = {
    {Kind::kHtml, "html", "HTML", "text/html"},
    {Kind::kPdf, "pdf", "PDF", "application/pdf"},
    {Kind::kEpub, "epub", "EPUB", "application/epub+zip"},
    {Kind::kDocx, "docx", "DOCX",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {Kind::kOdt, "odt", "ODT", "application/vnd.oasis.opendocument.text"},
    {Kind::kMail, "mail", "mail", "message/rfc822"},
    {Kind::kChat, "chat", "a chat", "application/jsonl"},
};

// Where the bytes that say what a file is must stand.
constexpr std::size_t kPdfMarkBytes = 1024;
constexpr std::size_t kHtmlMarkBytes = 4096;
constexpr std::size_t kHeaderBytes = 16384;
constexpr std::size_t kFirstLineBytesMax = 1 << 20;

// What else they are called.
constexpr std::pair<std::string_view, Kind> kOtherMediaTypes[] = {
    {"application/xhtml+xml", Kind::kHtml},
    {"application/mbox", Kind::kMail},
    {"application/x-ndjson", Kind::kChat},
};

constexpr std::string_view kHtmlNames[] = {"", "html", "htm", "xhtml", "xht", "shtml"};
constexpr std::string_view kMailNames[] = {"", "eml", "mbox", "mbx", "mail"};
constexpr std::string_view kChatNames[] = {"", "jsonl", "ndjson"};

const KindRow& row_of(Kind kind) {
    return *std::ranges::find(kRows, kind, &KindRow::kind);
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return result;
}

// "html" of "a/b.HTML"; empty where the name has none.
std::string extension_of(std::string_view name) {
    const std::size_t slash = name.find_last_of('/');
    if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
    const std::size_t dot = name.find_last_of('.');
    if (dot == std::string_view::npos || dot == 0) return {};
    return lower(name.substr(dot + 1));
}

bool is_named(std::string_view name, std::span<const std::string_view> extensions) {
    return std::ranges::find(extensions, extension_of(name)) != extensions.end();
}

// UTF-16 as the bytes of its ASCII, so that marks can be found in it.
std::string without_zeros(std::string_view content) {
    std::string text(content);
    std::erase(text, '\0');
    return text;
}

// Past white space, a byte-order mark, comments and declarations of XML.
std::string_view past_preamble(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) text.remove_prefix(2);
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\f"), text.size()));
        const bool is_comment = text.starts_with("<!--");
        if (!is_comment && !text.starts_with("<?xml")) return text;
        const std::size_t end = text.find(is_comment ? "-->" : "?>");
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + (is_comment ? 3 : 2));
    }
}

bool is_html(std::string_view content, std::string_view name) {
    if (!is_named(name, kHtmlNames)) return false;
    const std::string begin = lower(without_zeros(content.substr(0, kHtmlMarkBytes)));
    const std::string_view first = past_preamble(begin);
    if (first.starts_with("<!doctype html") || first.starts_with("<html")) return true;
    if (extension_of(name).empty()) return first.starts_with("<head") || first.starts_with("<body");
    return first.find('<') != std::string_view::npos;
}

bool is_header_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127; });
}

// Whether a header block begins here that only mail has.
bool begins_mail(std::string_view text) {
    constexpr std::string_view kKnown[] = {"from",       "to",       "subject",     "date",
                                           "message-id", "received", "return-path", "mime-version"};
    std::size_t known = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        at = end + 1;
        if (line.empty()) break;
        if (line[0] == ' ' || line[0] == '\t') continue;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_header_name(line.substr(0, colon))) return false;
        known += std::ranges::find(kKnown, lower(line.substr(0, colon))) != std::end(kKnown);
    }
    return known >= 2;
}

bool is_mail(std::string_view content, std::string_view name) {
    if (!is_named(name, kMailNames)) return false;
    const std::string_view begin = content.substr(0, kHeaderBytes);
    if (!begin.starts_with("From ")) return begins_mail(begin);
    const std::size_t line = begin.find('\n');
    return line != std::string_view::npos && begins_mail(begin.substr(line + 1));
}

bool is_chat(std::string_view content, std::string_view name) {
    if (!is_named(name, kChatNames)) return false;
    const std::size_t begin = content.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos || content[begin] != '{') return false;
    const std::string_view line =
        content.substr(begin, std::min(content.find('\n', begin) - begin, kFirstLineBytesMax));
    const auto first = nlohmann::json::parse(line, nullptr, false);
    if (!first.is_object()) return false;
    if (first.contains("messages")) return first["messages"].is_array();
    return first.contains("content") && (first.contains("role") || first.contains("author"));
}

Result<std::optional<Kind>> kind_of_zip(std::string_view content, std::string_view name) {
    const std::string_view begin = content.substr(0, 256);
    if (begin.find("mimetypeapplication/epub+zip") != std::string_view::npos) return Kind::kEpub;
    if (begin.find("mimetypeapplication/vnd.oasis.opendocument.text") != std::string_view::npos)
        return Kind::kOdt;
    // Names of entries stand as they are in the directory at an archive's end.
    if (content.find("word/document.xml") != std::string_view::npos) return Kind::kDocx;
    if (content.find("META-INF/container.xml") != std::string_view::npos) return Kind::kEpub;
    for (const Kind kind : {Kind::kEpub, Kind::kDocx, Kind::kOdt})
        if (extension_of(name) == kind_name(kind)) return kind;
    return fail(ErrorCode::kInvalidInput,
                std::string(name) +
                    " is a ZIP archive and no EPUB, DOCX or ODT: unpack it and give its files, or "
                    "save it as one of these");
}

}  // namespace

std::span<const Kind> all_kinds() {
    static constexpr Kind kAll[] = {Kind::kHtml, Kind::kPdf,  Kind::kEpub, Kind::kDocx,
                                    Kind::kOdt,  Kind::kMail, Kind::kChat};
    return kAll;
}

std::string_view kind_name(Kind kind) {
    return row_of(kind).name;
}

std::optional<Kind> kind_from_name(std::string_view name) {
    const auto row = std::ranges::find(kRows, name, &KindRow::name);
    return row == std::end(kRows) ? std::nullopt : std::optional(row->kind);
}

std::string_view kind_title(Kind kind) {
    return row_of(kind).title;
}

std::string_view media_type_of(Kind kind) {
    return row_of(kind).media_type;
}

std::optional<Kind> kind_from_media_type(std::string_view media_type) {
    std::string type = lower(media_type.substr(0, media_type.find(';')));
    type.erase(type.find_last_not_of(' ') + 1);
    for (const KindRow& row : kRows)
        if (row.media_type == type) return row.kind;
    for (const auto& [name, kind] : kOtherMediaTypes)
        if (name == type) return kind;
    return std::nullopt;
}

Result<std::optional<Kind>> detect_kind(std::string_view content, std::string_view name) {
    if (content.substr(0, kPdfMarkBytes).find("%PDF-") != std::string_view::npos) return Kind::kPdf;
    if (content.starts_with("PK\x03\x04") || content.starts_with("PK\x05\x06"))
        return kind_of_zip(content, name);
    if (content.starts_with("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
        return fail(ErrorCode::kInvalidInput,
                    std::string(name) +
                        " is an office file that is old or has a password: save it as DOCX, ODT or "
                        "PDF without one");
    if (is_html(content, name)) return Kind::kHtml;
    if (is_mail(content, name)) return Kind::kMail;
    if (is_chat(content, name)) return Kind::kChat;
    return std::optional<Kind>();
}

}  // namespace mc::documents
