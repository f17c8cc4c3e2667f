// SPDX-License-Identifier: Apache-2.0
#include "storage/salvage/page_scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mc::storage {
namespace {

// The file format of LMDB 0.9, as storage/lmdb/lmdb_pages.cpp has it.
constexpr std::uint32_t kMetaMagic = 0xBEEFC0DE;
constexpr std::size_t kPageHeaderBytes = 16;
constexpr std::size_t kNodeHeaderBytes = 8;
constexpr std::uint16_t kBranchFlag = 1, kLeafFlag = 2;
constexpr std::uint16_t kBigDataFlag = 1, kSubTreeFlag = 2;
constexpr std::size_t kTreeBytes = 48;
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
constexpr std::uint64_t kMetaPages = 2;
constexpr std::uint32_t kPageBytesMin = 4096;
constexpr std::uint32_t kPageBytesMax = 32768;
constexpr int kDepthMax = 32;

template <class T>
T load(std::span<const std::byte> bytes, std::size_t at) {
    T value{};
    if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

struct Tree {
    std::uint64_t root = kNoPage;
    std::uint64_t entries = 0;
};

Tree load_tree(std::span<const std::byte> bytes, std::size_t at) {
    return {load<std::uint64_t>(bytes, at + 40), load<std::uint64_t>(bytes, at + 32)};
}

struct Meta {
    std::uint32_t page_bytes = 0;
    std::uint64_t transaction = 0;
    Tree free_list;
    Tree main;
};

// An entry of a leaf or branch page that lies within it.
struct Node {
    std::string_view key;
    std::span<const std::byte> data;  // in the page
    std::uint64_t value_bytes = 0;
    std::uint64_t child = 0;  // of a branch
    std::uint16_t flags = 0;
};

class Scanner {
  public:
    Scanner(int fd, std::uint64_t size_bytes, const Scan& scan)
        : fd_(fd), size_bytes_(size_bytes), scan_(scan) {}

    ScanSummary run() {
        find_meta();
        page_count_ = (size_bytes_ + page_bytes_ - 1) / page_bytes_;
        reached_.assign(page_count_, false);
        free_.assign(page_count_, false);
        summary_.pages = page_count_;
        summary_.trees_are_whole = meta_.has_value() && follow_trees();
        for (std::uint64_t page = kMetaPages; page < page_count_; ++page)
            if (reached_[page] || (!summary_.trees_are_whole && !free_[page])) read_leaf(page);
        return summary_;
    }

  private:
    // What the file does not have reads as zeros.
    std::vector<std::byte> read(std::uint64_t offset, std::uint64_t count) const {
        std::vector<std::byte> bytes(count);
        std::uint64_t done = 0;
        while (done < count) {
            const ssize_t got =
                ::pread(fd_, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            done += static_cast<std::uint64_t>(got);
        }
        return bytes;
    }

    std::vector<std::byte> read_page(std::uint64_t page) const {
        return read(page * page_bytes_, page_bytes_);
    }

    std::optional<Meta> read_meta(std::uint64_t offset) const {
        const auto bytes = read(offset, 152);
        if (load<std::uint32_t>(bytes, 16) != kMetaMagic) return std::nullopt;
        Meta meta;
        meta.page_bytes = load<std::uint32_t>(bytes, 40);
        meta.free_list = load_tree(bytes, 40);
        meta.main = load_tree(bytes, 88);
        meta.transaction = load<std::uint64_t>(bytes, 144);
        const bool sound = std::has_single_bit(meta.page_bytes) &&
                           meta.page_bytes >= kPageBytesMin && meta.page_bytes <= kPageBytesMax;
        return sound ? std::optional(meta) : std::nullopt;
    }

    // The second meta page stands wherever the size of a page puts it.
    void find_meta() {
        std::vector<Meta> found;
        if (const auto first = read_meta(0)) found.push_back(*first);
        for (std::uint32_t size = kPageBytesMin; size <= kPageBytesMax; size *= 2)
            if (const auto second = read_meta(size); second && second->page_bytes == size)
                found.push_back(*second);
        const auto newest = std::ranges::max_element(found, {}, &Meta::transaction);
        if (newest == found.end()) return;
        meta_ = *newest;
        page_bytes_ = meta_->page_bytes;
    }

    // False where any page on the way is not what it should be, or an entry is missing.
    bool follow_trees() {
        std::vector<Tree> named;
        bool whole = follow(meta_->main, [&](const Node& node) {
            if (node.flags == kSubTreeFlag && node.data.size() == kTreeBytes)
                named.push_back(load_tree(node.data, 0));
        });
        whole = whole && named.size() == kDatabaseCount;
        for (const Tree& tree : named) whole = follow(tree, [](const Node&) {}) && whole;
        // Pages of the free list's own tree hold no records.
        const std::vector<bool> reached = reached_;
        whole = follow(meta_->free_list, [&](const Node& node) { note_free(node); }) && whole;
        for (std::uint64_t page = 0; page < page_count_; ++page)
            if (reached_[page] && !reached[page]) free_[page] = true;
        reached_ = reached;
        return whole;
    }

    using OnLeaf = std::function<void(const Node&)>;

    bool follow(const Tree& tree, const OnLeaf& on_leaf) {
        std::uint64_t entries = 0;
        const auto count = [&](const Node& node) {
            ++entries;
            on_leaf(node);
        };
        return follow(tree.root, 0, count) && entries == tree.entries;
    }

    bool follow(std::uint64_t page, int depth, const OnLeaf& on_leaf) {
        if (page == kNoPage) return true;
        if (page < kMetaPages || page >= page_count_ || depth > kDepthMax || reached_[page])
            return false;
        const auto bytes = read_page(page);
        const auto kind = load<std::uint16_t>(bytes, 10);
        if (load<std::uint64_t>(bytes, 0) != page || (kind != kLeafFlag && kind != kBranchFlag))
            return false;
        reached_[page] = true;
        bool whole = true;
        const auto nodes = parse(bytes, kind == kLeafFlag, whole);
        for (const Node& node : nodes) {
            if (kind == kBranchFlag) whole = follow(node.child, depth + 1, on_leaf) && whole;
            if (kind == kLeafFlag) on_leaf(node);
        }
        return whole;
    }

    void note_free(const Node& node) {
        std::vector<std::byte> large;
        std::span<const std::byte> list = node.data;
        if ((node.flags & kBigDataFlag) != 0) {
            large = read_large(node);
            list = large;
        }
        for (std::size_t at = sizeof(std::uint64_t); at + sizeof(std::uint64_t) <= list.size();
             at += sizeof(std::uint64_t))
            if (const auto page = load<std::uint64_t>(list, at); page < page_count_)
                free_[page] = true;
    }

    // The entries that lie within the page. whole: turns false where one does not.
    static std::vector<Node> parse(std::span<const std::byte> bytes, bool is_leaf, bool& whole) {
        const std::size_t lower = load<std::uint16_t>(bytes, 12);
        std::vector<Node> nodes;
        if (lower < kPageHeaderBytes || lower > bytes.size()) whole = false;
        for (std::size_t at = kPageHeaderBytes; at + 2 <= std::min(lower, bytes.size()); at += 2) {
            const std::size_t offset = load<std::uint16_t>(bytes, at);
            Node node;
            if (offset < kPageHeaderBytes || offset + kNodeHeaderBytes > bytes.size()) {
                whole = false;
                continue;
            }
            const auto head = bytes.subspan(offset);
            node.flags = load<std::uint16_t>(head, 4);
            const std::uint64_t low =
                load<std::uint16_t>(head, 0) | std::uint64_t{load<std::uint16_t>(head, 2)} << 16;
            const std::size_t key_bytes = load<std::uint16_t>(head, 6);
            const std::size_t data_bytes = !is_leaf ? 0
                                           : (node.flags & kBigDataFlag) != 0
                                               ? sizeof(std::uint64_t)
                                               : low;
            if (kNodeHeaderBytes + key_bytes > head.size() ||
                data_bytes > head.size() - kNodeHeaderBytes - key_bytes) {
                whole = false;
                continue;
            }
            node.key = {reinterpret_cast<const char*>(head.data()) + kNodeHeaderBytes, key_bytes};
            node.data = head.subspan(kNodeHeaderBytes + key_bytes, data_bytes);
            node.value_bytes = low;
            node.child = low | std::uint64_t{node.flags} << 32;
            nodes.push_back(node);
        }
        return nodes;
    }

    // Empty where the value does not lie within the file.
    std::vector<std::byte> read_large(const Node& node) const {
        const std::uint64_t offset = large_offset(node);
        if (offset > size_bytes_ || node.value_bytes > size_bytes_ - offset) return {};
        return read(offset, node.value_bytes);
    }

    std::uint64_t large_offset(const Node& node) const {
        const auto page = load<std::uint64_t>(node.data, 0);
        if (page < kMetaPages || page >= page_count_) return size_bytes_ + 1;
        return page * page_bytes_ + kPageHeaderBytes;
    }

    void read_leaf(std::uint64_t page) {
        const auto bytes = read_page(page);
        if (load<std::uint64_t>(bytes, 0) != page || load<std::uint16_t>(bytes, 10) != kLeafFlag)
            return;
        bool ignored = true;
        for (const Node& node : parse(bytes, true, ignored)) {
            if ((node.flags & kSubTreeFlag) != 0) continue;
            const bool is_large = (node.flags & kBigDataFlag) != 0;
            std::vector<std::byte> value(node.data.begin(), node.data.end());
            if (is_large) value = read_large(node);
            if (node.key == kSealKey && scan_.on_key_header) {
                scan_.on_key_header({reinterpret_cast<const char*>(value.data()), value.size()},
                                    reached_[page]);
                continue;
            }
            const auto sound = sound_record(scan_.seal, node.key, value);
            if (!sound) {
                ++summary_.damaged_records;
                continue;
            }
            ++summary_.records;
            const auto& [database, record] = *sound;
            const auto in_page = static_cast<std::uint64_t>(node.data.data() - bytes.data());
            scan_.on_record({database, record.key, record.value(),
                             is_large ? large_offset(node) : page * page_bytes_ + in_page,
                             value.size(), reached_[page]});
        }
    }

    const int fd_;
    const std::uint64_t size_bytes_;
    const Scan& scan_;
    std::optional<Meta> meta_;
    std::uint32_t page_bytes_ = kPageBytesMin;
    std::uint64_t page_count_ = 0;
    std::vector<bool> reached_;  // leaf and branch pages that the trees lead to
    std::vector<bool> free_;
    ScanSummary summary_;
};

}  // namespace

std::optional<std::pair<Database, OpenedRecord>> sound_record(const StoreSeal* seal,
                                                              std::string_view stored_key,
                                                              RecordBytes stored) {
    for (std::size_t i = 0; i < kDatabaseCount; ++i) {
        const auto database = static_cast<Database>(i);
        OpenedRecord record{std::string(stored_key), {stored.begin(), stored.end()}};
        if (seal != nullptr && !is_in_clear(database, stored_key)) {
            auto opened = open_record(*seal, database, stored_key, stored);
            if (!opened) continue;
            record = std::move(*opened);
        }
        if (database_of(record.key, record.value()) == database)
            return std::pair(database, std::move(record));
    }
    return std::nullopt;
}

Result<ScanSummary> scan_records(const Path& file, const Scan& scan) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);

    struct stat info {};

    if (fd < 0 || ::fstat(fd, &info) != 0) return fail(system_error(errno, "cannot open", file));
    const ScanSummary summary = Scanner(fd, static_cast<std::uint64_t>(info.st_size), scan).run();
    ::close(fd);
    return summary;
}

}  // namespace mc::storage
