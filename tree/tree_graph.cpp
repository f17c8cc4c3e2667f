// SPDX-License-Identifier: Apache-2.0
#include "tree/tree_graph.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/graphviz.hpp>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <unordered_map>

#include "core/span_math.h"
#include "tree/cover.h"

namespace mc {
namespace {

enum class VertexKind { kDocument, kGist, kRawRun };

struct Vertex {
    VertexKind kind = VertexKind::kGist;
    Level level;
    TokenSpan span;
    float mean_nll = std::numeric_limits<float>::quiet_NaN();
};

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Vertex>;
using VertexId = boost::graph_traits<Graph>::vertex_descriptor;

std::string name_of(const Vertex& vertex, DocumentId document) {
    const std::string span =
        "[" + std::to_string(vertex.span.begin) + "," + std::to_string(vertex.span.end) + ")";
    if (vertex.kind == VertexKind::kRawRun) return "tokens " + span;
    if (vertex.kind == VertexKind::kDocument) {
        return "d" + std::to_string(document.value) + " " + span;
    }
    const NodeIndex index = node_holding(vertex.span.begin, vertex.level);
    return to_string(NodeId{document, vertex.level, index}) + " " + span;
}

// Reads the extent's groups from the top level down and ties each gist to the parent that the
// group names.
class GraphReader {
  public:
    GraphReader(const NodeStore& store, const DocumentRecord& record, const TreeExtent& extent)
        : store_(store), record_(record), extent_(extent) {
        root_ = boost::add_vertex(
            Vertex{VertexKind::kDocument, top_level(record.gist_end), {0, record.token_count}},
            graph_);
    }

    Result<Graph> read() {
        // From one above the top, where nothing should be.
        const Level top(top_level(record_.gist_end).value + 1);
        for (Level level = top; level >= std::max(extent_.level_min, Level(1)); --level.value) {
            MC_TRY(read_level(level));
        }
        if (extent_.level_min == Level(0)) add_raw_runs();
        return std::move(graph_);
    }

    VertexId root() const { return root_; }

  private:
    // Every group that the extent touches and, at the end of the document, any group beyond it.
    Result<void> read_level(Level level) {
        const Level above(level.value + 1);
        const std::uint64_t first = node_holding(extent_.span.begin, above).value;
        const bool to_the_end = extent_.span.end == record_.token_count;
        const std::uint64_t last =
            node_holding(extent_.span.end, above).value + (to_the_end ? 1 : 0);
        for (std::uint64_t index = first; index <= last; ++index) {
            MC_ASSIGN(const auto group, store_.find_gists(record_.id, level, NodeIndex(index)));
            if (group) add_group(*group);
        }
        return {};
    }

    void add_group(const GistGroup& group) {
        const NodeId parent{record_.id, Level(group.level.value + 1), group.parent};
        for (std::size_t slot = 0; slot < group.gists.size(); ++slot) {
            const NodeId node{record_.id, group.level,
                              NodeIndex(group.parent.value * kBlockSize + slot)};
            const TokenSpan span = span_of(node);
            const bool is_touched = extent_.span.begin < span.end && span.begin < extent_.span.end;
            const bool should_exist = span.end <= record_.gist_end;
            if (should_exist && !is_touched) continue;
            const VertexId vertex = boost::add_vertex(
                Vertex{VertexKind::kGist, group.level, span, group.gists[slot].statistics.mean_nll},
                graph_);
            vertex_of_.emplace(node, vertex);
            tie(parent, vertex);
        }
    }

    void add_raw_runs() {
        const TokenSpan whole_blocks{extent_.span.begin - extent_.span.begin % kBlockSize,
                                     extent_.span.end};
        for (const CoverPiece& run : coarsest_cover(whole_blocks, 0)) {
            const VertexId vertex =
                boost::add_vertex(Vertex{VertexKind::kRawRun, Level(0), run.span}, graph_);
            tie({record_.id, Level(1), node_holding(run.span.begin, Level(1))}, vertex);
        }
    }

    // The next one of its level, or any that waiting raw tokens will have.
    bool is_not_made_yet(NodeId parent) const {
        const std::uint64_t count = node_count(record_.gist_end, parent.level);
        return parent.index.value == count ||
               (parent.level == Level(1) && parent.index.value > count);
    }

    // To its parent; to the document where the parent is not complete; to nothing where the parent
    // should be there and is not, which is what makes an orphan.
    void tie(NodeId parent, VertexId child) {
        const auto found = vertex_of_.find(parent);
        if (found != vertex_of_.end()) {
            boost::add_edge(found->second, child, graph_);
        } else if (is_not_made_yet(parent)) {
            boost::add_edge(root_, child, graph_);
        }
    }

    const NodeStore& store_;
    const DocumentRecord& record_;
    const TreeExtent& extent_;
    Graph graph_;
    VertexId root_;
    std::unordered_map<NodeId, VertexId> vertex_of_;
};

Result<DocumentRecord> require_document(const NodeStore& store, DocumentId document) {
    MC_ASSIGN(const auto record, find_any_version(store, document));
    if (record) return *record;
    return fail(ErrorCode::kInvalidInput,
                "bank " + store.bank().name + " has no document " + std::to_string(document.value));
}

// Attributes of a vertex: level, index, span and, where known, mean NLL.
std::string attributes_of(const Vertex& vertex, DocumentId document) {
    std::ostringstream text;
    text << "[label=\"" << name_of(vertex, document);
    if (!std::isnan(vertex.mean_nll)) {
        text << "\\nnll " << std::fixed << std::setprecision(2) << vertex.mean_nll;
    }
    text << "\"" << (vertex.kind == VertexKind::kRawRun ? " shape=box" : "") << "]";
    return text.str();
}

// Notes what a walk from the document reaches and what is wrong on the way.
struct ReachVisitor : boost::default_bfs_visitor {
    DocumentId document;
    std::vector<bool>* reached;
    std::vector<std::string>* broken;

    void discover_vertex(VertexId vertex, const Graph&) const { (*reached)[vertex] = true; }

    template <class EdgeId>
    void examine_edge(EdgeId edge, const Graph& graph) const {
        const Vertex& parent = graph[boost::source(edge, graph)];
        const Vertex& child = graph[boost::target(edge, graph)];
        if (parent.span.contains(child.span)) return;
        broken->push_back(name_of(child, document) + " does not lie within " +
                          name_of(parent, document));
    }

    template <class EdgeId>
    void non_tree_edge(EdgeId edge, const Graph& graph) const {
        broken->push_back(name_of(graph[boost::target(edge, graph)], document) +
                          " is reached twice");
    }
};

// Every token below token_count once, by the raw runs that were reached.
void check_coverage(const Graph& graph, const std::vector<bool>& reached, std::uint64_t token_count,
                    std::vector<std::string>& broken) {
    std::vector<TokenSpan> runs;
    for (VertexId vertex = 0; vertex < boost::num_vertices(graph); ++vertex) {
        const bool counts = reached[vertex] && graph[vertex].kind == VertexKind::kRawRun;
        if (counts) runs.push_back(graph[vertex].span);
    }
    std::sort(runs.begin(), runs.end());
    std::uint64_t covered = 0;
    for (const TokenSpan run : runs) {
        if (run.begin != covered) {
            broken.push_back("no path leads to the tokens from " + std::to_string(covered) +
                             " to " + std::to_string(run.begin));
        }
        covered = run.end;
    }
    if (covered != token_count) {
        broken.push_back("no path leads to the tokens from " + std::to_string(covered) + " to " +
                         std::to_string(token_count));
    }
}

}  // namespace

Result<std::string> tree_dot(const NodeStore& store, DocumentId document,
                             const TreeExtent& extent) {
    MC_ASSIGN(const DocumentRecord record, require_document(store, document));
    if (extent.span.begin > extent.span.end || extent.span.end > record.token_count) {
        return fail(ErrorCode::kInvalidInput,
                    "document " + std::to_string(document.value) + " has " +
                        std::to_string(record.token_count) + " tokens; the span [" +
                        std::to_string(extent.span.begin) + "," + std::to_string(extent.span.end) +
                        ") is no part of it");
    }
    GraphReader reader(store, record, extent);
    MC_ASSIGN(const Graph graph, reader.read());
    std::ostringstream dot;
    boost::write_graphviz(dot, graph, [&](std::ostream& out, VertexId vertex) {
        out << attributes_of(graph[vertex], document);
    });
    return dot.str();
}

Result<std::vector<std::string>> reachability_violations(const NodeStore& store,
                                                         DocumentId document) {
    MC_ASSIGN(const DocumentRecord record, require_document(store, document));
    const TreeExtent everything{{0, record.token_count}, Level(0)};
    GraphReader reader(store, record, everything);
    const VertexId root = reader.root();
    MC_ASSIGN(const Graph graph, reader.read());

    std::vector<std::string> broken;
    std::vector<bool> reached(boost::num_vertices(graph));
    ReachVisitor visitor;
    visitor.document = document;
    visitor.reached = &reached;
    visitor.broken = &broken;
    boost::breadth_first_search(graph, root, boost::visitor(visitor));
    for (VertexId vertex = 0; vertex < reached.size(); ++vertex) {
        if (!reached[vertex]) {
            broken.push_back("nothing leads to " + name_of(graph[vertex], document));
        }
    }
    check_coverage(graph, reached, record.token_count, broken);
    return broken;
}

}  // namespace mc
