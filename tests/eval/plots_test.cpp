// SPDX-License-Identifier: Apache-2.0
// Plots are well-formed XML whatever a document is called, and show what was measured.
#include "eval/report/plots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "core/rng.h"
#include "eval/report/curve_plot.h"
#include "eval/report/svg.h"
#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

std::size_t count_of(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        ++count;
    return count;
}

// Elements that nest and close, quoted attributes, no bare markup in text.
void expect_well_formed(const std::string& xml) {
    static const std::regex tag(R"rx(<(/?)([a-z]+)((?: [a-z0-9-]+="[^"<&]*")*)(/?)>)rx");
    std::vector<std::string> open;
    std::size_t done = 0;
    for (auto it = std::sregex_iterator(xml.begin(), xml.end(), tag); it != std::sregex_iterator();
         ++it) {
        const auto at = static_cast<std::size_t>(it->position());
        const std::string between = xml.substr(done, at - done);
        EXPECT_EQ(between.find_first_of("<>"), std::string::npos) << between;
        const std::string entities =
            std::regex_replace(between, std::regex("&(amp|lt|gt);"), std::string());
        EXPECT_EQ(entities.find('&'), std::string::npos) << between;
        done = at + static_cast<std::size_t>(it->length());
        if (it->str(1) == "/") {
            ASSERT_FALSE(open.empty());
            EXPECT_EQ(open.back(), it->str(2));
            open.pop_back();
        } else if (it->str(4).empty()) {
            open.push_back(it->str(2));
        }
    }
    EXPECT_TRUE(open.empty());
    EXPECT_EQ(xml.substr(done), "\n");
}

TEST(Svg, GoldenCanvas) {
    SvgCanvas canvas(100, 50);
    canvas.line({0, 1}, {2.25, 3}, "#000000", 1);
    canvas.polyline(std::vector<SvgCanvas::Point>{{1, 2}, {3, 4}}, "#ff0000", "4 3");
    canvas.circle({5, 6}, 2.5, "#00ff00");
    canvas.text({7, 8}, "a", TextAnchor::kMiddle, 11);
    EXPECT_EQ(
        std::move(canvas).take(),
        R"(<svg xmlns="http://www.w3.org/2000/svg" width="100.0" height="50.0" font-family="sans-serif">
<rect width="100.0" height="50.0" fill="white"/>
<line x1="0.0" y1="1.0" x2="2.2" y2="3.0" stroke="#000000" stroke-width="1.0"/>
<polyline points="1.0,2.0 3.0,4.0" fill="none" stroke="#ff0000" stroke-width="1.5" stroke-dasharray="4 3"/>
<circle cx="5.0" cy="6.0" r="2.5" fill="#00ff00"/>
<text x="7.0" y="8.0" font-size="11.0" text-anchor="middle">a</text>
</svg>
)");
}

TEST(Svg, AnyBytesBecomeTextThatXmlHolds) {
    SvgCanvas canvas(1, 1);
    canvas.text({0, 0}, "<b> & \"ö\" \x01\xff\xc3", TextAnchor::kEnd, 1);
    const std::string svg = std::move(canvas).take();
    EXPECT_NE(svg.find(">&lt;b&gt; &amp; \"ö\" ?\?\?</text>"), std::string::npos) << svg;
}

TEST(Plots, RunLeavesWellFormedPlotsOfEveryConditionAndDocument) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    options.documents.push_back(folder.write("<&>.txt", std::string(5500, 'c')));
    options.oracle_windows = 4;
    FakeScorer scorer;
    const auto report = run_delta_nll(scorer, options, {}, nullptr);
    ASSERT_TRUE(report) << report.error().to_string();
    std::vector<std::string> names;
    for (const Path& path : report->plot_paths) {
        names.push_back(path.filename().string());
        expect_well_formed(folder.read(Path("out") / path.filename()));
    }
    EXPECT_EQ(names, (std::vector<std::string>{"Rs.svg", "R.svg", "Rs-oracle.svg", "R-oracle.svg",
                                               "nll.svg"}));
    const std::string rs = folder.read("out/Rs.svg");
    EXPECT_NE(rs.find(">kv-last<"), std::string::npos);
    EXPECT_EQ(rs.find(">last-64<"), std::string::npos);  // it has no Rs
    EXPECT_NE(rs.find(">&lt;&amp;&gt;.txt<"), std::string::npos);
    // 2 encoders, plain and int8; 3 slices; 3 documents and the pool; and the legend's four.
    EXPECT_EQ(count_of(rs, "<circle"), 4U * 3 * 4 + 4);
    EXPECT_NE(folder.read("out/R-oracle.svg").find(">oracle<"), std::string::npos);
    EXPECT_NE(folder.read("out/nll.svg").find(">shuffled-kv-last<"), std::string::npos);
    EXPECT_EQ(folder.read("out/nll.svg").find(">oracle<"), std::string::npos);
}

// The x of the points of the first polyline, the first curve.
std::vector<double> first_curve(const std::string& svg) {
    std::smatch found;
    std::vector<double> out;
    if (!std::regex_search(svg, found, std::regex("<polyline points=\"([^\"]*)\""))) return out;
    const std::string points = found.str(1);
    static const std::regex pair("([0-9.-]+),([0-9.-]+)");
    for (auto it = std::sregex_iterator(points.begin(), points.end(), pair);
         it != std::sregex_iterator(); ++it)
        out.push_back(std::stod(it->str(1)));
    return out;
}

TEST(Curves, EqualFactorsAreEquallyFarOnALogarithmicAxisAndEqualStepsOnALinearOne) {
    const std::vector<Curve> curves = {{"a", {{0, 1}, {1, 2}, {10, 3}, {100, 4}}, false}};
    const std::string logarithmic = draw_curves(curves, {"x", "y", true});
    expect_well_formed(logarithmic);
    const std::vector<double> x = first_curve(logarithmic);
    ASSERT_EQ(x.size(), 3U);  // 0 has no place
    EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.11);
    const std::vector<double> linear = first_curve(draw_curves(curves, {"x", "y", false}));
    ASSERT_EQ(linear.size(), 4U);
    EXPECT_NEAR((linear[2] - linear[0]) * 10, linear[3] - linear[0], 1.1);
}

TEST(Plots, LargerRatiosStandFurtherRightAndWhiskersEnclose) {
    DocumentScores scores{"d", {}, 20, 96, {}};
    Rng rng(4);
    for (const double nll : {4.0, 3.0, 3.5, 3.2}) {
        const std::string name = nll == 4.0   ? "none"
                                 : nll == 3.0 ? "full"
                                              : "x" + std::to_string(nll);
        scores.conditions.push_back({name, "", 0, 0});
        for (std::size_t i = 0; i < 20 * 96; ++i) scores.nll.push_back(nll + 0.3 * rng.uniform());
    }
    const GroupMetrics group = document_metrics(scores, 1);
    const std::vector<Plot> plots = result_plots(std::span(&group, 1), std::span(&scores, 1));
    const std::string& r = plots[1].svg;
    ASSERT_EQ(plots[1].file_name, "R.svg");
    // The first panel's dots: none at 0, full at 1, then .5 and .8, give or take the noise.
    static const std::regex dot(
        R"rx(<line x1="([0-9.]+)" y1="[0-9.]+" x2="([0-9.]+)"[^>]*>\n<circle cx="([0-9.]+)")rx");
    std::vector<double> x;
    for (auto it = std::sregex_iterator(r.begin(), r.end(), dot); it != std::sregex_iterator();
         ++it) {
        EXPECT_LE(std::stod(it->str(1)), std::stod(it->str(3)));
        EXPECT_GE(std::stod(it->str(2)), std::stod(it->str(3)));
        x.push_back(std::stod(it->str(3)));
    }
    ASSERT_GE(x.size(), 4U);
    EXPECT_LT(x[0], x[2]);
    EXPECT_LT(x[2], x[3]);
    EXPECT_LT(x[3], x[1]);
}

}  // namespace
}  // namespace mc::eval
