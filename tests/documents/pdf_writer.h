// SPDX-License-Identifier: Apache-2.0
// Small PDF files for tests, written object by object.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace mc::documents {

// Pages of lines in Helvetica, without compression. encrypted: with a handler whose password nobody
// has.
inline std::string pdf_of(const std::vector<std::vector<std::string>>& pages,
                          bool encrypted = false) {
    std::vector<std::string> objects;
    std::string kids;
    for (std::size_t i = 0; i < pages.size(); ++i) kids += std::to_string(4 + 2 * i) + " 0 R ";
    objects.push_back("<< /Type /Catalog /Pages 2 0 R >>");
    objects.push_back("<< /Type /Pages /Kids [" + kids + "] /Count " +
                      std::to_string(pages.size()) + " >>");
    objects.push_back("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
    for (std::size_t i = 0; i < pages.size(); ++i) {
        std::string content = "BT /F1 12 Tf 14 TL 72 720 Td\n";
        for (const std::string& line : pages[i]) content += "(" + line + ") Tj T*\n";
        content += "ET\n";
        objects.push_back("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents " +
                          std::to_string(5 + 2 * i) +
                          " 0 R /Resources << /Font << /F1 3 0 R >> >> >>");
        objects.push_back("<< /Length " + std::to_string(content.size()) + " >>\nstream\n" +
                          content + "endstream");
    }
    std::string file = "%PDF-1.4\n";
    std::string table = "0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        char entry[32];
        std::snprintf(entry, sizeof entry, "%010zu 00000 n \n", file.size());
        table += entry;
        file += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
    }
    const std::size_t place = file.size();
    const std::string digits(64, 'a');
    const std::string handler = encrypted
                                    ? " /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" +
                                          digits + "> /U <" + digits + "> >> /ID [<0123> <0123>]"
                                    : "";
    return file + "xref\n0 " + std::to_string(objects.size() + 1) + "\n" + table +
           "trailer\n<< /Root 1 0 R /Size " + std::to_string(objects.size() + 1) + handler +
           " >>\nstartxref\n" + std::to_string(place) + "\n%%EOF\n";
}

}  // namespace mc::documents
