// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/pdf.h"

#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-global.h>
#include <poppler/cpp/poppler-page.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "core/utf8.h"
#include "documents/converters/text_builder.h"

namespace mc::documents {
namespace {

constexpr int kPagesMax = 50'000;
constexpr std::size_t kPageNumberDigitsMax = 4;
constexpr std::size_t kRunningLinePagesMin = 3;

void ignore_message(const std::string&, void*) {}

bool is_small(char c) {
    return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view trimmed(std::string_view line) {
    const std::size_t begin = line.find_first_not_of(" \t\r\f");
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(" \t\r\f") + 1 - begin);
}

// "12", "- 12 -".
bool is_page_number(std::string_view line) {
    std::size_t digits = 0;
    for (const char c : line) {
        if (c >= '0' && c <= '9')
            ++digits;
        else if (c != ' ' && c != '-')
            return false;
    }
    return digits > 0 && digits <= kPageNumberDigitsMax;
}

std::vector<std::string_view> lines_of(std::string_view page) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at < page.size();) {
        const std::size_t end = std::min(page.find('\n', at), page.size());
        lines.push_back(trimmed(page.substr(at, end - at)));
        at = end + 1;
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    if (!lines.empty() && is_page_number(lines.back())) lines.pop_back();
    const auto first = std::ranges::find_if(lines, [](auto line) { return !line.empty(); });
    lines.erase(lines.begin(), first != lines.end() && is_page_number(*first) ? first + 1 : first);
    return lines;
}

bool is_bullet(std::string_view line) {
    constexpr std::string_view kBullets[] = {"•", "◦", "▪", "‣", "●", "○", "■", "·"};
    return std::ranges::find(kBullets, line) != std::end(kBullets);
}

std::string_view first_line(std::string_view page) {
    return page.substr(0, page.find('\n'));
}

std::string_view last_line(std::string_view page) {
    const std::size_t end = page.rfind('\n');
    return end == std::string_view::npos ? std::string_view() : page.substr(end + 1);
}

// Whether a sentence goes on after what stands here.
bool goes_on(std::string_view text) {
    if (text.empty()) return false;
    const char last = text.back();
    return is_small(last) || last == ',' || last == ';' || last == '-';
}

Result<std::vector<std::string>> read_pages(const poppler::document& document,
                                            std::size_t bytes_max) {
    std::vector<std::string> pages;
    std::size_t bytes = 0;
    for (int number = 0; number < document.pages(); ++number) {
        const std::unique_ptr<poppler::page> page(document.create_page(number));
        pages.emplace_back();
        if (!page) continue;
        const poppler::byte_array text =
            page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
        pages.back() = clean_page(to_valid_utf8({text.data(), text.size()}));
        bytes += pages.back().size();
        if (bytes > bytes_max)
            return fail(ErrorCode::kInvalidInput, "it has more than " + std::to_string(bytes_max) +
                                                      " bytes of text; split it, or raise "
                                                      "--ingest-bytes-max");
    }
    return pages;
}

}  // namespace

std::string clean_page(std::string_view page) {
    std::string text;
    bool is_item = false;  // whose bullet stood alone
    for (const std::string_view line : lines_of(page)) {
        if (is_bullet(line)) {
            is_item = true;
            continue;
        }
        const std::size_t size = text.size();
        const bool is_parted = size >= 3 && text.ends_with("-\n") && is_small(text[size - 3]) &&
                               !line.empty() && is_small(line[0]);
        if (is_parted) text.resize(size - 2);
        if (line.empty() && (is_item || text.ends_with("\n\n"))) continue;
        if (is_item && text.ends_with("\n\n")) text.pop_back();
        if (is_item) text += "- ";
        is_item = false;
        text += line;
        text += '\n';
    }
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

void drop_running_lines(std::vector<std::string>& pages) {
    const auto with_text = static_cast<std::size_t>(
        std::ranges::count_if(pages, [](const std::string& page) { return !page.empty(); }));
    std::map<std::string, std::size_t, std::less<>> heads;
    std::map<std::string, std::size_t, std::less<>> feet;
    for (const std::string& page : pages) {
        ++heads[std::string(first_line(page))];
        ++feet[std::string(last_line(page))];
    }
    const auto is_running = [&](const auto& lines, std::string_view line) {
        const std::size_t count = lines.find(line)->second;
        return !line.empty() && count >= kRunningLinePagesMin && count * 2 > with_text;
    };
    for (std::string& page : pages) {
        const std::string head(first_line(page));
        const std::string foot(last_line(page));
        if (is_running(feet, foot)) page.erase(page.size() - foot.size());
        if (is_running(heads, head)) page.erase(0, head.size());
        const std::size_t begin = page.find_first_not_of('\n');
        page.erase(0, std::min(begin, page.size()));
        while (page.ends_with('\n')) page.pop_back();
    }
}

Result<ConvertedText> convert_pdf(std::string_view content, std::size_t bytes_max) {
    poppler::set_debug_error_function(ignore_message, nullptr);
    if (content.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return fail(ErrorCode::kInvalidInput, "it is larger than 2 GiB; split it");
    const std::unique_ptr<poppler::document> document(
        poppler::document::load_from_raw_data(content.data(), static_cast<int>(content.size())));
    if (document && document->is_locked())
        return fail(ErrorCode::kInvalidInput, "it has a password; save a copy without one");
    if (!document || document->pages() <= 0)
        return fail(
            ErrorCode::kInvalidInput,
            "it is damaged: no page can be found; save it anew in the program that made it");
    if (document->pages() > kPagesMax)
        return fail(ErrorCode::kInvalidInput,
                    "it has more than " + std::to_string(kPagesMax) + " pages; split it");
    MC_ASSIGN(auto pages, read_pages(*document, bytes_max));
    drop_running_lines(pages);
    TextBuilder builder(bytes_max);
    std::string_view before;
    for (std::size_t i = 0; i < pages.size(); ++i) {
        if (pages[i].empty()) continue;
        goes_on(before) ? builder.end_line() : builder.end_paragraph();
        builder.place("page " + std::to_string(i + 1));
        builder.verbatim(pages[i]);
        before = pages[i];
    }
    if (builder.size() == 0 && !builder.is_full())
        return fail(ErrorCode::kInvalidInput,
                    "it has no text; it may be scanned: let a program recognise its characters "
                    "(ocrmypdf does) and give what that makes");
    return builder.finish();
}

}  // namespace mc::documents
