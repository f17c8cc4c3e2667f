// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/lmdb_pages.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mc::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "LMDB files are in host byte order");

constexpr std::uint32_t kMetaMagic = 0xBEEFC0DE;
constexpr std::uint32_t kDataVersion = 1;
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
constexpr std::uint64_t kMetaPages = 2;
constexpr std::size_t kPageHeaderBytes = 16;
constexpr std::size_t kNodeHeaderBytes = 8;
constexpr std::uint32_t kPageBytesMax = 32768;
constexpr std::size_t kTreeBytes = 48;
constexpr std::uint16_t kBranchFlag = 1, kLeafFlag = 2, kOverflowFlag = 4, kMetaFlag = 8;
constexpr std::uint16_t kBigDataFlag = 1, kSubTreeFlag = 2;
constexpr std::uint16_t kIntegerKeyFlag = 8;
constexpr std::uint16_t kDepthMax = 32;  // LMDB's cursor stack
constexpr std::size_t kKeyBytesMax = 511;
constexpr int kTornReadsMax = 100;  // a writer replaces a meta page in well under one read

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

class PageFile {
  public:
    explicit PageFile(const Path& path)
        : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), open_error_(errno) {}

    ~PageFile() {
        if (fd_ >= 0) ::close(fd_);
    }

    PageFile(const PageFile&) = delete;
    PageFile& operator=(const PageFile&) = delete;

    Result<std::uint64_t> size() const {
        struct stat info {};

        if (fd_ < 0) return fail(system_error(open_error_, "cannot open", path_));
        if (::fstat(fd_, &info) != 0) return fail(system_error(errno, "cannot read", path_));
        return static_cast<std::uint64_t>(info.st_size);
    }

    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const {
        if (fd_ < 0) return fail(system_error(open_error_, "cannot open", path_));
        while (!out.empty()) {
            const ssize_t count = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return fail(system_error(errno, "cannot read", path_));
            if (count == 0) return damaged("ends before byte " + std::to_string(offset));
            offset += static_cast<std::uint64_t>(count);
            out = out.subspan(static_cast<std::size_t>(count));
        }
        return {};
    }

    tl::unexpected<Error> damaged(const std::string& what) const {
        return fail(ErrorCode::kCorruption, path_.string() + " " + what +
                                                "; restore a copy, or run `megacontext verify` "
                                                "to see what can still be read");
    }

    tl::unexpected<Error> damaged_page(std::uint64_t page, const std::string& what) const {
        return damaged("is damaged at page " + std::to_string(page) + ": " + what);
    }

  private:
    const Path& path_;
    int fd_;
    int open_error_;
};

LmdbTree load_tree(const std::byte* from) {
    LmdbTree tree;
    tree.flags = load<std::uint16_t>(from + 4);
    tree.depth = load<std::uint16_t>(from + 6);
    tree.branch_pages = load<std::uint64_t>(from + 8);
    tree.leaf_pages = load<std::uint64_t>(from + 16);
    tree.overflow_pages = load<std::uint64_t>(from + 24);
    tree.entries = load<std::uint64_t>(from + 32);
    tree.root = load<std::uint64_t>(from + 40);
    return tree;
}

constexpr std::size_t kMetaBytes = 152;

Result<LmdbSnapshot> load_meta(const PageFile& file, std::uint64_t page, const std::byte* bytes) {
    if ((load<std::uint16_t>(bytes + 10) & kMetaFlag) == 0 ||
        load<std::uint32_t>(bytes + 16) != kMetaMagic)
        return file.damaged_page(page, "not a meta page");
    if (const auto version = load<std::uint32_t>(bytes + 20); version != kDataVersion)
        return fail(ErrorCode::kFormatVersion, "LMDB data format " + std::to_string(version) +
                                                   "; this program reads " +
                                                   std::to_string(kDataVersion));
    LmdbSnapshot meta;
    meta.page_bytes = load<std::uint32_t>(bytes + 40);
    meta.free_list = load_tree(bytes + 40);
    meta.main = load_tree(bytes + 88);
    meta.last_page = load<std::uint64_t>(bytes + 136);
    meta.transaction = load<std::uint64_t>(bytes + 144);
    if (!std::has_single_bit(meta.page_bytes) || meta.page_bytes < 4096 ||
        meta.page_bytes > kPageBytesMax)
        return file.damaged_page(page, "impossible page size");
    if (meta.free_list.flags != kIntegerKeyFlag || meta.main.flags != 0)
        return file.damaged_page(page, "impossible flags");
    if (meta.last_page < kMetaPages - 1 || meta.last_page > (1ULL << 48))
        return file.damaged_page(page, "impossible page count");
    return meta;
}

struct BothMetas {
    std::array<LmdbSnapshot, 2> meta;

    const LmdbSnapshot& newest() const {
        return meta[meta[0].transaction < meta[1].transaction ? 1 : 0];
    }

    // Transaction n lies in meta page n % 2, and the other page has n - 1.
    bool consistent() const {
        const std::uint64_t a = meta[0].transaction;
        const std::uint64_t b = meta[1].transaction;
        if (meta[0].page_bytes != meta[1].page_bytes) return false;
        if (a == 0 && b == 0) return true;
        return (a == b + 1 || b == a + 1) && a % 2 == 0;
    }
};

Result<BothMetas> read_metas(const PageFile& file) {
    std::array<std::byte, kMetaBytes> bytes;
    MC_TRY(file.read(0, bytes));
    BothMetas metas;
    MC_ASSIGN(metas.meta[0], load_meta(file, 0, bytes.data()));
    MC_TRY(file.read(metas.meta[0].page_bytes, bytes));
    MC_ASSIGN(metas.meta[1], load_meta(file, 1, bytes.data()));
    return metas;
}

// Walks the trees of one snapshot, marking every page that it finds in use.
class Walker {
  public:
    Walker(const PageFile& file, const LmdbSnapshot& snapshot, bool with_value_pages)
        : file_(file),
          snapshot_(snapshot),
          with_value_pages_(with_value_pages),
          in_use_(snapshot.last_page + 1, false) {
        in_use_[0] = in_use_[1] = true;
    }

    Result<void> walk_all() {
        MC_TRY(walk_tree(snapshot_.main, Kind::kMain));
        for (const LmdbTree& tree : std::vector<LmdbTree>(named_)) {
            if (tree.flags != 0) return file_.damaged("has a database with impossible flags");
            MC_TRY(walk_tree(tree, Kind::kNamed));
        }
        return walk_tree(snapshot_.free_list, Kind::kFreeList);
    }

  private:
    enum class Kind { kMain, kNamed, kFreeList };

    struct Counts {
        std::uint64_t entries = 0, branch_pages = 0, leaf_pages = 0, overflow_pages = 0;
    };

    struct Node {
        std::string_view key;
        std::uint64_t data_bytes = 0;  // of a leaf's value
        std::uint64_t page = 0;        // a branch's child, a large value's first page
        const std::byte* data = nullptr;
        std::uint16_t flags = 0;
    };

    Result<void> claim(std::uint64_t first, std::uint64_t count, std::uint64_t from) {
        if (first < kMetaPages || count == 0 || first > snapshot_.last_page ||
            count > snapshot_.last_page - first + 1)
            return file_.damaged_page(from, "points beyond the file");
        for (std::uint64_t page = first; page < first + count; ++page) {
            if (in_use_[page]) return file_.damaged_page(from, "points to a page used twice");
            in_use_[page] = true;
        }
        return {};
    }

    Result<void> walk_tree(const LmdbTree& tree, Kind kind) {
        Counts counts;
        last_leaf_key_.clear();
        last_branch_key_.clear();
        if (tree.root != kNoPage) {
            if (tree.depth == 0 || tree.depth > kDepthMax)
                return file_.damaged("has a database of impossible depth");
            MC_TRY(claim(tree.root, 1, tree.root));
            MC_TRY(walk_page(tree.root, tree.depth, kind, counts));
        }
        if (counts.entries != tree.entries || counts.branch_pages != tree.branch_pages ||
            counts.leaf_pages != tree.leaf_pages || counts.overflow_pages != tree.overflow_pages)
            return file_.damaged("has a database whose pages do not match their count");
        return {};
    }

    Result<void> walk_page(std::uint64_t page, unsigned depth_left, Kind kind, Counts& counts) {
        std::vector<std::byte> bytes(snapshot_.page_bytes);
        MC_TRY(file_.read(page * snapshot_.page_bytes, bytes));
        const bool is_leaf = depth_left == 1;
        MC_ASSIGN(const std::vector<Node> nodes, parse_page(page, bytes, is_leaf));
        ++(is_leaf ? counts.leaf_pages : counts.branch_pages);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const Node& node = nodes[i];
            if (is_leaf) {
                ++counts.entries;
                MC_TRY(check_in_sequence(page, node, kind, true));
                MC_TRY(visit_value(page, node, kind, counts));
            } else {
                if (i > 0) MC_TRY(check_in_sequence(page, node, kind, false));
                MC_TRY(claim(node.page, 1, page));
                MC_TRY(walk_page(node.page, depth_left - 1, kind, counts));
            }
        }
        return {};
    }

    Result<std::vector<Node>> parse_page(std::uint64_t page, std::span<const std::byte> bytes,
                                         bool is_leaf) const {
        const auto lower = load<std::uint16_t>(&bytes[12]);
        const std::size_t upper = load<std::uint16_t>(&bytes[14]);
        if (load<std::uint64_t>(&bytes[0]) != page ||
            load<std::uint16_t>(&bytes[10]) != (is_leaf ? kLeafFlag : kBranchFlag))
            return file_.damaged_page(page, "not the page that its parent names");
        if (lower < kPageHeaderBytes || lower % 2 != 0 || upper < lower || upper > bytes.size())
            return file_.damaged_page(page, "impossible bounds");
        const std::size_t count = (lower - kPageHeaderBytes) / 2;
        if (count < (is_leaf ? 1U : 2U)) return file_.damaged_page(page, "too few entries");
        std::vector<Node> nodes;
        std::size_t used = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto offset = load<std::uint16_t>(&bytes[kPageHeaderBytes + 2 * i]);
            if (offset < upper || offset + kNodeHeaderBytes > bytes.size())
                return file_.damaged_page(page, "an entry outside the page");
            std::size_t size = 0;
            nodes.push_back(parse_node(&bytes[offset], is_leaf, size));
            if (nodes.back().key.size() > kKeyBytesMax || size > bytes.size() - offset)
                return file_.damaged_page(page, "an entry outside the page");
            used += (size + 1) & ~std::size_t{1};
        }
        if (used != bytes.size() - upper)
            return file_.damaged_page(page, "entries that do not fill their room");
        return nodes;
    }

    // size: of the node in its page. Nothing beyond the header is read here but a page number,
    // which the caller's bounds check on size covers.
    static Node parse_node(const std::byte* at, bool is_leaf, std::size_t& size) {
        Node node;
        const std::uint64_t low = load<std::uint16_t>(at);
        const std::uint64_t middle = load<std::uint16_t>(at + 2);
        node.flags = load<std::uint16_t>(at + 4);
        const std::size_t key_bytes = load<std::uint16_t>(at + 6);
        const std::byte* key = at + kNodeHeaderBytes;
        node.key = {reinterpret_cast<const char*>(key), key_bytes};
        node.data = key + key_bytes;
        size = kNodeHeaderBytes + key_bytes;
        if (!is_leaf) {
            node.page = low | (middle << 16) | (std::uint64_t{node.flags} << 32);
            return node;
        }
        node.data_bytes = low | (middle << 16);
        size += (node.flags & kBigDataFlag) != 0 ? sizeof(std::uint64_t) : node.data_bytes;
        return node;
    }

    // In a walk from left to right, keys of leaves ascend, and a branch's key lies above every
    // leaf to its left and not above any to its right. A branch's first key is never read.
    Result<void> check_in_sequence(std::uint64_t page, const Node& node, Kind kind, bool is_leaf) {
        const bool is_number = kind == Kind::kFreeList;
        if (node.key.empty() || (is_number && node.key.size() != sizeof(std::uint64_t)))
            return file_.damaged_page(page, "a key of impossible size");
        std::string key(node.key);
        if (is_number) std::reverse(key.begin(), key.end());  // little-endian numbers
        const bool after_leaves = last_leaf_key_.empty() || last_leaf_key_ < key;
        if (!after_leaves || key < last_branch_key_)
            return file_.damaged_page(page, "keys out of order");
        (is_leaf ? last_leaf_key_ : last_branch_key_) = std::move(key);
        return {};
    }

    Result<void> visit_value(std::uint64_t page, const Node& node, Kind kind, Counts& counts) {
        const std::uint16_t allowed = kind == Kind::kMain ? kSubTreeFlag : kBigDataFlag;
        if ((node.flags & ~allowed) != 0)
            return file_.damaged_page(page, "an entry of an impossible kind");
        if (kind == Kind::kMain) {
            if (node.flags != kSubTreeFlag || node.data_bytes != kTreeBytes)
                return file_.damaged_page(page, "an entry that is no database");
            named_.push_back(load_tree(node.data));
            return {};
        }
        if ((node.flags & kBigDataFlag) == 0)
            return kind == Kind::kFreeList ? check_free(page, {node.data, node.data_bytes})
                                           : Result<void>();
        return visit_large_value(page, node, kind, counts);
    }

    Result<void> visit_large_value(std::uint64_t page, const Node& node, Kind kind,
                                   Counts& counts) {
        const auto first = load<std::uint64_t>(node.data);
        const std::uint64_t count =
            (kPageHeaderBytes - 1 + node.data_bytes) / snapshot_.page_bytes + 1;
        MC_TRY(claim(first, count, page));
        counts.overflow_pages += count;
        if (with_value_pages_ || kind == Kind::kFreeList) {
            std::array<std::byte, kPageHeaderBytes> header;
            MC_TRY(file_.read(first * snapshot_.page_bytes, header));
            if (load<std::uint64_t>(&header[0]) != first ||
                load<std::uint16_t>(&header[10]) != kOverflowFlag ||
                load<std::uint32_t>(&header[12]) != count)
                return file_.damaged_page(first, "not the value that its entry names");
        }
        if (kind != Kind::kFreeList) return {};
        std::vector<std::byte> list(node.data_bytes);
        MC_TRY(file_.read(first * snapshot_.page_bytes + kPageHeaderBytes, list));
        return check_free(page, list);
    }

    // A free page that is in use would be overwritten by the next commit.
    Result<void> check_free(std::uint64_t page, std::span<const std::byte> list) {
        if (list.size() < 8 || list.size() % 8 != 0 ||
            load<std::uint64_t>(list.data()) > list.size() / 8 - 1)
            return file_.damaged_page(page, "a free list of impossible size");
        const auto count = load<std::uint64_t>(list.data());
        std::uint64_t previous = kNoPage;
        for (std::uint64_t i = 1; i <= count; ++i) {
            const auto free_page = load<std::uint64_t>(&list[8 * i]);
            if (free_page >= previous) return file_.damaged_page(page, "a free list out of order");
            MC_TRY(claim(free_page, 1, page));
            previous = free_page;
        }
        return {};
    }

    const PageFile& file_;
    const LmdbSnapshot& snapshot_;
    const bool with_value_pages_;
    std::vector<bool> in_use_;
    std::vector<LmdbTree> named_;
    std::string last_leaf_key_;  // of the tree being walked
    std::string last_branch_key_;
};

}  // namespace

Result<std::optional<LmdbSnapshot>> read_newest_snapshot(const Path& path) {
    const PageFile file(path);
    MC_ASSIGN(const std::uint64_t size, file.size());
    if (size == 0) return std::optional<LmdbSnapshot>();
    for (int i = 0; i < kTornReadsMax; ++i) {
        MC_ASSIGN(const BothMetas metas, read_metas(file));
        if (!metas.consistent()) continue;
        const LmdbSnapshot& newest = metas.newest();
        MC_ASSIGN(const std::uint64_t size_now, file.size());
        if (size_now < newest.bytes())
            return file.damaged("is cut off: it has " + std::to_string(size_now) + " of " +
                                std::to_string(newest.bytes()) + " bytes");
        return std::optional<LmdbSnapshot>(newest);
    }
    return file.damaged("has meta pages that contradict each other");
}

Result<std::optional<LmdbSnapshot>> read_snapshot_of(const Path& path, std::uint64_t transaction) {
    const PageFile file(path);
    MC_ASSIGN(const BothMetas metas, read_metas(file));
    const LmdbSnapshot& meta = metas.meta[transaction % 2];
    if (meta.transaction != transaction) return std::optional<LmdbSnapshot>();
    return std::optional<LmdbSnapshot>(meta);
}

Result<void> check_snapshot(const Path& path, const LmdbSnapshot& snapshot, bool with_value_pages) {
    const PageFile file(path);
    return Walker(file, snapshot, with_value_pages).walk_all();
}

}  // namespace mc::storage
